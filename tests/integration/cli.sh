#!/bin/bash
# lapel on the maker's desk, without a server: keys, manifests, check-ins.
# timeout: 240
. tests/harness/lib.sh

LAPEL=$BIN/lapel
W=$TMP/work
mkdir -p "$W"
that() { hold "$@"; } # held? text, as hold, from the script itself
absent() { [ ! -e "$1" ]; }

begin "key new: 0600, a pair, never overwritten"
expect_ok "$LAPEL" key new "$W/release.pem"
expect_eq "$(stat -c %a "$W/release.pem")" 600
expect_ok openssl pkey -in "$W/release.pem" -check -noout
openssl pkey -in "$W/release.pem" -pubout 2>/dev/null | cmp -s - "$W/release.pub.pem"
that $? "the public file is another key"
before=$(sha256sum "$W/release.pem")
expect_exit 1 "$LAPEL" key new "$W/release.pem"
expect_match "$OUT" 'not overwritten'
rm "$W/release.pub.pem"
expect_exit 1 "$LAPEL" key new "$W/release.pem"
absent "$W/release.pub.pem"
that $? "half a pair is left"
expect_eq "$(sha256sum "$W/release.pem")" "$before"
openssl pkey -in "$W/release.pem" -pubout -out "$W/release.pub.pem" 2>/dev/null
id=$(openssl pkey -pubin -in "$W/release.pub.pem" -outform DER | sha256sum | cut -c1-64)
expect_ok "$LAPEL" key show "$W/release.pem"
expect_match "$OUT" "id +$id"
expect_ok "$LAPEL" key new "$W/second.pem"

