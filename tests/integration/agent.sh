#!/bin/bash
# lapel-agent without a server: updates from files, the way back, hooks, settings, the local socket,
# and what each command and set-up says to bad input.
# timeout: 240
. tests/harness/lib.sh

AGENT=$BIN/lapel-agent
LAPEL=$BIN/lapel

# --- A maker, its releases, and a device.

cd "$TMP" || exit 1
"$LAPEL" key new maker.pem >/dev/null && "$LAPEL" key new stranger.pem >/dev/null
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 30 -subj /CN=localhost \
    -addext subjectAltName=DNS:localhost -keyout tls.key -out tls.pem 2>/dev/null
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 30 -subj /CN=elsewhere \
    -addext subjectAltName=DNS:elsewhere -keyout other.key -out other.pem 2>/dev/null
(umask 077 && printf '0123456789012345678901234567890123456789_-A' >token)

release() { # name, sequence, key, [model]: name.suit, and its payload beside it
    head -c 20000 /dev/urandom >"$1.bin"
    cat >"$1.json" <<EOF
{ "vendor-domain": "example.com", "model": "${4:-EL-100}", "severity": "security",
  "components": [ { "id": ["main"], "payload": "$1.bin" } ],
  "text": { "en": { "version": "$1", "changes": "Version $1.", "risks-removed": "None.",
                    "disrupts": true, "downtime-s": 3 } } }
EOF
    "$LAPEL" manifest create "$1.json" "$1.env" --sequence "$2" --force >/dev/null &&
        "$LAPEL" manifest sign "$1.env" "$1.suit" --key "$3" >/dev/null &&
        cp "$1.bin" "$(sha256sum "$1.bin" | cut -c1-64)"
}

device() { # name: its configuration, and an empty state
    rm -rf "${1:?}"
    mkdir -p "$1/hooks"
    cat >"$1/conf" <<EOF
server = https://localhost:1
product = lamp
model = EL-100
device_id = $1
token_file = $TMP/token
ca_file = $TMP/tls.pem
release_keys = $TMP/maker.pub.pem
vendor_domain = example.com
state_dir = $TMP/$1/state
hooks_dir = $TMP/$1/hooks
hook_wait = 100ms
event_log = $TMP/$1/events
user_data = $TMP/$1/user
first_check = 1h
reboot = exec
EOF
}

agent() { # name, arguments...
    local name=$1
    shift
    timeout 60 "$AGENT" -c "$name/conf" "$@"
}

hook() { # device, name, shell text
    printf '#!/bin/sh\n%s\n' "$3" >"$1/hooks/$2.new"
    chmod 700 "$1/hooks/$2.new"
    mv "$1/hooks/$2.new" "$1/hooks/$2"
}

events() { # device, extended regular expression: whether such a line was logged
    grep -Eq -- "$2" "$1/events"
}

status() { # device, path in the status: the value, for instance .running.sequence
    agent "$1" status --json | /usr/bin/python3 -c 'import json, sys
value = json.load(sys.stdin)
for key in sys.argv[1].strip(".").split("."):
    value = value[key]
print(value)' "$2"
}

is_up() {
    [ "$(status "$1" .daemon)" = True ]
}

up() { # device: start its daemon
    start "$1" "$AGENT" -c "$1/conf" run
    wait_for 20 is_up "$1" || flunk "$1 does not come up: $(tail -n 3 "$1.log")"
}

begin "the maker's releases are made"
release one 16 maker.pem && release two 32 maker.pem && release three 48 maker.pem &&
    release older 8 maker.pem && release foreign 64 stranger.pem && release wrong 64 maker.pem EL-999
hold $? "lapel manifest create or sign failed" || finish

# --- From a file to a confirmed image.

device a
begin "apply stages a release without a network"
expect_ok agent a apply one.suit
expect_match "$OUT" 'staged.*version one'
expect_eq "$(status a .state)" staged
expect_eq "$(readlink a/state/current)" '' 'current before the first start'

