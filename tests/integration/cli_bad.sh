#!/bin/bash
# Bad input to each verb of lapel: an error that names what is wrong, an exit code that is not 0,
# and no file left behind. One line a case.
# timeout: 240
. tests/harness/lib.sh

W=$TMP/work
mkdir -p "$W" "$W/home"
cd "$W" || exit 1
export LAPEL_HOME=$W/home
lapel() { "$BIN/lapel" "$@"; }
that() { hold "$@"; }

lapel key new good.pem >/dev/null
lapel key new other.pem >/dev/null
openssl ecparam -name secp384r1 -genkey -noout -out p384.pem
openssl ec -in good.pem -aes256 -passout pass:x -out locked.pem 2>/dev/null
printf 'image' >image.bin
: >empty
chmod 600 empty
head -c 70000 /dev/zero >big
printf '\xff\xfe' >binary
cat >t.json <<'END'
{"vendor-domain": "example.com", "model": "EL-100", "severity": "security",
 "components": [{"id": ["main"], "payload": "image.bin"}],
 "text": {"en": {"version": "1.0.0"}}}
END
lapel manifest create t.json good.unsigned --sequence 16 >/dev/null
lapel manifest sign good.unsigned good.suit --key good.pem
change() { jq "$2" t.json >"$1"; }
change no-vendor.json 'del(."vendor-domain")'
change case-vendor.json '."vendor-domain" = "Example.com"'
change long-model.json '.model = "m" * 65'
change num-model.json '.model = 5'
change severity.json '.severity = "bad"'
change both.json '.priority = 5'
change unknown.json '.typo = 1'
change no-comp.json '.components = []'
change comp-type.json '.components = [5]'
change many-comp.json '.components = [range(9) | {id: ["c\(.)"], payload: "image.bin"}]'
change same-comp.json '.components += .components'
change no-id.json 'del(.components[0].id)'
change hex-id.json '.components[0].id = [{hex: "0"}]'
change no-payload.json '.components[0].payload = "missing.bin"'
change empty-payload.json '.components[0].payload = "empty"'
change dir-payload.json '.components[0].payload = "."'
change zero-payload.json '.components[0].payload = "/dev/zero"'
change uri.json '.components[0].uri = "http://example.com/x"'
change slots.json '.components[0].slots = [{payload: "image.bin"}]'
change slots-uri.json '.components[0] = {id: ["main"], uri: "#x", slots: [{payload: "image.bin"}, {payload: "image.bin"}]}'
change source-uri.json '.components[0] += {uri: "#x", source: {id: ["s"], payload: "image.bin"}}'
change source-type.json '.components[0].source = 5'
change source-id.json '.components[0].source = {id: ["main"], payload: "image.bin"}'
change source-more.json '.components[0].source = {id: ["s"], payload: "image.bin", slots: []}'
change base.json '.components[0].base = {id: ["b"], payload: "image.bin"}'
change base-uri.json '.components[0] += {source: {id: ["s"], payload: "image.bin"}, base: {id: ["b"], payload: "image.bin", uri: "x"}}'
change enc-alone.json '.components[0].encrypt = {to: "good.pub.pem"}'
enc() { change "$1" ".components[0] += {source: {id: [\"s\"], payload: \"cipher\"}, encrypt: $2}"; }
enc enc-type.json '5'
enc enc-to.json '{}'
enc enc-content.json '{to: "good.pub.pem", content: "ROT13"}'
enc enc-more.json '{to: "good.pub.pem", key: "x"}'
enc enc-key.json '{to: "image.bin"}'
enc enc-p384.json '{to: "p384.pem"}'
enc enc-exists.json '{to: "good.pub.pem"}'
echo kept >cipher
change deps.json '.dependencies = []'
change deps-type.json '.dependencies = [5]'
change deps-no.json '.dependencies = [{id: ["d"]}]'
change deps-bad.json '.dependencies = [{id: ["d"], envelope: "image.bin"}]'
change deps-unsigned.json '.dependencies = [{id: ["d"], envelope: "good.unsigned"}]'
change deps-more.json '.dependencies = [{id: ["d"], envelope: "good.suit", prefix: ["x"]}]'
change no-text.json 'del(.text)'
change no-version.json 'del(.text.en.version)'
change downtime.json '.text.en."downtime-s" = -1'
change disrupts.json '.text.en.disrupts = "yes"'
change advisories.json '.text.en.advisories = "x"'
change seq.json '.sequence = "12x"'
change seq-big.json '.sequence = "9223372036854775808"'
printf '{"model": 1, "model": 2}' >twice.json
printf '[]' >array.json
printf '%s' "$(printf 'A%.0s' $(seq 43))" >home/token
chmod 600 home/token
echo https://127.0.0.1:1 >home/server
printf 'id\n\001x\n' >control.csv
printf 'a\n%s\n' "$(printf 'x%.0s' $(seq 65))" >long.csv
printf '"a","b"\n' >quoted.csv
printf '\xff\n' >latin.csv
printf '#none\n' >none.csv
printf 'a\n' >one.csv
ls >"$TMP/before"

