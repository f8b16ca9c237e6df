#!/bin/bash
# Code and data of the device side, per target, against budgets that fail.
#
# Compiles codec and core with -Os, without crypto and ports, and counts what a linker keeps: of the
# core what its public functions need, or for core_minimal and image_minimal (LAPEL_MINIMAL=1,
# LSUIT_BASE=1) what lapel_init and lapel_step need. codec_base and codec_all are SUIT alone, without
# lapel's own documents: an envelope from its first byte to its last command, with LSUIT_BASE=1 and
# with everything; codec_stack is the deepest of those calls. `boot_verifier` is lapel_boot_verify
# and what it needs of the codec; `context` is sizeof(struct lapel); `stack` is the deepest of any
# public function by the compiler's call graph, codec included. Writes build/size.json as
# {"target": {"name": bytes}} and closes with
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
rv32    riscv64-unknown-elf-gcc  -march=rv32imac -mabi=ilp32 -ffreestanding -isystem tests/harness/freestanding
x86_64  gcc                -m64 -fno-pie
'

# target, name, most bytes
BUDGETS='
m33     codec_base     9216
m33     codec_all      16384
m33     codec_stack    1024
m33     codec_ram      0
m33     core_minimal   8192
m33     core_all       12288
m33     core_ram       0
m33     image_minimal  17408
m33     image_all      28672
m33     boot_verifier  8192
m33     context        1536
m33     stack          2048
'

compile() { # folder, compiler, flags, sources...: print the objects
    local dir=$out/$1 cc=$2 flags=$3 src obj
    shift 3
    for src; do
        obj=$dir/${src%.c}.o
        mkdir -p "${obj%/*}"
        # shellcheck disable=SC2086 # the flags are meant to be split
        $cc $flags -std=c11 -Os -ffunction-sections -fdata-sections -fcallgraph-info=su -DLSUIT_NO_TEXT \
            -Imanifests/include -Iclient/include -c "$src" -o "$obj" || return 1
        echo "$obj"
    done
}

# What a linker keeps of these objects for somebody who calls the roots: "code ram" in bytes.
linked() { # compiler, flags, roots (a symbol each), objects...
    local cc=$1 flags=$2 roots=$3 all=$out/linked.o
    shift 3
    if [ -z "$roots" ] || [ $# -eq 0 ]; then
        echo "0 0"
        return
    fi
    # shellcheck disable=SC2046,SC2086 # a symbol has no blank, the flags are meant to be split
    $cc $flags -nostdlib -r -Wl,--gc-sections $(printf -- '-Wl,-u,%s ' $roots) -o "$all" "$@" || return 1
    "${cc%gcc}size" "$all" | awk 'NR == 2 { print $1 + $2, $2 + $3 }'
}

# What a SUIT processor is called by, and what the parts beyond the base set add.
SUIT='lsuit_envelope_read lsuit_envelope_verify lsuit_manifest_read lsuit_manifest_check
    lsuit_run_init lsuit_run_start lsuit_run_step lsuit_run_abort'
SUIT_MORE='lsuit_run_dependencies lsuit_decrypt_open lsuit_decrypt_update lsuit_decrypt_finish
    lsuit_decrypt_abort lsuit_suit_report_of lsuit_suit_report_write'

public() { # the functions that lapel.h offers
    sed -n 's/^[a-z].*[ *]\(lapel_[a-z_]*\)(.*/\1/p' client/include/lapel.h client/include/lapel_verify.h
}

context() { # tool prefix, compiler, flags: sizeof(struct lapel)
    local obj=$out/context.o
    # shellcheck disable=SC2086
    echo '#include "lapel_context.h"
char size[sizeof(struct lapel)];' | $2 $3 -std=c11 -Imanifests/include -Iclient/include -x c -c - -o "$obj" &&
        echo $((0x$("${1}nm" -S "$obj" | awk '$4 == "size" { print $2 }')))
}

measure() { # target, compiler, flags: a line "target name bytes" each
    local tools=${2%gcc} codec core least codec_base codec_size codec_stack core_size small image
    local small_image verifier stack
    codec=$(compile "$1" "$2" "$3" manifests/src/*.c) || return 1
    core=$(compile "$1" "$2" "$3" client/core/*.c) || return 1
    least=$(compile "$1/minimal" "$2" "$3 -DLAPEL_MINIMAL=1 -DLSUIT_BASE=1" client/core/*.c manifests/src/*.c) ||
        return 1
    # shellcheck disable=SC2086 # object names have no blank
    {
        codec_base=$(linked "$2" "$3" "$SUIT" $(grep manifests/src <<<"$least")) || return 1
        codec_size=$(linked "$2" "$3" "$SUIT $SUIT_MORE" $codec) || return 1
        codec_stack=$(tests/stack.py $SUIT $SUIT_MORE -- $(printf '%s\n' $codec | sed 's/o$/ci/')) || return 1
        core_size=$(linked "$2" "$3" "$(public)" $core) || return 1
        image=$(linked "$2" "$3" "$(public)" $core $codec) || return 1
        small=$(linked "$2" "$3" "lapel_init lapel_step" $(grep client/core <<<"$least")) || return 1
        verifier=$(linked "$2" "$3" lapel_boot_verify $least) || return 1
        small_image=$(linked "$2" "$3" "lapel_init lapel_step" $least) || return 1
        stack=$(tests/stack.py $(public) -- $(printf '%s\n' $core $codec | sed 's/o$/ci/')) || return 1
    }
    printf "$1 %s %s\n" codec_base "${codec_base% *}" codec_all "${codec_size% *}" \
        codec_stack "$(sort -n <<<"$codec_stack" | tail -n 1 | cut -d' ' -f1)" codec_ram "${codec_size#* }" \
        core_minimal "${small% *}" core_all "${core_size% *}" core_ram "${core_size#* }" \
        image_minimal "${small_image% *}" image_all "${image% *}" \
        boot_verifier "${verifier% *}" context "$(context "$tools" "$2" "$3")" \
        stack "$(sort -n <<<"$stack" | tail -n 1 | cut -d' ' -f1)"
    echo "$1 deepest of the codec: $(sort -n <<<"$codec_stack" | tail -n 1)" >&2
    echo "$1 deepest: $(sort -n <<<"$stack" | tail -n 1)" >&2
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
