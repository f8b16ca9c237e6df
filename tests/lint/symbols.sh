#!/bin/bash
# The libraries export their own prefix only, keep no state, and call nothing of a heap.
. "$(dirname "$0")/../harness/lint.sh"

symbols() { # archive, prefix
    [ -f "$1" ] || return 0
    nm -g --defined-only "$1" | awk -v p="^$2" 'NF == 3 && $3 !~ p { print $3 ": exported without the prefix" }'
    # Constants that hold addresses stand in .data.rel.ro, which is read-only once loaded.
    objdump -t "$1" | awk '/ O / && $0 ~ / (\.data|\.bss|\.tdata|\.tbss|\*COM\*)[^ ]*\t/ &&
        $0 !~ / \.data\.rel\.ro/ { print $NF ": writable data" }'
    nm -u "$1" | awk '$2 ~ /^(malloc|calloc|realloc|free|printf|puts|fopen|abort|exit)$/ { print "calls " $2 }'
}

for pair in liblsuit:lsuit_ liblapel:lapel_; do
    if [ -f "build/lib/${pair%:*}.a" ]; then
        judge "${pair%:*}" "$(symbols "build/lib/${pair%:*}.a" "${pair#*:}")"
    else
        skip_rule "${pair%:*}" "not built"
    fi
done
close_lint
