/** Every write is stamped, and thousands are in one second. */
let lastSecond = 0;
let lastText = "1970-01-01T00:00:00Z";

/** A `metav1.Time`: whole seconds, as in `2026-01-31T08:30:00Z`. */
export function formatTime(ms: number): string {
  const second = Math.floor(ms / 1000);
  if (second !== lastSecond) {
    lastText = `${new Date(second * 1000).toISOString().slice(0, 19)}Z`;
    lastSecond = second;
  }
  return lastText;
}

/** A `metav1.MicroTime`: as in `2026-01-31T08:30:00.123000Z`. */
export function formatMicroTime(ms: number): string {
  const whole = Math.floor(ms);
  const micros = Math.floor((ms - whole) * 1000);
  return `${new Date(whole).toISOString().slice(0, 23)}${String(micros).padStart(3, "0")}Z`;
}

/** Milliseconds since 1970 of either; `undefined` where there is none, or where it is no time. */
export function parseTime(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const ms = Date.parse(text);
  return Number.isNaN(ms) ? undefined : ms;
}
