/** From here on, each warning is shown shortened, and none is added that would come after this many characters. */
const charactersMax = 4 * 1024;
const oneCharactersMax = 256;

/** The value of the `Warning` header: each text once, in order, within upstream's limits. */
export function warningHeader(warnings: readonly string[]): string {
  const added: string[] = [];
  let shown: string[] = [];
  let characters = 0;
  let shortens = false;
  for (const text of new Set(warnings)) {
    if (text === "") continue;
    if (shortens && characters >= charactersMax) break;
    added.push(text);
    const one = [...text];
    if (!shortens && characters + one.length > charactersMax) {
      shortens = true;
      shown = added.map(shortened);
      characters = shown.reduce((sum, each) => sum + [...each].length, 0);
      continue;
    }
    shown.push(shortens ? shortened(text) : text);
    characters += shortens ? Math.min(one.length, oneCharactersMax) : one.length;
  }
  return shown.map((text) => `299 - "${quotable(text)}"`).join(", ");
}

function shortened(text: string): string {
  return [...text].slice(0, oneCharactersMax).join("");
}

/** Without what no header may hold; header values are bytes: UTF-8 in Latin-1 clothing, as Go's servers send it. */
function quotable(text: string): string {
  const plain = text.replace(/[\p{Cc}\p{Zl}\p{Zp}]/gu, " ").replace(/[\\"]/g, "\\$&");
  return Buffer.from(plain, "utf8").toString("latin1");
}
