/** How many seats a request takes, and for how long more its consequences keep the server busy. */
export interface Width {
  readonly seats: number;
  /** Taken for `lingerMs` after the request has ended. */
  readonly finalSeats: number;
  readonly lingerMs: number;
}

/** A request as its queue sees it. Whoever entered it is called by `start` when its turn has come. */
export interface QueuedRequest {
  readonly state: "waiting" | "executing" | "gone";
}

class Request implements QueuedRequest {
  state: QueuedRequest["state"] = "waiting";
  readonly seats: number;
  /** In seat-milliseconds. */
  readonly work: number;
  readonly width: Width;
  readonly queue: Queue | undefined;
  readonly arrivedAt: number;
  readonly start: () => void;
  startedMs = 0;

  constructor(width: Width, queue: Queue | undefined, arrivedAt: number, start: () => void) {
    this.width = width;
    this.seats = Math.max(width.seats, width.finalSeats);
    this.work = width.seats * guessedServiceMs + width.finalSeats * width.lingerMs;
    this.queue = queue;
    this.arrivedAt = arrivedAt;
    this.start = start;
  }
}

class Queue {
  readonly waiting: Request[] = [];
  seatsWaiting = 0;
  workWaiting = 0;
  executing = 0;
  seatsInUse = 0;
  /** When, in virtual time, its next request would begin if all queues were served at once. */
  nextStart = 0;

  get isBusy(): boolean {
    return this.waiting.length > 0 || this.executing > 0;
  }
}

/** How long a request is taken to last until it has ended. */
const guessedServiceMs = 3;

export interface QueueLimits {
  /** 0: whoever finds no free seat is refused. */
  readonly queues: number;
  /** No more wait in one queue while all seats are taken. */
  readonly queueLengthMax: number;
}

/**
 * Seats for those who come, and queues for those who find none: whoever has had least gets the next. It is fair
 * queuing in virtual time, which runs as fast as the seats are shared by the queues that want any; a request belongs at
 * the virtual time at which it would have ended had all queues been served at once.
 *
 * Pure: whoever uses it tells the time, in milliseconds that never go back.
 */
export class FairQueue {
  #limits: QueueLimits;
  #seatsMax: number;
  readonly #queues: Queue[] = [];
  #busyQueues = 0;
  #robin = 0;
  #dealt = 0;
  #virtual = 0;
  #lastMs: number;
  #waiting = 0;
  #executing = 0;
  #seatsInUse = 0;
  #seatsWaiting = 0;
  readonly #onDemand: (seats: number, nowMs: number) => void;

  /** `onDemand` is told whenever it changes how many seats are wanted. */
  constructor(
    limits: QueueLimits,
    seatsMax: number,
    nowMs: number,
    onDemand: (seats: number, nowMs: number) => void = () => {},
  ) {
    this.#limits = limits;
    this.#seatsMax = seatsMax;
    this.#lastMs = nowMs;
    this.#onDemand = onDemand;
    this.#growTo(limits.queues);
  }

  get waiting(): number {
    return this.#waiting;
  }

  get executing(): number {
    return this.#executing;
  }

  get seatsInUse(): number {
    return this.#seatsInUse;
  }

  /** Queues that are no longer wanted are emptied, and get nobody new. */
  configure(limits: QueueLimits, seatsMax: number, nowMs: number): void {
    this.#advance(nowMs);
    this.#limits = limits;
    this.#seatsMax = seatsMax;
    this.#growTo(limits.queues);
    this.#dispatch(nowMs);
  }

