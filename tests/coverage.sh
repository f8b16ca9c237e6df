#!/bin/bash
# Run test programs and the SUIT vectors as built with VARIANT=coverage, and print which lines of a
# folder they reached: a line per source file, the sum at the end. Exit 1 below LEAST=95 per cent.
#
#   tests/coverage.sh FOLDER PROGRAM...
set -eu
LEAST=${LEAST:-95}
cd "$(dirname "$0")/.."
folder=$1
shift
find build/coverage -name '*.gcda' -delete
RUN_LOG=build/coverage/log tests/run.sh "$@" || echo "a test failed: what it did not reach is missing below"
build/coverage/bin/suit-cases tests/interop/vectors/exec tests/interop/vectors/negative | tail -n 1
find "build/coverage/obj/$folder" -name '*.gcno' -print0 | sort -z |
    (cd build/coverage && xargs -0r -I{} gcov -n "../../{}") 2>/dev/null |
    awk -v folder="$folder" -v least="$LEAST" '
        /^File / { file = $0; gsub(/^File .|.$/, "", file); next }
        /^Lines executed:/ && index(file, folder) == 1 {
            split($0, part, /[:% ]/)
            lines = $NF
            printf "%6.1f %%  %5d lines  %s\n", part[3], lines, file
            hit += part[3] * lines / 100
            all += lines
        }
        { file = "" }
        END {
            if (all == 0)
                exit 1
            printf "%6.1f %%  %5d lines  all, at least %s %% wanted\n", 100 * hit / all, all, least
            if (100 * hit / all < least)
                exit 1
        }'
