import type {
  LocalSubjectAccessReview,
  SelfSubjectAccessReview,
  SubjectAccessReview,
  SubjectAccessReviewSpec,
} from "../../../api/generated/authorization-v1.generated.ts";
import type { Draft, KubernetesObject } from "../../../api/object.ts";
import type { ResourceDefinition } from "../../../api/resource.ts";
import { localSubjectAccessReviewResource } from "../../../api/resources/localsubjectaccessreview.ts";
import { selfSubjectAccessReviewResource } from "../../../api/resources/selfsubjectaccessreview.ts";
import { subjectAccessReviewResource } from "../../../api/resources/subjectaccessreview.ts";
import type { UserInfo } from "../authn/authenticator.ts";
import type { Authorizer } from "../authz/authorizer.ts";
import type { VirtualResource } from "../virtual-resource.ts";
import { answerAccess } from "./access-question.ts";
import { checkReview } from "./check-review.ts";

/** "May I?": `kubectl auth can-i`. */
export function createSelfSubjectAccessReview(authorizer: Authorizer): VirtualResource {
  return {
    resource: selfSubjectAccessReviewResource as unknown as ResourceDefinition,
    create(context, _namespace, draft) {
      const review = draft as unknown as SelfSubjectAccessReview;
      checkReview(selfSubjectAccessReviewResource, review);
      return answered(draft, answerAccess(authorizer, context.user, review.spec));
    },
  };
}

/** "May they?" */
export function createSubjectAccessReview(authorizer: Authorizer): VirtualResource {
  return {
    resource: subjectAccessReviewResource as unknown as ResourceDefinition,
    create(_context, _namespace, draft) {
      const review = draft as unknown as SubjectAccessReview;
      checkReview(subjectAccessReviewResource, review);
      return answered(draft, answerAccess(authorizer, subjectOf(review.spec), review.spec));
    },
  };
}

/** "May they, in this namespace?" */
export function createLocalSubjectAccessReview(authorizer: Authorizer): VirtualResource {
  return {
    resource: localSubjectAccessReviewResource as unknown as ResourceDefinition,
    create(_context, namespace = "", draft) {
      const review = draft as unknown as LocalSubjectAccessReview;
      // The path says which namespace is meant, where the body does not.
      if (!draft.metadata.namespace) draft.metadata.namespace = namespace;
      checkReview(localSubjectAccessReviewResource, review);
      return answered(draft, answerAccess(authorizer, subjectOf(review.spec), review.spec));
    },
  };
}

function subjectOf(spec: SubjectAccessReviewSpec): UserInfo {
  return {
    username: spec.user ?? "",
    groups: spec.groups ?? [],
    ...(spec.uid === undefined ? {} : { uid: spec.uid }),
    ...(spec.extra === undefined ? {} : { extra: spec.extra }),
  };
}

function answered(draft: Draft<KubernetesObject>, status: object): KubernetesObject {
  return { ...draft, status } as unknown as KubernetesObject;
}
