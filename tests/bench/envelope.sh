#!/bin/bash
# Instructions for checking an envelope and running it dry, signature and hash left out: prints
# "INSTRUCTIONS BYTES", the latter being what would have been hashed. Counted twice; fails when the
# counts differ.
#
#   tests/bench/envelope.sh FILE
cd "$(dirname "$0")/../.." || exit 1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

count() { # file
    local bytes
    bytes=$(valgrind --tool=callgrind --callgrind-out-file="$work/out" --log-file="$work/log" \
        --toggle-collect=measured "${BUILD:-build}/test/bench/envelope" "$1") || {
        cat "$work/log" >&2
        return 1
    }
    echo "$(sed -n 's/.*Collected : *\([0-9]*\)$/\1/p' "$work/log") $bytes"
}
first=$(count "$1") && second=$(count "$1") || exit 1
if [ "$first" != "$second" ] || [ "${first%% *}" -eq 0 ]; then
    echo "envelope: counted $first, then $second" >&2
    exit 1
fi
echo "$first"
