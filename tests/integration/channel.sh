#!/bin/bash
# A channel of plain files: lapel site export --channel, a web server that knows nothing of lapel, and
# agents that find their own batch. And erasing a device at a real server, by its own wish.
# timeout: 240
. tests/harness/lib.sh

LAPEL=$BIN/lapel
AGENT=$BIN/lapel-agent
export LAPEL_HOME=$TMP/home
FLEET=8

cd "$TMP" || exit 1
mkdir -p trust maker
"$LAPEL" key new maker/release.pem >/dev/null && cp maker/release.pub.pem trust/

begin "a server, a product, devices, and a release"
start lapeld "$BIN/lapeld" --set data_dir="$TMP/data" --set trust_dir="$TMP/trust" \
    --set device.listen=127.0.0.1:0 --set operator.listen=127.0.0.1:0 --set operator.tls=on \
    --set public.listen= --set statement.max_age=1s --set statement.stale_after=4s \
    --set public_url=https://localhost
wait_for 20 test -s data/endpoints
hold $? "lapeld does not start: $(tail -n 3 lapeld.log)" || finish
URL=$(awk '$1 == "operator" { print $2 }' data/endpoints)
DEVICE_URL=https://localhost:$(sed -n 's/^device .*://p' data/endpoints)
expect_ok "$LAPEL" token bootstrap --server "$URL" --ca data/ca.pem data/bootstrap-token
expect_ok "$LAPEL" product set lamp --vendor-domain example.com --vendor-name Lamps --model EL-100 \
    --support-end 2040-06 --contact mailto:security@example.com --poll-s 30
for i in $(seq 1 $FLEET); do "$LAPEL" device add lamp "d$i" --out "d$i.token" >/dev/null; done
expect_ok "$LAPEL" statement key --out online.pem
expect_match "$(cat online.pem)" 'BEGIN PUBLIC KEY'

release() { # name, sequence: publishes it; $ID is its id
    head -c 30000 /dev/urandom >"$1.bin"
    cat >"$1.json" <<END
{ "vendor-domain": "example.com", "model": "EL-100", "severity": "security",
  "components": [ { "id": ["main"], "payload": "$1.bin" } ],
  "text": { "en": { "version": "$1", "changes": "x", "risks-removed": "None.", "disrupts": false, "downtime-s": 1 } } }
END
    "$LAPEL" manifest create "$1.json" "$1.env" --sequence "$2" --force >/dev/null &&
        "$LAPEL" manifest sign "$1.env" "$1.suit" --key maker/release.pem >/dev/null &&
        ID=$("$LAPEL" release publish lamp "$1.suit" "$1.bin" --json | jq -r .id)
}
release one 16
hold $? "no release"
R1=$("$LAPEL" rollout create "$ID" --wave 50%,manual --wave 100% --json | jq -r .id)
expect_ok "$LAPEL" rollout start "$R1"

export_now() { "$LAPEL" site export --channel "$TMP/www"; }

begin "the channel is files: statement, envelope, payload, pages"
expect_ok export_now
expect_match "$(readlink www)" '^www\.1$'
CLASS=$(ls www/v1/statements)
expect_match "$CLASS" '^[0-9a-f]{32}$'
expect_eq "$(ls www/v1/manifests | wc -l)" 1 envelopes
expect_eq "$(sha256sum www/v1/payloads/* | cut -c1-64)" "$(ls www/v1/payloads)"
expect_ok test -s www/support/index.html
expect_match "$("$LAPEL" checkin show "www/v1/statements/$CLASS" 2>&1)" 'highest: 16'
expect_ok "$LAPEL" statement get lamp st.cbor
expect_ok test -s st.cbor

