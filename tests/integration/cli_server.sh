#!/bin/bash
# Every verb of lapel that speaks to a server, against a real lapeld on the loopback.
# timeout: 300
. tests/harness/lib.sh

export LAPEL_HOME=$TMP/home
LAPEL=$BIN/lapel
HOME_OF_NOBODY=$TMP/nobody

that() { hold "$@"; } # held? text, as hold, from the script itself

json() { # what, jq filter: $OUT is JSON and the filter holds
    jq -e "$2" <<<"$OUT" >/dev/null 2>&1
    hold $? "$1: not JSON with $2: $OUT"
}

begin "a server starts"
mkdir -p "$TMP/trust" "$TMP/maker"
expect_ok "$LAPEL" key new "$TMP/maker/release.pem"
cp "$TMP/maker/release.pub.pem" "$TMP/trust/"
cat >"$TMP/lapeld.conf" <<END
data_dir = $TMP/data
trust_dir = $TMP/trust
public_url = https://127.0.0.1
[device]
listen = 127.0.0.1:0
[operator]
listen = 127.0.0.1:0
tls = on
[public]
listen = 127.0.0.1:0
END
start lapeld "$BIN/lapeld" --config "$TMP/lapeld.conf"
wait_for 20 "$BIN/lapeld" --config "$TMP/lapeld.conf" --probe
that $? "no answer: $(tail -n 3 "$TMP/lapeld.log")"
URL=$(awk '$1 == "operator" { print $2 }' "$TMP/data/endpoints")
PORT=${URL##*:}

begin "bootstrap: nothing is traded where the token can't be kept, or with a wrong CA"
expect_exit 1 "$LAPEL" token bootstrap --server "$URL" --ca "$TMP/maker/release.pub.pem" \
    "$TMP/data/bootstrap-token"
expect_exit 1 "$LAPEL" token bootstrap --server "$URL" --home /proc/lapel --ca "$TMP/data/ca.pem" \
    "$TMP/data/bootstrap-token"
expect_eq "$(ls -A "$LAPEL_HOME")" "" "left in the home folder"

begin "bootstrap"
expect_ok "$LAPEL" token bootstrap --server "$URL" --ca "$TMP/data/ca.pem" --name eve \
    "$TMP/data/bootstrap-token"
expect_match "$OUT" "admin 'eve' at https://127.0.0.1:$PORT"
expect_eq "$(stat -c %a "$LAPEL_HOME/token")" 600
expect_exit 1 "$LAPEL" token bootstrap --server "$URL" --ca "$TMP/data/ca.pem" "$LAPEL_HOME/token"
expect_match "$OUT" 'holds a token already'
expect_exit 1 "$LAPEL" token bootstrap --home "$HOME_OF_NOBODY" --server "$URL" \
    --ca "$TMP/data/ca.pem" "$LAPEL_HOME/token"
expect_match "$OUT" '\((401|410)\)'
expect_eq "$(ls "$HOME_OF_NOBODY")" "" "left in the home folder"

begin "who we talk to, and who sees the token"
cp "$LAPEL_HOME/token" "$TMP/open-token"
chmod 644 "$TMP/open-token"
expect_exit 1 "$LAPEL" status --token-file "$TMP/open-token"
expect_match "$OUT" 'others may read it'
expect_exit 1 "$LAPEL" status --ca "$TMP/trust/release.pub.pem"
for url in http://example.com http://127.0.0.1@example.com http://127.0.0.1:80@example.com \
    http://127.0.0.1.example.com; do
    OUT=$("$LAPEL" status --server "$url" 2>&1)
    that $(($? == 0)) "$url was asked"
    expect_match "$OUT" 'in clear|no user or password'
done
expect_exit 2 "$LAPEL" status --server ftp://127.0.0.1
expect_exit 1 "$LAPEL" status --server http://127.0.0.1:1
expect_exit 1 "$LAPEL" status --server https://127.0.0.1:1
sed 's/./A/g' "$LAPEL_HOME/token" >"$TMP/wrong-token"
chmod 600 "$TMP/wrong-token"
expect_exit 1 "$LAPEL" status --token-file "$TMP/wrong-token"
expect_match "$OUT" '\(401\)'

begin "status"
expect_ok "$LAPEL" status
expect_match "$OUT" '0 products, 0 devices, 0 releases'
expect_ok "$LAPEL" status --json
json status '.products == 0'

begin "product set, show, list"
expect_ok "$LAPEL" product set lamp --vendor-domain example.com --vendor-name "Example Lamps" \
    --model EL-100 --support-end 2036-06 --contact mailto:security@example.com
expect_match "$OUT" 'support end  2036-06'
expect_ok "$LAPEL" product set lamp --poll-s 600 --json
json set '.poll_s == 600'
expect_ok "$LAPEL" product set lamp --allow-anonymous yes --payload-in-clear no --component main
expect_ok "$LAPEL" product show lamp
expect_match "$OUT" 'anonymous    yes'
expect_ok "$LAPEL" product show lamp --json
json show '.model == "EL-100" and .allow_anonymous'
expect_ok "$LAPEL" product list
expect_match "$OUT" '^lamp +EL-100 +until 2036-06'
expect_ok "$LAPEL" product list --json
json list '.products | length == 1'
expect_exit 1 "$LAPEL" product set lamp --support-end 2035-06
expect_match "$OUT" 'support_end'
expect_exit 1 "$LAPEL" product show nothing
expect_exit 1 "$LAPEL" product show ..
expect_match "$OUT" '\(40[0-9]\)'

begin "one device: add, show, rotate, revoke, forget"
expect_ok "$LAPEL" device add lamp a1 --out "$TMP/a1.token"
expect_eq "$(stat -c '%a %s' "$TMP/a1.token")" "600 44"
expect_exit 1 "$LAPEL" device add lamp a2 --out "$TMP/a1.token"
expect_match "$OUT" 'not overwritten'
expect_exit 1 "$LAPEL" device show lamp a2
expect_exit 1 "$LAPEL" device add lamp a1 --out "$TMP/again.token"
expect_match "$OUT" '\(409\)'
that "$(test -e "$TMP/again.token" && echo 1 || echo 0)" "a file is left of a refused device"
expect_ok "$LAPEL" device add lamp 'ä 2/3?' --json
json add '.token | length == 43'
expect_ok "$LAPEL" device show lamp 'ä 2/3?'
expect_match "$OUT" 'device   ä 2/3\? of lamp, active'
expect_ok "$LAPEL" device show lamp a1 --json
json show '.id == "a1" and .tokens == 1'
expect_ok "$LAPEL" device rotate lamp a1 --out "$TMP/a1.second"
expect_eq "$(stat -c '%a %s' "$TMP/a1.second")" "600 44"
cmp -s "$TMP/a1.token" "$TMP/a1.second"
that $(($? == 0)) "rotation gave the same token"
expect_ok "$LAPEL" device rotate lamp a1
expect_match "$OUT" '^[A-Za-z0-9_-]{43}$'
expect_ok "$LAPEL" device revoke lamp a1
expect_ok "$LAPEL" device revoke lamp a1 --json
json revoke 'type == "object"'
expect_ok "$LAPEL" device forget lamp a1
expect_exit 1 "$LAPEL" device forget lamp a1
expect_match "$OUT" '\(404\)'
expect_exit 1 "$LAPEL" device forget lamp ..
expect_ok "$LAPEL" product show lamp # and not DELETE .../lamp
expect_ok "$LAPEL" device forget lamp 'ä 2/3?'

begin "3000 devices from CSV"
{
    printf '\xef\xbb\xbfid,note\r\n'
    seq -f 'lamp%05g,"x"' 3000
} >"$TMP/devices.csv"
expect_ok "$LAPEL" device add lamp --csv "$TMP/devices.csv" --out "$TMP/credentials.csv"
expect_match "$OUT" '3000 of 3000'
expect_eq "$(stat -c %a "$TMP/credentials.csv")" 600
expect_eq "$(grep -cE '^lamp[0-9]{5},[A-Za-z0-9_-]{43}$' "$TMP/credentials.csv")" 3000
expect_eq "$(wc -l <"$TMP/credentials.csv")" 3000
expect_eq "$(cut -d, -f2 "$TMP/credentials.csv" | sort -u | wc -l)" 3000 "different tokens"
expect_ok "$LAPEL" device list lamp
expect_eq "$(wc -l <<<"$OUT")" 3000 "lines listed"
expect_ok "$LAPEL" device list lamp --json
json list '.devices | length == 3000'

begin "what a failing batch leaves: the tokens of those before it"
seq -f 'new%04g' 1000 >"$TMP/some.csv"
echo lamp00001 >>"$TMP/some.csv"
expect_exit 1 "$LAPEL" device add lamp --csv "$TMP/some.csv" --out "$TMP/some.out"
expect_match "$OUT" '1000 of 1001'
expect_match "$OUT" "'lamp00001' and the 0 after it"
expect_eq "$(grep -c . "$TMP/some.out")" 1000
expect_exit 1 "$LAPEL" device add lamp --csv "$TMP/some.csv" --out "$TMP/none.out"
that "$(test -e "$TMP/none.out" && echo 1 || echo 0)" "an empty file is left"
printf 'x1\nx2\nx1\n' >"$TMP/twice.csv"
expect_exit 1 "$LAPEL" device add lamp --csv "$TMP/twice.csv" --out "$TMP/twice.out"
expect_match "$OUT" "line 3: 'x1' stands there twice"

manifest() { # version, sequence: $TMP/maker/VERSION.suit and .bin
    head -c 300000 /dev/urandom >"$TMP/maker/$1.bin"
    jq -n --arg v "$1" '{"vendor-domain": "example.com", model: "EL-100", severity: "security",
        components: [{id: ["main"], payload: ($v + ".bin")}],
        text: {en: {version: $v, changes: "x"}}}' >"$TMP/maker/$1.json"
    "$LAPEL" manifest create "$TMP/maker/$1.json" "$TMP/maker/$1.unsigned" --sequence "$2" >/dev/null &&
        "$LAPEL" manifest sign "$TMP/maker/$1.unsigned" "$TMP/maker/$1.suit" \
            --key "$TMP/maker/release.pem" --payload "$TMP/maker/$1.bin"
}

