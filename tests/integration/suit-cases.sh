#!/bin/bash
# The SUIT vectors through the library: our copies, disturbed in every way too, and other people's
# where they stand beside the project. Those are read there, never copied.
# timeout: 300
. tests/harness/lib.sh

OWN=tests/interop/vectors
BESIDE=../shared/suit-vectors/open

# Add the cases that a run of suit-cases counted to ours, with its lines.
count() {
    local last
    last=$(tail -n 1 <<<"$OUT")
    grep -E '^(FAIL|SKIP) ' <<<"$OUT"
    if [[ $last =~ ^([0-9]+)\ passed,\ ([0-9]+)\ failed,\ ([0-9]+)\ skipped$ ]]; then
        lib_passed=$((lib_passed + BASH_REMATCH[1]))
        lib_failed=$((lib_failed + BASH_REMATCH[2]))
        lib_skipped=$((lib_skipped + BASH_REMATCH[3]))
    else
        flunk "suit-cases closes with: $last"
    fi
}

begin "wrong use"
expect_exit 2 "$BIN/suit-cases"
expect_exit 2 "$BIN/suit-cases" --sweep
expect_exit 2 "$BIN/suit-cases" --other "$OWN/exec"

begin "a folder without a case is a failure, and so is one that isn't there"
mkdir "$TMP/empty"
expect_exit 1 "$BIN/suit-cases" "$TMP/empty"
expect_match "$OUT" '^0 passed, 1 failed, 0 skipped$'
expect_exit 1 "$BIN/suit-cases" "$TMP/nowhere" "$OWN/exec"

begin "a case that expects something else fails"
mkdir -p "$TMP/wrong/exec"
cp -r "$OWN/keys" "$TMP/wrong/"
cp "$OWN/exec/staged-copy.suit" "$TMP/wrong/exec/"
for change in 's/"fetch 1 ok/"fetch 0 ok/' 's/"result": "ok"/"result": "error"/' \
    's/"level": "must"/"level": "must-reject"/' 's/"814100": "db32/"814100": "db33/' \
    's/"invoked": \[/"invoked": ["814101",/' 's/spec_p256.pub/nobody.pub/' 's/{/[/'; do
    sed "$change" "$OWN/exec/staged-copy.json" >"$TMP/wrong/exec/staged-copy.json"
    expect_exit 1 "$BIN/suit-cases" "$TMP/wrong/exec"
    expect_match "$OUT" '^0 passed, 1 failed, 0 skipped$'
done

# Every must-reject is refused: a case that was accepted would be a failure, skipped or not.
begin "our copies: nothing fails, also with yields, resets and failures everywhere"
expect_exit 0 "$BIN/suit-cases" --sweep "$OWN/exec" "$OWN/negative"
expect_match "$OUT" '^disturbed: [0-9]{4,} yields, [0-9]{4,} resets, [0-9]{3,} failures$'
count

begin "the base set: 66 of 99, and 117 of 120 refused for the right reason"
expect_exit 0 "$BIN/suit-cases" "$OWN/exec"
expect_match "$OUT" '^(6[6-9]|[7-9][0-9]) passed, 0 failed, [0-9]+ skipped$'
expect_exit 0 "$BIN/suit-cases" "$OWN/negative"
expect_match "$OUT" '^1(1[7-9]|20) passed, 0 failed, [0-3] skipped$'

begin "payloads that another program encrypted"
expect_exit 0 "$BIN/suit-cases" "$OWN/encryption-info"
expect_match "$OUT" '^6 passed, 0 failed, 0 skipped$'

if [ -d "$BESIDE" ]; then
    begin "vectors beside the project"
    for folder in "$BESIDE"/*/; do
        folder=${folder%/}
        case $folder in */keys) continue ;; esac
        expect_exit 0 "$BIN/suit-cases" "$folder"
        count
    done
fi
finish
