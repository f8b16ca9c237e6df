#!/bin/bash
# Real devices on a real server: one that was away for five trust sets and a new root catches up by
# itself, over releases that were signed again; and twenty follow their server to a new CA and name.
# timeout: 240
. tests/harness/lib.sh

export LAPEL_HOME=$TMP/home
NAMES=$TEST_BIN/integration/fake_names.so
LAPEL=$BIN/lapel
MODEL=EL-100
FLEET=()
for i in $(seq -w 1 20); do FLEET+=("lamp$i"); done
cd "$TMP" || exit 1

# --- the maker ----------------------------------------------------------------------------------

for k in root1 root2 release1 release2 online ca1 ca2 tls1 tls2; do
    "$LAPEL" key new $k.pem >/dev/null
done
certificate() { # name, its CA's number, host: name.crt, signed by the CA
    openssl req -new -key "$1.pem" -subj "/CN=$3" 2>/dev/null |
        openssl x509 -req -CA "ca$2.crt" -CAkey "ca$2.pem" -CAcreateserial -days 30 -out "$1.crt" \
            -extfile <(printf 'subjectAltName=DNS:%s' "$3") 2>/dev/null
}
for n in 1 2; do
    openssl req -x509 -new -key ca$n.pem -out ca$n.crt -subj "/CN=CA $n" -days 30 2>/dev/null
done
certificate tls1 1 old.lamp.example && certificate tls2 2 new.lamp.example
cp tls1.crt server.crt && cp tls1.pem server.key

PORT=$(free_port)
OLD=https://old.lamp.example:$PORT NEW=https://new.lamp.example:$PORT

trust_json() { # roots, release keys, anchors, urls: JSON arrays
    jq -n --argjson roots "$1" --argjson release "$2" --argjson anchors "$3" --argjson urls "$4" '{
        roles: [{role: "root", keys: $roots}, {role: "release", keys: $release,
                 "vendor-domain": "example.com", model: "EL-100"},
                {role: "online", keys: ["online.pub.pem"]}],
        anchors: $anchors, urls: $urls}' >trust.json
}
R1='["root1.pub.pem"]' R2='["root2.pub.pem"]' K1='["release1.pub.pem"]' K2='["release2.pub.pem"]'
BOTH='["release1.pub.pem", "release2.pub.pem"]'
A1='[{"certificate": "ca1.crt"}]' A12='[{"certificate": "ca1.crt"}, {"spki": "ca2.crt", "use": "next"}]'
A2='[{"certificate": "ca2.crt"}]'

step() { # version, root keys that sign...: t<version>.trust from trust.json, and to the server
    local v=$1 set
    shift
    if [ "$v" = 1 ]; then
        "$LAPEL" trust new trust.json t1.0 >/dev/null || return
    else
        "$LAPEL" trust next "t$((v - 1)).trust" trust.json "t$v.0" >/dev/null || return
    fi
    set=t$v.0
    for root in "$@"; do
        "$LAPEL" trust sign "$set" "$set.$root" --key "$root.pem" 2>/dev/null || return
        set=$set.$root
    done
    mv "$set" "t$v.trust"
    [ "$v" = 1 ] || expect_ok "$LAPEL" trust publish "t$v.trust"
}

make_release() { # name, sequence: name.unsigned and its image
    head -c 20000 /dev/urandom >"$1.bin"
    cat >"$1.json" <<END
{ "vendor-domain": "example.com", "model": "$MODEL", "severity": "security",
  "components": [ { "id": ["main"], "payload": "$1.bin" } ],
  "text": { "en": { "version": "$1", "changes": "Version $1.", "disrupts": true, "downtime-s": 3 } } }
END
    "$LAPEL" manifest create "$1.json" "$1.unsigned" --sequence "$2" >/dev/null
}
publish() { # name, key: signed by it, its release id printed
    "$LAPEL" manifest sign "$1.unsigned" "$1.suit" --key "$2.pem" --replace >/dev/null &&
        "$LAPEL" release publish lamp "$1.suit" "$1.bin" --json 2>/dev/null | jq .id
}
roll_out() { # release id
    expect_ok "$LAPEL" rollout create "$1" --start
}

