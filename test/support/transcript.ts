/** One command of a transcript, and what it must say. */
export interface TranscriptStep {
  /** A line of shell, with the lines of a here-document if it has one. */
  readonly command: string;
  /** Standard output and error together, as `matchesSaid` reads it. */
  readonly said: string;
  readonly mustFail: boolean;
}

/**
 * A session at a terminal, as steps: `$ ` begins a command that must succeed, `! ` one that must fail, `> ` goes on
 * with the command before; what stands below is what it says.
 */
export function parseTranscript(text: string): readonly TranscriptStep[] {
  const steps: { command: string; said: string[]; mustFail: boolean }[] = [];
  for (const line of text.trim().split("\n")) {
    const last = steps.at(-1);
    if (/^[$!] /.test(line)) {
      steps.push({ command: line.slice(2), said: [], mustFail: line.startsWith("!") });
    } else if (last === undefined) {
      throw new Error(`a transcript begins with a command, not with: ${line}`);
    } else if (line.startsWith("> ") && last.said.length === 0) {
      last.command += `\n${line.slice(2)}`;
    } else {
      last.said.push(line);
    }
  }
  return steps.map(({ said, ...step }) => ({ ...step, said: said.join("\n") }));
}

/**
 * What output must be to be the one that is written down: `…` is anything on its line, a line that is only `…` any
 * number of lines, and three or more blanks within a line are the space between two columns, however wide.
 */
export function saidPattern(said: string): RegExp {
  const lines = said.split("\n").map((line) => {
    if (line === "…") return "(?:[^\\n]*\\n)*";
    const indent = /^ */.exec(line)?.[0] ?? "";
    const columns = line
      .slice(indent.length)
      .split(/ {3,}/)
      .map((column) => column.split("…").map(quoted).join("[^\\n]*"));
    return `${indent}${columns.join(" {2,}")}\\n`;
  });
  return new RegExp(`^${lines.join("")}$`);
}

function quoted(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\/]/g, "\\$&");
}

/** Output without what no eye sees at the ends of its lines. */
export function readable(output: string): string {
  const lines = output.trimEnd().replace(/[ \t]+$/gm, "");
  return lines === "" ? "" : `${lines}\n`;
}
