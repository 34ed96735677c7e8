import type { Scenario } from "../../support/kubectl-session.ts";

export const createScenario: Scenario = {
  name: "create",
  files: { settings: "a=1\nb=two\n", "file.txt": "content" },
  transcript: String.raw`
$ kubectl create configmap c --from-literal=x=1 --from-file=file.txt
configmap/c created
$ kubectl create configmap e --from-env-file=settings
configmap/e created
$ kubectl get configmap c e -o custom-columns=NAME:.metadata.name,DATA:.data
NAME   DATA
c      map[file.txt:content x:1]
e      map[a:1 b:two]
! kubectl create configmap c
error: failed to create configmap: configmaps "c" already exists
! kubectl create configmap Bad_Name
error: failed to create configmap: ConfigMap "Bad_Name" is invalid: metadata.name: Invalid value: "Bad_Name": a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')
$ kubectl create secret generic s --from-literal=password=x --type=example.com/own
secret/s created
$ kubectl create secret docker-registry pull --docker-server=h --docker-username=u --docker-password=p
secret/pull created
$ openssl req -x509 -newkey rsa:2048 -nodes -days 1 -subj /CN=x -keyout key.pem -out cert.pem 2>/dev/null
$ kubectl create secret tls tls --cert=cert.pem --key=key.pem
secret/tls created
$ kubectl get secrets
NAME   TYPE                             DATA   AGE
pull   kubernetes.io/dockerconfigjson   1      …
s      example.com/own                  1      …
tls    kubernetes.io/tls                2      …
$ kubectl create deployment web --image=busybox:1 --replicas=2 --port=80
deployment.apps/web created
$ kubectl create deployment dry --image=a --image=b/c:1 --dry-run=client -o name
deployment.apps/dry
$ kubectl create deployment dry --image=a --dry-run=server
deployment.apps/dry created (server dry run)
! kubectl get deployment dry
Error from server (NotFound): deployments.apps "dry" not found
$ kubectl create job once --image=busybox:1 -- true
job.batch/once created
$ kubectl create cronjob often --image=busybox:1 --schedule="*/5 * * * *" -- true
cronjob.batch/often created
! kubectl create cronjob never --image=busybox:1 --schedule="61 * * * *"
error: failed to create cronjob: CronJob.batch "never" is invalid: spec.schedule: Invalid value: "61 * * * *": end of range (61) above maximum (59): 61
$ kubectl create job now --from=cronjob/often
job.batch/now created
$ kubectl get job now -o jsonpath='{.metadata.ownerReferences[0].kind}/{.metadata.ownerReferences[0].name} {.metadata.annotations}'
CronJob/often {"cronjob.kubernetes.io/instantiate":"manual"}
$ kubectl get cronjobs
NAME    SCHEDULE      TIMEZONE   SUSPEND   ACTIVE   LAST SCHEDULE   AGE
often   */5 * * * *   <none>     False     …
$ kubectl create ingress in --rule="example.com/a*=web:80,tls=tls" --class=nginx --default-backend=web:http
ingress.networking.k8s.io/in created
$ kubectl get ingress
NAME   CLASS   HOSTS         ADDRESS   PORTS     AGE
in     nginx   example.com             80, 443   …
$ kubectl create poddisruptionbudget floor --min-available=1 --selector=app=web
poddisruptionbudget.policy/floor created
$ kubectl create pdb ceiling --max-unavailable=50% --selector=app=web
poddisruptionbudget.policy/ceiling created
$ kubectl get pdb
NAME      MIN AVAILABLE   MAX UNAVAILABLE   ALLOWED DISRUPTIONS   AGE
ceiling   N/A             50%               …
floor     1               N/A               …
$ kubectl create priorityclass $NS --value=7 --description=d --preemption-policy=Never
priorityclass.scheduling.k8s.io/$NS created
$ kubectl get priorityclass $NS
NAME   VALUE   GLOBAL-DEFAULT   AGE   PREEMPTIONPOLICY
$NS   7   false   …   Never
$ kubectl create quota q --hard=pods=3,requests.cpu=1 --scopes=NotTerminating
resourcequota/q created
$ kubectl create quota bounded --hard=configmaps=99
resourcequota/bounded created
! kubectl run p --image=busybox:1
Error from server (Forbidden): pods "p" is forbidden: failed quota: q: must specify requests.cpu for: p
$ kubectl delete quota q
resourcequota "q" deleted…
$ kubectl create role r --verb=get,list --verb=watch --resource=pods,deployments.apps/scale --resource-name=x
role.rbac.authorization.k8s.io/r created
$ kubectl get role r -o jsonpath='{.rules}'
[{"apiGroups":[""],"resourceNames":["x"],"resources":["pods"],"verbs":["get","list","watch"]},{"apiGroups":["apps"],"resourceNames":["x"],"resources":["deployments/scale"],"verbs":["get","list","watch"]}]
! kubectl create role none --verb=get --resource=nothings
the server doesn't have a resource type "nothings"
$ kubectl create rolebinding rb --role=r --user=eve --group=team --serviceaccount=$NS:bob
rolebinding.rbac.authorization.k8s.io/rb created
$ kubectl get rolebinding rb -o wide
NAME   ROLE     AGE   USERS   GROUPS   SERVICEACCOUNTS
rb     Role/r   …     eve     team     $NS/bob
$ kubectl create clusterrole $NS --verb=get --non-resource-url=/metrics
clusterrole.rbac.authorization.k8s.io/$NS created
$ kubectl create clusterrole $NS-all --aggregation-rule=example.com/into=$NS
clusterrole.rbac.authorization.k8s.io/$NS-all created
$ kubectl create clusterrolebinding $NS --clusterrole=$NS --user=eve
clusterrolebinding.rbac.authorization.k8s.io/$NS created
$ kubectl create service clusterip inside --tcp=80:8080
service/inside created
$ kubectl create service clusterip headless --clusterip=None
service/headless created
$ kubectl create service nodeport outside --tcp=80:80
service/outside created
$ kubectl create service loadbalancer front --tcp=443:8443
service/front created
$ kubectl create service externalname elsewhere --external-name=example.com
service/elsewhere created
$ kubectl get services
NAME        TYPE           CLUSTER-IP   EXTERNAL-IP   PORT(S)         AGE
elsewhere   ExternalName   <none>       example.com   <none>          …
front       LoadBalancer   10.43.…   <pending>   443:3…/TCP   …
headless    ClusterIP      None         <none>        <none>          …
inside      ClusterIP      10.43.…   <none>   80/TCP   …
outside     NodePort       10.43.…   <none>   80:3…/TCP   …
$ kubectl create serviceaccount bob
serviceaccount/bob created
$ kubectl create token bob --duration=10m --audience=a | tr -cd . | wc -c
2
! kubectl create token nobody
error: failed to create token: serviceaccounts "nobody" not found
! kubectl create token bob --bound-object-kind=Secret --bound-object-name=none
error: failed to create token: secrets "none" not found
$ kubectl create namespace $NS-more
namespace/$NS-more created
$ kubectl delete namespace $NS-more --wait=false
namespace "$NS-more" deleted
$ kubectl create -f - <<'END'
> {"apiVersion": "v1", "kind": "List", "items": [{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"generateName": "made-"}}, {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "listed"}}]}
> END
configmap/made-… created
secret/listed created
! kubectl create -f - <<'END'
> {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "odd"}, "datum": {"a": "b"}}
> END
Error from server (BadRequest): error when creating "STDIN": ConfigMap in version "v1" cannot be handled as a ConfigMap: strict decoding error: unknown field "datum"
$ kubectl create --validate=false -f - <<'END'
> {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "odd"}, "datum": {"a": "b"}}
> END
configmap/odd created
! kubectl create -f - <<'END'
> {"apiVersion": "example.com/v1", "kind": "Nothing", "metadata": {"name": "odd"}}
> END
error: resource mapping not found for name: "odd" namespace: "" from "STDIN": no matches for kind "Nothing" in version "example.com/v1"
ensure CRDs are installed first
$ kubectl run p --image=busybox:1 --restart=Never --labels=a=b --env=X=1 --port=80 --command -- sleep 9
pod/p created
$ kubectl run q --image=busybox:1 --dry-run=client -o jsonpath='{.spec.restartPolicy} {.metadata.labels}'
Always {"run":"q"}
$ kubectl run exposed --image=busybox:1 --port=80 --expose
service/exposed created
pod/exposed created
! kubectl run p --image=busybox:1
Error from server (AlreadyExists): pods "p" already exists
$ kubectl expose pod p --port=8080 --target-port=80 --name=p1
service/p1 exposed
$ kubectl expose service p1 --port=9 --type=NodePort --name=p2 -o jsonpath='{.spec.selector} {.spec.type}'
{"a":"b"} NodePort
$ kubectl expose deployment web
service/web exposed
! kubectl expose configmap c --port=1
error: cannot expose a ConfigMap
$ kubectl autoscale deployment web --min=1 --max=3 --cpu-percent=70 2>&1 | grep -v -i deprecated
horizontalpodautoscaler.autoscaling/web autoscaled
$ kubectl get hpa
NAME   REFERENCE        TARGETS              MINPODS   MAXPODS   REPLICAS   AGE
web    Deployment/web   cpu: <unknown>/70%   1         3         0          …
$ kubectl patch configmap c --type=merge -p '{"metadata":{"finalizers":["example.com/held"]}}'
configmap/c patched
$ kubectl delete namespace $NS --wait=false
namespace "$NS" deleted
$ kubectl delete clusterrole/$NS clusterrole/$NS-all clusterrolebinding/$NS priorityclass/$NS
clusterrole.rbac.authorization.k8s.io "$NS" deleted
clusterrole.rbac.authorization.k8s.io "$NS-all" deleted
clusterrolebinding.rbac.authorization.k8s.io "$NS" deleted
priorityclass.scheduling.k8s.io "$NS" deleted
! kubectl create configmap late
error: failed to create configmap: configmaps "late" is forbidden: unable to create new content in namespace $NS because it is being terminated
`,
};
