#!/bin/bash
# lapel trust: a chain of sets from JSON files to the server, and what is refused on the way.
# timeout: 60
. tests/harness/lib.sh

export LAPEL_HOME=$TMP/home
LAPEL=$BIN/lapel
W=$TMP/work
mkdir -p "$W" "$TMP/anchors"

for k in root root2 root3 release release2 online ca; do
    expect_ok "$LAPEL" key new "$W/$k.pem"
done
openssl req -x509 -new -key "$W/ca.pem" -out "$W/ca.crt" -subj /CN=ca -days 30 2>/dev/null
cp manifests/templates/single.json "$W/"
printf 'the bytes of image.bin' >"$W/image.bin"
domain=$(jq -r '."vendor-domain"' "$W/single.json") model=$(jq -r .model "$W/single.json")
spki=$(openssl x509 -in "$W/ca.crt" -noout -pubkey | openssl pkey -pubin -outform DER | sha256sum | cut -c1-64)

set_json() { # file, jq filter: the good set, changed
    jq -n --arg d "$domain" --arg m "$model" '{
        roles: [{role: "root", keys: ["root.pub.pem", "root2.pub.pem"], threshold: 2},
                {role: "release", keys: ["release.pub.pem", "release2.pub.pem"], threshold: 2,
                 "vendor-domain": $d, model: $m},
                {role: "online", keys: ["online.pub.pem"]}],
        anchors: [{certificate: "ca.crt"}, {spki: "ca.crt", use: "next"}],
        urls: ["https://updates.lamp.example"]}' | jq "$2" >"$W/$1"
}

begin "new, sign, sign by an HSM, verify, show"
set_json trust.json .
expect_ok "$LAPEL" trust new "$W/trust.json" "$W/t1.unsigned" --issued 1780000000
expect_ok "$LAPEL" trust new "$W/trust.json" "$W/again" --issued 1780000000
cmp -s "$W/t1.unsigned" "$W/again"
hold $? "the same file gives other bytes"
expect_exit 1 "$LAPEL" trust new "$W/trust.json" "$W/t1.unsigned"
expect_ok "$LAPEL" trust sign "$W/t1.unsigned" "$W/t1.half" --key "$W/root.pem"
expect_exit 1 "$LAPEL" trust verify "$W/t1.half"
expect_match "$OUT" 'threshold is not reached'
expect_ok "$LAPEL" trust sign "$W/t1.half" --tbs-out "$W/tbs"
openssl dgst -sha256 -sign "$W/root2.pem" -out "$W/sig" "$W/tbs"
expect_exit 1 "$LAPEL" trust sign "$W/t1.half" "$W/x" --signature "$W/sig" --public-key "$W/root3.pub.pem"
expect_match "$OUT" 'does not verify'
expect_ok "$LAPEL" trust sign "$W/t1.half" "$W/t1.trust" --signature "$W/sig" --public-key "$W/root2.pub.pem"
expect_ok "$LAPEL" trust verify "$W/t1.trust"
expect_ok "$LAPEL" trust show "$W/t1.trust"
expect_match "$OUT" '^version  1, [0-9]+ bytes, 2 signatures$'
expect_match "$OUT" "anchor   spki $spki, next"
expect_ok "$LAPEL" trust show --json "$W/t1.trust"
expect_eq "$(jq -c '[.version, .issued, .signatures, .urls[0], [.roles[] | [.role, .threshold, (.keys | length), (.keys | map(select(.signed)) | length)]]]' <<<"$OUT")" \
    '[1,1780000000,2,"https://updates.lamp.example",[["root",2,2,2],["release",2,2,0],["online",1,1,0]]]'
expect_eq "$(jq -r '.roles[1].keys[0].id' <<<"$OUT")" \
    "$(openssl pkey -pubin -in "$W/release.pub.pem" -outform DER | sha256sum | cut -c1-64)"

begin "one key signs once, and a stranger is pointed out"
expect_exit 1 "$LAPEL" trust sign "$W/t1.trust" "$W/x" --key "$W/root.pem"
expect_match "$OUT" 'signed it already'
expect_ok "$LAPEL" trust sign "$W/t1.trust" "$W/stranger" --key "$W/release.pem"
expect_match "$OUT" 'no root of this set'
expect_exit 2 "$LAPEL" trust sign "$W/t1.trust" "$W/x"
expect_exit 2 "$LAPEL" trust sign "$W/t1.trust" --key "$W/root.pem"
expect_exit 2 "$LAPEL" trust sign "$W/t1.trust" "$W/x" --signature "$W/sig"

begin "the root changes: both sign, and the chain is followed"
set_json next.json '.roles[0].keys = ["root2.pub.pem", "root3.pub.pem"]'
expect_ok "$LAPEL" trust next "$W/t1.trust" "$W/next.json" "$W/t2.0"
expect_ok "$LAPEL" trust sign "$W/t2.0" "$W/t2.1" --key "$W/root2.pem"
expect_ok "$LAPEL" trust sign "$W/t2.1" "$W/t2.new" --key "$W/root3.pem"
expect_exit 1 "$LAPEL" trust verify "$W/t1.trust" "$W/t2.new"
expect_match "$OUT" 'of the one before'
expect_ok "$LAPEL" trust sign "$W/t2.new" "$W/t2.trust" --key "$W/root.pem"
expect_match "$OUT" 'one of the set before'
expect_ok "$LAPEL" trust verify --json "$W/t1.trust" "$W/t2.trust"
expect_eq "$(jq -c 'map(.version)' <<<"$OUT")" '[1,2]'
expect_exit 1 "$LAPEL" trust verify "$W/t2.trust" "$W/t1.trust"
expect_match "$OUT" 'version 1 does not follow version 2'
expect_ok "$LAPEL" trust next "$W/t2.trust" "$W/next.json" "$W/t3.0"
expect_exit 1 "$LAPEL" trust verify "$W/t1.trust" "$W/t3.0"
expect_match "$OUT" 'version 3 does not follow version 1'

