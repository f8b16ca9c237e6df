#!/bin/bash
# What the documents say exists: targets, programs, files; and their C compiles.
. "$(dirname "$0")/../harness/lint.sh"

documents=$(files '*.md' | grep -vE '^tests/(interop|vectors)/.*/')
targets=$(sed -n 's/^\([a-z][a-z-]*\):.*/\1/p' Makefile 2>/dev/null)
programs=$(cat ./*/module.mk 2>/dev/null | sed -n 's/^\(PROGS\|TEST_TOOLS\) *+= *//p' | tr ' ' '\n' |
    sed 's,.*/,,')

# Lines that a reader would type: those of sh blocks, and `make ...` between backticks.
typed() { # document
    awk -v doc="$1" '
        /^ *```/ { fence = !fence; shell = fence && $0 ~ /```(sh|bash|console)/; next }
        shell { print doc ":" NR ": " $0; next }
        !fence {
            line = $0
            while (match(line, /`[^`]+`/)) {
                print doc ":" NR ": " substr(line, RSTART + 1, RLENGTH - 2)
                line = substr(line, RSTART + RLENGTH)
            }
        }' "$1"
}

unknown_targets() {
    for d in $documents; do typed "$d"; done |
        grep -oE '^[^:]*:[0-9]+: .*\bmake( [A-Z_]+=[^ ]*| -[a-zA-Z0-9]+)* +[a-z][a-z-]*' |
        grep -E ': (\$ |sudo |# )?make |&& make ' | while IFS= read -r line; do
        target=${line##* }
        grep -qx -- "$target" <<<"$targets" || echo "${line%%: *}: no target $target"
    done
}

unknown_programs() {
    for d in $documents; do typed "$d"; done | grep -oE '^[^:]*:[0-9]+: .*' |
        awk '{ where = $1; while (match($0, /build\/bin\/[a-z][a-z0-9-]*/)) {
            print where, substr($0, RSTART + 10, RLENGTH - 10); $0 = substr($0, RSTART + RLENGTH) } }' |
        while read -r where program; do
            grep -qx -- "$program" <<<"$programs" || echo "$where no program $program"
        done
}

dead_links() {
    for d in $documents; do
        awk -v doc="$d" '/^ *```/ { fence = !fence } !fence {
            while (match($0, /\]\([^)#: ]+[)#]/)) {
                print doc ":" NR, substr($0, RSTART + 2, RLENGTH - 3); $0 = substr($0, RSTART + RLENGTH) } }' "$d"
    done | while read -r where link; do
        [ -e "$(dirname "${where%:*}")/$link" ] || echo "$where: no file $link"
    done
}

c_blocks() { # each block of C in the client's README is a file that compiles
    local dir
    dir=$(mktemp -d)
    [ ! -f client/README.md ] || awk -v dir="$dir" '
        /^```c$/ { n++; out = dir "/block" n ".c"; printf "#line %d \"client/README.md\"\n", NR + 1 >out; next }
        /^```/ { out = "" }
        out { print >out }' client/README.md
    for f in "$dir"/*.c; do
        [ ! -f "$f" ] || ${CC:-gcc} -std=c11 -Wall -Wextra -Werror -Imanifests/include -Iclient/include \
            -fsyntax-only "$f" 2>&1 | grep 'error'
    done
    rm -rf "$dir"
}

# A target for people is one that .PHONY lists.
without_help() {
    local helped
    helped=$(awk '/^## / { said = 1; next } said { sub(/:.*/, ""); print } { said = 0 }' Makefile)
    sed -e ':a' -e '/\\$/N; s/\\\n//; ta' Makefile | sed -n 's/^\.PHONY://p' | tr -s ' ' '\n' |
        grep -E '^[a-z]' | grep -vx 'test-programs' | while IFS= read -r target; do
        grep -qx -- "$target" <<<"$helped" || echo "$target"
    done
}

judge "make target in a document" "$(unknown_targets)"
judge "program in a document" "$(unknown_programs)"
judge "link in a document" "$(dead_links)"
judge "C in client/README.md" "$(c_blocks)"
judge "target without help" "$(without_help)"
close_lint
