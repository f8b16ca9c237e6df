#!/bin/bash
# Tried as a new integrator would: the template port, filled in after PORTING.md, is short and
# updates against a real server.
# timeout: 90
. tests/harness/lib.sh

begin "the port has less than 150 lines, and PORTING.md names each of its functions"
[ "$(wc -l <tests/integration/newcomer_port.c)" -lt 150 ]
hold $? "$(wc -l tests/integration/newcomer_port.c)"
for name in $(sed -n 's/^ *[a-z].*(\*\([a-z_]*\))(.*/\1/p' client/include/lapel_port.h | sort -u); do
    grep -q "\`[a-z_.]*$name\`" client/PORTING.md
    hold $? "client/PORTING.md says nothing of $name"
done

export LAPEL_HOME=$TMP/operator PATH=$BIN:$PATH
cd "$TMP" || exit 1
begin "a server with two releases, and a board"
mkdir board
lamp_server
point=$(openssl pkey -pubin -in maker.pub.pem -outform DER | tail -c 65 | od -An -v -tx1 | tr -d ' \n')
expect_ok lapel device add lamp newcomer --out token

publish() { # version, sequence
    local id
    head -c 30001 /dev/urandom >"$1.bin"
    cat >"$1.json" <<EOF
{ "vendor-domain": "example.com", "model": "EL-100", "severity": "security",
  "components": [ { "id": ["main"], "payload": "$1.bin" } ],
  "text": { "en": { "version": "$1", "changes": "Some.", "risks-removed": "Some." } } }
EOF
    lapel manifest create "$1.json" "$1.env" --sequence "$2" >/dev/null &&
        lapel manifest sign "$1.env" "$1.suit" --key maker.pem >/dev/null &&
        id=$(lapel release publish lamp "$1.suit" "$1.bin" | awk '/^release/ { print $2 }') &&
        lapel rollout create "$id" --start >/dev/null
    hold $? "$1 could not be published"
}
board() { # sequence: starts of the board until it runs that; sets STARTS
    local code=75 device
    device=$(url device)
    for ((STARTS = 0; code == 75 && STARTS < 5; STARTS++)); do
        (cd board && timeout 60 "$TEST_BIN/integration/newcomer" "$device" "$(cat ../token)" "$point" "$1") 2>err
        code=$?
    done
    hold "$code" "exit $code: $(cat err)"
}

begin "the board updates itself, tries it, and keeps it"
publish one 16
board 16
expect_eq "$STARTS" 2 "starts"
expect_eq "$(head -c 30001 board/slot1 | cmp - one.bin && cat board/boot0)" r1

begin "and goes back to the first slot with the second release"
publish two 32
board 32
expect_eq "$(head -c 30001 board/slot0 | cmp - two.bin && cat board/boot0)" r0
finish
