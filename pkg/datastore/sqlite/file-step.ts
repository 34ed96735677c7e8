/** Where a crash may find the work on the file half done, in the words of what is done by then. */
export type FileStep =
  | "open: made"
  | "open: tables"
  | "open: named"
  | "open: prepared"
  | "open: checked"
  | "open: noted"
  | "commit: begun"
  | "commit: written"
  | "commit: forgotten"
  | "commit: whole"
  | "commit: done"
  | "room: emptied"
  | "room: forgotten"
  | "checkpoint: begun"
  | "checkpoint: done"
  | "vacuum: begun"
  | "vacuum: done"
  | "close: noted"
  | "close: emptied";

/**
 * Hears of each step before the work goes on. Tests take the disk as it is then, or throw what a failing disk would;
 * a server gives none.
 */
export type Failpoint = (step: FileStep) => void;