begin "the next start tries it, confirms it, and current names its slot"
start a "$AGENT" -c a/conf run
wait_for 20 events a '"event":"installed"' || flunk "never installed: $(cat a/events)"
expect_eq "$(status a .state)" ready
expect_eq "$(status a .running.sequence)" 16
expect_eq "$(status a .running.version)" one
expect_eq "$(status a .model)" EL-100
expect_ok cmp a/state/current/main one.bin

begin "a running daemon applies too, and starts itself anew"
expect_ok agent a apply two.suit
expect_match "$OUT" 'staged.*version two'
wait_for 20 events a '"event":"installed".*"sequence":"32"' || flunk "never installed: $(cat a/events)"
expect_eq "$(status a .running.sequence)" 32
expect_eq "$(readlink a/state/current)" slot0
expect_ok cmp a/state/current/main two.bin

# --- Refused, and the device goes on as it was (provisions 5.3-2, 5.3-9, 5.3-10).

refused() { # case, file, extended regular expression
    begin "refused: $1"
    expect_exit 1 agent a apply "$2"
    expect_match "$OUT" "$3"
    expect_eq "$(status a .running.sequence)" 32
    expect_eq "$(status a .state)" ready
}
refused "an older release" older.suit 'rollback'
refused "another maker's key" foreign.suit 'unauthorised'
refused "another model" wrong.suit 'condition|class'
cp three.suit bent.suit
printf 'X' | dd of=bent.suit bs=1 seek=$(($(stat -c %s bent.suit) - 150)) conv=notrunc 2>/dev/null
refused "a byte changed" bent.suit 'unauthorised|cbor'
head -c 200 three.suit >cut.suit
refused "cut off" cut.suit 'cbor'
: >empty.suit
refused "empty" empty.suit 'empty'
head -c 70000 /dev/zero >large.suit
refused "too large" large.suit 'larger'
refused "a folder" a 'not a regular file|Is a directory'

begin "refused: a payload that is not the signed one"
mkdir fake && cp three.suit fake/ && head -c 20000 /dev/zero >"fake/$(sha256sum three.bin | cut -c1-64)"
expect_exit 1 agent a apply fake/three.suit
expect_eq "$(status a .running.sequence)" 32

begin "refused: no payload at all"
mkdir alone && cp three.suit alone/
expect_exit 1 agent a apply alone/three.suit
expect_eq "$(status a .running.sequence)" 32

# --- The user (provisions 5.3-6, 5.3-12).

begin "a postponement survives kill -9 and a restart"
expect_ok agent a postpone 2h
stop a KILL
expect_match "$(status a .postponed_s)" '^7(200|1[0-9][0-9])$'
up a
expect_eq "$(status a .daemon)" True
expect_match "$(status a .postponed_s)" '^7(200|1[0-9][0-9])$'
expect_ok agent a postpone 0
expect_eq "$(status a .postponed_s)" 0

begin "a setting survives kill -9 and says who made it"
expect_ok agent a settings auto-security off
stop a KILL
up a
expect_eq "$(status a .settings.auto-security.choice)" off
expect_eq "$(status a .settings.auto-security.by)" admin

begin "apply is the user's own act: it goes on where automatic updates are off, and ends a postponement"
expect_ok agent a postpone 2h
expect_exit 1 agent a apply older.suit
expect_match "$(status a .postponed_s)" '^7(200|1[0-9][0-9])$'
expect_ok agent a apply three.suit
wait_for 20 events a '"event":"installed".*"sequence":"48"' || flunk "never installed: $(cat a/events)"
wait_for 20 is_up a
expect_eq "$(status a .postponed_s)" 0
expect_eq "$(status a .settings.auto-security.choice)" off

begin "reset: settings and the user's data go, identity and sequence stay"
mkdir -p a/user/deep/er && echo secret >a/user/deep/er/file && ln -s "$TMP/token" a/user/link
expect_ok agent a reset
expect_match "$OUT" '"erased":\["settings","user data"\]'
expect_match "$OUT" '"time":[0-9]+'
expect_eq "$(ls -A a/user)" ''
expect_ok test -f token
expect_eq "$(status a .settings.auto-security.choice)" unset
expect_eq "$(status a .running.sequence)" 48

