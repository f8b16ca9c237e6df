#!/bin/bash
# The main job from an empty folder: a server, a product, ten devices, two releases in waves, a
# user who postpones, and three attacks that come to nothing. Exit 0 only if all of it happened.
set -u
cd "$(dirname "$0")/.." || exit 1
BIN=$PWD/${BUILD:-build}/bin
HOSTILE=$PWD/tests/harness/hostile.py
TMP=$(mktemp -d)
MODEL=EL-100
DEVICES=(lamp01 lamp02 lamp03 lamp04 lamp05 lamp06 lamp07 lamp08 lamp09 lamp10)
LAZY=lamp07 # its user postpones
declare -A AGENT=()
export LAPEL_HOME=$TMP/operator
exec {never}<> <(:) # a read from it waits for its timeout

say() { printf '\n\033[1m%s\033[0m\n' "$*"; }
fail() {
    printf '\nThe demo failed: %s\n' "$*" >&2
    tail -n 5 "$TMP"/*.log >&2
    exit 1
}
clean() {
    kill "${AGENT[@]}" "${SERVER:-}" "${LIAR:-}" 2>/dev/null
    wait 2>/dev/null
    rm -rf "$TMP"
}
trap clean EXIT

# Until the command holds, 30 s at most; devices are asked to look for work meanwhile.
until_true() { # what, command...
    local what=$1 end=$((SECONDS + 30))
    shift
    until "$@"; do
        [ $SECONDS -lt $end ] || fail "$what did not happen in 30 s"
        read -rt 0.2 -u "$never"
    done
}
nudge() { kill -USR1 "${AGENT[@]}" 2>/dev/null; }
lapel() { "$BIN/lapel" "$@"; }
agent() { # device, command...
    local device=$1 verb=$2
    shift 2
    "$BIN/lapel-agent" "$verb" --config "$TMP/$device/agent.conf" "$@"
}

# --- server, keys, product ------------------------------------------------------------------

say "1. The maker's desk: a signing key. Its public half goes to the server and into devices."
mkdir -p "$TMP/maker" "$TMP/server/trust"
lapel key new "$TMP/maker/release.pem" | head -n 1 | sed "s|$TMP/||g" || fail "no key"
cp "$TMP/maker/release.pub.pem" "$TMP/server/trust/"

say "2. The server: one process. It makes its own CA and leaves a one-use token for the first admin."
cat >"$TMP/lapeld.conf" <<END
data_dir = $TMP/server/data
trust_dir = $TMP/server/trust
public_url = https://localhost
[device]
listen = 127.0.0.1:0
[operator]
listen = 127.0.0.1:0
tls = on
[public]
listen = 127.0.0.1:0
END
"$BIN/lapeld" --config "$TMP/lapeld.conf" >"$TMP/lapeld.log" 2>&1 &
SERVER=$!
until_true "the server's start" "$BIN/lapeld" --config "$TMP/lapeld.conf" --probe 2>/dev/null
url_of() { # by name: Mbed TLS 2.28 knows no certificates for addresses
    awk -v name="$1" '$1 == name { sub("127.0.0.1", "localhost", $2); print $2 }' \
        "$TMP/server/data/endpoints"
}
DEVICE_URL=$(url_of device) OPERATOR_URL=$(url_of operator) PUBLIC_URL=$(url_of public)
lapel token bootstrap --server "$OPERATOR_URL" --ca "$TMP/server/data/ca.pem" \
    "$TMP/server/data/bootstrap-token" || fail "no first admin"

say "3. A product, supported until a month that anybody can read."
lapel product set lamp --vendor-domain example.com --vendor-name "Example Lamps" --model $MODEL \
    --support-end 2036-06 --contact mailto:security@example.com --poll-s 30 >"$TMP/product.txt" ||
    fail "no product"
grep -E 'model|support end' "$TMP/product.txt"
curl -sf "$PUBLIC_URL/support/$MODEL" | grep -qi 'june 2036' || fail "no support page"
VENDOR_ID=$(awk '/^vendor id/ { print $3 }' "$TMP/product.txt")
CLASS_ID=$(awk '/^class id/ { print $3 }' "$TMP/product.txt")

say "4. Ten devices, each with a credential of its own."
printf '%s\n' "${DEVICES[@]}" >"$TMP/devices.csv"
lapel device add lamp --csv "$TMP/devices.csv" --out "$TMP/credentials.csv" | sed "s|$TMP/||" ||
    fail "no devices"
start_agent() { # device, server
    "$BIN/lapel-agent" run --config "$TMP/$1/agent.conf" --server "$2" >>"$TMP/$1.log" 2>&1 &
    AGENT[$1]=$!
}
while IFS=, read -r device credential; do
    mkdir -p "$TMP/$device"
    (umask 077 && printf '%s\n' "$credential" >"$TMP/$device/token")
    cat >"$TMP/$device/agent.conf" <<END
server = $DEVICE_URL
product = lamp
model = $MODEL
device_id = $device
token_file = $TMP/$device/token
ca_file = $TMP/server/data/ca.pem
release_keys = $TMP/maker/release.pub.pem
vendor_domain = example.com
state_dir = $TMP/$device/state
socket = $TMP/$device/socket
event_log = $TMP/$device/events.jsonl
slot_size = 1M
first_check = 2s
period = 30s
reboot = exec
END
    mkdir -p "$TMP/$device/state"
    start_agent "$device" "$DEVICE_URL"
done <"$TMP/credentials.csv"
[ ${#AGENT[@]} -eq 10 ] || fail "there are ${#AGENT[@]} devices, not 10"

# --- releases ---------------------------------------------------------------------------------

template() { # version, changes, risks, severity
    cat <<END
{ "vendor-domain": "example.com", "model": "$MODEL", "severity": "$4",
  "components": [ { "id": ["main"], "payload": "image-$1.bin" } ],
  "text": { "en": { "version": "$1", "changes": "$2", "risks-removed": "$3",
                    "disrupts": true, "downtime-s": 20 } } }
END
}
publish() { # version, sequence, changes, risks, severity: prints the release's id
    head -c 200000 /dev/urandom >"$TMP/maker/image-$1.bin"
    template "$1" "$3" "$4" "$5" >"$TMP/maker/$1.json"
    lapel manifest create "$TMP/maker/$1.json" "$TMP/maker/$1.unsigned" --sequence "$2" >/dev/null &&
        lapel manifest sign "$TMP/maker/$1.unsigned" "$TMP/maker/$1.suit" \
            --key "$TMP/maker/release.pem" &&
        lapel release publish lamp "$TMP/maker/$1.suit" "$TMP/maker/image-$1.bin" >"$TMP/out" &&
        awk '/^release/ { print $2 }' "$TMP/out"
}
version_of() { agent "$1" status --json 2>/dev/null | jq -r '.running.version // "-"'; }
count_on() { # version: how many devices run it, confirmed and at rest
    local device n=0
    for device in "${DEVICES[@]}"; do
        [ "$(agent "$device" status --json 2>/dev/null |
            jq -r '"\(.running.version) \(.state)"')" = "$1 ready" ] && n=$((n + 1))
    done
    echo $n
}
installed() { # rollout, wave: devices of it that have confirmed
    lapel rollout show "$1" --json | jq ".waves[$2].installed"
}
wave_full() { # rollout, wave, devices that may be missing
    nudge
    lapel rollout show "$1" --json |
        jq -e ".waves[$2] | .state != \"waiting\" and .installed >= .members - $3" >/dev/null
}

say "5. Release 1.0.0, signed on the maker's desk, to everybody at once."
R1=$(publish 1.0.0 16 "First release." "None." feature) || fail "release 1.0.0 was refused"
W1=$(lapel rollout create "$R1" --start --json | jq .id) || fail "no rollout"
until_true "release 1.0.0 on ten devices" wave_full "$W1" 0 0
echo "$(installed "$W1" 0) of 10 devices have installed and confirmed 1.0.0"

say "6. Release 2.0.0 is a security update. First a wave of three, then, when a person says so, all."
R2=$(publish 2.0.0 32 "Answers faster after a power cut." \
    "Somebody on your network could have switched the lamp." security) || fail "2.0.0 was refused"
agent $LAZY postpone 1h || fail "$LAZY could not postpone"
echo "$LAZY: its user postpones updates for an hour"
W2=$(lapel rollout create "$R2" --wave 3,manual --wave 100% --start --json | jq .id)
until_true "the first wave" wave_full "$W2" 0 1 # perhaps the lazy one belongs to it
lapel rollout show "$W2"
echo "The operator looks, and opens the second wave:"
advance() { nudge && lapel rollout advance "$W2" >"$TMP/out" 2>&1; }
until_true "the manual gate" advance
until_true "the second wave" wave_full "$W2" 1 1
lapel rollout show "$W2"
[ "$(count_on 2.0.0)" -eq 9 ] || fail "more than nine devices run 2.0.0"
[ "$(version_of $LAZY)" = 1.0.0 ] || fail "$LAZY did not obey its user"
echo "$LAZY still runs 1.0.0, since its user said: not now"

say "7. What the users were told (lamp01):"
jq -r 'select(.event == "available" or .event == "disrupt" or .event == "installed")
    | "  \(.event): version \(.version // "-"), \(.severity // "-"); \(.risks_removed // "")" +
      (if .downtime_s then " Expected downtime \(.downtime_s) s." else "" end)' \
    "$TMP/lamp01/events.jsonl"
for event in available disrupt installed; do
    grep -q "\"event\": *\"$event\"" "$TMP/lamp01/events.jsonl" || fail "no '$event' was told"
    # 2.0.0 is a security update before the restart and after it.
    jq -es --arg event $event '[.[] | select(.event == $event and .version == "2.0.0") | .severity]
        | length > 0 and all(. == "security")' "$TMP/lamp01/events.jsonl" >/dev/null ||
        fail "'$event' of 2.0.0 was not told as a security update"
done

# --- attacks ------------------------------------------------------------------------------------

say "8. Three attacks. The server refuses each; forced onto the wire by a lying server, so do devices."
lapel key new "$TMP/maker/thief.pem" >/dev/null
head -c 200000 /dev/urandom >"$TMP/maker/image-6.6.6.bin"
template 6.6.6 "Nothing good." "None." critical >"$TMP/maker/6.6.6.json"
lapel manifest create "$TMP/maker/6.6.6.json" "$TMP/maker/6.6.6.unsigned" --sequence 48 >/dev/null
lapel manifest sign "$TMP/maker/6.6.6.unsigned" "$TMP/maker/thief.suit" --key "$TMP/maker/thief.pem"
# one bit of the signed manifest: the image's size
/usr/bin/python3 - "$TMP/maker/2.0.0.suit" "$TMP/maker/tampered.suit" <<'END'
import sys
data = bytearray(open(sys.argv[1], "rb").read())
at = data.index(bytes.fromhex("1a00030d40"))  # image-size 200000
data[at + 4] ^= 1
open(sys.argv[2], "wb").write(data)
END
# signed by the right key, but older than what is offered: a release from the drawer
template 1.5.0 "An old one." "None." feature >"$TMP/maker/1.5.0.json"
cp "$TMP/maker/image-6.6.6.bin" "$TMP/maker/image-1.5.0.bin"
lapel manifest create "$TMP/maker/1.5.0.json" "$TMP/maker/old.unsigned" --sequence 24 >/dev/null
lapel manifest sign "$TMP/maker/old.unsigned" "$TMP/maker/old.suit" --key "$TMP/maker/release.pem"

# By curl, since `lapel release publish` would refuse to send some of this.
publish_anyway() { # envelope, payload: prints the answer's status and text
    local digest
    digest=$(sha256sum "$2" | cut -d ' ' -f 1)
    printf 'header = "Authorization: Bearer %s"\n' "$(cat "$LAPEL_HOME/token")" >"$TMP/curlrc"
    curl -s -K "$TMP/curlrc" --cacert "$TMP/server/data/ca.pem" -T "$2" -o /dev/null -H "Content-Type: application/octet-stream" \
        "$OPERATOR_URL/api/v1/payloads/$digest"
    curl -s -K "$TMP/curlrc" --cacert "$TMP/server/data/ca.pem" --data-binary "@$1" \
        -H 'Content-Type: application/suit-envelope+cose' \
        "$OPERATOR_URL/api/v1/products/lamp/releases" | jq -r '"\(.status) \(.field): \(.detail)"'
}
attack() { # name, envelope, payload, class of the refusal
    local said port
    said=$(publish_anyway "$2" "$3")
    [[ $said = 4* ]] || fail "the server took the $1: $said"
    printf '%-18s server: %s\n' "$1" "$said"
    rm -f "$TMP/liar.log"
    /usr/bin/python3 "$HOSTILE" "$TMP/server/data/server.pem" "$TMP/server/data/server.key" \
        "$VENDOR_ID" "$CLASS_ID" "$2" "$3" >"$TMP/liar.log" 2>&1 &
    LIAR=$!
    until_true "the lying server's start" test -s "$TMP/liar.log"
    port=$(head -n 1 "$TMP/liar.log")
    kill "${AGENT[lamp01]}"
    wait "${AGENT[lamp01]}" 2>/dev/null
    : >"$TMP/lamp01/events.jsonl"
    start_agent lamp01 "https://localhost:$port"
    until_true "a refusal by the device" grep -q '"event": *"refused"' "$TMP/lamp01/events.jsonl"
    jq -r --arg name "$1" 'select(.event == "refused") | "\(.class): \(.why // "")"' \
        "$TMP/lamp01/events.jsonl" | head -n 1 | sed "s/^/$(printf '%-18s' '') device: /"
    grep -q "\"class\": *\"$4\"" "$TMP/lamp01/events.jsonl" || fail "the $1 was refused for another reason"
    grep -q '/v1/payloads/' "$TMP/liar.log" && fail "the device fetched a payload of the $1"
    [ "$(version_of lamp01)" = 2.0.0 ] || fail "lamp01 no longer runs 2.0.0"
    kill "$LIAR"
    wait "$LIAR" 2>/dev/null
}
attack "tampered manifest" "$TMP/maker/tampered.suit" "$TMP/maker/image-2.0.0.bin" unauthorised
attack "wrong key" "$TMP/maker/thief.suit" "$TMP/maker/image-6.6.6.bin" unauthorised
attack "replayed release" "$TMP/maker/old.suit" "$TMP/maker/image-1.5.0.bin" rollback

say "9. Where everybody stands:"
printf '%-8s %-9s %s\n' device version state
for device in "${DEVICES[@]}"; do
    agent "$device" status --json |
        jq -r '[.device_id, .running.version, .state + (if .postponed_s > 0 then ", postponed by its user" else "" end)]
            | "\(.[0])   \(.[1])     \(.[2])"'
done
printf '\nDone in %s s.\n' "$SECONDS"
