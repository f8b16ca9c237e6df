-- Every id is assigned by us and fits 31 bits, every time is milliseconds since 1970 UTC.

-- One row per migration that has run.
CREATE TABLE schema_version (
  version INTEGER PRIMARY KEY,
  at_ms   INTEGER NOT NULL
);

-- A few single values: the bootstrap token's digest and its end, by name.
CREATE TABLE setting (
  name  TEXT PRIMARY KEY,
  value BLOB NOT NULL
);

-- A model that is sold under one designation.
CREATE TABLE product (
  id               INTEGER PRIMARY KEY,
  name             TEXT NOT NULL UNIQUE,
  vendor_domain    TEXT NOT NULL,
  vendor_name      TEXT NOT NULL,
  model            TEXT NOT NULL UNIQUE,
  vendor_id        BLOB NOT NULL,
  class_id         BLOB NOT NULL,
  contact          TEXT NOT NULL,
  support_url      TEXT NOT NULL,    -- empty: made from public_url
  allow_anonymous  INTEGER NOT NULL,
  payload_in_clear INTEGER NOT NULL,
  poll_s           INTEGER NOT NULL,
  components       TEXT NOT NULL,    -- a JSON array of names
  created_ms       INTEGER NOT NULL,
  changed_ms       INTEGER NOT NULL
);
CREATE INDEX product_class ON product (class_id);

-- One statement "supported until" that was published. Rows are only ever added; the newest counts.
CREATE TABLE support_period (
  product      INTEGER NOT NULL,
  n            INTEGER NOT NULL,
  kind         TEXT NOT NULL,        -- security
  component    TEXT NOT NULL,        -- empty: all
  end_month    INTEGER NOT NULL,     -- year * 12 + month - 1
  rationale    TEXT NOT NULL,        -- empty: none needed
  published_ms INTEGER NOT NULL,
  PRIMARY KEY (product, n)
);

-- A credential of the operator interface. The token itself is nowhere.
CREATE TABLE credential (
  id         INTEGER PRIMARY KEY,
  name       TEXT NOT NULL,
  role       INTEGER NOT NULL,
  products   TEXT NOT NULL,          -- names between blanks, " lamp plug "; empty: all
  digest     BLOB NOT NULL UNIQUE,
  created_ms INTEGER NOT NULL,
  expires_ms INTEGER NOT NULL,       -- 0: never
  revoked_ms INTEGER NOT NULL        -- 0: not
);

-- A device that may ask. How its last attempt ended stands here, older ones in outcome.
CREATE TABLE device (
  id             INTEGER PRIMARY KEY,
  product        INTEGER NOT NULL,
  name           TEXT NOT NULL,
  revoked_ms     INTEGER NOT NULL,   -- 0: active
  created_ms     INTEGER NOT NULL,
  seen_ms        INTEGER NOT NULL,   -- 0: never
  attempt        BLOB,
  attempt_stage  INTEGER NOT NULL DEFAULT 0,
  attempt_class  INTEGER NOT NULL DEFAULT 0,
  attempt_code   INTEGER NOT NULL DEFAULT 0,
  attempt_offset INTEGER NOT NULL DEFAULT 0,
  attempt_ms     INTEGER NOT NULL DEFAULT 0,
  UNIQUE (product, name)
);

-- A device's token, by its digest. Two at most: slot 0 the one in use, slot 1 the next one.
CREATE TABLE device_token (
  digest     BLOB PRIMARY KEY,
  device     INTEGER NOT NULL,
  slot       INTEGER NOT NULL,
  created_ms INTEGER NOT NULL,
  UNIQUE (device, slot)
) WITHOUT ROWID;

-- What a device said it runs, for each manifest component.
CREATE TABLE running (
  device    INTEGER NOT NULL,
  class_id  BLOB NOT NULL,
  component BLOB NOT NULL,
  sequence  INTEGER NOT NULL,
  digest    BLOB NOT NULL,
  state     INTEGER NOT NULL,
  at_ms     INTEGER NOT NULL,
  PRIMARY KEY (device, class_id, component)
) WITHOUT ROWID;

-- A payload that is whole on disk.
CREATE TABLE artifact (
  digest     BLOB PRIMARY KEY,
  size       INTEGER NOT NULL,
  created_ms INTEGER NOT NULL
) WITHOUT ROWID;

