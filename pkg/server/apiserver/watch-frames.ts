import type { StoredObject } from "./hub.ts";
import type { WatchEventType } from "./verbs/watch.ts";

/** The frames of this many events are kept: what one watcher is told now, the others are told now, too. */
const framesMax = 1_024;

const openings: Readonly<Record<WatchEventType, Buffer>> = {
  ADDED: Buffer.from('{"type":"ADDED","object":'),
  MODIFIED: Buffer.from('{"type":"MODIFIED","object":'),
  DELETED: Buffer.from('{"type":"DELETED","object":'),
};
const closing = Buffer.from("}\n");

/** One event as a JSON watcher gets it. */
export function jsonFrame(type: WatchEventType, object: Uint8Array): Uint8Array {
  return Buffer.concat(jsonParts(type, object));
}

/** The same, not yet joined. */
export function jsonParts(type: WatchEventType, object: Uint8Array): readonly Uint8Array[] {
  return [openings[type], object, closing];
}

/**
 * Makes each event's frame once for all who watch. Only the latest are kept: a frame holds the object's bytes
 * a second time.
 */
export class SharedFrames {
  readonly #make: (type: WatchEventType, stored: StoredObject) => Uint8Array;
  readonly #frames: Readonly<Record<WatchEventType, Map<StoredObject, Uint8Array>>> = {
    ADDED: new Map(),
    MODIFIED: new Map(),
    DELETED: new Map(),
  };

  constructor(make: (type: WatchEventType, stored: StoredObject) => Uint8Array) {
    this.#make = make;
  }

  frame(type: WatchEventType, stored: StoredObject): Uint8Array {
    const frames = this.#frames[type];
    const known = frames.get(stored);
    if (known !== undefined) return known;
    const frame = this.#make(type, stored);
    frames.set(stored, frame);
    if (frames.size > framesMax) {
      for (const oldest of frames.keys()) {
        frames.delete(oldest);
        break;
      }
    }
    return frame;
  }
}
