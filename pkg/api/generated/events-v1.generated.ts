// Written by build/generate-types.ts: do not edit.
import type { EventSource, ObjectReference } from "./core-v1.generated.ts";
import type { ObjectMeta } from "../object.ts";
import type { Schema } from "../schema.ts";
import { kubernetesSchema } from "../kubernetes-schema.ts";

export interface Event {
  readonly action?: string;
  readonly apiVersion: "events.k8s.io/v1";
  readonly deprecatedCount?: number;
  readonly deprecatedFirstTimestamp?: string;
  readonly deprecatedLastTimestamp?: string;
  readonly deprecatedSource: EventSource;
  readonly eventTime: string;
  readonly kind: "Event";
  readonly metadata: ObjectMeta;
  readonly note?: string;
  readonly reason?: string;
  readonly regarding: ObjectReference;
  readonly related?: ObjectReference;
  readonly reportingController?: string;
  readonly reportingInstance?: string;
  readonly series?: EventSeries;
  readonly type?: string;
}

export const eventSchema: Schema<Event> = kubernetesSchema("io.k8s.api.events.v1.Event");

export interface EventSeries {
  readonly count: number;
  readonly lastObservedTime: string;
}