begin "another export switches the link at once and copies no payload"
INODE=$(stat -c %i www/v1/payloads/*)
expect_ok export_now
expect_eq "$(readlink www)" www.2
expect_eq "$(stat -c %i www/v1/payloads/*)" "$INODE"
expect_ok test -d www.1
expect_ok export_now
expect_exit 1 test -d www.1
begin "an export that fails leaves the files as they were"
PAYLOAD=$(find data/artifacts -type f -size 30000c)
mv "$PAYLOAD" kept && head -c 30000 /dev/zero >"$PAYLOAD"
rm www.3/v1/payloads/*
expect_exit 1 export_now
expect_match "$OUT" 'sent other bytes'
expect_eq "$(readlink www)" www.3
expect_exit 1 test -d www.4
mv kept "$PAYLOAD"
expect_ok export_now
begin "what no export made is not touched"
mkdir mine && echo precious >mine/file
expect_exit 1 "$LAPEL" site export --channel mine
expect_match "$OUT" 'must be free'
ln -s mine other
expect_exit 1 "$LAPEL" site export --channel other
expect_eq "$(cat mine/file)" precious

# --- a web server that knows nothing of lapel

PORT=$(free_port)
WEB=http://127.0.0.1:$PORT
web() { # python's plain one, or nginx
    if [ "$1" = nginx ]; then
        cat >nginx.conf <<END
user root; daemon off; pid $TMP/nginx.pid; error_log $TMP/nginx.err; worker_processes 1;
events { worker_connections 64; }
http { access_log $TMP/access.log; client_body_temp_path $TMP/n1; proxy_temp_path $TMP/n2; fastcgi_temp_path $TMP/n3;
  uwsgi_temp_path $TMP/n4; scgi_temp_path $TMP/n5;
  server { listen 127.0.0.1:$PORT; root $TMP/www; } }
END
        start web nginx -c "$TMP/nginx.conf"
    else
        start web /usr/bin/python3 -m http.server --protocol HTTP/1.1 --bind 127.0.0.1 --directory "$TMP/www" "$PORT"
    fi
    wait_for 20 curl -sf -o /dev/null "$WEB/support/index.html"
    hold $? "$1 does not serve: $(tail -n 3 web.log)"
}

device() { # name, more lines of configuration
    mkdir -p "$1"
    {
        cat <<END
product = lamp
model = EL-100
device_id = $1
release_keys = $TMP/maker/release.pub.pem
online_keys = $TMP/online.pem
vendor_domain = example.com
state_dir = $TMP/$1/state
event_log = $TMP/$1/events
first_check = 1s
period = 30s
reboot = exec
user_data = $TMP/$1/user
END
        printf '%s\n' "${@:2}"
    } >"$1/conf"
}
files_device() { device "$1" "server = $WEB" "cdn = yes" "allow_clear = yes"; }
agent() { timeout 60 "$AGENT" -c "$1/conf" "${@:2}"; }
runs() { [ "$(agent "$1" status --json | jq -r .running.sequence)" = "$2" ]; }
event() { grep -Eq -- "$2" "$1/events"; }

# Which devices a threshold lets in, computed apart from the code under test.
members() { # salt in hex, threshold: the names that are in
    /usr/bin/python3 - "$1" "$2" "$FLEET" <<'END'
import hashlib, sys
salt, threshold = bytes.fromhex(sys.argv[1]), int(sys.argv[2])
for i in range(1, int(sys.argv[3]) + 1):
    name = b"d%d" % i
    place = hashlib.sha256(b"\x10" + salt + bytes([len(name)]) + name).digest()[:8]
    if int.from_bytes(place, "big") <= threshold:
        print(name.decode())
END
}
told() { "$LAPEL" checkin show "www/v1/statements/$CLASS" 2>&1; }
SALT=$(told | sed -n "s/.*4 salt: h'\([0-9a-f]*\)'.*/\1/p" | head -n 1)
THRESHOLD=$(told | sed -n 's/.*5 threshold: \([0-9]*\).*/\1/p' | head -n 1)
IN=$(members "$SALT" "$THRESHOLD")
OUT_OF=$(seq 1 $FLEET | sed 's/^/d/' | grep -vxF "$IN")

begin "half of the fleet is in the first wave"
expect_eq "$(wc -l <<<"$IN")" $((FLEET / 2))
begin "agents that speak to files alone: those in the wave update, the others don't"
web python
for d in $IN $OUT_OF; do files_device "$d"; start "$d" "$AGENT" -c "$d/conf" run; done
for d in $IN; do
    wait_for 30 event "$d" '"event":"installed".*"sequence":"16"'
    hold $? "$d never installed: $(tail -n 3 "$d/events")"
done
for d in $OUT_OF; do
    checked() { [ "$(agent "$d" status --json | jq .good_checks)" -ge 1 ]; }
    wait_for 20 checked
    hold $? "$d never had a good statement: $(tail -n 3 "$d.log")"
    runs "$d" 0
    hold $? "$d updated before its wave"
done
expect_eq "$("$LAPEL" device show lamp d1 --json | jq -r .seen_at)" null 'the server heard of d1'
begin "a later wave reaches them by the next export"
expect_ok "$LAPEL" rollout advance "$R1"
opened() { "$LAPEL" rollout show "$R1" --json | jq -e '.waves[1].opened_at != null' >/dev/null; }
wait_for 20 opened
expect_ok export_now
for d in $OUT_OF; do kill -USR1 "${PID[$d]}"; done
for d in $OUT_OF; do
    wait_for 30 event "$d" '"event":"installed".*"sequence":"16"'
    hold $? "$d never installed: $(tail -n 3 "$d/events")"
done

begin "a release that was halted is not taken; nginx serves as well"
stop web
web nginx
release two 32
R2=$("$LAPEL" rollout create "$ID" --wave 100% --json | jq -r .id)
expect_ok "$LAPEL" rollout start "$R2"
expect_ok "$LAPEL" rollout halt "$R2"
expect_ok export_now
expect_eq "$(ls www/v1/manifests | wc -l)" 1 'envelopes of open releases'
BEFORE=$(agent d1 status --json | jq .good_checks)
kill -USR1 "${PID[d1]}"
more_checks() { [ "$(agent d1 status --json | jq .good_checks)" -gt "$BEFORE" ]; }
wait_for 30 more_checks
hold $? "d1 did not check"
runs d1 16
hold $? "d1 took a halted release"
begin "resumed, it is; and a download goes on by Range"
expect_ok "$LAPEL" rollout resume "$R2"
expect_ok export_now
kill -USR1 "${PID[d1]}"
wait_for 30 event d1 '"event":"installed".*"sequence":"32"'
hold $? "d1 never installed: $(tail -n 3 d1/events)"

begin "no credential, and no name of a device, stands in what the web server logged"
expect_no_match "$(cat access.log)" '/v1/(checkin|reports|device)|Bearer|[^0-9a-f]d1[^0-9a-f]'
expect_match "$(cat access.log)" '"GET /v1/statements/'

begin "when nobody exports any more, devices say stale; a fresh export ends it"
wait_for 30 event d2 '"event":"stale"'
hold $? "d2 never was stale: $(tail -n 3 d2/events)"
expect_match "$(agent d2 status)" 'no fresh word from the server'
expect_ok export_now
kill -USR1 "${PID[d2]}"
wait_for 30 event d2 '"event":"fresh"'
hold $? "d2 stays stale: $(tail -n 3 d2/events)"

begin "a statement that somebody else signed is refused"
cp www/v1/manifests/"$(ls www/v1/manifests | head -n 1)" "www/v1/statements/$CLASS"
kill -USR1 "${PID[d2]}"
wait_for 30 event d2 '"event":"statement-refused"'
hold $? "d2 said nothing: $(tail -n 3 d2/events)"
runs d2 16 || runs d2 32
hold $? "d2 runs something else"
for d in $IN $OUT_OF; do stop "$d"; done

# --- a device at a real server, with freshness, and its end there

begin "a device at the server itself takes statements too"
device e1 "server = $DEVICE_URL" "ca_file = $TMP/data/ca.pem" "token_file = $TMP/e1.token"
(umask 077 && "$LAPEL" device add lamp e1 --out e1.token >/dev/null)
start e1 "$AGENT" -c e1/conf run
wait_for 30 event e1 '"event":"installed".*"sequence":"32"'
hold $? "e1 never installed: $(tail -n 3 e1/events)"
expect_match "$(agent e1 status --json | jq -r .statement.number)" '^[0-9]{13}'

begin "withdrawn while on trial: the statement ends the trial"
mkdir -p e1/hooks
printf '#!/bin/sh\nexit 75\n' >e1/hooks/health && chmod 700 e1/hooks/health
echo "hooks_dir = $TMP/e1/hooks" >>e1/conf
stop e1
start e1 "$AGENT" -c e1/conf run
release three 48
R3=$("$LAPEL" rollout create "$ID" --wave 100% --json | jq -r .id)
expect_ok "$LAPEL" rollout start "$R3"
on_trial() { [ "$(agent e1 status --json | jq -r .state)" = trial ]; }
wait_for 40 on_trial
hold $? "e1 never tried: $(tail -n 3 e1/events)"
expect_ok "$LAPEL" rollout abort "$R3" --reason "burns down houses"
kill -USR1 "${PID[e1]}"
wait_for 40 event e1 '"event":"reverted".*"class":"withdrawn"'
hold $? "e1 goes on with it: $(tail -n 3 e1/events)"
runs e1 32
hold $? "e1 is not back"

begin "reset --erase: the server forgets it, and the receipt is kept (provisions 5.11-2, 5.11-4)"
mkdir -p e1/user && echo diary >e1/user/diary
expect_exit 2 agent e1 status --erase
expect_ok agent e1 reset --erase --json
expect_match "$(jq -c .server.erased <<<"$OUT")" 'identity.*credential.*status.*history.*audit'
expect_eq "$(jq .server.last_backup_gone <<<"$OUT")" "$(($(jq .server.time <<<"$OUT") + 30 * 86400))"
expect_eq "$(ls e1/user)" ''
expect_match "$("$LAPEL" checkin show --as receipt e1/state/erase-receipt.cbor 2>&1)" 'e1'
expect_exit 1 "$LAPEL" device show lamp e1
expect_ok event e1 '"event":"erased".*"last_backup_gone"'
begin "asked again there is nobody to forget, and nothing is erased here"
echo diary >e1/user/diary
expect_exit 1 agent e1 reset --erase
expect_match "$OUT" 'nothing was erased'
expect_eq "$(cat e1/user/diary)" diary
expect_ok agent e1 reset
expect_eq "$(ls e1/user)" ''
stop e1
begin "who asks and hangs up has it erased here too, once the server has"
device e3 "server = $DEVICE_URL" "ca_file = $TMP/data/ca.pem" "token_file = $TMP/e3.token"
(umask 077 && "$LAPEL" device add lamp e3 --out e3.token >/dev/null)
mkdir -p e3/user && echo diary >e3/user/diary
start e3 "$AGENT" -c e3/conf run
expect_ok wait_for 30 test -S e3/state/control
expect_ok /usr/bin/python3 -c 'import socket, sys
peer = socket.socket(socket.AF_UNIX)
peer.connect(sys.argv[1])
peer.sendall(b"{\"do\":\"reset\",\"erase\":true}\n")' e3/state/control
wait_for 30 event e3 '"event":"erased".*"last_backup_gone"'
hold $? "e3 was never erased: $(tail -n 3 e3/events)"
wait_for 10 event e3 '"event":"reset"'
hold $? "the diary of e3 is still there"
expect_eq "$(ls e3/user)" ''
stop e3
begin "without a daemon too"
device e2 "server = $DEVICE_URL" "ca_file = $TMP/data/ca.pem" "token_file = $TMP/e2.token"
mkdir -p e2/user
(umask 077 && "$LAPEL" device add lamp e2 --out e2.token >/dev/null)
expect_ok agent e2 reset --erase
expect_match "$OUT" 'last_backup_gone'
expect_exit 1 "$LAPEL" device show lamp e2
finish
