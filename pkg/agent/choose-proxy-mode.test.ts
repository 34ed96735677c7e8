import { expect, test } from "vitest";
import { chooseProxyMode } from "./choose-proxy-mode.ts";
import { CommandError, type CommandResult, type Commands } from "./host/exec.ts";

/** A machine whose commands exit so; a command that is not named is not there. */
function machine(exitCodes: Readonly<Record<string, number>>): Commands {
  const attempt: Commands["attempt"] = (command): Promise<CommandResult> => {
    const exitCode = exitCodes[command];
    if (exitCode === undefined)
      return Promise.reject(
        new CommandError(`${command}: there is no such program on this machine`, {
          exitCode: undefined,
          missing: true,
        }),
      );
    return Promise.resolve({ exitCode, stdout: "", stderr: "syntax error\nand more" });
  };
  return { attempt, run: attempt, startDetached: () => Promise.reject(new Error("no")) };
}

test.each([
  ["nftables where it works", undefined, { nft: 0, iptables: 0 }, "nftables", "the default"],
  ["what was asked for", "nftables", { nft: 0 }, "nftables", "asked for by --proxy-mode"],
  ["iptables when asked", "iptables", { nft: 0, iptables: 0 }, "iptables", "asked for by"],
  ["iptables for an old nft", undefined, { nft: 1, iptables: 0 }, "iptables", "syntax error"],
  ["iptables without nft", "nftables", { iptables: 0 }, "iptables", "no such program"],
] as const)("%s", async (_, asked, exitCodes, mode, reason) => {
  const choice = await chooseProxyMode(asked, machine(exitCodes));
  expect(choice.mode).toBe(mode);
  expect(choice.reason).toContain(reason);
});

test.each([
  [undefined, { nft: 1 }],
  [undefined, {}],
  ["iptables", { nft: 0 }],
] as const)("a machine that cannot is told what to install (%s, %o)", async (asked, exitCodes) => {
  await expect(chooseProxyMode(asked, machine(exitCodes))).rejects.toThrow(/apt-get install/);
});
