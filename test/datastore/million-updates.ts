import { statSync } from "node:fs";
import { openSqliteDatastore } from "../../pkg/datastore/sqlite/sqlite-datastore.ts";

export interface UpdatesResult {
  readonly perSecond: number;
  /** The largest that the file and its log were while it lasted. */
  readonly fileBytesMax: number;
  readonly logBytesMax: number;
}

const keys = 256;
const valueBytes = 1_000;

/** So many updates of a few objects, as many at once as there are objects; rejects where one is refused. */
export async function updateMany(
  file: string,
  updates: number,
  fileBytesMax: number,
): Promise<UpdatesResult> {
  await using store = await openSqliteDatastore({ file, fileBytesMax });
  const most = { file: 0, log: 0 };
  const look = () => {
    most.file = Math.max(most.file, statSync(file).size);
    most.log = Math.max(most.log, statSync(`${file}-wal`).size);
  };
  const value = new Uint8Array(valueBytes);
  let left = updates;
  const started = performance.now();
  await Promise.all(
    Array.from({ length: keys }, async (_, index) => {
      const created = await store.create(`k/${index}`, value);
      let expected = created.outcome === "written" ? created.stored.revision : 0;
      while (left-- > 0) {
        const result = await store.update(`k/${index}`, value, expected);
        if (result.outcome === "conflict") throw new Error("nobody else writes here");
        expected = result.stored.revision;
        if (left % 1_000 === 0) look();
      }
    }),
  );
  const perSecond = (updates * 1_000) / (performance.now() - started);
  return { perSecond, fileBytesMax: most.file, logBytesMax: most.log };
}
