#!/bin/bash
# Every SUIT case of the tree through the library, and each that is executed disturbed in every way:
# a yield in each operation, a reset after each step, a failure of each operation.
. tests/harness/lib.sh
V=tests/interop/vectors

begin "the vectors"
"$BIN/suit-cases" $V/exec $V/negative $V/encryption-info >"$TMP/plain.log"
expect_match "$(grep -v '^SKIP.*needs Ed25519' "$TMP/plain.log")" '^[0-9]* passed, 0 failed, [01] skipped$'

begin "the vectors, disturbed"
timeout 300 "$BIN/suit-cases" --sweep $V/exec >"$TMP/sweep.log"
expect_match "$(tail -n 1 "$TMP/sweep.log")" ' passed, 0 failed, '
finish
