#!/bin/bash
# Envelopes in HTTP bodies that are split at every point: ours, and those beside the project.
# timeout: 300
. tests/harness/lib.sh

splits() { # vectors, fewest cases
    expect_exit 0 "$TEST_BIN/interop/http_splits" "$1"
    expect_match "$(tail -n 1 <<<"$OUT")" '^[0-9]+ passed, 0 failed$'
    [ "$(tail -n 1 <<<"$OUT" | cut -d ' ' -f 1)" -ge "$2" ] || flunk "fewer than $2 envelopes"
}

begin "our vectors"
splits tests/interop/vectors 200

begin "vectors beside the project"
if [ -d ../shared/suit-vectors/open ]; then
    splits ../shared/suit-vectors/open 250
else
    skip "../shared/suit-vectors/open is not there"
fi
finish
