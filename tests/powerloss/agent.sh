#!/bin/bash
# lapel-agent loses its power: what was not synced is gone. What was acknowledged or told holds, and
# what runs is whole. With any one sync left out the same story must notice.
# timeout: 240
. tests/harness/lib.sh

AGENT=$BIN/lapel-agent
SHIM=$TEST_BIN/powerloss/lost_sync.so
LOSE=$PWD/tests/harness/lost_sync.py
cd "$TMP" || exit 1

begin "a maker and its releases"
expect_ok "$BIN/lapel" key new maker.pem
for v in 1 2; do
    head -c 30000 /dev/urandom >$v.bin
    cat >$v.json <<EOF
{ "vendor-domain": "example.com", "model": "EL-100", "severity": "security",
  "components": [ { "id": ["main"], "payload": "$v.bin" } ], "text": { "en": { "version": "$v" } } }
EOF
    expect_ok "$BIN/lapel" manifest create $v.json $v.env --sequence $((16 * v))
    expect_ok "$BIN/lapel" manifest sign $v.env $v.suit --key maker.pem
    cp $v.bin "$(sha256sum $v.bin | cut -c1-64)"
done
cat >conf <<EOF
server = https://localhost:1
product = lamp
model = EL-100
release_keys = $TMP/maker.pub.pem
vendor_domain = example.com
state_dir = $TMP/disk/state
slots_dir = $TMP/disk/slots
socket = $TMP/control
user_data = $TMP/disk/user
event_log = $TMP/events
first_check = 1h
reboot = exec
EOF

agent() { timeout 60 env LD_PRELOAD="$SHIM" LOST_SYNC_ROOT="$TMP/disk" LOST_SYNC_KEEP="$TMP/keep" LOST_SYNC_SKIP="$SKIP" \
    "$AGENT" -c conf "$@"; }
# Never beside a daemon that is starting: it would write what the shim doesn't see.
status() { timeout 60 "$AGENT" -c conf status --json 2>/dev/null | jq -r "$1"; }
is_up() { [ -S control ] && [ "$(status .daemon)" = true ]; }
run() {
    start agent env LD_PRELOAD="$SHIM" LOST_SYNC_ROOT="$TMP/disk" LOST_SYNC_KEEP="$TMP/keep" LOST_SYNC_SKIP="$SKIP" \
        "$AGENT" -c conf run
    wait_for 20 is_up
}
cut() { # the power
    [ -z "${PID[agent]:-}" ] || stop agent KILL
    rm -f control
    /usr/bin/python3 "$LOSE" keep disk
}
lost() { # what: the story ends here
    LOST=$1
    return 1
}
runs() { # version: the agent says so, and what `current` names is that image
    run || lost "the agent doesn't come up" || return
    [ "$(status '"\(.running.sequence) \(.state)"')" = "$((16 * $1)) ready" ] || lost "runs $1: $(status .running.sequence)" || return
    cmp -s disk/slots/current/main "$1.bin" || lost "the image of $1"
}
installed() { grep -q "\"event\":\"installed\".*\"sequence\":\"$((16 * $1))\"" events; }

story() { # skip: sets LOST to what did not hold, "" when all did
    SKIP=$1 LOST=
    rm -rf disk keep events control
    mkdir -p disk/user keep && echo secret >disk/user/file

    agent settings auto-feature off >/dev/null || lost "no setting" || return
    cut
    [ "$(status '.settings["auto-feature"].choice')" = off ] || lost "the setting" || return

    agent apply 1.suit >/dev/null || lost "no first release" || return
    cut
    [ "$(status .state)" = staged ] || lost "staged: $(status .state)" || return
    cmp -s disk/slots/slot1/main 1.bin || lost "the staged image" || return
    run && wait_for 20 installed 1 || lost "1 is never installed" || return
    cut
    [ "$(readlink disk/slots/current)" = slot1 ] || lost "current" || return
    runs 1 || return

    agent postpone 2h >/dev/null || lost "no postponement" || return
    cut
    [ "$(status '.postponed_s > 7000')" = true ] || lost "the postponement" || return
    run || lost "no agent" || return
    agent apply 2.suit >/dev/null || lost "no second release" || return
    wait_for 20 installed 2 || lost "2 is never installed" || return
    cut
    runs 2 || return

    agent reset >/dev/null || lost "no reset" || return
    cut
    [ -z "$(ls -A disk/user)" ] || lost "the user's data are back" || return
    runs 2 || return
    cut
}

begin "power lost after each acknowledgement: nothing is lost"
story ""
expect_eq "$LOST" ""

# --- Each sync: of a file's bytes, and of the folder that names it.

needed() { # path, what it is
    begin "without syncing $2 the same story fails"
    story "$1"
    cut 2>/dev/null
    [ -n "$LOST" ]
    hold $? "nothing was lost: the test shows nothing"
    echo "$2: $LOST"
}
needed 'record' "the records"
needed 'state/boot' "the boot loader's word"
needed '.manifest.tmp$' "the manifests"
needed '/main$' "the images"
needed '/state$' "the folder of the records"
needed '/slots$' "the folder of manifests and current"
needed '/slot1$' "the folder of an image"
needed '/user$' "the folder of the user's data"
needed '/disk$' "the folder of the folders"
finish
