import { type DebianImageRecipe, debianImage } from "./debian-image.ts";

/** busybox under its common names: what shell scripts in the images need. */
const shell = `#!/bin/busybox sh
exec /bin/busybox "$(/bin/busybox basename "$0")" "$@"
`;
const shellFiles = Object.fromEntries(
  [
    "sh",
    "sleep",
    "cat",
    "ls",
    "wget",
    "nslookup",
    "env",
    "id",
    "httpd",
    "mkdir",
    "chmod",
    "tar",
    "true",
    "false",
    "hostname",
    "date",
    "nc",
    "kill",
    "touch",
    "head",
    "printf",
    "seq",
    "tr",
    "sed",
    "grep",
    "echo",
    "test",
    "rm",
    "mktemp",
  ].map((name) => [`bin/${name}`, { body: shell, mode: 0o755 }]),
);

const passwd = {
  "etc/passwd": {
    body: "root:x:0:0:root:/root:/bin/sh\nwww-data:x:33:33::/var/www:/bin/false\npostgres:x:70:70::/var/lib/postgresql:/bin/sh\n",
  },
  "etc/group": { body: "root:x:0:\nwww-data:x:33:\npostgres:x:70:\n" },
};

const recipes = {
  nginx: {
    name: "localhost/nginx:1",
    packages: ["nginx-light", "busybox-static"],
    files: { ...shellFiles, ...passwd },
    // As nginx's own image: at SIGTERM it would drop what it is answering.
    config: { Entrypoint: ["/usr/sbin/nginx", "-g", "daemon off;"], StopSignal: "SIGQUIT" },
  },
  redis: {
    name: "localhost/redis:1",
    packages: ["redis-server", "busybox-static"],
    files: { ...shellFiles, ...passwd },
    config: { Entrypoint: ["/usr/bin/redis-server"] },
  },
  postgres: {
    name: "localhost/postgres:1",
    packages: ["postgresql-15", "busybox-static"],
    files: { ...shellFiles, ...passwd },
    config: { Entrypoint: ["/bin/sh"], Env: ["PATH=/usr/lib/postgresql/15/bin:/usr/bin:/bin"] },
  },
  api: {
    name: "localhost/api:1",
    packages: ["busybox-static", "redis-tools", "postgresql-client-15"],
    files: { ...shellFiles, ...passwd },
    config: {
      Entrypoint: ["/bin/busybox", "httpd", "-f", "-p", "8080", "-h", "/www"],
      Env: ["PATH=/usr/lib/postgresql/15/bin:/usr/bin:/bin"],
    },
  },
  /** busybox-static cannot look names up, and has no UDP. */
  tools: {
    name: "localhost/tools:1",
    packages: ["curl", "socat", "busybox-static"],
    files: { ...shellFiles, ...passwd },
    config: { Entrypoint: ["/bin/sh"], Env: ["PATH=/usr/bin:/bin"] },
  },
} satisfies Readonly<Record<string, DebianImageRecipe>>;

/** The images of the shop that the cluster tests run: their archives, by name. */
export async function shopImages(): Promise<Readonly<Record<keyof typeof recipes, string>>> {
  const made = {} as Record<keyof typeof recipes, string>;
  // One after the other: they share apt's cache.
  for (const name of Object.keys(recipes) as (keyof typeof recipes)[])
    made[name] = await debianImage(recipes[name]);
  return made;
}
