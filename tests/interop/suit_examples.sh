#!/bin/bash
# The worked examples manifests/examples/*.suit: made again from their templates, byte for byte, and
# accepted. With REMAKE=1 they are written anew. The key is the drafts' published one: a test key.
. tests/harness/lib.sh
KEYS=tests/interop/vectors/keys
EXAMPLES=manifests/examples

cp manifests/templates/*.json "$TMP/"
for name in image image-slot-a image-slot-b main radio; do
    for i in $(seq 1 200); do echo "$name, line $i"; done >"$TMP/$name.bin"
done
for name in single ab two-components; do
    begin "the example $name"
    expect_ok "$BIN/lapel" manifest create "$TMP/$name.json" "$TMP/$name.unsigned" --sequence 16
    expect_ok "$BIN/lapel" manifest sign "$TMP/$name.unsigned" "$TMP/$name.suit" \
        --key $KEYS/spec_p256.priv.pem
    [ -z "${REMAKE:-}" ] || cp "$TMP/$name.suit" $EXAMPLES/$name.suit
    expect_ok cmp "$TMP/$name.suit" $EXAMPLES/$name.suit
    expect_ok "$BIN/lapel" manifest verify --key $KEYS/spec_p256.pub.pem $EXAMPLES/$name.suit
    expect_match "$("$BIN/lapel" manifest show $EXAMPLES/$name.suit)" 'directive-fetch'
done
finish
