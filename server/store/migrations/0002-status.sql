-- What a device last said of itself, beside what it runs.
CREATE TABLE device_status (
  device        INTEGER PRIMARY KEY,
  capability    BLOB NOT NULL,       -- SHA-256 of its map; empty: never told
  auto_security INTEGER NOT NULL,    -- 0 unset, 1 on, 2 off; the other two as well
  auto_feature  INTEGER NOT NULL,
  notifications INTEGER NOT NULL,
  postponed_ms  INTEGER NOT NULL,    -- until when; 0: not
  waiting       INTEGER NOT NULL,    -- at which gate; 0: none
  refused       INTEGER NOT NULL,
  at_ms         INTEGER NOT NULL     -- of the last change
);
CREATE INDEX device_status_capability ON device_status (capability);

-- A capability map that some device has. Devices of one build share it.
CREATE TABLE capability (
  digest BLOB PRIMARY KEY,
  map    BLOB NOT NULL,
  at_ms  INTEGER NOT NULL
) WITHOUT ROWID;

-- A security event that a device told; a ring of the last ones, n rises.
CREATE TABLE device_event (
  device  INTEGER NOT NULL,
  n       INTEGER NOT NULL,
  class   INTEGER NOT NULL,
  count   INTEGER NOT NULL,
  last_ms INTEGER NOT NULL,          -- of the last one of these
  PRIMARY KEY (device, n)
) WITHOUT ROWID;

-- A fault record that a device sent; a ring as well.
CREATE TABLE device_fault (
  device   INTEGER NOT NULL,
  n        INTEGER NOT NULL,
  kind     INTEGER NOT NULL,
  place    INTEGER NOT NULL,         -- program counter or line, 64 bits as a signed number
  sequence INTEGER,                  -- what ran then; NULL: not told
  detail   BLOB NOT NULL,
  at_ms    INTEGER NOT NULL,         -- when it came
  PRIMARY KEY (device, n)
) WITHOUT ROWID;
