#!/bin/bash
# The user's word between a running agent and a running server: off and a postponement hold, over
# kill -9 too, until the user changes it (provisions 5.3-6, 5.3-12). A relay counts what is asked for.
# timeout: 150
. tests/harness/lib.sh

export LAPEL_HOME=$TMP/operator PATH=$BIN:$PATH
cd "$TMP" || exit 1

# --- A server, a product, a relay that writes down each request, a device behind it.

cat >relay.py <<'EOF'
import re, socket, sys, threading
listener = socket.create_server(("127.0.0.1", 0))
print("port", listener.getsockname()[1], flush=True)
def carry(source, sink, requests):
    while data := source.recv(65536):
        for line in re.findall(rb"(?:GET|POST|HEAD) /\S+", data) if requests else []:
            print("asks", line.decode(), flush=True)
        sink.sendall(data)
    sink.shutdown(socket.SHUT_WR)
def guard(*args):
    try:
        carry(*args)
    except OSError:
        pass # the device was killed
while True:
    device = listener.accept()[0]
    server = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
    threading.Thread(target=guard, args=(device, server, True), daemon=True).start()
    threading.Thread(target=guard, args=(server, device, False), daemon=True).start()
EOF

begin "a server with a product and a device"
mkdir state
lamp_server
expect_ok lapel device add lamp a --out token
relayed=$(url device)
start relay /usr/bin/python3 relay.py "${relayed##*:}"
wait_line relay '^port'
cat >conf <<EOF
server = http://127.0.0.1:$(sed -n 's/^port //p' relay.log)
clear_credentials = i-know
allow_clear = yes
product = lamp
model = EL-100
device_id = a
token_file = $TMP/token
release_keys = $TMP/maker.pub.pem
vendor_domain = example.com
state_dir = $TMP/state
event_log = $TMP/events
slot_size = 1M
first_check = 50ms
period = 30s
reboot = exec
hooks_dir = $TMP/hooks
hook_wait = 50ms
EOF
mkdir hooks

publish() { # version, sequence, [severity]: offered to everybody
    local id
    head -c 30000 /dev/urandom >"$1.bin"
    cat >"$1.json" <<EOF
{ "vendor-domain": "example.com", "model": "EL-100", "severity": "${3:-security}",
  "components": [ { "id": ["main"], "payload": "$1.bin" } ],
  "text": { "en": { "version": "$1", "changes": "Some.", "risks-removed": "Some." } } }
EOF
    lapel manifest create "$1.json" "$1.env" --sequence "$2" >/dev/null &&
        lapel manifest sign "$1.env" "$1.suit" --key maker.pem >/dev/null &&
        id=$(lapel release publish lamp "$1.suit" "$1.bin" | awk '/^release/ { print $2 }') &&
        lapel rollout create "$id" --start >/dev/null
    hold $? "$1 could not be published"
}
agent() { timeout 60 lapel-agent -c conf "$@"; }
status() { agent status --json | jq -r "$1"; }
is_up() { [ "$(status .daemon)" = true ]; }
asked() { grep -c "^asks $1" relay.log; }
told() { jq -es --arg e "$1" --arg v "$2" 'any(.[]; .event == $e and .version == $v)' events >/dev/null; }
up() {
    start agent lapel-agent -c conf run
    wait_for 20 is_up || flunk "the agent doesn't come up: $(tail -n 3 agent.log)"
}
kicked() { # check-ins there must be
    kill -USR1 "${PID[agent]}"
    [ "$(asked 'POST /v1/checkin')" -ge "$1" ]
}
more_checkins() { # how many more, whatever comes of them
    wait_for 20 kicked $(($(asked 'POST /v1/checkin') + $1)) || flunk "no check-ins: $(tail -n 3 agent.log)"
}
installed() {
    kill -USR1 "${PID[agent]}"
    told installed "$1" && [ "$(status '"\(.running.version) \(.state)"')" = "$1 ready" ]
}

# --- Off.

