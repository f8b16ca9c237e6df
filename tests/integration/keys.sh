#!/bin/bash
# The key process of manifests/KEYS.md, word by word, on a real server.
# timeout: 120
. tests/harness/lib.sh

export LAPEL_HOME=$TMP/operator PATH=$BIN:$PATH
DOCUMENT=$PWD/manifests/KEYS.md

# The shell blocks of one section, joined.
commands() { # number or word that the heading begins with
    awk -v want="$1" '/^## / { here = index($2, want) == 1 } !here { next }
        /^```/ { code = /^```sh/; next } code' "$DOCUMENT"
}

# Each command is seen: its first failure ends the section. `! command` must fail.
rehearse() { # section
    begin "section $1"
    commands "$1" >"$TMP/section"
    [ -s "$TMP/section" ]
    hold $? "no commands in the document"
    {
        echo 'set -Ee; trap '\''echo "failed: $BASH_COMMAND"'\'' ERR'
        # bash doesn't count a negated command as failed: say it so that it does
        sed 's/^! \(.*\)$/if \1; then echo "must fail: \1"; exit 1; fi/' "$TMP/section"
    } >"$TMP/script"
    expect_ok bash "$TMP/script"
}

version_is() { # number of the newest set on the server
    expect_eq "$(lapel trust list --json | jq '.trust | map(.version) | max')" "$1" "newest version"
}

begin "three places, and a server"
mkdir -p "$TMP/work"/{offline,build,server} "$TMP/anchors"
cd "$TMP/work" || exit 1
start lapeld "$BIN/lapeld" --set "data_dir=$TMP/data" --set "trust_dir=$TMP/anchors" \
    --set device.listen=127.0.0.1:0 --set operator.listen=127.0.0.1:0 --set public_url=https://localhost
wait_for 20 test -s "$TMP/data/endpoints"
hold $? "no server: $(tail -n 3 "$TMP/lapeld.log")" || finish
cp "$TMP/data/ca.pem" server/
expect_ok lapel token bootstrap --server "$(awk '$1 == "operator" { print $2 }' "$TMP/data/endpoints")" \
    "$TMP/data/bootstrap-token"
expect_ok lapel product set lamp --vendor-domain lamp.example --vendor-name Lamps --model LX-100 \
    --support-end 2036-06 --contact mailto:security@lamp.example

rehearse 1.
version_is 1
expect_exit 1 lapel trust verify offline/t1.1
expect_match "$OUT" 'threshold'

begin "a release by the first release key"
head -c 5000 /dev/urandom >build/image-1.bin
cat >build/v1.json <<END
{ "vendor-domain": "lamp.example", "model": "LX-100", "severity": "security",
  "components": [ { "id": ["main"], "payload": "image-1.bin" } ],
  "text": { "en": { "version": "1.0.0", "changes": "All." } } }
END
expect_ok lapel manifest create build/v1.json build/v1.unsigned --sequence 16
expect_ok lapel manifest sign build/v1.unsigned build/v1.suit --key build/release1.pem
expect_ok lapel release publish lamp build/v1.suit build/image-1.bin

for section in 2. 3. 4. 5. 6. 7.; do
    rehearse "$section"
    version_is "${section%.}"
done
rehearse Each

begin "what the sets say in the end"
expect_ok lapel trust show --json desk/t7.trust
expect_eq "$(jq -c '[.roles[] | [.role, .threshold, (.keys | length)]]' <<<"$OUT")" \
    '[["root",2,3],["release",1,1],["online",1,2]]'
expect_eq "$(jq -c '[.urls, (.anchors | map(.use))]' <<<"$OUT")" \
    '[["https://new.lamp.example","https://updates.lamp.example"],["current","next"]]'

begin "every command of the document was typed"
expect_eq "$(for s in 1. 2. 3. 4. 5. 6. 7. Each; do commands "$s"; done | wc -l)" \
    "$(awk '/^```/ { code = /^```sh/; next } code' "$DOCUMENT" | wc -l)"
finish
