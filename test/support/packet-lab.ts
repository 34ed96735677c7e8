import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { CommandError, type CommandResult, type Commands } from "../../pkg/agent/host/exec.ts";
import { type CommandOutput, runCommand } from "./run-command.ts";

let labsMade = 0;

/**
 * A node, pods on its bridge, and a client outside, each a network namespace, so that rules meet real packets.
 * The node is 10.97.0.1 to the outside; pods are 10.42.0.<n>; the outside client is 10.97.0.9.
 */
export class PacketLab {
  readonly #prefix = `lab-${process.pid}-${labsMade++}`;
  readonly #pods: string[] = [];
  readonly #servers: ChildProcess[] = [];

  static async create(podCount: number): Promise<PacketLab> {
    const lab = new PacketLab();
    await lab.#build(podCount);
    return lab;
  }

  get node(): string {
    return `${this.#prefix}-n`;
  }

  get outside(): string {
    return `${this.#prefix}-o`;
  }

  pod(index: number): string {
    return `${this.#prefix}-p${index}`;
  }

  podAddress(index: number): string {
    return `10.42.0.${index + 2}`;
  }

  /** Runs commands as the node would. */
  get commands(): Commands {
    const attempt: Commands["attempt"] = async (command, args, options = {}) => {
      const input =
        options.input === undefined ? {} : { input: Buffer.from(options.input).toString() };
      return (await runCommand(
        "ip",
        ["netns", "exec", this.node, command, ...args],
        input,
      )) satisfies CommandResult;
    };
    return {
      attempt,
      async run(command, args, options) {
        const result = await attempt(command, args, options);
        if (result.exitCode !== 0) {
          throw new CommandError(`${command} ${args.join(" ")}: ${result.stderr}`, {
            exitCode: result.exitCode,
            missing: false,
          });
        }
        return result;
      },
      startDetached: () => Promise.reject(new Error("a lab starts no daemons")),
    };
  }

  async #build(podCount: number): Promise<void> {
    const commands = [
      `netns add ${this.node}`,
      `netns add ${this.outside}`,
      `-n ${this.node} link set lo up`,
      `-n ${this.node} link add cni0 type bridge`,
      `-n ${this.node} addr add 10.42.0.1/24 dev cni0`,
      `-n ${this.node} link set cni0 up`,
      `-n ${this.node} link add eth0 type veth peer name eth0 netns ${this.outside}`,
      `-n ${this.node} addr add 10.97.0.1/24 dev eth0`,
      `-n ${this.node} link set eth0 up`,
      `-n ${this.node} route add default via 10.97.0.9`,
      `-n ${this.outside} addr add 10.97.0.9/24 dev eth0`,
      `-n ${this.outside} link set eth0 up`,
      `-n ${this.outside} route add default via 10.97.0.1`,
    ];
    for (let index = 0; index < podCount; index++) {
      const pod = this.pod(index);
      this.#pods.push(pod);
      commands.push(
        `netns add ${pod}`,
        `-n ${this.node} link add p${index} type veth peer name eth0 netns ${pod}`,
        `-n ${this.node} link set p${index} master cni0 up`,
        `-n ${pod} addr add ${this.podAddress(index)}/24 dev eth0`,
        `-n ${pod} link set eth0 up`,
        `-n ${pod} link set lo up`,
        `-n ${pod} route add default via 10.42.0.1`,
      );
    }
    for (const command of commands) {
      const { exitCode, stderr } = await runCommand("ip", command.split(" "));
      if (exitCode !== 0) throw new Error(`ip ${command}: ${stderr}`);
    }
    for (const setting of ["net.ipv4.ip_forward=1", "net.bridge.bridge-nf-call-iptables=1"]) {
      await runCommand("ip", ["netns", "exec", this.node, "sysctl", "-qw", setting]);
    }
    for (let index = 0; index < podCount; index++) {
      await runCommand("bridge", [
        "-n",
        this.node,
        "link",
        "set",
        "dev",
        `p${index}`,
        "hairpin",
        "on",
      ]);
    }
  }

  /** Answers each TCP connection to the pod's port with the pod's address and who asked. */
  async serve(index: number, port: number): Promise<void> {
    const program = `const {createServer}=require("node:net");createServer((s)=>{s.on("error",()=>{});s.end("${this.podAddress(index)} "+s.remoteAddress.replace("::ffff:",""))}).listen(${port},()=>console.log("up"))`;
    const server = spawn(
      "ip",
      ["netns", "exec", this.pod(index), process.execPath, "-e", program],
      { stdio: ["ignore", "pipe", "inherit"] },
    );
    this.#servers.push(server);
    await once(server.stdout ?? server, "data");
  }

  /** What the server said to a connection from `from`, or how it failed: "refused", "timeout". */
  async ask(from: string, address: string, port: number): Promise<string> {
    const program = `const s=require("node:net").connect(${port},"${address}");let d="";s.setTimeout(1500,()=>{console.log("timeout");process.exit()});s.on("data",(c)=>d+=c);s.on("error",(e)=>{console.log(e.code==="ECONNREFUSED"?"refused":e.code);process.exit()});s.on("end",()=>{console.log(d);process.exit()})`;
    const { stdout }: CommandOutput = await runCommand("ip", [
      "netns",
      "exec",
      from,
      process.execPath,
      "-e",
      program,
    ]);
    return stdout.trim();
  }

  async destroy(): Promise<void> {
    for (const server of this.#servers) server.kill("SIGKILL");
    for (const name of [...this.#pods, this.outside, this.node])
      await runCommand("ip", ["netns", "del", name]);
  }
}
