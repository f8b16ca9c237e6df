#!/bin/bash
# curl alone walks the device interface, by the commands that manifests/SPEC.md prints.
# timeout: 60
. tests/harness/lib.sh

MODEL=LX-100
export LAPEL_HOME=$TMP/operator PATH=$BIN:$PATH

held() { hold "$@"; } # exit code, what it says about it

# The shell blocks of the section that says so, in order, joined.
spec() {
    awk '/^## / { here = /by hand/ } !here { next }
        /^```/ { code = /^```sh/; next } code' manifests/SPEC.md
}

begin "the document has commands"
spec >"$TMP/walk"
expect_match "$(grep -c 'curl' "$TMP/walk")" '^([5-9]|[1-9][0-9])$'

begin "a server with a release that is offered to everybody"
mkdir -p "$TMP/trust" "$TMP/work"
cd "$TMP/work" || exit 1
expect_ok lapel key new release.pem
cp release.pub.pem "$TMP/trust/release.pem"
cp release.pub.pem release.pub
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
CONF
start lapeld "$BIN/lapeld" --config "$TMP/lapeld.conf"
wait_for 20 "$BIN/lapeld" --config "$TMP/lapeld.conf" --probe || flunk "no server"
url() { awk -v n="$1" '$1 == n { sub("127.0.0.1", "localhost", $2); print $2 }' "$TMP/data/endpoints"; }
expect_ok lapel token bootstrap --server "$(url operator)" --ca "$TMP/data/ca.pem" "$TMP/data/bootstrap-token"
expect_ok lapel product set lamp --vendor-domain lamp.example --vendor-name Lamps --model $MODEL \
    --support-end 2036-06 --contact mailto:security@lamp.example
head -c 50000 /dev/urandom >image-1.bin
cat >1.json <<JSON
{ "vendor-domain": "lamp.example", "model": "$MODEL", "severity": "security",
  "components": [ { "id": ["main"], "payload": "image-1.bin" } ],
  "text": { "en": { "version": "1.0.0", "changes": "All.", "risks-removed": "Some." } } }
JSON
expect_ok lapel manifest create 1.json 1.unsigned --sequence 16
expect_ok lapel manifest sign 1.unsigned 1.suit --key release.pem
expect_ok lapel release publish lamp 1.suit image-1.bin
expect_ok lapel rollout create 1 --start

begin "each command of the document works"
# curl without -f says 0 to a refusal; here one ends the walk.
export BASE CA
BASE=$(url device) CA=$TMP/data/ca.pem
{
    echo 'set -eu; curl() { command curl -fsS "$@"; }'
    cat "$TMP/walk"
    echo 'printf "%s\n" "$DIGEST" "$SEQUENCE" >walked'
} >"$TMP/walk.sh"
expect_ok bash -o pipefail "$TMP/walk.sh"
SAID=$OUT

begin "the device has fetched the release"
cmp -s image.bin image-1.bin
held $? "the payload differs"
expect_match "$SAID" "$(sha256sum <image-1.bin | cut -d ' ' -f 1)"
expect_eq "$(sed -n 2p walked 2>/dev/null)" 16 "sequence"
tail -c +1001 image-1.bin | cmp -s - rest.bin
held $? "the resumed part differs"
expect_match "$SAID" '206'

begin "and the server counts it"
OUT=$(lapel device show lamp lamp-000017 --json 2>&1)
expect_match "$OUT" '"state": ?"installed"'
expect_eq "$(jq -r '.running[0] | "\(.sequence) \(.digest) \(.state)"' <<<"$OUT")" \
    "16 $(sed -n 1p walked 2>/dev/null) confirmed" "what it runs"
expect_eq "$(jq -r .last_attempt.attempt <<<"$OUT")" 0011223344556677 "attempt"

begin "the clean end"
stop lapeld
expect_eq $? 0 "exit code of the server"
finish