begin "release publish: a dependency brings its payloads along, and must be what the digest says"
expect_ok "$LAPEL" key new "$TMP/maker/author.pem"
for n in main radio; do head -c 5000 /dev/urandom >"$TMP/maker/$n.bin"; done
jq '."vendor-domain" = "example.net" | .components[0] |= {id: ["radio"], payload: "radio.bin"}' \
    manifests/templates/single.json >"$TMP/maker/radio.json"
expect_ok "$LAPEL" manifest create "$TMP/maker/radio.json" "$TMP/maker/radio.unsigned" --sequence 16
expect_ok "$LAPEL" manifest sign "$TMP/maker/radio.unsigned" "$TMP/maker/radio.suit" --key "$TMP/maker/author.pem"
jq '.model = "EL-100" | ."manifest-component-id" = ["whole"]' manifests/templates/dependency.json >"$TMP/maker/dep.json"
expect_ok "$LAPEL" manifest create "$TMP/maker/dep.json" "$TMP/maker/dep.unsigned" --sequence 16
expect_ok "$LAPEL" manifest sign "$TMP/maker/dep.unsigned" "$TMP/maker/dep.suit" --key "$TMP/maker/release.pem"
expect_exit 1 "$LAPEL" release publish lamp "$TMP/maker/dep.suit" "$TMP/maker/main.bin"
expect_match "$OUT" 'payloads: .*\(409\)'
# another manifest of the same author in its place: the wrapper of ours still verifies
expect_ok "$LAPEL" manifest create "$TMP/maker/radio.json" "$TMP/maker/radio2.unsigned" --sequence 32
expect_ok "$LAPEL" manifest sign "$TMP/maker/radio2.unsigned" "$TMP/maker/radio2.suit" --key "$TMP/maker/author.pem"
/usr/bin/python3 - "$TMP/maker" <<'END'
import sys
d = sys.argv[1]
one, two = (open(f"{d}/{n}.suit", "rb").read() for n in ("radio", "radio2"))
dep = open(f"{d}/dep.suit", "rb").read()
assert len(one) + 1 == len(two) and dep.count(one) == 1
head = len(one).to_bytes(2, "big")
at = dep.index(b"\x59" + head + one)
open(f"{d}/swapped.suit", "wb").write(dep[:at] + b"\x59" + len(two).to_bytes(2, "big") + two)
END
expect_exit 1 "$LAPEL" release publish lamp "$TMP/maker/swapped.suit" "$TMP/maker/main.bin" "$TMP/maker/radio.bin"
expect_match "$OUT" 'envelope.dependencies.*not the digest of the manifest'

