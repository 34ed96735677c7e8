/** Values that go beside a message, by name. */
export type LogFields = Readonly<Record<string, unknown>>;

/** Where a part of mini8s tells what it does. Messages are lower-case sentences without a full stop. */
export interface Logger {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
  /** A logger that adds `fields` to each line. */
  child(fields: LogFields): Logger;
}

/** Says nothing: for tests, and for parts whose caller reports. */
export const silentLogger: Logger = {
  debug() {},
  info() {},
  warn() {},
  error() {},
  child: () => silentLogger,
};
