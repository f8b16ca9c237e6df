-- A hardware revision that has few devices in the first wave of a rollout: these come in up to a
-- threshold of their own. Set once, with the wave's.
CREATE TABLE first_wave (
  rollout   INTEGER NOT NULL,
  revision  TEXT NOT NULL,
  threshold INTEGER NOT NULL,        -- 64 bits, as a signed number
  PRIMARY KEY (rollout, revision)
) WITHOUT ROWID;
