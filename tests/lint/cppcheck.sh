#!/bin/bash
# timeout: 300
# Mistakes that the compilers don't see. A suppression stands on its line, with the reason.
MACROS=$(realpath "$(dirname "$0")/cppcheck.h")
. "$(dirname "$0")/../harness/lint.sh"

# Uninitialised values: the compilers see them, and cppcheck takes a callee that fills its argument
# for a reader. Broken trees: its own trouble with compound literals. The *_r forms: glibc gave
# readdir_r up, and getgrnam is called before there is a thread.
NOT_HERE="--suppress=uninitvar --suppress=legacyUninitvar --suppress=internalAstError
    --suppress=readdirCalled --suppress=getgrnamCalled"

# Each folder with the includes and macros that it is built with.
look() { # include flags, files...
    local includes=$1
    shift
    [ $# -gt 0 ] || return 0
    # shellcheck disable=SC2086 # the includes are meant to be split
    cppcheck --quiet --std=c11 --platform=unix64 --library=posix,gnu --enable=warning,portability \
        --inline-suppr --suppress=missingIncludeSystem --suppress=normalCheckLevelMaxBranches \
        --suppress=checkLevelNormal $NOT_HERE -j "$(nproc)" -D__GNUC__ --include="$MACROS" \
        --template='{file}:{line}: {message} ({id})' --template-location='' $includes "$@" 2>&1
}

in_folder() {
    files '*.c' | grep -E "$1"
}

# shellcheck disable=SC2046 # our file names have no blanks
{
    judge "manifests and client" "$(look '-Imanifests/include -Iclient/include' \
        $(in_folder '^(manifests|client)/'))"
    judge "server" "$(look '-Imanifests/include -Iserver' $(in_folder '^server/'))"
    judge "tools" "$(look '-Imanifests/include -Iclient/include -Iserver' $(in_folder '^tools/'))"
}
close_lint
