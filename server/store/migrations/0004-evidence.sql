-- 0 timed, 1 a person says when the next one opens, 2 the outcomes do.
ALTER TABLE wave RENAME COLUMN manual TO gate;

-- Hardware revision, as the device says it; empty: it does not.
ALTER TABLE device ADD COLUMN revision TEXT NOT NULL DEFAULT '';

-- When the device was first offered the release, and whether an attempt spoke against it
-- (1 failed, 2 reverted; the first word counts).
ALTER TABLE work ADD COLUMN started_ms INTEGER NOT NULL DEFAULT 0;
ALTER TABLE work ADD COLUMN bad INTEGER NOT NULL DEFAULT 0;
ALTER TABLE work ADD COLUMN bad_ms INTEGER NOT NULL DEFAULT 0;
CREATE INDEX work_started ON work (rollout, started_ms);
CREATE INDEX work_bad ON work (rollout, bad_ms) WHERE bad <> 0;

-- A rollout whose outcomes are looked at. Rows go with its end.
CREATE TABLE watch (
  rollout  INTEGER PRIMARY KEY,
  began_ms INTEGER NOT NULL,         -- cell 0 begins
  cell_ms  INTEGER NOT NULL,         -- starts are compared within so much time
  poll_ms  INTEGER NOT NULL,         -- of the product, then
  cells    INTEGER NOT NULL,         -- looked at so far; the next two: judged so far
  next     INTEGER NOT NULL,
  late     INTEGER NOT NULL,
  delay_ms INTEGER NOT NULL          -- the server was away so long; judging waits that much longer
);

-- A device that is watched though the release is not offered to it: the last ones by place.
CREATE TABLE holdout (
  rollout INTEGER NOT NULL,
  device  INTEGER NOT NULL,
  PRIMARY KEY (rollout, device)
) WITHOUT ROWID;

-- One of them that checked in during a cell, until it has been judged twice.
CREATE TABLE control (
  rollout INTEGER NOT NULL,
  cell    INTEGER NOT NULL,
  device  INTEGER NOT NULL,
  seen_ms INTEGER NOT NULL,
  PRIMARY KEY (rollout, cell, device)
) WITHOUT ROWID;

-- A class and hardware revision that is compared for itself.
CREATE TABLE stratum (
  rollout  INTEGER NOT NULL,
  n        INTEGER NOT NULL,
  revision TEXT NOT NULL,
  PRIMARY KEY (rollout, n)
);

-- What was counted in one cell and stratum. Rows are only ever added: what becomes known later is
-- a row with a later horizon (0 starts and failures as told, 1 next check-in overdue, 2 days later).
CREATE TABLE evidence (
  rollout        INTEGER NOT NULL,
  n              INTEGER NOT NULL,
  at_ms          INTEGER NOT NULL,
  cell           INTEGER NOT NULL,
  horizon        INTEGER NOT NULL,
  stratum        INTEGER NOT NULL,
  started        INTEGER NOT NULL,
  confirmed      INTEGER NOT NULL,
  failed         INTEGER NOT NULL,
  reverted       INTEGER NOT NULL,
  silent         INTEGER NOT NULL,
  postponed      INTEGER NOT NULL,
  control        INTEGER NOT NULL,
  control_silent INTEGER NOT NULL,
  PRIMARY KEY (rollout, n)
);

-- One look at them, with everything else that was used. Only ever added.
CREATE TABLE decision (
  rollout     INTEGER NOT NULL,
  n           INTEGER NOT NULL,
  at_ms       INTEGER NOT NULL,
  rows        INTEGER NOT NULL,      -- of evidence, from the first
  wave        INTEGER NOT NULL,
  fleet       INTEGER NOT NULL,
  members     INTEGER NOT NULL,
  confirmed   INTEGER NOT NULL,
  soaked      INTEGER NOT NULL,
  settled     INTEGER NOT NULL,
  exhausted   INTEGER NOT NULL,
  heard       INTEGER NOT NULL,
  tolerate    REAL NOT NULL,         -- the rules
  doubt       REAL NOT NULL,
  most        REAL NOT NULL,
  halt_at     REAL NOT NULL,
  advance_at  REAL NOT NULL,
  kind        INTEGER NOT NULL,      -- what was decided, and why
  reason      INTEGER NOT NULL,
  log_halt    REAL NOT NULL,
  log_advance REAL NOT NULL,
  PRIMARY KEY (rollout, n)
);
