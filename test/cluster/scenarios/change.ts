import type { Scenario } from "../../support/kubectl-session.ts";

const web = `apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 1
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
      - {name: c, image: "i:1"}
`;

export const changeScenario: Scenario = {
  name: "change",
  files: {
    "web.yaml": web,
    "a.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {k: replaced}\n",
    "edit.sh": `#!/bin/sh\nsed -i 's/^  k: .*/  k: edited/' "$1"\n`,
    "spoil.sh": `#!/bin/sh\nsed -i 's/^  name: .*/  name: b/' "$1"\n`,
    "nothing.sh": "#!/bin/sh\nexit 0\n",
  },
  transcript: `
$ kubectl create configmap a --from-literal=k=v
configmap/a created
$ kubectl replace -f a.yaml
configmap/a replaced
$ kubectl get -f a.yaml -o jsonpath='{.data.k}'
replaced
! sed 's/name: a/name: none/' a.yaml | kubectl replace -f -
Error from server (NotFound): error when replacing "STDIN": configmaps "none" not found
! kubectl get configmap a -o yaml | sed 's/resourceVersion: .*/resourceVersion: "1"/' | kubectl replace -f -
Error from server (Conflict): error when replacing "STDIN": Operation cannot be fulfilled on configmaps "a": the object has been modified; please apply your changes to the latest version and try again
! kubectl get configmap a -o yaml | sed 's/uid: .*/uid: 00000000-0000-0000-0000-000000000000/' | kubectl replace -f -
Error from server (Conflict): error when replacing "STDIN": Operation cannot be fulfilled on configmaps "a": StorageError: invalid object, Code: 4, Key: /registry/configmaps/$NS/a, ResourceVersion: 0, AdditionalErrorMsg: Precondition failed: UID in precondition: 00000000-0000-0000-0000-000000000000, UID in object meta: …
$ kubectl replace --force -f a.yaml
configmap "a" deleted…
configmap/a replaced
$ EDITOR=./edit.sh kubectl edit configmap a
configmap/a edited
$ EDITOR=./nothing.sh kubectl edit configmap a
Edit cancelled, no changes made.
$ kubectl get configmap a -o jsonpath='{.data.k}'
edited
! EDITOR=./spoil.sh kubectl edit configmap a 2>&1 | sed 's/"[^"]*kubectl-edit-[^"]*"/"file"/'; exit 1
A copy of your changes has been stored to "file"
error: At least one of apiVersion, kind and name was changed
$ kubectl apply -f web.yaml
deployment.apps/web created
$ kubectl patch deployment web -p '{"spec":{"template":{"spec":{"containers":[{"name":"side","image":"s"}]}}}}'
deployment.apps/web patched
$ kubectl get deployment web -o jsonpath='{.spec.template.spec.containers[*].name}'
side c
$ kubectl patch deployment web -p '{"spec":{"template":{"spec":{"containers":[{"name":"side","$patch":"delete"}]}}}}'
deployment.apps/web patched
$ kubectl patch deployment web -p '{"spec":{"replicas":1}}'
deployment.apps/web patched (no change)
$ kubectl patch deployment web --type=merge -p '{"spec":{"template":{"spec":{"containers":[{"name":"only","image":"i:2"}]}}}}'
deployment.apps/web patched
$ kubectl patch deployment web --type=json -p '[{"op":"test","path":"/spec/replicas","value":1},{"op":"replace","path":"/spec/replicas","value":2}]'
deployment.apps/web patched
! kubectl patch deployment web --type=json -p '[{"op":"test","path":"/spec/replicas","value":1}]'
The request is invalid: the server rejected our request due to an error in our request
! kubectl patch deployment web --type=json -p '[{"op":"remove","path":"/spec/absent"}]'
The request is invalid: the server rejected our request due to an error in our request
! kubectl patch deployment web -p '{"metadata":{"name":"other"}}'
Error from server (BadRequest): the name of the object (other) does not match the name on the URL (web)
! kubectl patch deployment web -p '{"metadata":{"namespace":"other"}}'
Error from server (BadRequest): the namespace of the provided object does not match the namespace sent on the request
$ kubectl patch deployment web -p '{"kind":"Other"}'
deployment.apps/web patched (no change)
! kubectl patch deployment web --type=merge -p '{"kind":"Other"}'
The request is invalid: patch: Invalid value: "{…}": no kind "Other" is registered for version "apps/v1"
! kubectl patch deployment web -p '{"metadata":{"uid":"x"}}'
The Deployment "web" is invalid: metadata.uid: Invalid value: "x": field is immutable
! kubectl patch deployment web -p '{"metadata":{"resourceVersion":"1"}}'
Error from server (Conflict): Operation cannot be fulfilled on deployments.apps "web": the object has been modified; please apply your changes to the latest version and try again
! kubectl patch deployment web --type=merge -p '[]'
Error from server (BadRequest): error decoding patch: json: cannot unmarshal array into Go value of type map[string]interface {}
! kubectl patch deployment web --type=merge -p '{"spec":{"replicas":-1}}'
The Deployment "web" is invalid: spec.replicas: Invalid value: -1: must be greater than or equal to 0
$ kubectl patch deployment web --subresource=scale --type=merge -p '{"spec":{"replicas":3}}'
scale.autoscaling/web patched
$ kubectl patch deployment web --subresource=status --type=merge -p '{"status":{"collisionCount":7},"spec":{"replicas":9}}'
deployment.apps/web patched
$ kubectl get deployment web -o jsonpath='{.spec.replicas} {.status.collisionCount}'
3 7
$ kubectl get deployment web --subresource=scale
NAME   DESIRED   AVAILABLE   AGE
web    3         …
$ kubectl patch -f web.yaml --local -p '{"spec":{"replicas":5}}' -o jsonpath='{.spec.replicas}'
5
$ kubectl patch deployment web -p '{"spec":{"replicas":5}}' --dry-run=server
deployment.apps/web patched
$ kubectl set image deployment/web only=i:3
deployment.apps/web image updated
! kubectl set image deployment/web none=i:3
error: unable to find container named "none"
$ kubectl set env deployment/web A=1 B=2
deployment.apps/web env updated
$ kubectl set env deployment/web A-
deployment.apps/web env updated
$ kubectl set env deployment/web --list
# Deployment web, container only
B=2
$ kubectl set env deployment/web --from=configmap/a
Warning: key k transferred to K
deployment.apps/web env updated
$ kubectl get deployment web -o jsonpath='{.spec.template.spec.containers[0].env}'
[{"name":"B","value":"2"},{"name":"K","valueFrom":{"configMapKeyRef":{"key":"k","name":"a"}}}]
$ kubectl set resources deployment web --limits=cpu=200m,memory=64Mi --requests=cpu=10m
deployment.apps/web resource requirements updated
! kubectl set resources deployment web --requests=cpu=1
error: failed to patch resources update to pod template Deployment.apps "web" is invalid: spec.template.spec.containers[0].resources.requests: Invalid value: "1": must be less than or equal to cpu limit of 200m
$ kubectl set serviceaccount deployment web bob
deployment.apps/web serviceaccount updated
$ kubectl create service clusterip web --tcp=80
service/web created
$ kubectl set selector service web tier=front
service/web selector updated
$ kubectl get service web -o jsonpath='{.spec.selector}'
{"tier":"front"}
$ kubectl create rolebinding rb --clusterrole=view --user=eve
rolebinding.rbac.authorization.k8s.io/rb created
$ kubectl set subject rolebinding rb --group=team
rolebinding.rbac.authorization.k8s.io/rb subjects updated
$ kubectl get rolebinding rb -o jsonpath='{.subjects[*].name}'
eve team
$ kubectl scale deployment web --replicas=4 --current-replicas=3
deployment.apps/web scaled
! kubectl scale deployment web --replicas=1 --current-replicas=9
error: Expected replicas to be 9, was 4
! kubectl scale configmap a --replicas=1
Error from server (NotFound): the server could not find the requested resource
$ kubectl label deployment web tier=front x=y
deployment.apps/web labeled
! kubectl label deployment web tier=back
error: 'tier' already has a value (front), and --overwrite is false
$ kubectl label deployment web tier=back x- --overwrite
deployment.apps/web …ed
$ kubectl label deployment web none-
label "none" not found.
deployment.apps/web not labeled
$ kubectl label deployment web --list
tier=back
! kubectl label deployment web "a b=c"
The Deployment "web" is invalid: metadata.labels: Invalid value: "a b": name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')
$ kubectl annotate deployment web note="with blanks"
deployment.apps/web annotated
$ kubectl annotate deployment web note-
deployment.apps/web annotated
$ kubectl rollout history deployment web | head -2
deployment.apps/web
REVISION  CHANGE-CAUSE
$ kubectl rollout pause deployment web
deployment.apps/web paused
! kubectl rollout pause deployment web
error: deployments.apps "web" is already paused
! kubectl rollout restart deployment web
error: deployments.apps "web" can't restart paused deployment (run rollout resume first)
$ kubectl rollout resume deployment web
deployment.apps/web resumed
$ kubectl rollout restart deployment web
deployment.apps/web restarted
$ kubectl rollout status deployment web --watch=false
Waiting for deployment …
! kubectl rollout undo deployment web --to-revision=99 2>&1 | grep -v "previously managed"; exit 1
error: unable to find specified revision 99 in history
! kubectl rollout status configmap a
error: no status viewer has been implemented for ConfigMap
`,
};

