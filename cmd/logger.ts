import {
  type DestinationStream,
  destination,
  type Logger as Pino,
  pino,
  stdTimeFunctions,
} from "pino";
import type { LogFields, Logger } from "../pkg/base/log.ts";

/** A logger that writes one JSON object a line to standard error. */
export function createLogger(options: { readonly debug: boolean }): Logger {
  const stream: DestinationStream = destination({ fd: 2, sync: true });
  return wrap(
    pino(
      {
        level: options.debug ? "debug" : "info",
        base: null,
        timestamp: stdTimeFunctions.isoTime,
        formatters: { level: (label) => ({ level: label }) },
        messageKey: "message",
        errorKey: "error",
      },
      stream,
    ),
  );
}

function wrap(logger: Pino): Logger {
  const write =
    (level: "debug" | "info" | "warn" | "error") => (message: string, fields?: LogFields) => {
      if (fields === undefined) logger[level](message);
      else logger[level](fields, message);
    };
  return {
    debug: write("debug"),
    info: write("info"),
    warn: write("warn"),
    error: write("error"),
    child: (fields) => wrap(logger.child(fields)),
  };
}