# --- The daemon and its socket.

begin "nothing listens on a network (provision 5.6-1)"
inodes=$(find "/proc/${PID[a]}/fd" -lname 'socket:*' -printf '%l\n' | tr -dc '0-9\n')
expect_eq "$(for i in $inodes; do awk -v i="$i" '$10 == i && $4 == "0A"' /proc/net/tcp /proc/net/tcp6; done)" ''
expect_eq "$(stat -c %a a/state/control)" 660

begin "there is one agent for a state_dir"
expect_exit 1 timeout 60 "$AGENT" -c a/conf --socket="$TMP/a/second" --event-log="$TMP/a/second.log" run
expect_match "$OUT" 'another lapel-agent uses it'

begin "a bad configuration at SIGHUP changes nothing"
cp a/conf a/good && echo 'period = soon' >>a/conf
kill -HUP "${PID[a]}"
wait_line a 'period: not a duration'
mv a/good a/conf
expect_eq "$(status a .daemon)" True
kill -HUP "${PID[a]}"
wait_line a 'reload'

begin "SIGTERM ends it cleanly"
stop a TERM
expect_eq $? 0 "exit code"
expect_eq "$(ls a/state/control 2>&1 | grep -c 'No such')" 1

# --- The way back (provision 5.3-4).

device b
begin "an image that doesn't start is left at once"
expect_ok agent b apply one.suit
start b "$AGENT" -c b/conf run
wait_for 20 events b '"event":"installed"'
stop b
echo "boot_command = cmp -s %dir/main $TMP/one.bin" >>b/conf
up b
agent b apply two.suit >/dev/null
wait_for 20 events b '"event":"reverted"' || flunk "never reverted: $(cat b/events)"
expect_eq "$(status b .running.sequence)" 16
expect_ok cmp b/state/current/main one.bin
stop b

device c
begin "an image that says it is not well is left at the next start"
expect_ok agent c apply one.suit
start c "$AGENT" -c c/conf run
wait_for 20 events c '"event":"installed"'
hook c health 'exit 10'
agent c apply two.suit >/dev/null
wait_for 20 events c '"event":"reverted"' || flunk "never reverted: $(cat c/events)"
wait_for 20 is_up c
expect_eq "$(status c .running.sequence)" 16
expect_ok cmp c/state/current/main one.bin
expect_eq "$(status c .last_error.class)" health
rm c/hooks/health
stop c

device d
begin "a trial that is killed before it is confirmed is left"
expect_ok agent d apply one.suit
start d "$AGENT" -c d/conf run
wait_for 20 events d '"event":"installed"'
hook d health 'exit 75'
agent d apply two.suit >/dev/null
wait_for 20 events d '"mode":"trial","slot":0'
wait_for 20 is_up d
expect_eq "$(status d .state)" trial
stop d KILL
start d "$AGENT" -c d/conf run
wait_for 20 events d '"event":"reverted"' || flunk "never reverted: $(cat d/events)"
expect_eq "$(status d .running.sequence)" 16
stop d

device e
begin "the product's own word keeps a trial"
expect_ok agent e apply one.suit
hook e health 'exit 75'
start e "$AGENT" -c e/conf run
wait_for 20 events e '"mode":"trial"'
wait_for 20 is_up e
expect_ok agent e confirm
wait_for 20 events e '"event":"installed"'
expect_eq "$(status e .running.sequence)" 16
expect_exit 1 agent e confirm
stop e

device r
begin "a signal while it starts itself anew is kept, and doesn't end it"
cat >late <<EOF
#!/bin/sh
kill -USR1 \$\$
kill -HUP \$\$
exec "$AGENT" "\$@"
EOF
chmod 700 late
start r bash -c "exec -a '$TMP/late' '$AGENT' -c r/conf run"
wait_for 20 is_up r
agent r apply one.suit >/dev/null
wait_for 20 events r '"event":"installed"' || flunk "never installed: $(tail -n 3 r/events r.log)"
wait_for 20 is_up r
expect_eq "$(status r .daemon)" True
expect_match "$(cat r/events)" '"event":"reload"'
stop r

