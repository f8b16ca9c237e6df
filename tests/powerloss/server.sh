#!/bin/bash
# lapeld loses its power: what was not synced is gone. With syncing on nothing acknowledged is lost;
# with any one kind of it off the same loop must notice.
# timeout: 110
. tests/harness/lib.sh

held() { hold "$@"; }

run() { # skip, kills: sets OUT
    OUT=$(CUT=$TEST_BIN/powerloss/lost_sync.so LOST_SYNC_SKIP=$1 KILLS=$2 \
        timeout 60 /usr/bin/python3 tests/integration/server_kill.py 2>&1)
}

begin "power lost 20 times: nothing acknowledged is lost"
run "" 20
expect_match "$OUT" '[0-9]+ passed, 0 failed'

for kind in -wal artifacts/tmp dir statement-number; do
    begin "without syncing $kind the same loop fails"
    run "$kind" 20
    [ -n "$(grep -a -E '^FAIL (round|.*does not start|.*what was acknowledged)' <<<"$OUT")" ]
    held $? "nothing was lost: the test shows nothing"
done
finish