  /**
   * Lets a request in: `start` is called when it may go on, perhaps before this returns. Undefined: it is refused.
   * `hand`: the queues it may use.
   */
  enter(
    width: Width,
    hand: readonly number[],
    start: () => void,
    nowMs: number,
  ): QueuedRequest | undefined {
    this.#advance(nowMs);
    if (this.#limits.queues === 0) {
      const request = new Request(width, undefined, this.#virtual, start);
      if (!this.#hasRoomFor(request.seats)) return undefined;
      this.#begin(request, nowMs);
      return request;
    }
    const queue = this.#shortestOf(hand);
    if (this.#seatsInUse >= this.#seatsMax && queue.waiting.length >= this.#limits.queueLengthMax) {
      boundNextStart(queue);
      return undefined;
    }
    const request = new Request(width, queue, this.#virtual, start);
    if (!queue.isBusy) {
      queue.nextStart = this.#virtual;
      this.#busyQueues += 1;
    }
    queue.waiting.push(request);
    queue.seatsWaiting += request.seats;
    queue.workWaiting += request.work;
    this.#waiting += 1;
    this.#seatsWaiting += request.seats;
    this.#tellDemand(nowMs);
    boundNextStart(queue);
    this.#dispatch(nowMs);
    return request;
  }

  /** Takes a request that still waits out of its queue; false where it waits no more. */
  cancel(queued: QueuedRequest, nowMs: number): boolean {
    const request = queued as Request;
    if (request.state !== "waiting") return false;
    this.#advance(nowMs);
    request.state = "gone";
    const { queue } = request;
    if (queue !== undefined) {
      this.#takeOut(queue, queue.waiting.indexOf(request));
      if (!queue.isBusy) this.#busyQueues -= 1;
      boundNextStart(queue);
    }
    this.#tellDemand(nowMs);
    this.#dispatch(nowMs);
    return true;
  }

  /**
   * A request has ended. Its seats are free where 0 is returned; otherwise `release` is to be called so many
   * milliseconds later.
   */
  finish(queued: QueuedRequest, nowMs: number): number {
    const request = queued as Request;
    if (request.state !== "executing") return 0;
    this.#advance(nowMs);
    request.state = "gone";
    this.#executing -= 1;
    const { queue } = request;
    if (queue !== undefined) {
      queue.executing -= 1;
      // What it really took, in place of what had been guessed.
      const servedMs = nowMs - request.startedMs;
      queue.nextStart -= request.width.seats * (guessedServiceMs - servedMs);
      boundNextStart(queue);
      if (!queue.isBusy) this.#busyQueues -= 1;
    }
    if (request.width.lingerMs > 0) {
      this.#dispatch(nowMs);
      return request.width.lingerMs;
    }
    this.release(queued, nowMs);
    return 0;
  }

  /** Frees the seats of a request that has ended. */
  release(queued: QueuedRequest, nowMs: number): void {
    const request = queued as Request;
    this.#advance(nowMs);
    this.#seatsInUse -= request.seats;
    if (request.queue !== undefined) request.queue.seatsInUse -= request.seats;
    this.#tellDemand(nowMs);
    this.#dispatch(nowMs);
  }

  #growTo(count: number): void {
    while (this.#queues.length < count) this.#queues.push(new Queue());
  }

  #tellDemand(nowMs: number): void {
    this.#onDemand(this.#seatsInUse + this.#seatsWaiting, nowMs);
  }

  #advance(nowMs: number): void {
    const passedMs = nowMs - this.#lastMs;
    if (passedMs <= 0) return;
    this.#lastMs = nowMs;
    if (this.#busyQueues === 0) return;
    const wanted = this.#seatsInUse + this.#seatsWaiting;
    this.#virtual += (passedMs * Math.min(wanted, this.#seatsMax)) / this.#busyQueues;
  }

  #shortestOf(hand: readonly number[]): Queue {
    const offset = this.#dealt++ % hand.length;
    let best: Queue | undefined;
    for (let index = 0; index < hand.length; index++) {
      const queue = this.#queues[hand[(offset + index) % hand.length] ?? 0];
      if (queue === undefined) continue;
      if (best === undefined || queue.workWaiting < best.workWaiting) best = queue;
    }
    if (best === undefined) throw new RangeError("a hand names a queue that is not there");
    return best;
  }

  #hasRoomFor(seats: number): boolean {
    // Wider than all there is: alone.
    if (seats > this.#seatsMax) return this.#executing === 0;
    return this.#seatsInUse + seats <= this.#seatsMax;
  }

  #dispatch(nowMs: number): void {
    while (this.#waiting > 0 && this.#seatsInUse < this.#seatsMax) {
      const at = this.#nextQueue();
      const queue = this.#queues[at];
      const request = queue?.waiting[0];
      if (queue === undefined || request === undefined) return;
      if (!this.#hasRoomFor(request.seats)) return;
      this.#robin = at;
      this.#takeOut(queue, 0);
      queue.nextStart += request.work;
      queue.executing += 1;
      queue.seatsInUse += request.seats;
      boundNextStart(queue);
      this.#begin(request, nowMs);
    }
  }

  /** Whose first request would be the first to end; of equals, the one after the last that was served. */
  #nextQueue(): number {
    const count = this.#queues.length;
    let first = Number.POSITIVE_INFINITY;
    let at = -1;
    for (let step = 1; step <= count; step++) {
      const index = (this.#robin + step) % count;
      const queue = this.#queues[index];
      const request = queue?.waiting[0];
      if (queue === undefined || request === undefined) continue;
      const end = queue.nextStart + request.work;
      if (end >= first) continue;
      first = end;
      at = index;
    }
    return at;
  }

  #takeOut(queue: Queue, index: number): void {
    const [request] = queue.waiting.splice(index, 1);
    if (request === undefined) return;
    queue.seatsWaiting -= request.seats;
    queue.workWaiting -= request.work;
    this.#waiting -= 1;
    this.#seatsWaiting -= request.seats;
  }

  #begin(request: Request, nowMs: number): void {
    request.state = "executing";
    request.startedMs = nowMs;
    this.#executing += 1;
    this.#seatsInUse += request.seats;
    this.#tellDemand(nowMs);
    request.start();
  }
}

/** A queue that did not use its turns has not saved them up: nothing begins before it came. */
function boundNextStart(queue: Queue): void {
  const first = queue.waiting[0];
  if (first !== undefined && queue.nextStart < first.arrivedAt) queue.nextStart = first.arrivedAt;
}
