#!/bin/bash
# The worked examples manifests/examples/*.suit: made again from their templates, byte for byte, and
# accepted. With REMAKE=1 they are written anew. The key is the drafts' published one, a test key; it
# stands for the author of the dependency and for the device of the encrypted example too.
. tests/harness/lib.sh
KEYS=tests/interop/vectors/keys
EXAMPLES=manifests/examples
export TEST_SEED=example # counts in the test build alone

cp manifests/templates/*.json "$TMP/"
for name in image image-before image-slot-a image-slot-b main radio; do
    for i in $(seq 1 200); do echo "$name, line $i"; done >"$TMP/$name.bin"
done
diff -e "$TMP/image-before.bin" "$TMP/image.bin" >"$TMP/image.patch"
cp $KEYS/spec_p256.pub.pem "$TMP/device.pub.pem"
sed 's/EL-100/EL-400/; s/"main"/"radio"/; s/image.bin/radio.bin/' "$TMP/single.json" >"$TMP/radio.json"

example() { # name
    expect_ok "$TEST_BIN/interop/lapel_seeded" manifest create "$TMP/$1.json" "$TMP/$1.unsigned" --sequence 16
    expect_ok "$BIN/lapel" manifest sign "$TMP/$1.unsigned" "$TMP/$1.suit" --key $KEYS/spec_p256.priv.pem
}

begin "the manifest of the dependency"
example radio
for name in single ab two-components delta dependency encrypted; do
    begin "the example $name"
    example $name
    [ -z "${REMAKE:-}" ] || cp "$TMP/$name.suit" $EXAMPLES/$name.suit
    expect_ok cmp "$TMP/$name.suit" $EXAMPLES/$name.suit
    expect_ok "$BIN/lapel" manifest verify --key $KEYS/spec_p256.pub.pem $EXAMPLES/$name.suit
    expect_match "$("$BIN/lapel" manifest show $EXAMPLES/$name.suit)" 'directive-fetch'
done
finish