-- One envelope that was accepted. Sequence numbers are unique in (vendor, class, component).
CREATE TABLE release (
  id         INTEGER PRIMARY KEY,
  product    INTEGER NOT NULL,
  vendor_id  BLOB NOT NULL,
  class_id   BLOB NOT NULL,
  component  BLOB NOT NULL,          -- encoded component id; empty: none
  sequence   INTEGER NOT NULL,
  digest     BLOB NOT NULL,
  envelope   BLOB NOT NULL,          -- as it was uploaded
  sent       BLOB NOT NULL,          -- as devices get it: without text when it is over 2 KiB
  text       BLOB NOT NULL,          -- the content of the severed text; empty: none
  sent_hash  BLOB NOT NULL,          -- SHA-256 of sent, for the ETag
  version    TEXT NOT NULL,
  priority   INTEGER,                -- update-priority; NULL: none
  state      INTEGER NOT NULL,
  offered    INTEGER NOT NULL,       -- 1 once its rollout has started
  size       INTEGER NOT NULL,
  key_id     BLOB NOT NULL,
  created_ms INTEGER NOT NULL,
  UNIQUE (vendor_id, class_id, component, sequence)
);
CREATE INDEX release_digest ON release (digest);
CREATE INDEX release_product ON release (product, id);

-- A payload that a release needs.
CREATE TABLE release_payload (
  release INTEGER NOT NULL,
  n       INTEGER NOT NULL,
  digest  BLOB NOT NULL,
  size    INTEGER NOT NULL,
  PRIMARY KEY (release, n)
);
CREATE INDEX release_payload_digest ON release_payload (digest);

-- One way of handing out a release.
CREATE TABLE rollout (
  id         INTEGER PRIMARY KEY,
  product    INTEGER NOT NULL,
  release    INTEGER NOT NULL,
  salt       BLOB NOT NULL,
  started_ms INTEGER NOT NULL,       -- 0: a draft
  ended_ms   INTEGER NOT NULL,       -- 0: not over. Complete or aborted
  created_ms INTEGER NOT NULL
);
CREATE INDEX rollout_release ON rollout (release);

-- A wave of a rollout. opened_ms, threshold and members are set together, once.
CREATE TABLE wave (
  rollout     INTEGER NOT NULL,
  n           INTEGER NOT NULL,
  share       REAL NOT NULL,         -- cumulative; 0: by devices alone
  devices     INTEGER NOT NULL,      -- at least so many; 0: by share alone
  soak_ms     INTEGER NOT NULL,
  manual      INTEGER NOT NULL,      -- 1: a person says when the next one opens
  approved_ms INTEGER NOT NULL,      -- 0: not
  opened_ms   INTEGER NOT NULL,      -- 0: waiting
  threshold   INTEGER NOT NULL,      -- 64 bits, as a signed number
  nobody      INTEGER NOT NULL,      -- 1: no threshold, the fleet was empty
  members     INTEGER NOT NULL,
  PRIMARY KEY (rollout, n)
);

-- A device and a release that it was offered: the grant, and how far it got.
CREATE TABLE work (
  device   INTEGER NOT NULL,
  release  INTEGER NOT NULL,
  rollout  INTEGER NOT NULL,
  wave     INTEGER NOT NULL,
  state    INTEGER NOT NULL,
  since_ms INTEGER NOT NULL,
  PRIMARY KEY (device, release)
) WITHOUT ROWID;
CREATE INDEX work_count ON work (rollout, wave, state);
CREATE INDEX work_release ON work (release, state);

-- How one attempt of one device ended; the first word counts.
CREATE TABLE outcome (
  device  INTEGER NOT NULL,
  attempt BLOB NOT NULL,
  release INTEGER NOT NULL,          -- 0: none that we know
  ok      INTEGER NOT NULL,
  stage   INTEGER NOT NULL,
  class   INTEGER NOT NULL,
  code    INTEGER NOT NULL,
  at_ms   INTEGER NOT NULL,
  PRIMARY KEY (device, attempt)
) WITHOUT ROWID;

-- Every change by an operator, each row sealed by the hash of all before.
CREATE TABLE audit (
  id         INTEGER PRIMARY KEY,
  at_ms      INTEGER NOT NULL,
  credential INTEGER NOT NULL,       -- 0: the server itself
  who        TEXT NOT NULL,
  act        TEXT NOT NULL,
  target     TEXT NOT NULL,
  detail     TEXT NOT NULL,
  hash       BLOB NOT NULL
);
