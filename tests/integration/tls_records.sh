#!/bin/bash
# A device that asks for records of 1024 bytes gets them for a whole update: our agent and OpenSSL.
# timeout: 90
. tests/harness/lib.sh

held() { hold "$@"; } # exit code, what it says about it
LIMIT=$((1024 + 40)) # with what the record layer adds: nonce, tag, type
export LAPEL_HOME=$TMP/operator PATH=$BIN:$PATH
TESTS=$PWD/tests/integration
mkdir -p "$TMP/trust" "$TMP/work" "$TMP/agent/state"
cd "$TMP/work" || exit 1

begin "a server with a release that is offered"
expect_ok lapel key new release.pem
cp release.pub.pem "$TMP/trust/"
cat >"$TMP/lapeld.conf" <<CONF
data_dir = $TMP/data
trust_dir = $TMP/trust
ballast = 0
public_url = https://localhost
[device]
listen = 127.0.0.1:0
tls = on
[operator]
listen = 127.0.0.1:0
tls = on
[public]
listen = 127.0.0.1:0
CONF
start lapeld lapeld --config "$TMP/lapeld.conf"
wait_for 20 lapeld --config "$TMP/lapeld.conf" --probe || flunk "no server"
url() { awk -v n="$1" '$1 == n { sub("127.0.0.1", "localhost", $2); print $2 }' "$TMP/data/endpoints"; }
CA=$TMP/data/ca.pem
expect_ok lapel token bootstrap --server "$(url operator)" --ca "$CA" "$TMP/data/bootstrap-token"
expect_ok lapel product set lamp --vendor-domain example.com --vendor-name Lamps --model EL-100 \
    --support-end 2036-06 --contact mailto:security@example.com
for device in ours theirs; do expect_ok lapel device add lamp $device --out $device.token; done
head -c 200000 /dev/urandom >image.bin
cat >1.json <<JSON
{ "vendor-domain": "example.com", "model": "EL-100", "severity": "security",
  "components": [ { "id": ["main"], "payload": "image.bin" } ],
  "text": { "en": { "version": "1.0.0", "changes": "All.", "risks-removed": "Some." } } }
JSON
expect_ok lapel manifest create 1.json 1.unsigned --sequence 16
expect_ok lapel manifest sign 1.unsigned 1.suit --key release.pem
expect_ok lapel release publish lamp 1.suit image.bin
expect_ok lapel rollout create 1 --start

DEVICE_PORT=$(url device | sed 's/.*://')
start wire /usr/bin/python3 "$TESTS/tls_records.py" wire "$DEVICE_PORT"
wait_line wire '^[0-9]+$'
WIRE=$(head -n 1 "$TMP/wire.log")
IMAGE=$(sha256sum image.bin | cut -d ' ' -f 1)
# The largest record among connections that carried the image.
largest() { awk '/^largest/ && $4 > 200000 { if ($2 > n) n = $2; seen++ } END { print seen + 0, n + 0 }' "$TMP/wire.log"; }
seen() { [ "$(largest | cut -d ' ' -f 1)" -ge "$1" ]; }

begin "our own agent, max_fragment = 1024"
(umask 077 && cp ours.token "$TMP/agent/token")
cat >"$TMP/agent/conf" <<CONF
server = https://localhost:$WIRE
product = lamp
model = EL-100
device_id = ours
token_file = $TMP/agent/token
ca_file = $CA
release_keys = $TMP/work/release.pub.pem
vendor_domain = example.com
state_dir = $TMP/agent/state
socket = $TMP/agent/socket
slot_size = 1M
first_check = 50ms
period = 30s
reboot = exec
max_fragment = 1024
CONF
start agent lapel-agent --config "$TMP/agent/conf" run
running() { lapel-agent --config "$TMP/agent/conf" --json status | jq -e '.running.version == "1.0.0"'; }
wait_for 30 running
held $? "no update: $(tail -n 3 "$TMP/agent.log")"
stop agent
wait_for 20 seen 1
held $? "no connection carried the image: $(cat "$TMP/wire.log")"
[ "$(largest | cut -d ' ' -f 2)" -le $LIMIT ]
held $? "largest record: $(largest)"

# OpenSSL as a device that has the offer.
lapel checkin make --product lamp --device theirs --model EL-100 --vendor-domain example.com checkin.cbor
AUTH="Authorization: Bearer $(cat theirs.token)"
expect_ok curl -fsS --cacert "$CA" -H "$AUTH" -H 'Content-Type: application/cbor' \
    --data-binary @checkin.cbor -o answer.cbor "$(url device)/v1/checkin"
fetch() { # file, s_client's arguments...
    local out=$1
    shift
    printf 'GET /v1/payloads/%s HTTP/1.1\r\nHost: x\r\n%s\r\nConnection: close\r\n\r\n' "$IMAGE" "$AUTH" |
        timeout 20 openssl s_client -connect "127.0.0.1:$WIRE" -servername localhost -CAfile "$CA" \
            -verify_return_error -quiet -ign_eof "$@" >"$out" 2>"$out.err"
}
n=1
for version in tls1_2 tls1_3; do
    begin "another library, 1024, $version"
    : >"$TMP/wire.log"
    fetch "$version.out" -$version -maxfraglen 1024
    expect_eq "$(tail -c 200000 $version.out | sha256sum | cut -d ' ' -f 1)" "$IMAGE" "the image"
    expect_no_match "$(head -c 2000 $version.out | grep -ai '^server:')" .
    wait_for 20 seen $n
    held $? "no connection carried the image: $(cat "$TMP/wire.log")"
    [ "$(largest | cut -d ' ' -f 2)" -le $LIMIT ]
    held $? "largest record: $(largest)"
done

begin "who asks for nothing gets larger ones, so the proxy sees sizes"
: >"$TMP/wire.log"
fetch large.out -tls1_3
wait_for 20 seen 1
[ "$(largest | cut -d ' ' -f 2)" -gt 4096 ]
held $? "largest record: $(largest)"

begin "no listener names its software"
for url in "$(url device)/v1/x" "$(url operator)/healthz" "$(url operator)/api/v1/products" "$(url public)/support/EL-100"; do
    expect_ok curl -sS -D - -o /dev/null --cacert "$CA" "$url"
    expect_match "$OUT" '^HTTP/1.1 [0-9]+'
    expect_no_match "$OUT" '^([Ss]erver|[Xx]-[Pp]owered-[Bb]y):'
done

begin "every listener with TLS has suites with authenticated encryption only"
if command -v sslscan >/dev/null; then
    for name in device operator; do
        OUT=$(sslscan --no-colour --no-failed "127.0.0.1:$(url $name | sed 's/.*://')" 2>&1)
        expect_match "$OUT" '^TLSv1.2 +enabled'
        expect_match "$OUT" '^TLSv1.3 +enabled'
        expect_no_match "$OUT" '^(SSLv2|SSLv3|TLSv1.0|TLSv1.1) +enabled'
        expect_no_match "$(grep -E '^(Accepted|Preferred)' <<<"$OUT" | grep -Ev 'GCM|CHACHA20')" .
    done
else
    skip "no sslscan"
fi
stop wire KILL
stop lapeld
finish
