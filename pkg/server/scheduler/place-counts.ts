import type { Node } from "../../api/generated/core-v1.generated.ts";
import type { NodeInfo } from "./node-info.ts";

/** The value that names the place; undefined where the node has no such label. */
export function placeOf({ labels }: Node["metadata"], topologyKey: string): string | undefined {
  return labels !== undefined && Object.hasOwn(labels, topologyKey)
    ? labels[topologyKey]
    : undefined;
}

/** Numbers by place: a label of nodes, and one of its values. Nodes that do not have the label are in no place. */
export class PlaceCounts {
  readonly #byKey = new Map<string, Map<string, number>>();

  get isEmpty(): boolean {
    return this.#byKey.size === 0;
  }

  add(topologyKey: string, { node }: NodeInfo, amount: number): void {
    const place = placeOf(node.metadata, topologyKey);
    if (place === undefined) return;
    let places = this.#byKey.get(topologyKey);
    if (places === undefined) {
      places = new Map();
      this.#byKey.set(topologyKey, places);
    }
    places.set(place, (places.get(place) ?? 0) + amount);
  }

  /** What was counted in the node's place of one kind. */
  at(topologyKey: string, { node }: NodeInfo): number {
    const place = placeOf(node.metadata, topologyKey);
    return place === undefined ? 0 : (this.#byKey.get(topologyKey)?.get(place) ?? 0);
  }

  /** What was counted in all of the node's places. */
  sum(node: NodeInfo): number {
    let sum = 0;
    for (const topologyKey of this.#byKey.keys()) sum += this.at(topologyKey, node);
    return sum;
  }

  /** Whether something was counted in one of the node's places. */
  covers(node: NodeInfo): boolean {
    for (const topologyKey of this.#byKey.keys()) {
      if (this.at(topologyKey, node) > 0) return true;
    }
    return false;
  }
}