# code | what must be named | command
CASES='
2 | usage:                     |
2 | unknown noun .frob.        | frob
2 | usage: lapel key           | key
2 | unknown verb .frob.        | key frob
2 | only --dry                 | manifest run good.suit
2 | who is the device          | manifest run good.suit --dry
2 | go together                | manifest run good.suit --dry --model EL-100
2 | --vendor-id: x is no UUID  | manifest run good.suit --dry --vendor-id x
2 | --procedure: must be       | manifest run good.suit --dry --procedure x
2 | --holds: x: not ID         | manifest run good.suit --dry --vendor-domain example.com --model EL-100 --holds x
2 | --holds: =x: not ID        | manifest run good.suit --dry --vendor-domain example.com --model EL-100 --holds =x
2 | --holds: 0xz=x: not ID     | manifest run good.suit --dry --vendor-domain example.com --model EL-100 --holds 0xz=x
1 | missing.bin                | manifest run good.suit --dry --vendor-domain example.com --model EL-100 --holds main=missing.bin
1 | condition-failed: class-id | manifest run good.suit --dry --vendor-domain example.com --model EL-101
1 | rollback                   | manifest run good.suit --dry --vendor-domain example.com --model EL-100 --sequence 17
1 | unauthorised               | manifest run good.suit --dry --vendor-domain example.com --model EL-100 --key other.pub.pem
1 | cbor-parse                 | manifest run binary --dry --vendor-domain example.com --model EL-100
2 | argument is missing        | key new
2 | argument is empty          | key new ""
2 | unexpected argument .b.    | key new a b
2 | unknown option --frob      | key new a --frob
2 | not printed                | key new -
1 | nowhere/k.pem              | key new nowhere/k.pem
1 | exists already             | key new good.pem
2 | name too long              | key new LONG
2 | argument is missing        | key show
1 | missing.pem                | key show missing.pem
1 | neither a public nor       | key show binary
1 | longer than 8192           | key show big
1 | not a P-256 key            | key show p384.pem
1 | Is a directory             | key show .
2 | argument is missing        | manifest create t.json
1 | missing.json               | manifest create missing.json out --sequence 16
2 | no sequence number         | manifest create t.json out
2 | --sequence: .x. is not     | manifest create t.json out --sequence x
2 | --sequence: .-1. is not    | manifest create t.json out --sequence -1
2 | --sequence: .99999999999999999999. | manifest create t.json out --sequence 99999999999999999999
2 | --sequence is given twice  | manifest create t.json out --sequence 1 --sequence 2
2 | --sequence needs N         | manifest create t.json out --sequence
2 | --force takes no value     | manifest create t.json out --force=1
2 | at most 2.63-1             | manifest create t.json out --sequence 9223372036854775808
1 | good.suit: exists          | manifest create t.json good.suit --sequence 16
1 | nowhere/out                | manifest create t.json nowhere/out --sequence 16
1 | longer than 65536          | manifest create big out --sequence 16
1 | line 1                     | manifest create binary out --sequence 16
1 | line                       | manifest create empty out --sequence 16
1 | duplicate                  | manifest create twice.json out --sequence 16
1 | must be a JSON object      | manifest create array.json out --sequence 16
1 | vendor-domain: is missing  | manifest create no-vendor.json out --sequence 16
1 | vendor-domain: must be     | manifest create case-vendor.json out --sequence 16
1 | model: is too long         | manifest create long-model.json out --sequence 16
1 | model: must be a string    | manifest create num-model.json out --sequence 16
1 | severity: must be          | manifest create severity.json out --sequence 16
1 | priority: give             | manifest create both.json out --sequence 16
1 | typo: unknown field        | manifest create unknown.json out --sequence 16
1 | components: must be        | manifest create no-comp.json out --sequence 16
1 | components.0.: must be     | manifest create comp-type.json out --sequence 16
1 | components: more           | manifest create many-comp.json out --sequence 16
1 | two components             | manifest create same-comp.json out --sequence 16
1 | components.0..id: must     | manifest create no-id.json out --sequence 16
1 | components.0..id: must     | manifest create hex-id.json out --sequence 16
1 | missing.bin                | manifest create no-payload.json out --sequence 16
1 | empty: is empty            | manifest create empty-payload.json out --sequence 16
1 | no plain file              | manifest create dir-payload.json out --sequence 16
1 | no plain file              | manifest create zero-payload.json out --sequence 16
1 | uri: only ../payloads      | manifest create uri.json out --sequence 16
1 | slots: must be             | manifest create slots.json out --sequence 16
1 | slots: payload, uri        | manifest create slots-uri.json out --sequence 16
1 | components.0..source: is what | manifest create source-uri.json out --sequence 16
1 | components.0..source: must be | manifest create source-type.json out --sequence 16
1 | components.0..source.id: two | manifest create source-id.json out --sequence 16
1 | components.0..source.slots: unknown | manifest create source-more.json out --sequence 16
1 | components.0..base: goes   | manifest create base.json out --sequence 16
1 | components.0..base.uri: unknown | manifest create base-uri.json out --sequence 16
1 | components.0..encrypt: goes | manifest create enc-alone.json out --sequence 16
1 | components.0..encrypt: must be | manifest create enc-type.json out --sequence 16
1 | components.0..encrypt.to: is missing | manifest create enc-to.json out --sequence 16
1 | components.0..encrypt.content: must be | manifest create enc-content.json out --sequence 16
1 | components.0..encrypt.key: unknown | manifest create enc-more.json out --sequence 16
1 | image.bin: neither a P-256 | manifest create enc-key.json out --sequence 16
1 | not a P-256 key            | manifest create enc-p384.json out --sequence 16
1 | cipher: exists             | manifest create enc-exists.json out --sequence 16
2 | --version: main=1: give --holds | manifest run good.suit --dry --vendor-domain example.com --model EL-100 --version main=1
2 | --version: main=x: not ID  | manifest run good.suit --dry --vendor-domain example.com --model EL-100 --holds main=image.bin --version main=x
1 | dependencies: must be      | manifest create deps.json out --sequence 16
1 | dependencies.0.: must be   | manifest create deps-type.json out --sequence 16
1 | dependencies.0..envelope: is missing | manifest create deps-no.json out --sequence 16
1 | envelope: cbor-parse       | manifest create deps-bad.json out --sequence 16
1 | good.unsigned: is not signed | manifest create deps-unsigned.json out --sequence 16
1 | dependencies.0..prefix: unknown | manifest create deps-more.json out --sequence 16
1 | text: is missing           | manifest create no-text.json out --sequence 16
1 | text.en.version: is missing | manifest create no-version.json out --sequence 16
1 | text.en.downtime-s: must   | manifest create downtime.json out --sequence 16
1 | text.en.disrupts: must     | manifest create disrupts.json out --sequence 16
1 | text.en.advisories: must   | manifest create advisories.json out --sequence 16
1 | sequence: must be          | manifest create seq.json out
1 | sequence: is too large     | manifest create seq-big.json out
2 | give one of --key          | manifest sign good.unsigned out
2 | give one of --key          | manifest sign good.unsigned out --key good.pem --tbs-out x
2 | go together                | manifest sign good.unsigned out --signature empty
2 | OUT is missing             | manifest sign good.unsigned --key good.pem
2 | OUT is not written         | manifest sign good.unsigned out --tbs-out x
1 | missing.pem                | manifest sign good.unsigned out --key missing.pem
1 | not a private key          | manifest sign good.unsigned out --key good.pub.pem
1 | not a private key          | manifest sign good.unsigned out --key locked.pem
1 | not a P-256 key            | manifest sign good.unsigned out --key p384.pem
1 | envelope: cbor-parse           | manifest sign t.json out --key good.pem
1 | envelope: cbor-parse           | manifest sign empty out --key good.pem
2 | neither 64 bytes           | manifest sign good.unsigned out --signature image.bin --public-key good.pub.pem
1 | longer than 256            | manifest sign good.unsigned out --signature big --public-key good.pub.pem
1 | signed it already          | manifest sign good.suit out --key good.pem
1 | missing.bin                | manifest sign good.unsigned out --key good.pem --payload missing.bin
1 | installs nothing           | manifest sign good.unsigned out --key good.pem --payload t.json
2 | give --key                 | manifest verify good.suit
2 | --threshold                | manifest verify good.suit --key good.pem --threshold 2
2 | --threshold                | manifest verify good.suit --key good.pem --threshold 0
1 | not signed                 | manifest verify good.unsigned --key good.pem
1 | envelope: cbor-parse           | manifest verify image.bin --key good.pem
1 | missing                    | manifest verify missing --key good.pem
1 | not whole CBOR             | manifest show binary
1 | not whole CBOR             | manifest show empty
2 | not both                   | manifest show good.suit --diag --json
1 | missing                    | manifest show missing
1 | envelope: cbor-parse           | manifest sever image.bin out
1 | good.suit: exists          | manifest sever good.suit good.suit
2 | --product is missing       | checkin make out
2 | --model is missing         | checkin make out --product lamp
2 | --vendor-domain or         | checkin make out --product lamp --model m
2 | --vendor-id: .x. is no UUID | checkin make out --product lamp --model m --vendor-id x
2 | --state: .x. is none       | checkin make out --product lamp --model m --vendor-domain a.b --state x
2 | --digest: must be 64       | checkin make out --product lamp --model m --vendor-domain a.b --digest 00
2 | --attempt: must be 16      | checkin make out --product lamp --model m --vendor-domain a.b --attempt 0
2 | --stage: too large         | checkin make out --product lamp --model m --vendor-domain a.b --stage 4294967296
1 | digest goes with           | checkin make out --product lamp --model m --vendor-domain a.b --sequence 5
2 | --as: .x. is no kind       | checkin show good.suit --as x
1 | document: cbor-parse           | checkin show image.bin
1 | longer than 8192           | checkin show big
1 | missing                    | checkin show missing
2 | unexpected argument        | status x
2 | --server: .x. is no        | status --server x
2 | --server: longer than      | status --server https://LONG
1 | --ca: missing              | status --ca missing
1 | missing                    | status --token-file missing
1 | holds no token             | status --token-file empty
1 | 127.0.0.1                  | status
1 | 127.0.0.1                  | halt
2 | not a number               | halt x
2 | unexpected argument        | halt 1 2
2 | argument is missing        | release publish lamp
1 | missing                    | release publish lamp missing
1 | envelope: cbor-parse           | release publish lamp image.bin
1 | names no payload           | release publish lamp good.suit t.json
2 | argument is missing        | release list
2 | not a number               | release show x
2 | not a number               | release show 0
2 | takes no --reason          | release show 1 --reason x
2 | not a number               | release withdraw 99999999999
2 | not a number               | rollout create x
2 | --wave x: .x. is no        | rollout create 1 --wave x
2 | share is above             | rollout create 1 --wave 101%
2 | share is above             | rollout create 1 --wave nan%
2 | how many                   | rollout create 1 --wave manual
2 | soak is a number           | rollout create 1 --wave 1,soak=1y
2 | share is given twice       | rollout create 1 --wave 10%,20%
2 | not a number               | rollout show -- -1
2 | not a number               | rollout watch x
2 | not a number               | rollout start x
2 | not a number               | rollout pause x
2 | not a number               | rollout resume x
2 | not a number               | rollout halt x
2 | not a number               | rollout abort x
2 | not a number               | rollout advance x
2 | unexpected argument        | rollout list x
2 | ID or --csv                | device add lamp
2 | ID or --csv                | device add lamp a --csv one.csv
2 | needs --out                | device add lamp --csv one.csv
2 | 1 to 64 bytes              | device add lamp LONG
1 | missing.csv                | device add lamp --csv missing.csv --out out
1 | control.csv: line 2        | device add lamp --csv control.csv --out out
1 | long.csv: line 2           | device add lamp --csv long.csv --out out
1 | quoted.csv: line 1         | device add lamp --csv quoted.csv --out out
1 | latin.csv: line 1          | device add lamp --csv latin.csv --out out
1 | no device in it            | device add lamp --csv none.csv --out out
1 | --out: good.pem: exists    | device add lamp --csv one.csv --out good.pem
1 | good.pem: exists           | device add lamp a --out good.pem
1 | 127.0.0.1                  | device add lamp --csv one.csv --out out
1 | 127.0.0.1                  | device add lamp a --out out
2 | argument is missing        | hold add
2 | --where is missing         | hold add lamp --reason x
2 | --reason is missing        | hold add lamp --where hw_revision=B
2 | .B. is no attribute=value  | hold add lamp --where B --reason x
2 | is no attribute=value      | hold add lamp --where hw_revision= --reason x
2 | is no attribute=value      | hold add lamp --where =B --reason x
2 | --release: is no id        | hold add lamp --where hw_revision=B --reason x --release 0
1 | 127.0.0.1                  | hold add lamp --where hw_revision=B --reason x
2 | not a number               | hold remove x
2 | argument is missing        | hold list
1 | 127.0.0.1                  | hold list lamp
2 | argument is missing        | device list
2 | argument is missing        | device show lamp
2 | 1 to 64 bytes              | device show lamp LONG
1 | good.pem: exists           | device rotate lamp a --out good.pem
2 | argument is missing        | device revoke lamp
2 | argument is missing        | device forget lamp
2 | argument is missing        | product set
2 | neither yes nor no         | product set lamp --allow-anonymous maybe
2 | --poll-s: .x. is not       | product set lamp --poll-s x
2 | --model: must not be empty | product set lamp --model ""
2 | argument is missing        | product show
2 | unexpected argument        | product list x
1 | missing                    | token bootstrap missing --server https://127.0.0.1:1
1 | holds no token             | token bootstrap empty --server https://127.0.0.1:1
1 | holds a token already      | token bootstrap home/token --server https://127.0.0.1:1
2 | --role is missing          | token new x
2 | --expires-s                | token new x --role viewer --expires-s 99999999999
1 | good.pem: exists           | token new x --role viewer --out good.pem
2 | not a number               | token revoke x
2 | unexpected argument        | token list x
2 | argument is missing        | site export
1 | 127.0.0.1                  | site export out
2 | unexpected argument        | audit x
'

long=$(printf 'l%.0s' $(seq 5000))
while IFS='|' read -r code named command; do
    code=${code// /} named=$(sed 's/^ *//; s/ *$//' <<<"$named")
    [ -n "$code" ] || continue
    begin "lapel$command"
    eval "set -- ${command//LONG/$long}"
    OUT=$(lapel "$@" 2>&1 </dev/null | tail -c 6000 | head -c 5900)
    got=$(lapel "$@" >/dev/null 2>&1 </dev/null && echo 0 || echo $?)
    expect_eq "$got" "$code" "exit code"
    grep -q -- "$named" <<<"$OUT"
    that $? "'$named' is not named in: ${OUT:0:300}"
done <<<"$CASES"

begin "nothing was left behind"
expect_eq "$(ls)" "$(cat "$TMP/before")"
expect_eq "$(ls -A home | tr '\n' ' ')" "server token "

begin "a full disk is an error"
OUT=$(lapel manifest show good.suit 2>&1 >/dev/full)
expect_eq $? 1
expect_match "$OUT" 'standard output'
finish
