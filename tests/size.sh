#!/bin/bash
# Code and data of the device side, per target, against budgets that fail.
#
# Compiles codec and core alone with -Os, without crypto and ports. Of the codec it counts what
# the core calls. Writes build/size.json as {"target": {"name": bytes}} and closes with
# `N passed, N failed`, one for each budget.
set -u
cd "$(dirname "$0")/.." || exit 1
out=build/size
passed=0 failed=0

# target, compiler, flags
TARGETS='
m0plus  arm-none-eabi-gcc  -mcpu=cortex-m0plus -mthumb
m3      arm-none-eabi-gcc  -mcpu=cortex-m3 -mthumb
m33     arm-none-eabi-gcc  -mcpu=cortex-m33 -mthumb
x86_64  gcc                -m64 -fno-pie
'

# target, name, most bytes
BUDGETS='
m33     codec_all  16384
m33     codec_ram  0
m33     core_all   12288
m33     core_ram   0
'

compile() { # target, compiler, flags, sources...: print the objects
    local target=$1 cc=$2 flags=$3 src obj
    shift 3
    for src; do
        obj=$out/$target/${src%.c}.o
        mkdir -p "${obj%/*}"
        # shellcheck disable=SC2086 # the flags are meant to be split
        $cc $flags -std=c11 -Os -ffunction-sections -fdata-sections -Imanifests/include \
            -Iclient/include -c "$src" -o "$obj" || return 1
        echo "$obj"
    done
}

# What a linker keeps of these objects for somebody who calls the roots: "code ram" in bytes.
linked() { # tool prefix, roots (a symbol each), objects...
    local tools=$1 roots=$2 all=$out/linked.o
    shift 2
    if [ -z "$roots" ] || [ $# -eq 0 ]; then
        echo "0 0"
        return
    fi
    # shellcheck disable=SC2046 # a symbol has no blank
    "${tools}ld" -r --gc-sections $(printf -- '-u %s ' $roots) -o "$all" "$@" || return 1
    "${tools}size" "$all" | awk 'NR == 2 { print $1 + $2, $2 + $3 }'
}

measure() { # target, compiler, flags: a line "target name bytes" each
    local tools=${2%gcc} codec core needs codec_size core_size
    codec=$(compile "$1" "$2" "$3" manifests/src/*.c) || return 1
    core=$(compile "$1" "$2" "$3" client/core/*.c) || return 1
    # shellcheck disable=SC2086 # object names have no blank
    {
        needs=$("${tools}nm" -u $core | awk '$2 ~ /^lsuit_/ { print $2 }' | sort -u)
        codec_size=$(linked "$tools" "$needs" $codec) || return 1
        core_size=$(linked "$tools" "$("${tools}nm" -g --defined-only $core | awk 'NF == 3 { print $3 }')" $core) ||
            return 1
    }
    printf '%s %s %s\n' "$1" codec_all "${codec_size% *}" "$1" codec_ram "${codec_size#* }" \
        "$1" core_all "${core_size% *}" "$1" core_ram "${core_size#* }"
}

shopt -s nullglob
mkdir -p "$out"
while read -r target cc flags; do
    [ -z "$target" ] || measure "$target" "$cc" "$flags" || exit 1
done <<<"$TARGETS" >"$out/list"

awk '{ row[$1] = row[$1] (row[$1] ? ", " : "") "\"" $2 "\": " $3; if (!seen[$1]++) order[++n] = $1 }
    END { printf "{"; for (i = 1; i <= n; i++) printf "%s\"%s\": {%s}", (i > 1 ? ", " : ""), order[i], row[order[i]]
        print "}" }' "$out/list" >build/size.json
printf '%-8s %-12s %8d\n' $(cat "$out/list")

while read -r target name most; do
    [ -n "$target" ] || continue
    bytes=$(awk -v t="$target" -v n="$name" '$1 == t && $2 == n { print $3 }' "$out/list")
    case $name:$bytes in *_all:0) bytes= ;; esac # nothing there is nothing measured
    if [ -n "$bytes" ] && [ "$bytes" -le "$most" ]; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "FAIL $target $name: ${bytes:-not measured} bytes, budget $most"
    fi
done <<<"$BUDGETS"
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
