#!/bin/bash
# Power cuts under lapeld, on a disk that forgets what was not synced: nothing acknowledged is lost.
# And the same with syncing switched off, where it must be.
# timeout: 300
. tests/harness/lib.sh

begin "a disk that forgets"
expect_ok /usr/bin/python3 tests/powerloss/server_sync.py 30
echo "$OUT" | tail -n 12

begin "a disk that lies is found out"
expect_ok /usr/bin/python3 tests/powerloss/server_sync.py 5 lies
echo "$OUT" | tail -n 6

finish