begin "release publish: payload, envelope, and the same again"
for v in 1.0.0:16 2.0.0:32 3.0.0:48 4.0.0:64 5.0.0:80; do expect_ok manifest "${v%:*}" "${v#*:}"; done
expect_exit 1 "$LAPEL" release publish lamp "$TMP/maker/1.0.0.suit"
expect_match "$OUT" 'payloads: .*\(409\)'
expect_exit 1 "$LAPEL" release publish lamp "$TMP/maker/1.0.0.suit" "$TMP/maker/2.0.0.bin"
expect_match "$OUT" 'names no payload'
expect_exit 1 "$LAPEL" release publish lamp "$TMP/maker/1.0.0.unsigned" "$TMP/maker/1.0.0.bin"
expect_match "$OUT" 'envelope.authentication'
expect_ok "$LAPEL" release publish lamp "$TMP/maker/1.0.0.suit" "$TMP/maker/1.0.0.bin"
expect_match "$OUT" 'has it already'
expect_match "$OUT" 'release   1 of lamp, open'
expect_ok "$LAPEL" release publish lamp "$TMP/maker/2.0.0.suit" "$TMP/maker/2.0.0.bin"
expect_match "$OUT" '300000 bytes sent'
OUT=$("$LAPEL" release publish lamp "$TMP/maker/2.0.0.suit" "$TMP/maker/2.0.0.bin" --json 2>"$TMP/said")
json publish '.id == 2 and .sequence == "32"'
expect_match "$(cat "$TMP/said")" 'has it already'
script -qec "'$LAPEL' release publish lamp '$TMP/maker/3.0.0.suit' '$TMP/maker/3.0.0.bin'" \
    "$TMP/terminal" >/dev/null </dev/null
