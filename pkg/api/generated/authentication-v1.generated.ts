// Written by build/generate-types.ts: do not edit.
import type { ObjectMeta } from "../object.ts";
import type { Schema } from "../schema.ts";
import { kubernetesSchema } from "../kubernetes-schema.ts";

export interface BoundObjectReference {
  readonly apiVersion?: string;
  readonly kind?: string;
  readonly name?: string;
  readonly uid?: string;
}

export interface SelfSubjectReview {
  readonly apiVersion: "authentication.k8s.io/v1";
  readonly kind: "SelfSubjectReview";
  readonly metadata: ObjectMeta;
  readonly status: SelfSubjectReviewStatus;
}

export const selfSubjectReviewSchema: Schema<SelfSubjectReview> = kubernetesSchema("io.k8s.api.authentication.v1.SelfSubjectReview");

export interface SelfSubjectReviewStatus {
  readonly userInfo: UserInfo;
}

export interface TokenRequest {
  readonly apiVersion: "authentication.k8s.io/v1";
  readonly kind: "TokenRequest";
  readonly metadata: ObjectMeta;
  readonly spec: TokenRequestSpec;
  readonly status: TokenRequestStatus;
}

export const tokenRequestSchema: Schema<TokenRequest> = kubernetesSchema("io.k8s.api.authentication.v1.TokenRequest");

export interface TokenRequestSpec {
  readonly audiences?: readonly string[];
  readonly boundObjectRef?: BoundObjectReference;
  readonly expirationSeconds?: number;
}

export interface TokenRequestStatus {
  readonly expirationTimestamp?: string;
  readonly token: string;
}

export interface TokenReview {
  readonly apiVersion: "authentication.k8s.io/v1";
  readonly kind: "TokenReview";
  readonly metadata: ObjectMeta;
  readonly spec: TokenReviewSpec;
  readonly status: TokenReviewStatus;
}

export const tokenReviewSchema: Schema<TokenReview> = kubernetesSchema("io.k8s.api.authentication.v1.TokenReview");

export interface TokenReviewSpec {
  readonly audiences?: readonly string[];
  readonly token: string;
}

export interface TokenReviewStatus {
  readonly audiences?: readonly string[];
  readonly authenticated?: boolean;
  readonly error?: string;
  readonly user: UserInfo;
}

export interface UserInfo {
  readonly extra?: Readonly<Record<string, readonly string[]>>;
  readonly groups?: readonly string[];
  readonly uid?: string;
  readonly username?: string;
}
