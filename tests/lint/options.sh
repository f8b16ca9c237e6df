#!/bin/bash
# timeout: 240
# The device side builds with each option of lapel_config.h left out, with all left out, and with
# each alone; what is out of range stops the build; and all of it stands on memcpy, memset and
# memcmp alone, without recursion and with every stack frame bounded.
. "$(dirname "$0")/../harness/lint.sh"
CC=${CC:-gcc}
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
INCLUDES="-Imanifests/include -Iclient/include"
STRICT="-std=c11 -Wall -Wextra -Wconversion -Wshadow -Wundef -Wvla -Werror"

options() { # the names of the switches
    sed -n 's/^#define \(LAPEL_WITH_[A-Z0-9_]*\) .*/\1/p' client/include/lapel_config.h | sort -u
}

builds() { # flags...: each core file compiles, and no call of ours is left open
    local out open
    mkdir -p "$dir/o"
    # shellcheck disable=SC2086 # the flags are meant to be split
    out=$(cd "$dir/o" && rm -f -- *.o && for f in $sources; do
        echo "-c $OLDPWD/$f"
    done | xargs -n 2 -P 2 $CC $STRICT -O0 -I"$OLDPWD/manifests/include" -I"$OLDPWD/client/include" "$@" 2>&1) || {
        grep -m 2 'error' <<<"$out" | sed "s|^|$*: |"
        return
    }
    open=$(nm -g "$dir"/o/*.o | awk '$1 == "U" && $2 ~ /^lapel_/ { want[$2] }
        NF == 3 { have[$3] } END { for (s in want) if (!(s in have)) print s }')
    [ -z "$open" ] || echo "$*: nobody defines" $open
}

refused() { # flag: must not compile
    # shellcheck disable=SC2086
    echo '#include "lapel_config.h"' | $CC $INCLUDES "$1" -x c -fsyntax-only - 2>/dev/null && echo "$1 is taken"
}

sources=$(ls client/core/*.c)
judge "each option left out" "$(for o in $(options); do builds "-D$o=0"; done)"
judge "all left out" "$(builds -DLAPEL_MINIMAL=1)"
judge "each option alone" "$(for o in $(options); do builds -DLAPEL_MINIMAL=1 "-D$o=1"; done)"
judge "out of range stops the build" "$({
    for o in $(options) LAPEL_MINIMAL LAPEL_UNSET_MEANS_ON; do refused "-D$o=2"; done
    for v in IO_MIN=511 IO_MIN=4097 FIRST_CHECK_MS=86400001 PERIOD_MS=29999 PERIOD_MS=604800001 \
        JITTER_PERCENT=51 BACKOFF_MIN_MS=999 BACKOFF_MAX_MS=4999 BACKOFF_MAX_MS=3600001 \
        IDLE_TIMEOUT_MS=999 IDLE_TIMEOUT_MS=600001 BEGINS_PER_DAY=0 BEGINS_PER_DAY=1001 EXCHANGE_MS=9999 EXCHANGE_MS=3600001 TRIALS=0 TRIALS=11 TRIAL_MS=59999 \
        TRIAL_MS=86400001 POSTPONE_BUDGET_MS=2592000001 SUPPORT_URL_SIZE=0 SUPPORT_URL_SIZE=257; do
        refused "-DLAPEL_$v"
    done
    echo '#include "lapel_config.h"' | $CC $INCLUDES -DLAPEL_WITH_SETTINGS=0 -DLAPEL_UNSET_MEANS_ON=0 -x c \
        -fsyntax-only - 2>/dev/null && echo "nobody could ever say yes"
})"

# --- freestanding ----------------------------------------------------------------------------

public() {
    sed -n 's/^[a-z].*[ *]\(lapel_[a-z_]*\)(.*/\1/p' client/include/lapel*.h
}

freestanding() {
    local f objects=
    for f in client/core/*.c manifests/src/*.c; do
        f=${f%.c}
        # shellcheck disable=SC2086
        $CC -std=c11 -Os -ffreestanding -fno-builtin -fno-stack-protector -fcf-protection=none -fno-pie -ffunction-sections \
            -fdata-sections -fcallgraph-info=su $INCLUDES -c "$f.c" -o "$dir/${f//\//_}.o" || echo "$f.c"
        objects="$objects $dir/${f//\//_}.o"
    done
    # What is kept must find all it calls: these three, and nothing else.
    # shellcheck disable=SC2086,SC2046
    echo 'void *memcpy(void *a, const void *b, unsigned long n), *memset(void *a, int c, unsigned long n);
int memcmp(const void *a, const void *b, unsigned long n);
void *memcpy(void *a, const void *b, unsigned long n) { (void)b; (void)n; return a; }
void *memset(void *a, int c, unsigned long n) { (void)c; (void)n; return a; }
int memcmp(const void *a, const void *b, unsigned long n) { return a == b ? (int)n : 1; }' |
        $CC -ffreestanding -fno-stack-protector -fno-pie -nostdlib -static -no-pie -Wl,--gc-sections \
            -Wl,-e,lapel_step $(printf -- '-Wl,-u,%s ' $(public)) -o "$dir/all" $objects -x c - 2>&1 |
        grep -o 'undefined reference to .*' | sort -u
    size "$dir/all" | awk 'NR == 2 && $2 + $3 != 0 { print "writable data: " $2 + $3 " bytes" }'
}

judge "memcpy, memset and memcmp are enough" "$(freestanding)"
judge "no recursion, no unbounded frame" "$(tests/stack.py all -- "$dir"/client_core_*.ci 2>&1 >"$dir/stack")"
close_lint