# --- the server -----------------------------------------------------------------------------------

begin "the maker's server"
trust_json "$R1" "$K1" "$A1" "[\"$OLD\"]"
step 1 root1
start lapeld "$BIN/lapeld" --set data_dir="$TMP/data" --set "device.listen=127.0.0.1:$PORT" \
    --set device.cert="$TMP/server.crt" --set device.key="$TMP/server.key" \
    --set operator.listen=127.0.0.1:0 --set "public_url=$OLD" --set online_key="$TMP/online.pem"
wait_for 20 test -s data/endpoints
hold $? "no answer: $(tail -n 3 lapeld.log)" || finish
expect_ok "$LAPEL" token bootstrap --server "$(awk '$1 == "operator" { print $2 }' data/endpoints)" \
    data/bootstrap-token
expect_ok "$LAPEL" product set lamp --vendor-domain example.com --vendor-name Lamps --model $MODEL \
    --support-end 2036-06 --contact mailto:security@example.com --poll-s 30
expect_ok "$LAPEL" trust publish t1.trust
for n in 1 2 3; do make_release "v$n" $((16 * n)); done

# --- devices ----------------------------------------------------------------------------------------

declare -A AGENT nudged
device() { # name, token
    mkdir -p "$1/state"
    (umask 077 && printf '%s\n' "$2" >"$1/token")
    cat >"$1/agent.conf" <<END
server = $OLD
product = lamp
model = $MODEL
device_id = $1
token_file = $TMP/$1/token
ca_file = $TMP/ca1.crt
trust_set = $TMP/t1.trust
vendor_domain = example.com
state_dir = $TMP/$1/state
socket = $TMP/$1/socket
event_log = $TMP/$1/events
slot_size = 1M
first_check = 1s
period = 30s
reboot = exec
END
}
on() { LD_PRELOAD=$NAMES "$BIN/lapel-agent" run --config "$1/agent.conf" >>"$1.log" 2>&1 & AGENT[$1]=$!; }
off() {
    kill "${AGENT[$1]}"
    wait "${AGENT[$1]}" 2>/dev/null
    unset "AGENT[$1]"
}
status() { "$BIN/lapel-agent" status --json --config "$1/agent.conf" 2>/dev/null; }
is() { # device, jq filter; while it doesn't hold, the device checks in now, a second apart
    local now
    now=$(status "$1")
    jq -e "$2" <<<"$now" >/dev/null 2>&1 && return 0
    if jq -e .daemon <<<"$now" >/dev/null 2>&1 && [ "${nudged[$1]:-0}" -lt $((EPOCHSECONDS - 1)) ]; then
        nudged[$1]=$EPOCHSECONDS
        kill -USR1 "${AGENT[$1]}" 2>/dev/null
    fi
    return 1
}
all() { # jq filter
    local d good=0
    for d in "${FLEET[@]}"; do
        is "$d" "$1" || good=1
    done
    return $good
}
agents_clean() {
    local d
    for d in "${!AGENT[@]}"; do { kill -KILL "${AGENT[$d]}" && wait "${AGENT[$d]}"; } 2>/dev/null; done
    lib_clean
}
trap agents_clean EXIT

printf '%s\n' away "${FLEET[@]}" >ids.csv
expect_ok "$LAPEL" device add lamp --csv ids.csv --out tokens.csv
while IFS=, read -r name token; do device "$name" "$token"; done <tokens.csv

begin "a device installs the first release"
roll_out "$(publish v1 release1)"
on away
wait_for 40 is away '.running.version == "v1" and .state == "ready" and .trust_version == 1'
hold $? "it did not: $(status away) $(tail -n 3 away.log)"
off away