# --- Hooks.

device f
begin "gate: wait holds it, allow lets it go, and the question says what it is"
hook f gate "cat >>$TMP/f/asked; test -f $TMP/f/go || exit 75"
hook f event "cat >>$TMP/f/told"
up f
start apply timeout 60 "$AGENT" -c f/conf apply one.suit
wait_for 20 grep -q '"gate":"download"' f/asked || flunk "never asked"
expect_match "$(cat f/asked)" '"version":"one".*"risks_removed":"None.".*"downtime_s":3'
expect_eq "$(status f .running.sequence)" 0
touch f/go
wait_for 30 events f '"event":"installed"' || flunk "never installed: $(cat f/events)"
expect_match "$(cat f/asked)" '"gate":"install"'
expect_match "$(cat f/asked)" '"gate":"reboot"'
wait_for 20 grep -q '"event":"installed"' f/told || flunk "the hook was not told"
expect_match "$(cat f/told)" '"event":"available"'
expect_match "$(cat f/told)" '"event":"disrupt"'

begin "gate: deny"
hook f gate 'exit 10'
expect_exit 1 agent f apply two.suit
expect_eq "$(status f .running.sequence)" 16

begin "gate: one that fails is wait, and is logged"
hook f gate 'exit 3'
start apply timeout 60 "$AGENT" -c f/conf apply three.suit
wait_for 20 events f '"event":"hook-failed".*"code":3' || flunk "not logged: $(tail -n 3 f/events)"
expect_eq "$(status f .running.sequence)" 16
stop f

# --- TLS: the wrong server never gets to see the token (provisions 5.5-1, 5.5-7).

