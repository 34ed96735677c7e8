import type { Transform } from "node:stream";
import { RewritingStream } from "parse5-html-rewriting-stream";

/** Which attributes of which elements hold a link, as in HTML 4 and 5. */
const linkAttributes: ReadonlyMap<string, readonly string[]> = new Map([
  ["a", ["href"]],
  ["applet", ["codebase"]],
  ["area", ["href"]],
  ["audio", ["src"]],
  ["base", ["href"]],
  ["blockquote", ["cite"]],
  ["body", ["background"]],
  ["button", ["formaction"]],
  ["command", ["icon"]],
  ["del", ["cite"]],
  ["embed", ["src"]],
  ["form", ["action"]],
  ["frame", ["longdesc", "src"]],
  ["head", ["profile"]],
  ["html", ["manifest"]],
  ["iframe", ["longdesc", "src"]],
  ["img", ["longdesc", "src", "usemap"]],
  ["input", ["src", "usemap", "formaction"]],
  ["ins", ["cite"]],
  ["link", ["href"]],
  ["object", ["classid", "codebase", "data", "usemap"]],
  ["q", ["cite"]],
  ["script", ["src"]],
  ["source", ["src"]],
  ["video", ["poster", "src"]],
]);

/** Passes HTML on with each link changed by `rewrite`; all else byte for byte. */
export function rewriteHtmlLinks(rewrite: (link: string) => string): Transform {
  const stream = new RewritingStream();
  stream.on("startTag", (tag, raw) => {
    const names = linkAttributes.get(tag.tagName);
    let changed = false;
    for (const attribute of tag.attrs) {
      if (names?.includes(attribute.name) !== true) continue;
      const link = rewrite(attribute.value);
      changed ||= link !== attribute.value;
      attribute.value = link;
    }
    if (changed) stream.emitStartTag(tag);
    else stream.emitRaw(raw);
  });
  return stream;
}
