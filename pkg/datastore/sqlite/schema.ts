/** "mi8s": marks the file as ours (`PRAGMA application_id`). */
export const applicationId = 0x6d693873;

/** Grows with each change of the tables (`PRAGMA user_version`); a file with a greater one is refused. */
export const schemaVersion = 1;

export const pageBytes = 4096;

/**
 * `current`: every key as it is. `history`: what each of the latest writes replaced, so that going back is undoing.
 * `meta`: `reserved` (no greater revision was ever handed out), `clean` (closed in good order), `oldest` (history
 * begins here), `volatile/<segment>` (its history is not whole).
 */
export const schemaSql = `
  CREATE TABLE current (
    key TEXT NOT NULL UNIQUE,
    create_revision INTEGER NOT NULL,
    revision INTEGER NOT NULL,
    value BLOB NOT NULL
  ) STRICT;
  CREATE TABLE history (
    revision INTEGER PRIMARY KEY,
    key TEXT NOT NULL,
    deleted INTEGER NOT NULL,
    previous_create_revision INTEGER,
    previous_revision INTEGER,
    previous_value BLOB
  ) STRICT;
  CREATE TABLE meta (name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT, WITHOUT ROWID;
  INSERT INTO meta VALUES ('reserved', 0), ('clean', 1), ('oldest', 0);
`;