# jq filter # what is said
begin "a JSON file that makes no set is refused, and the place named"
/usr/bin/python3 - >"$W/published.pem" <<'END' # the drafts' example key
import base64
spki = bytes.fromhex("3059301306072a8648ce3d020106082a8648ce3d03010703420004"
                     "8496811aae0baaabd26157189eecda26beaa8bf11b6f3fe6e2b5659c85dbc0ad"
                     "3b1f2a4b6c098131c0a36dacd1d78bd381dcdfb09c052db33991db7338b4a896")
print("-----BEGIN PUBLIC KEY-----\n%s-----END PUBLIC KEY-----" % base64.encodebytes(spki).decode())
END
while IFS='#' read -r filter said; do
    set_json bad.json "$filter"
    expect_exit 1 "$LAPEL" trust new "$W/bad.json" "$W/bad.out"
    expect_match "$OUT" "$said"
    [ ! -e "$W/bad.out" ]
    hold $? "$filter: a file was written"
done <<'END'
.rolls = []#rolls
del(.roles)#roles
.roles[0].role = "boss"#roles\[0\]: role
.roles[1].threshold = 3#thresholds
.roles[1].threshold = 0#roles\[1\]: threshold
.roles[2].threshold = 2#thresholds
.roles[2].keys = ["root.pub.pem"]#online
.roles[0]["vendor-domain"] = "lamp.example"#root
del(.roles[0])#root role
.roles[1].model = ""#roles\[1\]: model
del(.roles[1]["vendor-domain"])#roles\[1\]: model: needs
.roles[1].keys = ["nobody.pem"]#nobody.pem
.roles[1].keys = ["published.pem"]#published test key
.roles[1].keys = [1]#roles\[1\]: keys
.roles[1].keys = ["root.pub.pem", "root.pub.pem"]#no device
.roles = [range(9) as $i | .roles[2]]#at most 8
.anchors[0].use = "soon"#anchors\[0\]: use
.anchors[0].spki = "ca.crt"#anchors\[0\]: one of
.anchors[0] = {"spki-sha256": "00"}#anchors\[0\]: spki-sha256
.anchors[0] = {certificate: "root.pub.pem"}#no certificate
.urls = ["http://updates.lamp.example"]#urls\[0\]
.urls = ["https://updates.lamp.example/path"]#urls\[0\]
.urls = [range(5) as $i | "https://x"]#at most 4
END

begin "a release needs both of its keys"
expect_ok "$LAPEL" manifest create "$W/single.json" "$W/r.0" --sequence 16
expect_ok "$LAPEL" manifest sign "$W/r.0" "$W/r.1" --key "$W/release.pem"
expect_exit 1 "$LAPEL" manifest verify "$W/r.1" --trust "$W/t1.trust"
expect_ok "$LAPEL" manifest sign "$W/r.1" "$W/r.2" --key "$W/release2.pem"
expect_ok "$LAPEL" manifest verify "$W/r.2" --trust "$W/t1.trust"
expect_match "$OUT" '^accepted$'
expect_eq "$(grep -c '^signed by' <<<"$OUT")" 2
expect_exit 2 "$LAPEL" manifest verify "$W/r.2"
expect_exit 2 "$LAPEL" manifest verify "$W/r.2" --trust "$W/t1.trust" --threshold 1
set_json other.json '.roles[1]["vendor-domain"] = "other.example"'
expect_ok "$LAPEL" trust new "$W/other.json" "$W/other.trust"
expect_exit 1 "$LAPEL" manifest verify "$W/r.2" --trust "$W/other.trust"

begin "publish and list"
start lapeld "$BIN/lapeld" --set "data_dir=$TMP/data" --set "trust_dir=$TMP/anchors" \
    --set device.listen=127.0.0.1:0 --set operator.listen=127.0.0.1:0
wait_for 20 test -s "$TMP/data/endpoints"
hold $? "no answer: $(tail -n 3 "$TMP/lapeld.log")"
url=$(awk '$1 == "operator" { print $2 }' "$TMP/data/endpoints")
ca=()
[ "${url#https}" = "$url" ] || ca=(--ca "$TMP/data/ca.pem")
expect_ok "$LAPEL" token bootstrap --server "$url" "${ca[@]}" "$TMP/data/bootstrap-token"
expect_exit 1 "$LAPEL" trust publish "$W/t1.half"
expect_match "$OUT" 'trust.signatures'
expect_ok "$LAPEL" trust publish "$W/t1.trust"
expect_match "$OUT" 'version 1 is published'
expect_ok "$LAPEL" trust publish "$W/t2.trust" --json
expect_eq "$(jq .version <<<"$OUT")" 2
expect_ok "$LAPEL" trust list
expect_match "$OUT" "^1 .*$(sha256sum "$W/t1.trust" | cut -c1-64)"
expect_ok "$LAPEL" trust list --json
expect_eq "$(jq -c '.trust | map(.version)' <<<"$OUT")" '[1,2]'
finish
