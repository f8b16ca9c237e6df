#!/bin/bash
# Every template: the same bytes twice, another reader's word on structure, digests and signatures,
# a rehearsal, and the update itself through the library, held against another implementation.
. tests/harness/lib.sh
KEYS=tests/interop/vectors/keys
LAPEL=$BIN/lapel
W=$TMP/work
peer() { /usr/bin/python3 tests/interop/suit_peer.py "$@"; }

mkdir -p "$W" "$TMP/keys" "$TMP/cases"
cp manifests/templates/*.json "$W/"
cp $KEYS/spec_p256.pub.pem "$TMP/keys/"
for name in image image-before image-slot-a image-slot-b main radio; do
    for i in $(seq 1 200); do echo "$name, line $i"; done >"$W/$name.bin"
done
cp "$W/image.bin" "$W/image.patch" # a device that stages and doesn't patch

make_envelope() { # template, [the lapel that creates]: unsigned and signed, twice
    local out
    for out in one two; do
        expect_ok "${2:-$LAPEL}" manifest create "$W/$1.json" "$W/$1.$out" --sequence 16 --replace || return
        expect_ok "$LAPEL" manifest sign "$W/$1.$out" "$W/$1.$out.suit" --key $KEYS/spec_p256.priv.pem --replace
    done
    expect_ok cmp "$W/$1.one.suit" "$W/$1.two.suit"
    expect_ok peer check "$W/$1.one.suit" $KEYS/spec_p256.pub.pem
    expect_ok "$LAPEL" manifest verify "$W/$1.one.suit" --key $KEYS/spec_p256.pub.pem --json
    expect_eq "$(jq -r .sequence <<<"$OUT")" 16
}

uuid() { # how: vendor|class, model
    /usr/bin/python3 -c 'import sys, uuid
v = uuid.uuid5(uuid.NAMESPACE_DNS, "example.com")
print((v if sys.argv[1] == "vendor" else uuid.uuid5(v, sys.argv[2])).hex)' "$@"
}

# Run it on a device: by the other implementation, then by ours, which must come to the same.
run_case() { # template, case, model, JSON of what the device is beside that
    local digest file
    {
        jq -n --arg v "$(uuid vendor)" --arg c "$(uuid class "$3")" --arg w "$W" \
            '{vendor: $v, class: $c, procedures: ["update", "invoke"], keys: ["keys/spec_p256.pub.pem"]}'
        for file in "$W"/*.bin "$W"/*.patch "$W"/*.enc; do
            [ -f "$file" ] || continue
            digest=$(sha256sum "$file" | cut -d ' ' -f 1)
            jq -n --arg u "../payloads/$digest" --arg f "$file" '{files: {($u): $f}}'
        done
        echo "$4"
    } | jq -s 'reduce .[] as $x ({}; . * $x)' >"$W/$2.device"
    cp "$W/$1.one.suit" "$TMP/cases/$2.suit"
    expect_ok peer case "$TMP/cases/$2.suit" "$TMP/cases/$2.json" "$W/$2.device"
}

rehearse() { # template, model, more options...
    local name=$1 model=$2
    shift 2
    expect_ok "$LAPEL" manifest run --dry "$W/$name.one.suit" --key $KEYS/spec_p256.pub.pem \
        --vendor-domain example.com --model "$model" --json "$@"
    expect_eq "$(jq -r .result <<<"$OUT")" ok
}

begin "single"
make_envelope single
run_case single single EL-100 '{}'
rehearse single EL-100
expect_eq "$(jq -r .fetch_bytes <<<"$OUT")" "$(stat -c %s "$W/image.bin")"

begin "ab"
make_envelope ab
for slot in 0 1; do
    run_case ab ab-slot$slot EL-200 "{\"slot\": $slot}"
    rehearse ab EL-200 --slot $slot
done
expect_exit 1 "$LAPEL" manifest run --dry "$W/ab.one.suit" --vendor-domain example.com --model EL-200 --slot 2

begin "two-components"
make_envelope two-components
run_case two-components two-components EL-300 '{}'
rehearse two-components EL-300
expect_eq "$(jq -c .written <<<"$OUT")" '[0,1]'

begin "delta"
make_envelope delta
# [h'72756e6e696e67'] is ["running"], [h'6d61696e'] is ["main"]
run_case delta delta EL-500 "{\"before\": {\"814772756e6e696e67\": \"$W/image-before.bin\"}}"
run_case delta delta-again EL-500 "{\"before\": {\"81446d61696e\": \"$W/image.bin\"}}"
rehearse delta EL-500 --holds "running=$W/image-before.bin"
rehearse delta EL-500 --holds "0x72756e6e696e67=$(sha256sum "$W/image-before.bin" | cut -d ' ' -f 1):$(stat -c %s "$W/image-before.bin")"
rehearse delta EL-500 --holds "main=$W/image.bin"
expect_eq "$(jq -r .fetches <<<"$OUT")" 0
expect_exit 1 "$LAPEL" manifest run --dry "$W/delta.one.suit" --vendor-domain example.com --model EL-500 \
    --holds "running=$W/image.bin"
expect_match "$OUT" 'image-match .component 2'

begin "dependency, by another author"
expect_ok "$LAPEL" key new "$TMP/keys/author.pem"
sed 's/EL-100/EL-400/; s/"main"/"radio"/; s/image.bin/radio.bin/' "$W/single.json" >"$W/radio.json"
expect_ok "$LAPEL" manifest create "$W/radio.json" "$W/radio.unsigned" --sequence 16
cp "$W/radio.unsigned" "$W/radio.suit"
expect_exit 1 "$LAPEL" manifest create "$W/dependency.json" "$W/no" --sequence 16
expect_match "$OUT" 'radio.suit: is not signed'
expect_ok "$LAPEL" manifest sign "$W/radio.unsigned" "$W/radio.suit" --key "$TMP/keys/author.pem" --replace
make_envelope dependency
run_case dependency dependency EL-400 '{"keys": ["keys/spec_p256.pub.pem", "keys/author.pub.pem"]}'

expect_ok "$LAPEL" manifest run --dry "$W/dependency.one.suit" --procedure validate \
    --vendor-domain example.com --model EL-400 --key $KEYS/spec_p256.pub.pem --key "$TMP/keys/author.pub.pem" \
    --holds "main=$W/main.bin" --holds "radio=$W/radio.bin" --holds "radio-manifest=$W/radio.suit"
expect_match "$OUT" '^  process-dependency 1 begin$'
expect_match "$OUT" '^    image-match 0 ok$'
# the maker's key alone doesn't vouch for the author's manifest
expect_exit 1 "$LAPEL" manifest run --dry "$W/dependency.one.suit" --procedure validate \
    --vendor-domain example.com --model EL-400 --key $KEYS/spec_p256.pub.pem \
    --holds "main=$W/main.bin" --holds "radio=$W/radio.bin" --holds "radio-manifest=$W/radio.suit"

# The seed counts in the test build alone.
export TEST_SEED=1
cp $KEYS/open_device_ecdh.priv.pem "$TMP/keys/"
openssl ec -in $KEYS/open_device_ecdh.priv.pem -pubout -out "$W/device.pub.pem" 2>/dev/null
echo 61616161616161616161616161616161 >"$W/kek.hex"
for content in A128GCM A128CTR; do
    for to in device.pub.pem kek.hex; do
        t=encrypted-${to%%.*}-$content
        begin "encrypted to $to, $content"
        jq ".components[0].encrypt.to = \"$to\" | .components[0].encrypt.content = \"$content\"" \
            "$W/encrypted.json" >"$W/$t.json"
        make_envelope "$t" "$TEST_BIN/interop/lapel_seeded"
        if cmp -s "$W/image.bin" "$W/image.enc"; then flunk "nothing was encrypted"; fi
        if [ "$to" = kek.hex ]; then
            run_case "$t" "$t" EL-600 '{"kek": "61616161616161616161616161616161"}'
        else
            run_case "$t" "$t" EL-600 "{\"ecdh\": \"$TMP/keys/open_device_ecdh.priv.pem\"}"
        fi
        rehearse "$t" EL-600
        expect_eq "$(jq -r .fetch_bytes <<<"$OUT")" "$(stat -c %s "$W/image.enc")"
    done
done

begin "what is installed takes no seed: no ciphertext twice"
expect_ok "$LAPEL" manifest create "$W/encrypted.json" "$W/e.one" --sequence 16 --replace
expect_ok cp "$W/image.enc" "$W/image.enc.one"
expect_ok "$LAPEL" manifest create "$W/encrypted.json" "$W/e.two" --sequence 16 --replace
expect_exit 1 cmp "$W/image.enc" "$W/image.enc.one"
expect_exit 1 cmp "$W/e.one" "$W/e.two"
expect_exit 1 grep -q TEST_SEED "$LAPEL"

begin "the library comes to what the other implementation says"
expect_ok "$BIN/suit-cases" "$TMP/cases"
expect_eq "$(tail -n 1 <<<"$OUT")" "$(ls "$TMP"/cases/*.json | wc -l) passed, 0 failed, 0 skipped"
finish
