import type { Scenario } from "../../support/kubectl-session.ts";

export const applyScenario: Scenario = {
  name: "apply",
  files: {
    "a.yaml":
      '{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a", "labels": {"set": "one"}}, "data": {"k": "v"}}',
    "b.yaml":
      '{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "b", "labels": {"set": "one"}}, "data": {"k": "v"}}',
    "a2.yaml":
      '{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a", "labels": {"set": "one"}}, "data": {"l": "w"}}',
    "other.yaml":
      '{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}, "data": {"l": "other"}}',
    "web.yaml": `apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 1
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
      - {name: c, image: "i:1", env: [{name: A, value: "1"}, {name: B, value: "2"}]}
`,
    "kustomization.yaml": `resources: [web.yaml]
namePrefix: pre-
labels: [{pairs: {kustomized: "yes"}}]
configMapGenerator: [{name: settings, literals: [a=1]}]
`,
    "append.sh": `#!/bin/sh\nsed -i 's/"l":"w"/"l":"edited"/; s/l: w/l: edited/' "$1"\n`,
    "nothing.sh": "#!/bin/sh\nexit 0\n",
  },
  transcript: String.raw`
$ kubectl apply -f a.yaml -f b.yaml
configmap/a created
configmap/b created
$ kubectl apply -f a.yaml
configmap/a unchanged
! kubectl diff -f a2.yaml | sed 's/^\(---\|+++\) .*/\1/'; test "$PIPESTATUS" = 0
diff -u -N …
---
+++
@@ -1,6 +1,6 @@
 apiVersion: v1
 data:
-  k: v
+  l: w
 kind: ConfigMap
 metadata:
   annotations:
$ kubectl diff -f a.yaml
$ kubectl apply -f a2.yaml
configmap/a configured
$ kubectl get configmap a -o jsonpath='{.data}'
{"l":"w"}
$ kubectl apply view-last-applied configmap/a
apiVersion: v1
data:
  l: w
kind: ConfigMap
metadata:
  annotations: {}
  labels:
    set: one
  name: a
  namespace: $NS
$ kubectl apply set-last-applied -f a.yaml
configmap/a configured
$ kubectl apply view-last-applied configmap/a -o json | grep '"k"'
    "k": "v"
$ kubectl create configmap plain
configmap/plain created
! kubectl apply set-last-applied -f <(kubectl get configmap plain -o yaml)
error: no last-applied-configuration annotation found on resource: plain, to create the annotation, run the command with --create-annotation
$ kubectl apply view-last-applied configmap/plain
$ kubectl apply set-last-applied -f a2.yaml
configmap/a configured
$ EDITOR=./append.sh kubectl apply edit-last-applied configmap/a
configmap/a edited
$ kubectl apply view-last-applied configmap/a | grep l:
  l: edited
$ EDITOR=./nothing.sh kubectl apply edit-last-applied configmap/a
Edit cancelled, no changes made.
$ kubectl apply -f a2.yaml --dry-run=client
configmap/a configured (dry run)
$ kubectl apply -f b.yaml --dry-run=server
configmap/b unchanged (server dry run)
$ kubectl label configmap plain set=one
configmap/plain labeled
$ kubectl apply -f a2.yaml --prune -l set=one --prune-allowlist=core/v1/ConfigMap
configmap/a configured
configmap/b pruned
$ kubectl get configmap plain -o name
configmap/plain
$ KUBECTL_APPLYSET=true kubectl apply -f b.yaml --namespace=$NS --prune --applyset=own
configmap/b created
$ kubectl get secret own -o jsonpath='{.metadata.annotations}'
{"applyset.kubernetes.io/additional-namespaces":"","applyset.kubernetes.io/contains-group-kinds":"ConfigMap","applyset.kubernetes.io/tooling":"kubectl/v1…"}
$ sed 's/"name": "b"/"name": "c"/' b.yaml | KUBECTL_APPLYSET=true kubectl apply -f - --namespace=$NS --prune --applyset=own
configmap/c created
configmap/b pruned
$ kubectl apply -k .
configmap/pre-settings-… created
deployment.apps/pre-web created
$ kubectl kustomize . | grep -c kustomized
2
$ kubectl delete -k .
configmap "pre-settings-…" deleted…
deployment.apps "pre-web" deleted…
$ kubectl apply -f web.yaml
deployment.apps/web created
$ sed 's/, {name: B, value: "2"}//; s/i:1/i:2/' web.yaml | kubectl apply -f -
deployment.apps/web configured
$ kubectl get deployment web -o jsonpath='{.spec.template.spec.containers[0].image} {.spec.template.spec.containers[0].env}'
i:2 [{"name":"A","value":"1"}]
! sed 's/matchLabels: {app: web}/matchLabels: {app: x}/' web.yaml | kubectl apply -f -
The Deployment "web" is invalid:
* spec.template.metadata.labels: Invalid value: {"app":"web"}: ${"`selector`"} does not match template ${"`labels`"}
* spec.selector: Invalid value: {"matchLabels":{"app":"x"}}: field is immutable
! sed 's/replicas: 1/replicas: many/' web.yaml | kubectl apply -f -
The request is invalid: patch: Invalid value: "map[metadata:map[annotations:map[kubectl.kubernetes.io/last-applied-configuration:…]] spec:map[replicas:many …]]": unrecognized type: int32
! sed 's/replicas: 1/replica: 1/' web.yaml | kubectl apply -f -
The request is invalid: patch: Invalid value: "map[metadata:… spec:map[replica:1 replicas:<nil> …]]": strict decoding error: unknown field "spec.replica"
$ sed 's/replicas: 1/replica: 1/' web.yaml | kubectl apply -f - --validate=warn 2>&1
Warning: unknown field "spec.replica"
deployment.apps/web configured
`,
};

