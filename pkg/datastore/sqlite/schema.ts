/** "mi8s": marks the file as ours (`PRAGMA application_id`). */
export const applicationId = 0x6d693873;

/** Grows with each change of the tables (`PRAGMA user_version`); a file with a greater one is refused. */
export const schemaVersion = 2;

export const pageBytes = 4096;

/**
 * `current`: every key as it is. `history`: what each of the latest writes replaced, so that going back is undoing.
 * A `sum` is over all else of a state, as `rowSum` makes it: SQLite's pages have none.
 * `meta`: `reserved` (no greater revision was ever handed out), `clean` (closed in good order), `oldest` (history
 * begins here), `count` (rows of `current`, where closed in good order), `volatile/<segment>` (its history is not whole).
 */
export const schemaSql = `
  CREATE TABLE current (
    key TEXT NOT NULL UNIQUE,
    create_revision INTEGER NOT NULL,
    revision INTEGER NOT NULL,
    value BLOB NOT NULL,
    sum INTEGER
  ) STRICT;
  CREATE TABLE history (
    revision INTEGER PRIMARY KEY,
    key TEXT NOT NULL,
    deleted INTEGER NOT NULL,
    previous_create_revision INTEGER,
    previous_revision INTEGER,
    previous_value BLOB,
    previous_sum INTEGER
  ) STRICT;
  CREATE TABLE meta (name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT, WITHOUT ROWID;
  INSERT INTO meta VALUES ('reserved', 0), ('clean', 1), ('oldest', 0);
`;

/** What schema 1 had not yet; its sums are made from what is there. */
export const fromSchema1Sql = `
  ALTER TABLE current ADD COLUMN sum INTEGER;
  ALTER TABLE history ADD COLUMN previous_sum INTEGER;
  UPDATE current SET sum = row_sum(key, create_revision, revision, value);
  UPDATE history SET previous_sum = row_sum(key, previous_create_revision, previous_revision, previous_value)
    WHERE previous_value IS NOT NULL;
`;
