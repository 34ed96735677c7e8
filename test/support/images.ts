import { readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { packOciArchive } from "../../pkg/agent/containerd/oci-archive.ts";
import { normalizeImageName } from "../../pkg/agent/kubelet/image-name.ts";

const architectures: Readonly<Record<string, string>> = { x64: "amd64", arm64: "arm64" };

/**
 * An OCI archive of `busybox:1`, made from Debian's busybox-static; returns its path. Each applet is a link, so
 * `sh`, `sleep`, `httpd`, `wget`, `nslookup` … are there.
 */
export async function busyboxImage(): Promise<string> {
  const body = await readFile("/bin/busybox");
  const archive = join(tmpdir(), `mini8s-busybox-${process.pid}.tar`);
  const link = (name: string) => ({
    path: `bin/${name}`,
    content: { type: "symlink", target: "busybox" } as const,
  });
  const file = (path: string, text: string) => ({
    path,
    content: { type: "file", body: Buffer.from(text), mode: 0o644 } as const,
  });
  const bytes = await packOciArchive({
    name: normalizeImageName("busybox:1"),
    architecture: architectures[process.arch] ?? process.arch,
    files: [
      ...["bin", "etc", "dev", "proc", "sys", "root", "var", "var/run"].map((path) => ({
        path,
        content: { type: "directory", mode: 0o755 } as const,
      })),
      { path: "tmp", content: { type: "directory", mode: 0o1777 } },
      { path: "bin/busybox", content: { type: "file", body, mode: 0o755 } },
      ...applets.map(link),
      file(
        "etc/passwd",
        "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n",
      ),
      file("etc/group", "root:x:0:\nnogroup:x:65534:\n"),
    ],
    config: { Cmd: ["sh"], Env: ["PATH=/bin:/sbin:/usr/bin:/usr/sbin"] },
  });
  await writeFile(archive, bytes);
  return archive;
}

const applets = (
  "ash sh cat chmod chown cp cut date dd df dirname du echo env expr false find free grep head hostname httpd id ip " +
  "kill less ln ls md5sum mkdir mktemp mount mv nc netstat nslookup ping printf ps pwd readlink rm rmdir route sed seq " +
  "sha256sum sleep sort stat stty sync tail tar tee telnet test timeout top touch tr traceroute true tty umount uname " +
  "uniq uptime vi watch wc wget which whoami xargs yes"
).split(" ");