export const serverSideApplyScenario: Scenario = {
  name: "server-side",
  files: {
    "one.yaml":
      '{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}, "data": {"k": "v", "l": "w"}}',
    "two.yaml":
      '{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}, "data": {"l": "other"}}',
    "three.yaml":
      '{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}, "data": {"k": "a", "l": "b"}}',
  },
  transcript: String.raw`
$ kubectl apply --server-side -f one.yaml
configmap/a serverside-applied
$ kubectl apply --server-side -f one.yaml --dry-run=server
configmap/a serverside-applied (server dry run)
! kubectl apply --server-side -f two.yaml --field-manager=second
error: Apply failed with 1 conflict: conflict with "kubectl": .data.l
Please review the fields above--they currently have other managers. Here
are the ways you can resolve this warning:
* If you intend to manage all of these fields, please re-run the apply
  command with the ${"`--force-conflicts`"} flag.
* If you do not intend to manage all of the fields, please edit your
  manifest to remove references to the fields that should keep their
  current managers.
* You may co-own fields by updating your manifest to match the existing
  value; in this case, you'll become the manager if the other manager(s)
  stop managing the field (remove it from their configuration).
See https://kubernetes.io/docs/reference/using-api/server-side-apply/#conflicts
$ kubectl apply --server-side -f two.yaml --field-manager=second --force-conflicts
configmap/a serverside-applied
! kubectl apply --server-side -f three.yaml --field-manager=third 2>&1 | head -5; exit 1
error: Apply failed with 2 conflicts: conflicts with "kubectl":
- .data.k
conflicts with "second":
- .data.l
Please review the fields above--they currently have other managers. Here
$ kubectl get configmap a -o jsonpath='{range .metadata.managedFields[*]}{.manager} {.operation} {.apiVersion} {.fieldsType} {.fieldsV1}{"\n"}{end}' --show-managed-fields
kubectl Apply v1 FieldsV1 {"f:data":{"f:k":{}}}
second Apply v1 FieldsV1 {"f:data":{"f:l":{}}}
! kubectl diff --server-side -f one.yaml --field-manager=kubectl 2>&1 >/dev/null | grep -v "keeps changing"; exit 1
Error from server (Conflict): Apply failed with 1 conflict: conflict with "second": .data.l
! kubectl diff --server-side --force-conflicts -f one.yaml | grep '^[-+] .*l:'; exit 1
-  l: other
+  l: w
$ kubectl patch configmap a --type=merge -p '{"data":{"k":"patched"}}'
configmap/a patched
! kubectl apply --server-side -f one.yaml 2>&1 | head -4; exit 1
error: Apply failed with 2 conflicts: conflicts with "kubectl-patch" using v1:
- .data.k
conflicts with "second":
- .data.l
$ kubectl create configmap b --from-literal=k=v --save-config
configmap/b created
$ sed 's/"a"/"b"/; s/, "l": "w"//' one.yaml >b.yaml; kubectl apply -f b.yaml
configmap/b configured
$ kubectl apply --server-side -f b.yaml
configmap/b serverside-applied
$ kubectl get configmap b -o jsonpath='{range .metadata.managedFields[*]}{.manager} {.operation} {.fieldsV1}{"\n"}{end}' --show-managed-fields
kubectl Apply {"f:data":{"f:k":{}}}
kubectl-last-applied Apply {"f:metadata":{"f:annotations":{"f:kubectl.kubernetes.io/last-applied-configuration":{}}}}
kubectl-create Update {"f:data":{".":{},"f:k":{}},"f:metadata":{"f:annotations":{}}}
! kubectl apply --server-side -f - --subresource=status <<'END'
> {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "none"}, "status": {"phase": "Running"}}
> END
Error from server (NotFound): pods "none" not found
`,
};