export const deleteScenario: Scenario = {
  name: "delete",
  files: {
    "web.yaml": web,
    "pod.yaml":
      "apiVersion: v1\nkind: Pod\nmetadata: {name: p, labels: {app: p}}\nspec: {nodeName: $NS, containers: [{name: c, image: i}]}\n",
    "node.yaml": "apiVersion: v1\nkind: Node\nmetadata: {name: $NS, labels: {of: $NS}}\n",
  },
  transcript: `
$ kubectl create configmap a
configmap/a created
$ kubectl delete configmap a --dry-run=client
configmap "a" deleted… (dry run)
$ kubectl delete configmap a --dry-run=server
configmap "a" deleted… (server dry run)
$ kubectl delete configmap/a
configmap "a" deleted…
! kubectl delete configmap a
Error from server (NotFound): configmaps "a" not found
$ kubectl delete configmap a --ignore-not-found
$ kubectl create configmap a; kubectl create configmap b; kubectl label configmap a b set=one
configmap/a created
configmap/b created
configmap/a labeled
configmap/b labeled
$ kubectl delete configmap -l set=one
configmap "a" deleted…
configmap "b" deleted…
$ kubectl delete configmap -l set=one
No resources found
$ kubectl apply -f web.yaml && kubectl wait --for=create replicaset -l app=web --timeout=10s
deployment.apps/web created
replicaset.apps/web-… condition met
$ kubectl delete deployment web --cascade=orphan -o name
deployment.apps/web
$ kubectl get replicaset -o custom-columns=OWNERS:.metadata.ownerReferences --no-headers
<none>
$ kubectl delete replicaset -l app=web --cascade=foreground
replicaset.apps "web-…" deleted…
$ kubectl create -f node.yaml
node/$NS created
$ kubectl get node $NS
NAME   STATUS   ROLES    AGE   VERSION
$NS   …   <none>   …
$ kubectl taint node $NS k=v:NoSchedule
node/$NS tainted
! kubectl taint node $NS k=w:NoSchedule
error: node $NS already has k taint(s) with same effect(s) and --overwrite is false
$ kubectl taint node $NS k=w:NoSchedule --overwrite
node/$NS modified
$ kubectl taint node $NS k:NoSchedule-
node/$NS untainted
! kubectl taint node $NS k:NoSchedule-
error: taint "k:NoSchedule" not found
! kubectl taint node $NS k=v:Nonsense
error: invalid taint effect: Nonsense, unsupported taint effect
See 'kubectl taint -h' for help and examples
$ kubectl cordon $NS
node/$NS cordoned
$ kubectl cordon $NS
node/$NS already cordoned
$ kubectl get node $NS --no-headers | tr -s ' ' | cut -d' ' -f2 | grep -o SchedulingDisabled
SchedulingDisabled
$ kubectl uncordon -l of=$NS
node/$NS uncordoned
$ kubectl apply -f pod.yaml
pod/p created
! kubectl drain $NS
node/$NS cordoned
error: unable to drain node "$NS" due to error: …cannot delete Pods that declare no controller (use --force to override): $NS/p, continuing command...
There are pending nodes to be drained:
 $NS
…cannot delete Pods that declare no controller (use --force to override): $NS/p
$ kubectl create pdb floor --selector=app=p --min-available=1
poddisruptionbudget.policy/floor created
$ kubectl drain $NS --force --dry-run=server
node/$NS already cordoned (server dry run)
Warning: deleting Pods that declare no controller: $NS/p
…
node/$NS drained (server dry run)
$ kubectl delete pdb floor
poddisruptionbudget.policy "floor" deleted…
$ kubectl drain $NS --force --grace-period=0
node/$NS already cordoned
Warning: deleting Pods that declare no controller: $NS/p
evicting pod $NS/p
pod/p evicted
node/$NS drained
$ kubectl apply -f pod.yaml
pod/p created
$ kubectl delete pod p --now --wait=false
pod "p" deleted…
$ kubectl get pod p -o jsonpath='{.metadata.deletionGracePeriodSeconds}'
1
! kubectl delete pod p --force --grace-period=3
error: --force and --grace-period greater than 0 cannot be specified together
$ kubectl delete pod p --force
Warning: Immediate deletion does not wait for confirmation that the running resource has been terminated. The resource may continue to run on the cluster indefinitely.
pod "p" force deleted…
$ kubectl delete node $NS
node "$NS" deleted
$ kubectl create configmap held; kubectl patch configmap held -p '{"metadata":{"finalizers":["example.com/f"]}}'
configmap/held created
configmap/held patched
! kubectl delete configmap held --timeout=1s
configmap "held" deleted…
error: timed out waiting for the condition on configmaps/held
$ (sleep 0.5; kubectl patch configmap held -p '{"metadata":{"finalizers":null}}' >/dev/null) & kubectl wait --for=delete configmap/held --timeout=20s; wait
configmap/held condition met
$ kubectl create configmap all1; kubectl create configmap all2; kubectl delete configmap --field-selector metadata.name!=kube-root-ca.crt
configmap/all1 created
configmap/all2 created
configmap "all1" deleted…
configmap "all2" deleted…
! kubectl delete configmap
error: resource(s) were provided, but no name was specified
! kubectl delete namespace default
Error from server (Forbidden): namespaces "default" is forbidden: this namespace may not be deleted
`,
};