cp manifests/templates/*.json "$W/"
for f in image.bin image-slot-a.bin image-slot-b.bin main.bin radio.bin; do
    printf 'the bytes of %s' "$f" >"$W/$f"
done

for t in single ab two-components; do
    begin "template $t: create, sign, verify, the same bytes twice, and a stranger agrees"
    expect_ok "$LAPEL" manifest create "$W/$t.json" "$W/$t.unsigned" --sequence 16
    expect_ok "$LAPEL" manifest sign "$W/$t.unsigned" "$W/$t.suit" --key "$W/release.pem"
    expect_ok "$LAPEL" manifest verify "$W/$t.suit" --key "$W/release.pub.pem"
    expect_match "$OUT" '^accepted$'
    expect_exit 1 "$LAPEL" manifest verify "$W/$t.suit" --key "$W/second.pub.pem"
    expect_exit 1 "$LAPEL" manifest verify "$W/$t.unsigned" --key "$W/release.pub.pem"
    expect_ok "$LAPEL" manifest create "$W/$t.json" "$W/again.unsigned" --sequence 16 --replace
    expect_ok "$LAPEL" manifest sign "$W/again.unsigned" "$W/again.suit" --key "$W/release.pem" --replace
    cmp -s "$W/$t.unsigned" "$W/again.unsigned" && cmp -s "$W/$t.suit" "$W/again.suit"
    that $? "two runs give different bytes"
    expect_ok /usr/bin/python3 tests/integration/cli_suit.py "$W/$t.suit" "$W/release.pub.pem"
    expect_ok "$LAPEL" manifest show "$W/$t.suit"
    expect_no_match "$OUT" 'not in draft|unknown'
    expect_match "$OUT" 'a device of this build can process it'
    expect_ok "$LAPEL" manifest show "$W/$t.suit" --json
    jq -e '.sequence == "16" and (.payloads | length > 0)' <<<"$OUT" >/dev/null
    that $? "no facts: $OUT"
    expect_ok "$LAPEL" manifest show "$W/$t.suit" --diag
    expect_match "$OUT" '^107\('
done

begin "show explains what others made: signatures, dependencies, encryption, reports, old drafts"
V=tests/interop/vectors/exec
while IFS='|' read -r code file want; do
    expect_exit "$code" "$LAPEL" manifest show "$V/$file"
    expect_match "$OUT" "$want"
done <<'END'
0|auth-mac0.suit|tag 17 COSE_Mac0
0|auth-mac0.suit|1 alg: 5 HMAC 256/256
0|auth-hsslms.suit|1 alg: -46 HSS-LMS
0|auth-sign-two-signers.suit|tag 98 COSE_Sign$
0|dependency-integrated.suit|1 suit-dependencies:
0|dependency-integrated.suit|^  "#dep": tag 107
0|dependency-integrated.suit|^      2 suit-manifest-sequence-number: 51
0|enc-copy-ecdh-a128gcm.suit|1 alg: 1 A128GCM
0|enc-copy-ecdh-a128gcm.suit|1 alg: -29 ECDH-ES.A128KW
0|enc-copy-kw-a128ctr.suit|1 alg: -65534 A128CTR
END
for f in tests/fuzz/corpus/suit_report/*; do
    OUT=$("$LAPEL" manifest show "$f" 2>&1)
    if [[ $OUT == *'99 suit-reference'* ]]; then break; fi
done
expect_match "$OUT" '99 suit-reference'
printf '\xa2\x02\x46\x81\x44\x82\x02\x41\x00\x03\x41\xa0' >"$W/old.suit"
expect_exit 1 "$LAPEL" manifest show "$W/old.suit"
expect_match "$OUT" '^encoding: draft-ietf-suit-manifest -11 to -13, or before'
expect_exit 1 "$LAPEL" manifest show "$W/old.suit" --json
expect_eq "$(jq -r '.draft, .error' <<<"$OUT" | tr '\n' ' ')" "draft-ietf-suit-manifest -11 to -13, or before algorithm-unsupported "

begin "a key in an HSM: bytes out, DER or raw signature in"
expect_ok "$LAPEL" manifest sign "$W/single.unsigned" --tbs-out "$W/tbs"
openssl dgst -sha256 -sign "$W/release.pem" -out "$W/sig.der" "$W/tbs"
expect_ok "$LAPEL" manifest sign "$W/single.unsigned" "$W/hsm.suit" --signature "$W/sig.der" \
    --public-key "$W/release.pub.pem"
expect_ok "$LAPEL" manifest verify "$W/hsm.suit" --key "$W/release.pub.pem"
/usr/bin/python3 -c 'import sys
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
r, s = decode_dss_signature(open(sys.argv[1], "rb").read())
open(sys.argv[2], "wb").write(r.to_bytes(32, "big") + s.to_bytes(32, "big"))' "$W/sig.der" "$W/sig.raw"
expect_ok "$LAPEL" manifest sign "$W/single.unsigned" "$W/hsm2.suit" --signature "$W/sig.raw" \
    --public-key "$W/release.pub.pem"
cmp -s "$W/hsm.suit" "$W/hsm2.suit"
that $? "DER and raw give different envelopes"
expect_exit 1 "$LAPEL" manifest sign "$W/single.unsigned" "$W/no.suit" --signature "$W/sig.der" \
    --public-key "$W/second.pub.pem"
absent "$W/no.suit"
that $? "a wrong signature was written"

begin "a second signature stands beside the first; a threshold counts them"
expect_exit 1 "$LAPEL" manifest verify "$W/single.suit" --key "$W/release.pub.pem" \
    --key "$W/second.pub.pem" --threshold 2
expect_ok "$LAPEL" manifest sign "$W/single.suit" "$W/two.suit" --key "$W/second.pem"
expect_ok "$LAPEL" manifest verify "$W/two.suit" --key "$W/release.pub.pem" \
    --key "$W/second.pub.pem" --threshold 2
expect_eq "$(grep -c '^signed by' <<<"$OUT")" 2
expect_exit 1 "$LAPEL" manifest sign "$W/two.suit" "$W/no.suit" --key "$W/second.pem"
expect_match "$OUT" 'has signed it already'

begin "sign looks at the payload it is given"
expect_ok "$LAPEL" manifest sign "$W/single.unsigned" "$W/p.suit" --key "$W/release.pem" \
    --payload "$W/image.bin"
expect_exit 1 "$LAPEL" manifest sign "$W/single.unsigned" "$W/no.suit" --key "$W/release.pem" \
    --payload "$W/main.bin"
expect_match "$OUT" 'installs nothing with its digest'
expect_ok "$LAPEL" manifest sign "$W/ab.unsigned" "$W/p2.suit" --key "$W/release.pem" \
    --payload "$W/image-slot-a.bin" --payload "$W/image-slot-b.bin"
absent "$W/no.suit"
that $? "it was signed all the same"

begin "sever leaves the text out, and the signature good"
expect_ok "$LAPEL" manifest sever "$W/single.suit" "$W/severed.suit"
expect_ok "$LAPEL" manifest verify "$W/severed.suit" --key "$W/release.pub.pem"
[ "$(stat -c %s "$W/severed.suit")" -lt "$(stat -c %s "$W/single.suit")" ]
that $? "it is no smaller"
expect_exit 1 "$LAPEL" manifest sever "$W/severed.suit" "$W/no.suit"

begin "sequence numbers: steps of 16, no jump by mistake"
expect_ok "$LAPEL" manifest create "$W/single.json" "$W/s.unsigned" --after 16
expect_match "$OUT" 'sequence 32'
expect_exit 2 "$LAPEL" manifest create "$W/single.json" "$W/no" --after 16 --sequence 16
expect_exit 2 "$LAPEL" manifest create "$W/single.json" "$W/no" --after 16 --sequence 2000000
expect_exit 2 "$LAPEL" manifest create "$W/single.json" "$W/no" --after 18446744073709551615
expect_exit 2 "$LAPEL" manifest create "$W/single.json" "$W/no" --sequence 9223372036854775808 --force
expect_ok "$LAPEL" manifest create "$W/single.json" "$W/f.unsigned" --sequence 2000000 --force
absent "$W/no"
that $? "a refused manifest was written"

begin "an integrated payload, an absolute URI, no priority, inline text"
jq '.components[0].integrated = true' "$W/single.json" >"$W/in.json"
expect_ok "$LAPEL" manifest create "$W/in.json" "$W/in.unsigned" --sequence 16 --no-priority
jq '.components[0].uri = "https://example.com/x"' "$W/single.json" >"$W/abs.json"
expect_exit 1 "$LAPEL" manifest create "$W/abs.json" "$W/no" --sequence 16
expect_ok "$LAPEL" manifest create "$W/abs.json" "$W/abs.unsigned" --sequence 16 --absolute --inline-text

begin "a device, not a file, is never replaced"
mkfifo "$W/pipe"
expect_exit 1 "$LAPEL" manifest create "$W/single.json" "$W/pipe" --sequence 16 --replace
[ -p "$W/pipe" ]
that $? "the pipe is gone"

begin "show takes anything: vectors, cut and changed ones"
expect_ok /usr/bin/python3 tests/integration/cli_show.py "$LAPEL" tests/interop/vectors "$W/single.suit"
expect_match "$OUT" '[0-9]+ documents, 0 crashes'
printf '%0.s\x81' $(seq 20000) >"$W/deep"
expect_exit 1 "$LAPEL" manifest show "$W/deep"
printf '\x9b\x00\x00\x00\xff\xff\xff\xff\xff' >"$W/claims"
expect_exit 1 "$LAPEL" manifest show "$W/claims"

begin "checkin make and show"
expect_ok "$LAPEL" checkin make "$W/c.cbor" --product lamp --device a1 --model EL-100 \
    --vendor-domain example.com --sequence 16 --digest "$(printf 'ab%.0s' $(seq 32))" \
    --state trial --attempt 0011223344556677 --stage 7 --class 8
expect_ok "$LAPEL" checkin show "$W/c.cbor"
expect_match "$OUT" '^checkin'
expect_match "$OUT" '2 device-id: "a1"'
expect_match "$OUT" '6 state: 2'
expect_match "$OUT" '1 attempt-id: h.0011223344556677'
expect_no_match "$OUT" 'unknown key'
hex() { grep -v '^#' "manifests/examples/$1.hex" | tr -d '\n' |
    /usr/bin/python3 -c 'import sys; sys.stdout.buffer.write(bytes.fromhex(sys.stdin.read()))'; }
for kind in checkin-full:checkin answer-full:answer report:report statement:statement \
    statement-signed:statement trust-1:trust trust-1-signed:trust-document receipt:receipt; do
    hex "${kind%:*}" >"$W/doc"
    expect_ok "$LAPEL" checkin show "$W/doc"
    expect_match "$OUT" "^${kind#*:}$"
    expect_no_match "$OUT" 'unknown key'
done
printf '\xa2\x00\x01\x18\x63\x65\x1b[2Jx' >"$W/doc" # key 99: an unknown one, with an escape in it
expect_exit 1 "$LAPEL" checkin show "$W/doc" --as checkin
expect_match "$OUT" '99 \(unknown key\): "\\x1b\[2Jx"'
/usr/bin/python3 -c 'import cbor2, sys
d = cbor2.load(open(sys.argv[1], "rb")); d[99] = "later"; open(sys.argv[2], "wb").write(cbor2.dumps(d, canonical=True))' \
    "$W/c.cbor" "$W/later"
expect_ok "$LAPEL" checkin show "$W/later"
expect_match "$OUT" '99 \(unknown key\): "later"'
finish
