#!/bin/bash
# A header compiles alone: the public ones as C11 and C++17 under strict flags, all others as C.
. "$(dirname "$0")/../harness/lint.sh"
CC=${CC:-gcc} CXX=${CXX:-g++}

STRICT="-Wall -Wextra -Wpedantic -Wconversion -Wundef -Wvla -Werror"
C="-std=c11 $STRICT -Wshadow -Wstrict-prototypes -Wmissing-prototypes"
CPP="-std=c++17 $STRICT -Wold-style-cast"

flags_for() {
    case $1 in
    manifests/include/*) echo "-Imanifests/include" ;;
    client/include/*) echo "-Imanifests/include -Iclient/include" ;;
    *) echo "-D_GNU_SOURCE -Imanifests/include -Iclient/include -Iserver -Itests/harness -Itests/harness/platform -Iclient -Imanifests -I." ;;
    esac
}

# Twice, so that the guard is tested too.
compile() { # compiler, language, flags, header
    local out
    # shellcheck disable=SC2086 # the flags are meant to be split
    out=$(printf '#include "%s"\n#include "%s"\ntypedef int unit;\n' "$4" "$4" |
        $1 -x "$2" $3 $(flags_for "$4") -I. -fsyntax-only - 2>&1) || grep -m 3 'error: ' <<<"$out" ||
        echo "$4 does not compile as $2: $out"
}

public=$(files '*.h' | grep -E '^(manifests|client)/include/')
private=$(files '*.h' | grep -vE '^(manifests|client)/include/' | grep -vE '^client/ports/(template|mcuboot|psa_fwu|mps2)/')

judge "public headers as C11" "$(for h in $public; do compile "$CC" c "$C" "$h"; done)"
judge "public headers as C++17" "$(for h in $public; do compile "$CXX" c++ "$CPP" "$h"; done)"
judge "private headers as C11" \
    "$(for h in $private; do compile "$CC" c "-std=c11 -Wall -Wextra -Werror -Wno-unused-variable" "$h"; done)"
close_lint
