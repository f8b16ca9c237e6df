#!/bin/bash
# The agent's local socket: a product's user interface that asks for consent and postpones
# (provisions 5.3-4B, 5.3-6, 5.3-11, 5.3-12, 5.3-16), and peers that send what they please.
# timeout: 120
. tests/harness/lib.sh

AGENT=$BIN/lapel-agent
cd "$TMP" || exit 1
begin "a release and a device"
expect_ok "$BIN/lapel" key new maker.pem
head -c 20000 /dev/urandom >one.bin
cat >one.json <<'EOF'
{ "vendor-domain": "example.com", "model": "EL-100", "severity": "critical",
  "components": [ { "id": ["main"], "payload": "one.bin" } ],
  "text": { "en": { "version": "one", "changes": "Some.", "risks-removed": "A hole.",
                    "disrupts": true, "downtime-s": 3 } } }
EOF
expect_ok "$BIN/lapel" manifest create one.json one.env --sequence 16
expect_ok "$BIN/lapel" manifest sign one.env one.suit --key maker.pem
cp one.bin "$(sha256sum one.bin | cut -c1-64)"
mkdir hooks && chmod 755 . && cat >hooks/gate <<EOF
#!/bin/sh
test -f $TMP/consents || exit 75
if test -f $TMP/hold; then ! grep -q '"gate":"install"' || exit 75; fi
EOF
chmod 700 hooks/gate
cat >conf <<EOF
server = https://localhost:1
product = lamp
model = EL-100
release_keys = $TMP/maker.pub.pem
vendor_domain = example.com
state_dir = $TMP/state
hooks_dir = $TMP/hooks
hook_wait = 50ms
event_log = $TMP/events
support_url = https://example.com/el-100
first_check = 1h
reboot = exec
EOF

cat >ask.py <<'EOF'
"""ask.py SOCKET LINE [FILE FOLDER]: one request, its answer on standard output."""
import array, os, socket, sys
peer = socket.socket(socket.AF_UNIX)
peer.connect(sys.argv[1])
files = [os.open(name, os.O_RDONLY) for name in sys.argv[3:]]
ancillary = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", files))] if files else []
peer.sendmsg([sys.argv[2].encode("utf-8", "surrogateescape") + b"\n"], ancillary)
print(peer.makefile().read(), end="")
EOF
ask() { OUT=$(timeout 30 /usr/bin/python3 ask.py state/control "$@" 2>&1); }
now() { # jq expression over the status
    ask '{"do":"status"}'
    jq -r ".status | $1" <<<"$OUT"
}
up() { [ "$(now .daemon)" = true ]; }
start agent "$AGENT" -c conf run
wait_for 20 up || flunk "no agent: $(cat agent.log)"

# --- The product's own user interface.

begin "the model designation and its support page can be read (5.3-16)"
expect_eq "$(now .model)" EL-100
expect_eq "$(now .support.url)" https://example.com/el-100

begin "a file comes through the socket, and waits for the user's consent, critical as it is (5.3-4B)"
start apply timeout 60 /usr/bin/python3 ask.py state/control '{"do":"apply"}' one.suit .
waits() { [ "$(now .waiting)" = download ]; }
wait_for 20 waits || flunk "it doesn't wait: $OUT"
expect_eq "$(now '.offer.version + " " + .offer.severity')" "one critical"
expect_eq "$(now .offer.risks_removed)" "A hole."
expect_eq "$(now '.offer.downtime_s, .offer.disrupts' | tr '\n' ' ')" "3 true "
expect_eq "$(now .running.sequence)" 0

begin "a postponement by the interface, and its end"
ask '{"do":"postpone","ms":3600000}'
expect_match "$OUT" '"ok":true'
expect_match "$(now .postponed_s)" '^3(600|59[0-9])$'
touch consents
expect_eq "$(now .running.sequence)" 0
ask '{"do":"postpone","ms":0}'
expect_match "$OUT" '"ok":true'

begin "the user consents: it is installed, and nothing is offered any more"
installed() { [ "$(now '.running.sequence + .state')" = 16ready ]; }
wait_for 30 installed || flunk "never installed: $OUT $(tail -n 3 events)"
expect_eq "$(now .offer)" null

begin "a setting says who made it"
ask '{"do":"settings","setting":"notify","choice":"off"}'
expect_match "$OUT" '"ok":true'
expect_eq "$(now '.settings.notify.choice')" off

begin "a payload that is a link isn't opened: whoever may ask can't make the agent open what it may"
head -c 20000 /dev/urandom >two.bin
cp two.bin "$(sha256sum two.bin | cut -c1-64)"
sed 's/one\.bin/two.bin/;s/"one"/"two"/' one.json >two.json
expect_ok "$BIN/lapel" manifest create two.json two.env --sequence 32
expect_ok "$BIN/lapel" manifest sign two.env two.suit --key maker.pem
mkdir linked && ln -s "$TMP/two.bin" "linked/$(sha256sum two.bin | cut -c1-64)"
ask '{"do":"apply"}' two.suit linked
expect_match "$OUT" '"ok":false'
expect_eq "$(now '.running.sequence + .state')" 16ready