expect_match "$(tr '\r' '\n' <"$TMP/terminal")" '^\[#{40}\] 100 %'

begin "release list, show, withdraw"
expect_ok "$LAPEL" release list lamp
expect_match "$OUT" '^2 +2\.0\.0 +sequence 32 +security +open'
expect_ok "$LAPEL" release list lamp --json
json list '.releases | length == 3'
expect_ok "$LAPEL" release show 1
expect_match "$OUT" 'version   1\.0\.0'
expect_ok "$LAPEL" release show 1 --json
json show '.id == 1'
expect_ok "$LAPEL" release withdraw 3 --reason "sent by mistake"
expect_match "$OUT" 'release   3 of lamp, withdrawn'
expect_exit 1 "$LAPEL" release show 99
expect_match "$OUT" '\(404\)'

begin "rollout: create, list, show, start, pause, resume, halt, advance"
expect_ok "$LAPEL" rollout create 2 --wave 10%,5,soak=0s,manual --wave 100%
expect_match "$OUT" 'rollout 1: lamp 2\.0\.0 \(sequence 32\), draft'
expect_ok "$LAPEL" rollout list
expect_match "$OUT" '^1 +lamp +release 2 +2\.0\.0 +draft'
expect_ok "$LAPEL" rollout list --json
json list '.rollouts | length == 1'
expect_ok "$LAPEL" rollout show 1
expect_match "$OUT" '^ +1 +0\.1 +waiting'
expect_exit 1 "$LAPEL" rollout advance 1
expect_match "$OUT" '\(409\)'
expect_ok "$LAPEL" rollout start 1
expect_match "$OUT" 'running'
expect_ok "$LAPEL" rollout show 1 --json
json show '.waves[0].members > 0'
expect_ok "$LAPEL" rollout pause 1 --reason "lunch"
expect_match "$OUT" 'held'
expect_ok "$LAPEL" rollout resume 1
expect_ok "$LAPEL" rollout halt 1 --json
json halt '.state == "halted"'
expect_ok "$LAPEL" rollout resume 1
advance() { "$LAPEL" rollout advance 1; }
wait_for 20 advance
that $? "the manual gate never came due"
complete() { "$LAPEL" rollout show 1 --json | jq -e '.state == "complete"'; }
wait_for 20 complete
that $? "the last wave never completed"

