-- Devices that wait: those whose attribute has this value get no offer. A hold that was taken away
-- keeps its row, so that its number is never another's.
CREATE TABLE hold (
  id         INTEGER PRIMARY KEY,
  product    INTEGER NOT NULL,
  release    INTEGER NOT NULL,       -- 0: every release of the product
  attribute  TEXT NOT NULL,
  value      TEXT NOT NULL,
  reason     TEXT NOT NULL,          -- for everybody to read
  created_ms INTEGER NOT NULL,
  removed_ms INTEGER NOT NULL        -- 0: it holds
);
