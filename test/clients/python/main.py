"""Does with Kubernetes' Python client what scripts do with it, and prints a line for each thing that worked."""

import sys
import time

from kubernetes import client, config, dynamic, utils, watch
from kubernetes.client.rest import ApiException

config.load_kube_config(sys.argv[1])
core = client.CoreV1Api()
apps = client.AppsV1Api()
namespace = "default"


def refusal(call, *args, **kwargs):
    try:
        call(*args, **kwargs)
    except ApiException as refused:
        return refused
    raise AssertionError(f"{call.__name__} was not refused")


made = core.create_namespaced_config_map(
    namespace,
    client.V1ConfigMap(
        metadata=client.V1ObjectMeta(name="python", labels={"by": "python"}),
        data={"k": "1"},
    ),
)
assert made.metadata.uid and made.metadata.creation_timestamp.tzinfo
patched = core.patch_namespaced_config_map("python", namespace, {"data": {"k": None, "l": "2"}})
assert patched.data == {"l": "2"}, patched.data
made.data["k"] = "3"
assert refusal(core.replace_namespaced_config_map, "python", namespace, made).status == 409
print("created, patched, refused an old version")

seen = []
stream = watch.Watch()
for i in range(3):
    core.create_namespaced_secret(
        namespace,
        client.V1Secret(
            metadata=client.V1ObjectMeta(name=f"python-{i}", labels={"by": "python"}),
            string_data={"k": "v"},
        ),
    )
core.delete_collection_namespaced_secret(namespace, label_selector="by=python")
for event in stream.stream(
    core.list_namespaced_secret,
    namespace,
    label_selector="by=python",
    resource_version=made.metadata.resource_version,
    timeout_seconds=10,
):
    seen.append(event["type"])
    if len(seen) == 6:
        stream.stop()
assert seen == ["ADDED"] * 3 + ["DELETED"] * 3, seen
print("watched from a version: 3 added, 3 deleted")

for i in range(7):
    core.create_namespaced_config_map(
        namespace,
        client.V1ConfigMap(metadata=client.V1ObjectMeta(name=f"page-{i}", labels={"by": "page"})),
    )
names, token = [], None
while True:
    page = core.list_namespaced_config_map(
        namespace, label_selector="by=page", limit=3, _continue=token
    )
    names += [item.metadata.name for item in page.items]
    token = page.metadata._continue
    if not token:
        break
assert names == [f"page-{i}" for i in range(7)], names
print("listed by pages")

deployment = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": {"name": "python"},
    "spec": {
        "replicas": 2,
        "selector": {"matchLabels": {"app": "python"}},
        "template": {
            "metadata": {"labels": {"app": "python"}},
            "spec": {"containers": [{"name": "c", "image": "i", "ports": [{"containerPort": 80}]}]},
        },
    },
}
utils.create_from_dict(client.ApiClient(), deployment)
scaled = apps.patch_namespaced_deployment_scale("python", namespace, {"spec": {"replicas": 5}})
assert scaled.spec.replicas == 5
for _ in range(400):
    pods = core.list_namespaced_pod(namespace, label_selector="app=python").items
    if len(pods) == 5:
        break
    time.sleep(0.01)
assert len(pods) == 5, len(pods)
apps.delete_namespaced_deployment("python", namespace, propagation_policy="Foreground")
for _ in range(400):
    if not apps.list_namespaced_deployment(namespace).items:
        break
    time.sleep(0.01)
assert refusal(apps.read_namespaced_deployment, "python", namespace).status == 404
assert not core.list_namespaced_pod(namespace, label_selector="app=python").items
print("a Deployment was scaled, and went with its pods")

resources = dynamic.DynamicClient(client.ApiClient())
maps = resources.resources.get(api_version="v1", kind="ConfigMap")
body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "python"}, "data": {"l": "4"}}
conflict = refusal(
    maps.server_side_apply, body=body, namespace=namespace, field_manager="scripts"
)
assert conflict.status == 409 and "conflict" in str(conflict), conflict
applied = maps.server_side_apply(
    body=body, namespace=namespace, field_manager="scripts", force_conflicts=True
)
assert applied.data.l == "4"
print("found by discovery, applied by force")
