-- A trust set, as devices fetch it. Rows are only ever added, each one above the last.
CREATE TABLE trust_set (
  version    INTEGER PRIMARY KEY,
  document   BLOB NOT NULL,
  hash       BLOB NOT NULL,          -- SHA-256 of the document
  created_ms INTEGER NOT NULL
);
