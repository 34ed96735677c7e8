import type { Scenario } from "../../support/kubectl-session.ts";

const serviceCertificate = `openssl req -new -newkey rsa:2048 -nodes -subj /CN=eve -keyout k.pem 2>/dev/null | base64 -w0`;

export const lookScenario: Scenario = {
  name: "look",
  files: {
    "all.yaml": [1, 2, 3]
      .map(
        (n) =>
          `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: m${n}, labels: {num: "${n}", set: one}}\ndata: {k: "${9 - n}"}\n`,
      )
      .join("---\n"),
    "web.yaml": `apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec: {selector: {matchLabels: {app: web}}, template: {metadata: {labels: {app: web}}, spec: {containers: [{name: c, image: i}]}}}
`,
  },
  transcript: `
$ kubectl get configmaps -l set=one
No resources found in $NS namespace.
$ kubectl create -f all.yaml -f web.yaml
configmap/m1 created
configmap/m2 created
configmap/m3 created
deployment.apps/web created
$ kubectl get configmap m1
NAME   DATA   AGE
m1     1      …
$ kubectl get cm -l set=one --no-headers
m1   1   …
m2   1   …
m3   1   …
$ kubectl get cm -l 'num in (1,3)' -o name
configmap/m1
configmap/m3
$ kubectl get cm -l set=one --sort-by=.data.k -o name
configmap/m3
configmap/m2
configmap/m1
$ kubectl get cm -l set=one --show-labels -L num
NAME   DATA   AGE   NUM   LABELS
m1     1      …     1   num=1,set=one
m2     1      …     2   num=2,set=one
m3     1      …     3   num=3,set=one
$ kubectl get cm --field-selector metadata.name=m2,metadata.namespace=$NS -A -o custom-columns=NS:.metadata.namespace,NAME:.metadata.name,K:.data.k
NS     NAME   K
$NS    m2     7
! kubectl get cm --field-selector spec.nothing=x
Error from server (BadRequest): Unable to find "/v1, Resource=configmaps" that match label selector "", field selector "spec.nothing=x": "spec.nothing" is not a known field selector: only "metadata.name", "metadata.namespace"
! kubectl get cm -l 'a=b=c'
Error from server (BadRequest): Unable to find "/v1, Resource=configmaps" that match label selector "a=b=c", field selector "": found '=', expected: ',' or 'end of string'
$ kubectl get cm -l set=one --chunk-size=1 -o go-template='{{range .items}}{{.metadata.name}} {{end}}'
m1 m2 m3
$ kubectl get cm m1 -o jsonpath='{.apiVersion} {.kind} {.data}'
v1 ConfigMap {"k":"8"}
$ kubectl get cm m1 -o yaml
apiVersion: v1
data:
  k: "8"
kind: ConfigMap
metadata:
  creationTimestamp: "20…Z"
  labels:
    num: "1"
    set: one
  name: m1
  namespace: $NS
  resourceVersion: "…"
  uid: …
$ kubectl get cm m1 -o json | head -4
{
    "apiVersion": "v1",
    "data": {
        "k": "8"
$ kubectl get cm m1 m2 -o json | tail -5
    "kind": "List",
    "metadata": {
        "resourceVersion": ""
    }
}
! kubectl get cm none
Error from server (NotFound): configmaps "none" not found
! kubectl get nothings
error: the server doesn't have a resource type "nothings"
$ kubectl get deployments.v1.apps/web -o wide
NAME   READY   UP-TO-DATE   AVAILABLE   AGE   CONTAINERS   IMAGES   SELECTOR
web    0/1     …            0           …     c            i        app=web
$ kubectl get deploy,cm -l num=1
NAME           DATA   AGE
configmap/m1   1      …
$ kubectl get all | grep -c deployment.apps/web
1
$ kubectl get --raw /api/v1/namespaces/$NS/configmaps/m1 | grep -o '"k":"8"'
"k":"8"
! kubectl get --raw /nothing
Error from server (NotFound): the server could not find the requested resource
$ (sleep 1; kubectl label cm m1 more=1; kubectl delete cm m3) >/dev/null & timeout 5 kubectl get cm -l set=one --watch --output-watch-events; wait
EVENT      NAME   DATA   AGE
ADDED      m1     1      …
ADDED      m2     1      …
ADDED      m3     1      …
MODIFIED   m1     1      …
DELETED    m3     1      …
$ (sleep 1; kubectl label cm m1 more=2 --overwrite) >/dev/null & timeout 3 kubectl get cm m1 --watch-only -o name; wait
configmap/m1
$ kubectl wait --for=jsonpath='{.data.k}'=8 cm/m1
configmap/m1 condition met
! kubectl wait --for=condition=Available deployment/web --timeout=1s
error: timed out waiting for the condition on deployments/web
$ kubectl wait --for=condition=Progressing deployment/web --timeout=10s
deployment.apps/web condition met
$ kubectl wait --for=delete cm/none
$ (sleep 1; kubectl create cm late) >/dev/null & kubectl wait --for=create cm/late --timeout=10s; wait
configmap/late condition met
! kubectl wait --for=condition=Ready cm/none --timeout=1s
Error from server (NotFound): configmaps "none" not found
$ kubectl describe cm m1
Name:         m1
Namespace:    $NS
Labels:       more=2
              num=1
              set=one
Annotations:  <none>

Data
====
k:
----
8


BinaryData
====

Events:  <none>
$ kubectl events --for deployment/web | tail -1
…   Normal   ScalingReplicaSet   Deployment/web   Scaled up replica set web-… from 0 to 1
$ kubectl get events --field-selector involvedObject.kind=Deployment --no-headers
…   Normal   ScalingReplicaSet   deployment/web   Scaled up replica set web-… from 0 to 1
! kubectl logs deployment/web --pod-running-timeout=1s 2>&1 | tail -1; exit 1
…
! kubectl top node
error: Metrics API not available
! kubectl exec none -- true
Error from server (NotFound): pods "none" not found
`,
};

