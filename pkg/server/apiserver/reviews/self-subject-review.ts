import type { UserInfo as ReviewedUser } from "../../../api/generated/authentication-v1.generated.ts";
import type { KubernetesObject } from "../../../api/object.ts";
import type { ResourceDefinition } from "../../../api/resource.ts";
import { selfSubjectReviewResource } from "../../../api/resources/selfsubjectreview.ts";
import { formatTime } from "../../../api/time.ts";
import type { Clock } from "../../../base/clock.ts";
import type { UserInfo } from "../authn/authenticator.ts";
import type { VirtualResource } from "../virtual-resource.ts";

/** "Who am I?": `kubectl auth whoami`. */
export function createSelfSubjectReview(clock: Clock): VirtualResource {
  return {
    resource: selfSubjectReviewResource as unknown as ResourceDefinition,
    create(context, _namespace, draft) {
      const creationTimestamp = formatTime(clock.now());
      return {
        ...draft,
        metadata: { ...draft.metadata, creationTimestamp },
        status: { userInfo: reviewedUser(context.user) },
      } as unknown as KubernetesObject;
    },
  };
}

/** A user as the review kinds show it. */
export function reviewedUser(user: UserInfo): ReviewedUser {
  return {
    username: user.username,
    ...(user.uid === undefined ? {} : { uid: user.uid }),
    groups: user.groups,
    ...(user.extra === undefined ? {} : { extra: user.extra }),
  };
}