begin "rollout watch ends when the rollout is over"
publish() { "$LAPEL" release publish lamp "$TMP/maker/$1.suit" "$TMP/maker/$1.bin"; }
expect_ok publish 4.0.0
expect_ok "$LAPEL" rollout create 4 --wave 1,soak=1d --wave 100% --start --json
json create '.id == 2 and .state == "running"'
start watch "$LAPEL" rollout watch 2 --json
wait_line watch '"state": *"running"'
expect_ok "$LAPEL" rollout abort 2 --reason "bad"
wait_line watch '"state": *"aborted"'
wait "${PID[watch]}"
that $? "watch failed"
unset 'PID[watch]'
tail -n 1 "$TMP/watch.log" | jq -e .id >/dev/null
that $? "a look is no JSON"
expect_exit 1 "$LAPEL" rollout resume 2
expect_match "$OUT" '\(409\)'

begin "a rollout that is made but can't be started is named"
expect_exit 1 "$LAPEL" rollout create 1 --start
expect_match "$OUT" 'sequence conflict'
expect_match "$OUT" 'rollout 3 is made, but not started'

begin "halt without a number stops what runs, and says what is still offered"
expect_ok publish 5.0.0
expect_ok "$LAPEL" rollout create 5 --wave 1,soak=1d --wave 100% --start
expect_ok "$LAPEL" halt --reason "night"
expect_match "$OUT" 'rollout 4 of lamp is halted'
expect_ok "$LAPEL" halt --json
json halt '.halted == []'
expect_ok "$LAPEL" halt
expect_match "$OUT" 'nothing is rolling out'
expect_match "$OUT" 'lapel halt 1'
expect_ok "$LAPEL" halt 1
expect_match "$OUT" 'halted'

begin "token new, list, revoke: roles and scopes hold"
expect_ok "$LAPEL" token new ci --role publisher --product lamp --expires-s 3600 --out "$TMP/ci"
expect_eq "$(stat -c '%a %s' "$TMP/ci")" "600 44"
expect_ok "$LAPEL" release list lamp --token-file "$TMP/ci"
expect_exit 1 "$LAPEL" halt 2 --token-file "$TMP/ci"
expect_match "$OUT" 'role: .*\(403\)'
expect_exit 1 "$LAPEL" token new ci --role publisher --out "$TMP/ci2"
expect_match "$OUT" '\(409\)'
that "$(test -e "$TMP/ci2" && echo 1 || echo 0)" "a file is left of a refused token"
expect_ok "$LAPEL" token new guest --role viewer --json
json new '.token | length == 43'
expect_ok "$LAPEL" token list
expect_match "$OUT" '^2 +ci +publisher +good'
expect_no_match "$OUT" "$(cat "$TMP/ci")"
expect_ok "$LAPEL" token list --json
json list '.tokens | length == 3'
expect_ok "$LAPEL" token revoke 2
expect_exit 1 "$LAPEL" release list lamp --token-file "$TMP/ci"
expect_match "$OUT" '\(401\)'