begin "a file that comes while another one waits is refused, and none of its bytes are taken (5.3-9)"
sed 's/ctwo/cbad/' two.suit >bad.suit # its version text, nothing else
expect_eq "$(cmp -l two.suit bad.suit | wc -l)" 3
touch hold
start second timeout 60 /usr/bin/python3 ask.py state/control '{"do":"apply"}' two.suit .
waits() { [ "$(now .waiting)" = install ]; }
wait_for 20 waits || flunk "it doesn't wait: $OUT"
ask '{"do":"apply"}' bad.suit .
expect_match "$OUT" 'an update is under way'
rm hold
second() { [ "$(now '.running.sequence + .state')" = 32ready ]; }
wait_for 30 second || flunk "never installed: $OUT $(tail -n 3 events)"
expect_match "$(cat events)" '"state":"staged","sequence":"32".*"version":"two"'
expect_no_match "$(cat events)" '"version":"bad"'
expect_ok cmp state/slot0/main two.bin

# --- Peers that send what they please.

refused() { # case, answer, line
    begin "refused: $1"
    ask "$3"
    expect_match "$OUT" "\"ok\":false.*$2"
}
refused "no JSON" 'not a JSON object' 'status'
refused "an array" 'not a JSON object' '["status"]'
refused "a member twice" 'not a JSON object' '{"do":"status","do":"reset"}'
refused "no verb" 'do: no such verb' '{}'
refused "an unknown verb" 'do: no such verb' '{"do":"format"}'
refused "a verb that is no text" 'do: no such verb' '{"do":["status"]}'
refused "not UTF-8" 'not a JSON object' "$(printf '{"do":"\xff"}')"
refused "deep JSON" 'not a JSON object' "$(printf '[%.0s' {1..4000})"
refused "a negative time" 'ms: 0 to' '{"do":"postpone","ms":-1}'
refused "a time beyond 32 bits" 'ms: 0 to' '{"do":"postpone","ms":4294967296}'
refused "a time beyond 64 bits" 'not a JSON object' '{"do":"postpone","ms":99999999999999999999}'
refused "a time with a fraction" 'ms: 0 to' '{"do":"postpone","ms":1.5}'
refused "a time that is text" 'ms: 0 to' '{"do":"postpone","ms":"1"}'
refused "over the budget" 'budget' '{"do":"postpone","ms":4294967295}'
refused "an unknown setting" 'setting: ' '{"do":"settings","setting":"all","choice":"on"}'
refused "an unknown choice" 'choice: ' '{"do":"settings","setting":"notify","choice":"never"}'
refused "apply without a file" 'no file came' '{"do":"apply"}'
refused "confirm without a trial" 'not in this state' '{"do":"confirm"}'
begin "refused: a folder as the file, more files than two"
ask '{"do":"apply"}' . . one.suit one.bin
expect_match "$OUT" 'not a regular file'

begin "a member that isn't known is passed over"
ask '{"do":"status","colour":"red"}'
expect_match "$OUT" '"ok":true'

cat >rude.py <<'EOF'
"""Each kind of rudeness; prints what came back, and then whether the agent still answers."""
import socket, sys
def peer():
    s = socket.socket(socket.AF_UNIX)
    s.connect(sys.argv[1])
    s.settimeout(30)
    return s
def end(s):
    try:
        return s.recv(65536)
    except OSError:
        return b""
s = peer(); s.sendall(b"x" * 4096); print("long", end(s))
s = peer(); s.sendall(b"\0" * 100 + b"\n"); print("zeroes", end(s)[:20])
s = peer(); s.shutdown(socket.SHUT_WR); print("nothing", end(s))
s = peer(); s.sendall(b'{"do":"status"}'); s.shutdown(socket.SHUT_WR); print("no line", end(s))
s = peer(); s.sendall(b'{"do":"status"}\n{"do":"reset"}\n'); print("two", end(s).count(b"\n"))
s = peer()
for c in b'{"do":"status"}\n':
    s.sendall(bytes([c]))
print("bytes", end(s)[:10])
for i in range(50): # all places, and more: each is hung up on at once
    s = peer(); s.sendall(b'{"do":"check"}\n'); s.close()
held = [peer() for i in range(8)] # silent: 5 s each
s = peer(); s.sendall(b'{"do":"status"}\n'); print("after", end(s)[:10])
EOF
begin "rude peers get nothing, and the agent goes on"
OUT=$(timeout 60 /usr/bin/python3 rude.py state/control 2>&1)
expect_match "$OUT" "^long b''"
expect_match "$OUT" "^zeroes b'\{\"ok\":false"
expect_match "$OUT" "^nothing b''"
expect_match "$OUT" "^no line b''"
expect_match "$OUT" "^two 1"
expect_match "$OUT" "^bytes b'\{\"ok\":true"
expect_match "$OUT" "^after b'\{\"ok\":true"
expect_eq "$(now .settings.notify.choice)" off "after all that the setting"

begin "another user is hung up on, and the socket's mode keeps him out before"
expect_eq "$(stat -c %a state/control)" 660
if [ "$(id -u)" = 0 ]; then
    chmod 666 state/control && chmod 755 state
    OUT=$(setpriv --reuid=65534 --regid=65534 --clear-groups timeout 20 /usr/bin/python3 ask.py state/control '{"do":"reset"}' 2>&1)
    expect_no_match "$OUT" '"ok"'
    wait_for 10 grep -q '"event":"socket-refused","uid":65534\|socket-refused.*65534' events || flunk "not logged"
    expect_eq "$(now .settings.notify.choice)" off
fi
finish