cat >peer.py <<'EOF'
import socket, ssl, sys
server = socket.create_server(("127.0.0.1", 0))
print("port", server.getsockname()[1], flush=True)
if len(sys.argv) == 1: # no TLS: show the client's hello
    print("hello", server.accept()[0].recv(4096).hex(), flush=True)
    sys.exit()
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(sys.argv[1], sys.argv[2])
while True:
    try:
        with context.wrap_socket(server.accept()[0], server_side=True) as peer:
            print("request", peer.recv(4096), peer.session_reused, flush=True)
            peer.sendall(b"HTTP/1.1 503 Later\r\nRetry-After: 1\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
    except (ssl.SSLError, OSError) as e:
        print("error", e, flush=True)
EOF
serve() { # certificate, key: sets PORT
    rm -f tls.log
    start tls /usr/bin/python3 peer.py "$@"
    wait_line tls '^port'
    PORT=$(sed -n 's/^port //p' tls.log)
}

device g
begin "a certificate for another name is not accepted"
serve other.pem other.key
expect_exit 1 agent g --server="https://localhost:$PORT" --ca-file="$TMP/other.pem" check
expect_match "$OUT" 'net-trust host=localhost'
wait_line tls '^error.*certificate'
expect_no_match "$(cat tls.log)" 'request'
stop tls
begin "a certificate of another authority is not accepted"
serve tls.pem tls.key
expect_exit 1 agent g --server="https://localhost:$PORT" --ca-file="$TMP/other.pem" check
expect_match "$OUT" 'net-trust host=localhost'
wait_line tls '^error.*unknown ca'
expect_no_match "$(cat tls.log)" 'request'
begin "the right certificate is accepted, and only then does the token travel"
agent g --server="https://localhost:$PORT" check >/dev/null 2>&1
wait_line tls '^request'
expect_match "$(cat tls.log)" 'request.*POST /v1/checkin.*Authorization: Bearer 0123456789012345678901234567890123456789_-A.*False$'
begin "the next connection resumes the session"
start g "$AGENT" -c g/conf --server="https://localhost:$PORT" --first-check=10ms run
wait_line g 'tls .*resumed=true'
expect_match "$(cat tls.log)" 'request.*True$'
stop g
stop tls
begin "records of 1024 bytes are asked for (max_fragment)"
serve
agent g --server="https://localhost:$PORT" --max-fragment=1024 check >/dev/null 2>&1
wait_line tls '^hello'
expect_match "$(cat tls.log)" '^hello 16030.*0001000102'

# --- doctor (provisions 5.12-2, 5.12-3).

device h
mkdir -p h/state
begin "doctor: a good set-up"
chmod 600 h/conf
expect_ok agent h doctor
expect_match "$OUT" '^0 weak$'

weak() { # case, extended regular expression; the set-up is made weak before
    begin "doctor: $1"
    expect_exit 1 agent h doctor
    expect_match "$OUT" "^WEAK +$2"
}
chmod 644 token && weak "a token for others" 'token_file.*owner only' && chmod 600 token
chmod 666 h/conf && weak "a configuration that others may write" 'configuration.*others may write' && chmod 600 h/conf
chmod 777 h/hooks && hook h gate 'exit 0' && weak "hooks that others may write" 'hooks_dir' && chmod 755 h/hooks
chmod 777 h/state && weak "a state that others may write" 'state_dir.*others' && chmod 750 h/state
cp h/conf h/keep
echo 'allow_clear = yes' >>h/conf && weak "payloads in clear" 'allow_clear'
cp h/keep h/conf
echo 'clear_credentials = i-know' >>h/conf && weak "credentials in clear" 'clear_credentials'
cp h/keep h/conf && sed -i 's/^ca_file.*/ca_file = \/nonexistent/' h/conf && weak "no authority" 'ca_file'
cp h/keep h/conf && echo 'slot_size = 1000G' >>h/conf && weak "no room" 'slots_dir +less room'
cp h/keep h/conf
begin "doctor --json"
expect_ok bash -c "'$AGENT' -c h/conf doctor --json | /usr/bin/python3 -m json.tool"

# --- Bad input, each command: the exit code, and what is wrong by name.

bad() { # exit code, extended regular expression, arguments...
    local code=$1 said=$2
    shift 2
    begin "bad input: ${*:-nothing}"
    expect_exit "$code" agent h "$@"
    expect_match "$OUT" "$said"
}
long=$(printf '%0300d' 0)
bad 2 'usage'
bad 2 'polish: no such command' polish
bad 2 '--colour: no such option' --colour=red status
bad 2 '-x: no such option' -x status
bad 2 '--period: its value is missing' status --period
bad 2 'run: usage' run now
bad 2 'status: usage' status all
bad 2 'check: usage' check now
bad 2 'confirm: usage' confirm now
bad 2 'reset: usage' reset everything
bad 2 'doctor: usage' doctor me
bad 2 'apply: usage' apply
bad 2 'apply: usage' apply one two
bad 1 'FILE: .*No such file' apply nothing.suit
bad 1 'FILE: .*File name too long' apply "$long"
bad 2 'postpone: usage' postpone
bad 2 'DURATION' postpone soon
bad 2 'DURATION' postpone 2
bad 2 'DURATION|no such option' postpone -- -2h
bad 2 'DURATION' postpone 999999999h
bad 2 'DURATION' postpone "$long"
bad 2 'SETTING' settings auto-everything on
bad 2 'CHOICE' settings notify
bad 2 'CHOICE' settings notify maybe
bad 2 'SETTING' settings "$long" on
bad 1 'nothing.conf: No such file' --config nothing.conf status
bad 1 'period: not a duration' --period=fast status
bad 1 'server: http:// sends credentials' --server=http://localhost status
bad 1 'state_dir' --state-dir=/proc/nothing status
bad 1 'socket_group: .*no such group' --socket-group=nobody-has-this run
bad 1 'release_keys: .*private key' --release-keys="$TMP/maker.pem" status
finish