export const serverScenario: Scenario = {
  name: "server",
  files: {
    "roles.yaml": `apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: r, namespace: $NS}
rules: [{apiGroups: [""], resources: [pods], verbs: [get]}]
`,
  },
  transcript: String.raw`
$ kubectl version 2>/dev/null | tail -1
Server Version: v1.36.…+mini8s1
$ kubectl version -o json 2>/dev/null | grep -c '"platform": "linux/'
2
$ kubectl cluster-info | sed 's/\x1b\[[0-9;]*m//g' | head -1
Kubernetes control plane is running at https://…
$ kubectl api-versions | grep -E '^(apps/|v1|batch)'
apps/v1
batch/v1
v1
$ kubectl api-resources --api-group=apps
NAME                  SHORTNAMES   APIVERSION   NAMESPACED   KIND
controllerrevisions                apps/v1      true         ControllerRevision
daemonsets            ds           apps/v1      true         DaemonSet
deployments           deploy       apps/v1      true         Deployment
replicasets           rs           apps/v1      true         ReplicaSet
statefulsets          sts          apps/v1      true         StatefulSet
$ kubectl api-resources --api-group=batch -o wide
NAME       SHORTNAMES   APIVERSION   NAMESPACED   KIND      VERBS                                                        CATEGORIES
cronjobs   cj           batch/v1     true         CronJob   create,delete,deletecollection,get,list,patch,update,watch   all
jobs                    batch/v1     true         Job       create,delete,deletecollection,get,list,patch,update,watch   all
$ kubectl api-resources --verbs=create --api-group=authentication.k8s.io -o name
selfsubjectreviews.authentication.k8s.io
tokenreviews.authentication.k8s.io
$ kubectl api-resources --namespaced=false --categories=api-extensions -o name | sort
apiservices.apiregistration.k8s.io
customresourcedefinitions.apiextensions.k8s.io
mutatingadmissionpolicies.admissionregistration.k8s.io
mutatingadmissionpolicybindings.admissionregistration.k8s.io
mutatingwebhookconfigurations.admissionregistration.k8s.io
validatingadmissionpolicies.admissionregistration.k8s.io
validatingadmissionpolicybindings.admissionregistration.k8s.io
validatingwebhookconfigurations.admissionregistration.k8s.io
$ kubectl explain configmap.immutable
KIND:       ConfigMap
VERSION:    v1

FIELD: immutable <boolean>


DESCRIPTION:
…
$ kubectl explain deployment.spec.strategy --recursive
GROUP:      apps
KIND:       Deployment
VERSION:    v1

FIELD: strategy <DeploymentStrategy>


DESCRIPTION:
…
FIELDS:
  rollingUpdate	<RollingUpdateDeployment>
    maxSurge	<IntOrString>
    maxUnavailable	<IntOrString>
  type	<string>
  enum: Recreate, RollingUpdate
$ kubectl explain --api-version=autoscaling/v1 hpa.spec --output=plaintext-openapiv2 | grep -c scaleTargetRef
1
! kubectl explain pods.spec.nothing 2>&1 | tail -1; exit 1
error: field "nothing" does not exist
$ kubectl auth whoami
ATTRIBUTE…   VALUE
Username…   …
Groups…   [system:masters system:authenticated]
…
$ kubectl auth can-i create deployments
yes
! kubectl auth can-i create deployments --as=eve-$NS
no
$ kubectl create role r --verb=get,list --resource=pods && kubectl create rolebinding r --role=r --user=eve-$NS
role.rbac.authorization.k8s.io/r created
rolebinding.rbac.authorization.k8s.io/r created
$ kubectl auth can-i list pods --as=eve-$NS -q
! kubectl get secrets --as=eve-$NS
Error from server (Forbidden): secrets is forbidden: User "eve-$NS" cannot list resource "secrets" in API group "" in the namespace "$NS"
$ kubectl auth can-i --list --as=eve-$NS | grep pods
pods   []   []   [get list]
$ kubectl auth reconcile -f roles.yaml
role.rbac.authorization.k8s.io/r reconciled
$ sed 's/verbs: .get./verbs: [watch]/' roles.yaml | kubectl auth reconcile -f -
role.rbac.authorization.k8s.io/r reconciled
	reconciliation required update
	missing rules added:
		{Verbs:[watch] APIGroups:[] Resources:[pods] ResourceNames:[] NonResourceURLs:[]}
$ cat <<END | kubectl create -f -
> {"apiVersion": "certificates.k8s.io/v1", "kind": "CertificateSigningRequest", "metadata": {"name": "$NS"},
> "spec": {"request": "$(${serviceCertificate})", "signerName": "kubernetes.io/kube-apiserver-client", "usages": ["client auth"]}}
> END
certificatesigningrequest.certificates.k8s.io/$NS created
$ kubectl get csr $NS
NAME   AGE   SIGNERNAME   REQUESTOR   REQUESTEDDURATION   CONDITION
$NS   …   kubernetes.io/kube-apiserver-client   …   <none>   Pending
$ kubectl certificate approve $NS
certificatesigningrequest.certificates.k8s.io/$NS approved
$ kubectl wait csr $NS --for=jsonpath='{.status.certificate}' --timeout=10s
certificatesigningrequest.certificates.k8s.io/$NS condition met
$ kubectl get csr $NS --no-headers -o jsonpath='{.status.certificate}' | base64 -d | openssl x509 -noout -subject | tr -d ' '
subject=CN=eve
! kubectl certificate deny $NS
error: certificate signing request "$NS" is already Approved
$ kubectl delete csr $NS
certificatesigningrequest.certificates.k8s.io "$NS" deleted
$ kubectl config view | grep -c DATA+OMITTED
3
$ kubectl config current-context
…
$ kubectl get --raw '/readyz?verbose' | tail -1
readyz check passed
$ kubectl get --raw /livez
ok
$ kubectl get componentstatuses 2>&1 | head -1
Warning: v1 ComponentStatus is deprecated in v1.19+
$ kubectl proxy --port=0 >proxied & sleep 1; curl -s http://$(grep -o '127.*' proxied)/version | grep -c gitVersion; kill %1
1
$ kubectl options | head -1
The following options can be passed to any command:
$ kubectl cluster-info dump --namespaces=$NS | grep -c '"kind": '
…
`,
};