begin "site export"
expect_ok "$LAPEL" site export "$TMP/site"
expect_match "$(cat "$TMP/site/support/EL-100/index.html")" 'EL-100'
expect_eq "$(jq -r .security_updates_until "$TMP/site/support/EL-100.json")" 2036-06
test -s "$TMP/site/.well-known/security.txt"
that $? "no security.txt"

begin "audit"
expect_ok "$LAPEL" audit
expect_match "$OUT" 'eve .*rollout\.abort .*bad'
expect_ok "$LAPEL" audit --json
json audit '.audit | length > 10'
expect_no_match "$OUT" "$(cat "$LAPEL_HOME/token")"

# --- a server that lies ----------------------------------------------------------------------

cat >"$TMP/liar.py" <<'END'
import http.server, json, sys
PAGES = {
    "/api/v1/site": {"pages": [{"path": "ok.html", "content": "x"},
                               {"path": "../evil.html", "content": "x"}]},
    "/api/v1/products": {"products": [{"product": "\x1b[2J\u202e", "model": "m\u009b"}], "next": None},
    "/api/v1/tokens": {"token": "A" * 5000},
    "/api/v1/rollouts": {"rollouts": [], "next": "again"},
    "/api/v1/audit": "text",
    "/api/v1/bootstrap": {"token": "B" * 5000},
}
class Liar(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        path = self.path.split("?")[0]
        body = json.dumps(PAGES[path]).encode() if path in PAGES else b"\x1b]0;no json\x07"
        n = int(self.headers.get("Content-Length", 0))
        self.rfile.read(n)
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    do_POST = do_GET
    def log_message(self, *a):
        pass
server = http.server.HTTPServer(("127.0.0.1", 0), Liar)
print(server.server_port, flush=True)
server.serve_forever()
END
start liar /usr/bin/python3 "$TMP/liar.py"
wait_line liar '^[0-9]+$'
LIAR=http://127.0.0.1:$(head -n 1 "$TMP/liar.log")

begin "a dependency is published with its own payload"
expect_ok "$LAPEL" release publish lamp "$TMP/maker/dep.suit" "$TMP/maker/main.bin" "$TMP/maker/radio.bin"
expect_match "$OUT" 'payloads 10000 bytes'

begin "a hostile server writes nothing outside, and nothing to the terminal"
expect_exit 1 "$LAPEL" site export "$TMP/lied" --server "$LIAR"
expect_match "$OUT" "can't be a file: \.\./evil\.html"
that "$(test -e "$TMP/lied" && echo 1 || echo 0)" "pages were written before the bad one"
expect_ok "$LAPEL" product list --server "$LIAR"
expect_no_match "$OUT" $'\x1b'
expect_match "$OUT" '\\x1b\[2J\\xe2\\x80\\xae'
expect_ok "$LAPEL" product list --server "$LIAR" --json
expect_no_match "$OUT" $'\xc2\x9b'
expect_exit 1 "$LAPEL" token new x --role viewer --server "$LIAR" --out "$TMP/x"
expect_match "$OUT" 'no token of 43'
that "$(test -e "$TMP/x" && echo 1 || echo 0)" "a file is left"
expect_exit 1 "$LAPEL" token bootstrap --home "$HOME_OF_NOBODY" --server "$LIAR" "$LAPEL_HOME/token"
expect_eq "$(ls "$HOME_OF_NOBODY")" "" "left in the home folder"
expect_exit 1 "$LAPEL" rollout list --server "$LIAR"
expect_match "$OUT" 'same page again'
expect_exit 1 "$LAPEL" status --server "$LIAR"
expect_match "$OUT" 'is no JSON'

begin "the server ends cleanly"
stop liar
stop lapeld
that $? "exit code $?"
finish