begin "off: told of the release, and nothing of it is fetched"
publish one 16
expect_ok agent settings auto-security off
up
wait_for 20 told available one || flunk "not told: $(tail -n 3 agent.log)"
more_checkins 3
expect_eq "$(asked 'GET /v1/payloads/')" 0 "payloads asked for"
expect_eq "$(status '"\(.state) \(.waiting)"')" "ready download"

begin "off is obeyed after kill -9 and a restart, and says who made it"
stop agent KILL
up
more_checkins 3
expect_eq "$(asked 'GET /v1/payloads/')" 0 "payloads asked for"
expect_eq "$(status '.settings["auto-security"] | "\(.choice) \(.by)"')" "off admin"
expect_eq "$(status .running.sequence)" 0

begin "the support page is the server's where the configuration names none"
expect_eq "$(status .support.url)" https://updates.example/support/EL-100
expect_eq "$(status .support.end)" 2036-06

begin "on: it is fetched and installed"
expect_ok agent settings auto-security on
wait_for 30 installed one || flunk "never installed: $(tail -n 5 agent.log)"
[ "$(asked 'GET /v1/payloads/')" -ge 1 ]
hold $? "no payload was asked for"

begin "and told as the security release that it is, before the restart and after it"
expect_eq "$(jq -r 'select(.version == "one" and .sequence) | .severity' events | sort -u)" security

# --- Postponed.

begin "a postponement holds, and nothing is fetched"
before=$(asked 'GET /v1/payloads/')
expect_ok agent postpone 1h
publish two 32
more_checkins 3
wait_for 20 told available two || flunk "not told: $(tail -n 3 agent.log)"
expect_eq "$(asked 'GET /v1/payloads/')" "$before" "payloads asked for"

begin "it survives kill -9 and a restart"
stop agent KILL
up
more_checkins 3
expect_eq "$(asked 'GET /v1/payloads/')" "$before" "payloads asked for"
expect_match "$(status .postponed_s)" '^3(600|5[0-9][0-9])$'
expect_eq "$(status .running.version)" one

begin "ended by the user: it is installed"
expect_ok agent postpone 0
wait_for 30 installed two || flunk "never installed: $(tail -n 5 agent.log)"

# --- Unset: asked. Denied: obeyed, however critical.

begin "unset: the user is asked, and what the product denies is not installed, critical as it is (5.3-4B)"
before=$(asked 'GET /v1/payloads/')
expect_ok agent settings auto-security unset
printf '#!/bin/sh\nexit 10\n' >hooks/gate
chmod 700 hooks/gate
publish three 48 critical
more_checkins 3
wait_for 20 told consent-needed three || flunk "not asked: $(tail -n 3 events)"
expect_eq "$(jq -r 'select(.version == "three") | .severity' events | sort -u)" critical
more_checkins 3
expect_eq "$(asked 'GET /v1/payloads/')" "$before" "payloads asked for"
expect_eq "$(status .running.version)" two

begin "off: the same, and no hook is asked"
expect_ok agent settings auto-security off
rm hooks/gate
more_checkins 3
expect_eq "$(asked 'GET /v1/payloads/')" "$before" "payloads asked for"

# --- A new token (provision 5.1-4).

begin "a token is rotated: where the old one is refused, the second is used"
stop agent
expect_eq $? 0 "exit code of the agent"
expect_ok lapel device rotate lamp a --out token2
expect_ok agent --token-file="$TMP/token2" check # its first use is the end of the old one
echo "token_next_file = $TMP/token2" >>conf
up
good() { [ "$(status .good_checks)" -ge 1 ]; }
wait_for 30 good || flunk "no good check-in: $(tail -n 5 agent.log)"
expect_match "$(cat events)" '"event":"auth"'

begin "a token that others may read is refused (5.4-1)"
stop agent
chmod 644 token2
expect_exit 1 agent run
expect_match "$OUT" 'token_next_file: .*not for its owner only'
finish