begin "while it is away: five sets, another release key, another root, two releases"
trust_json "$R1" "$BOTH" "$A1" "[\"$OLD\"]" && step 2 root1
V2=$(publish v2 release1)
trust_json "$R2" "$BOTH" "$A1" "[\"$OLD\"]" && step 3 root1 root2
trust_json "$R2" "$K2" "$A1" "[\"$OLD\"]" && step 4 root2
trust_json "$R2" "$K2" "$A12" "[\"$OLD\"]" && step 5 root2
step 6 root2
V3=$(publish v3 release2)
expect_eq "$(publish v3 release1)" '' "a release by the revoked key"
expect_eq "$("$LAPEL" trust list --json | jq -c '.trust | map(.version)')" '[1,2,3,4,5,6]'
expect_eq "$(publish v2 release2)" "$V2" "the stepping stone, signed again"

begin "it comes back, follows them one by one, and takes the stepping stone"
roll_out "$V2"
on away
wait_for 60 is away '.running.version == "v2" and .state == "ready" and .trust_version == 6'
hold $? "it did not: $(status away) $(tail -n 5 away.log)"
expect_eq "$(grep -c '"event": *"trust"' away/events)" 5 "sets that came into force"
expect_eq "$(grep -c '"event": *"refused"' away/events)" 0 "refusals"

begin "and the newest release"
roll_out "$V3"
wait_for 60 is away '.running.version == "v3" and .state == "ready"'
hold $? "it did not: $(status away)"

begin "a restart needs no server to know whom it trusts"
off away
mv away/agent.conf away/agent.good
sed "s|^server = .*|server = https://nobody.example:1|; s|^first_check = .*|first_check = 1h|" \
    away/agent.good >away/agent.conf
on away
wait_for 20 is away '.trust_version == 6 and .server == "old.lamp.example"'
hold $? "it forgot: $(status away)"
off away
mv away/agent.good away/agent.conf

begin "a stored set that was altered is noticed, and fetched again (provision 5.4-1)"
for f in away/state/trust0 away/state/trust1; do
    /usr/bin/python3 -c 'import sys
f = open(sys.argv[1], "r+b")
f.seek(200)
b = f.read(1)
f.seek(200)
f.write(bytes([b[0] ^ 1]))' "$f"
done
: >away/events
on away
wait_for 40 is away '.trust_version == 6 and .good_checks >= 1'
hold $? "it did not: $(status away)"
expect_eq "$(grep -c '"event": *"trust"' away/events)" 5 "sets that were fetched again"
expect_ok "$LAPEL" device show lamp away --json
expect_match "$OUT" 'tampered'
off away

# --- the move -----------------------------------------------------------------------------------------

begin "twenty devices know of the new CA and name before the server moves"
for d in "${FLEET[@]}"; do on "$d"; done
wait_for 90 all '.trust_version == 6 and .running.version == "v3" and .state == "ready"'
hold $? "not all do: $(for d in "${FLEET[@]}"; do status "$d" | jq -c '[.trust_version, .running.version, .state]'; done)"
trust_json "$R2" "$K2" "$A12" "[\"$NEW\", \"$OLD\"]" && step 7 root2
wait_for 60 all '.trust_version == 7 and .server == "new.lamp.example"'
hold $? "not all do"

begin "the server moves: another certificate, by another CA, for another name"
cat tls2.crt ca2.crt >server.crt && cp tls2.pem server.key # with the CA, whose key is what devices know
kill -HUP "${PID[lapeld]}"
for d in "${FLEET[@]}"; do off "$d" && : >"$d/events" && on "$d"; done
wait_for 90 all '.good_checks >= 1 and .server == "new.lamp.example"'
hold $? "not all are there: $(for d in "${FLEET[@]}"; do status "$d" | jq -c '[.server, .good_checks]'; done)"

begin "and the old CA counts no more"
trust_json "$R2" "$K2" "$A2" "[\"$NEW\"]" && step 8 root2
wait_for 60 all '.trust_version == 8'
hold $? "not all have the set"
certificate tls1 1 new.lamp.example
cp tls1.crt server.crt && cp tls1.pem server.key
kill -HUP "${PID[lapeld]}"
off lamp01 && : >lamp01.log && on lamp01
wait_for 40 grep -q net-trust lamp01.log
hold $? "the old CA's certificate was not refused: $(tail -n 3 lamp01.log)"
expect_eq "$(status lamp01 | jq .good_checks)" 0
finish
