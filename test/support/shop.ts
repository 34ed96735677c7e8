import { shopImages } from "./shop-images.ts";
import { eventually, type TestHost } from "./test-host.ts";

/** Where the shop is reached from outside. */
export const shopPort = 30080;

const passwords = { redis: "open sesame", postgres: 'o\'pen "sesame"' };

/**
 * The answer of the shop's API: how often it was asked, as redis counts, and what postgres holds. It finds them by
 * the environment: mini8s answers DNS itself, so that who looks a name up for each request waits while it is away.
 */
const visitsScript = `#!/bin/busybox sh
fail() { printf 'Status: 503\\r\\nContent-Type: text/plain\\r\\n\\r\\n%s\\n' "$1"; exit 0; }
visits=$(redis-cli -h "$REDIS_SERVICE_HOST" -a "$REDIS_PASSWORD" --no-auth-warning incr visits 2>&1) || fail "$visits"
goods=$(PGPASSWORD="$POSTGRES_PASSWORD" psql -h "$POSTGRES_SERVICE_HOST" -U shop -d postgres -At -c 'select count(*) from goods' 2>&1) || fail "$goods"
printf 'Content-Type: application/json\\r\\n\\r\\n{"visits":%s,"goods":%s,"by":"%s"}\\n' "$visits" "$goods" "$HOSTNAME"
`;

const postgresScript = `set -e
if [ ! -s "$PGDATA/PG_VERSION" ]; then
  printf '%s' "$POSTGRES_PASSWORD" > /tmp/password
  initdb -D "$PGDATA" -U shop --locale=C -E UTF8 -A scram-sha-256 --pwfile=/tmp/password --no-sync
  echo 'host all all all scram-sha-256' >> "$PGDATA/pg_hba.conf"
  printf "create table goods (name text);\\n\\ninsert into goods values ('tea'), ('cake'), ('jam');\\n\\n" |
    postgres --single -j -D "$PGDATA" postgres
fi
exec postgres -D "$PGDATA" -c listen_addresses='*' -c unix_socket_directories=/tmp -c shared_buffers=16MB
`;

const nginxConf = `user www-data;
worker_processes 1;
error_log /dev/stderr;
pid /run/nginx.pid;
events { worker_connections 512; }
http {
  access_log off;
  client_body_temp_path /tmp/body; proxy_temp_path /tmp/proxy; fastcgi_temp_path /tmp/fastcgi;
  uwsgi_temp_path /tmp/uwsgi; scgi_temp_path /tmp/scgi;
  server {
    listen 8080;
    location / { root /site; default_type text/html; }
    location = /api { proxy_pass http://api/cgi-bin/visits; proxy_connect_timeout 2s; }
    location = /healthz { return 200 "ok"; }
  }
}
`;

function indent(text: string, by: number): string {
  return text
    .trimEnd()
    .split("\n")
    .map((line) => (line === "" ? "" : " ".repeat(by) + line))
    .join("\n");
}

/** A front end, an API, a cache and a database, as an application is usually written. */
export function shopManifest(options: { readonly page: string }): string {
  return `
apiVersion: v1
kind: Secret
metadata: {name: passwords, namespace: shop}
stringData: ${JSON.stringify(passwords)}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: front, namespace: shop}
data:
  index.html: ${JSON.stringify(options.page)}
  nginx.conf: |
${indent(nginxConf, 4)}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: api, namespace: shop}
data:
  visits: |
${indent(visitsScript, 4)}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: postgres, namespace: shop}
data:
  start.sh: |
${indent(postgresScript, 4)}
---
apiVersion: v1
kind: Service
metadata: {name: redis, namespace: shop}
spec:
  selector: {app: redis}
  ports: [{port: 6379}]
---
apiVersion: v1
kind: Service
metadata: {name: postgres, namespace: shop}
spec:
  selector: {app: postgres}
  ports: [{port: 5432, targetPort: sql}]
---
apiVersion: v1
kind: Service
metadata: {name: api, namespace: shop}
spec:
  selector: {app: api}
  ports: [{port: 80, targetPort: http}]
---
apiVersion: v1
kind: Service
metadata: {name: front, namespace: shop}
spec:
  type: NodePort
  selector: {app: front}
  ports: [{port: 80, targetPort: http, nodePort: ${shopPort}}]
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: redis, namespace: shop}
spec:
  selector: {matchLabels: {app: redis}}
  template:
    metadata: {labels: {app: redis}}
    spec:
      containers:
      - name: redis
        image: localhost/redis:1
        args: [--requirepass, $(REDIS_PASSWORD), --save, "", --dir, /data]
        env: [{name: REDIS_PASSWORD, valueFrom: {secretKeyRef: {name: passwords, key: redis}}}]
        ports: [{containerPort: 6379}]
        resources: {requests: {cpu: 50m, memory: 32Mi}, limits: {memory: 128Mi}}
        readinessProbe:
          exec: {command: [sh, -c, 'redis-cli -a "$REDIS_PASSWORD" --no-auth-warning ping | grep PONG']}
          periodSeconds: 2
        livenessProbe: {tcpSocket: {port: 6379}, periodSeconds: 5}
        volumeMounts: [{name: data, mountPath: /data}]
      volumes: [{name: data, emptyDir: {}}]
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: postgres, namespace: shop}
spec:
  strategy: {type: Recreate}
  selector: {matchLabels: {app: postgres}}
  template:
    metadata: {labels: {app: postgres}}
    spec:
      terminationGracePeriodSeconds: 10
      securityContext: {runAsUser: 70, runAsGroup: 70, fsGroup: 70, runAsNonRoot: true}
      containers:
      - name: postgres
        image: localhost/postgres:1
        args: [/scripts/start.sh]
        env:
        - {name: PGDATA, value: /var/lib/postgresql/data/pg}
        - {name: POSTGRES_PASSWORD, valueFrom: {secretKeyRef: {name: passwords, key: postgres}}}
        ports: [{name: sql, containerPort: 5432}]
        resources: {requests: {cpu: 50m, memory: 64Mi}, limits: {memory: 512Mi}}
        readinessProbe:
          exec: {command: [pg_isready, -h, 127.0.0.1, -U, shop]}
          periodSeconds: 2
        startupProbe:
          exec: {command: [pg_isready, -h, 127.0.0.1, -U, shop]}
          periodSeconds: 1
          failureThreshold: 60
        volumeMounts:
        - {name: data, mountPath: /var/lib/postgresql/data}
        - {name: tmp, mountPath: /tmp}
        - {name: scripts, mountPath: /scripts}
      volumes:
      - {name: data, emptyDir: {}}
      - {name: tmp, emptyDir: {}}
      - {name: scripts, configMap: {name: postgres}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: api, namespace: shop}
spec:
  replicas: 2
  selector: {matchLabels: {app: api}}
  template:
    metadata: {labels: {app: api}}
    spec:
      terminationGracePeriodSeconds: 5
      containers:
      - name: api
        image: localhost/api:1
        env:
        - {name: REDIS_PASSWORD, valueFrom: {secretKeyRef: {name: passwords, key: redis}}}
        - {name: POSTGRES_PASSWORD, valueFrom: {secretKeyRef: {name: passwords, key: postgres}}}
        ports: [{name: http, containerPort: 8080}]
        resources: {requests: {cpu: 20m, memory: 16Mi}}
        readinessProbe: {httpGet: {path: /cgi-bin/visits, port: http}, periodSeconds: 3, timeoutSeconds: 3}
        volumeMounts: [{name: scripts, mountPath: /www/cgi-bin}]
      volumes: [{name: scripts, configMap: {name: api, defaultMode: 0755}}]
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: front, namespace: shop}
spec:
  replicas: 2
  strategy: {rollingUpdate: {maxUnavailable: 0, maxSurge: 1}}
  selector: {matchLabels: {app: front}}
  template:
    metadata: {labels: {app: front}}
    spec:
      terminationGracePeriodSeconds: 10
      containers:
      - name: nginx
        image: localhost/nginx:1
        args: [-c, /site/nginx.conf]
        ports: [{name: http, containerPort: 8080}]
        resources: {requests: {cpu: 20m, memory: 16Mi}, limits: {memory: 128Mi}}
        readinessProbe: {httpGet: {path: /healthz, port: http}, periodSeconds: 1}
        livenessProbe: {httpGet: {path: /healthz, port: 8080}, periodSeconds: 5}
        lifecycle: {preStop: {sleep: {seconds: 2}}}
        volumeMounts:
        - {name: site, mountPath: /site}
        - {name: tmp, mountPath: /tmp}
        - {name: run, mountPath: /run}
      volumes:
      - {name: site, configMap: {name: front}}
      - {name: tmp, emptyDir: {}}
      - {name: run, emptyDir: {medium: Memory}}
---
apiVersion: v1
kind: Pod
metadata: {name: shell, namespace: shop}
spec:
  terminationGracePeriodSeconds: 1
  containers: [{name: shell, image: "localhost/tools:1", command: [sleep, "100000"]}]
`;
}

/** Puts the shop's images on the node, and then the shop; waits until all of it is ready. */
export async function openShop(host: TestHost, page: string): Promise<void> {
  for (const archive of Object.values(await shopImages())) await host.addImage(archive);
  await host.k("create", "namespace", "shop");
  await eventually("the namespace has its ServiceAccount", async () => {
    return (await host.kubectl("get", "sa", "default", "-n", "shop")).exitCode === 0
      ? true
      : undefined;
  });
  await host.apply(shopManifest({ page }));
  for (const name of ["redis", "postgres", "api", "front"]) {
    const { exitCode } = await host.kubectl(
      ...["rollout", "status", "-n", "shop", `deployment/${name}`, "--timeout=90s"],
    );
    if (exitCode === 0) continue;
    const found = await host.kubectl("describe", "pods", "-n", "shop", "-l", `app=${name}`);
    const logs = await host.kubectl("logs", "-n", "shop", "-l", `app=${name}`);
    throw new Error(`${name} is not available:\n${found.stdout}\n${logs.stdout}${logs.stderr}`);
  }
  await host.k("wait", "-n", "shop", "--for=condition=Ready", "pod/shell", "--timeout=30s");
}
