#!/bin/bash
# Run test programs and scripts, and add up the lines they close with.
#
#   tests/run.sh PROGRAM[@SECONDS]...
#
# Each runs from the project's root, without input, in a session of its own that ends with it,
# for at most SECONDS (a script may say `# timeout: SECONDS`; 120 otherwise). Its last line must be
# `N passed, N failed`, perhaps with `, N skipped` after or `name: ` before it. A program fails
# when a case failed, when it exits other than 0, prints no such line, or ran nothing.
#
#   BUILD  the folder of the variant under test (build)
#   ONLY   run only what has this word in its name
#   RUN_PARALLEL  programs at a time (2)
#   RUN_LOG       where the output is kept (build/log)
#
# Closes with the sum, alone on the last line. Exit 0 only when nothing failed and something passed.
set -u
cd "$(dirname "$0")/.." || exit 1
export BUILD=${BUILD:-build}
log=${RUN_LOG:-build/log}
parallel=${RUN_PARALLEL:-2}
mkdir -p "$log"

passed=0 failed=0 skipped=0
declare -A name_of=() log_of=() start_of=() limit_of=()

limit_in() { # the limit that a script names
    sed -n '1,20s/^# timeout: \([0-9][0-9]*\)$/\1/p' "$1" | head -n 1
}

start() { # program, perhaps with @seconds
    local program=${1%@*} limit=${1##*@} file
    [ "$limit" != "$1" ] || limit=
    case $program in
    *.sh) limit=${limit:-$(limit_in "$program")} ;;
    esac
    limit=${limit:-120}
    file=$log/$(printf '%s' "$program" | tr / .).log
    case $program in
    /*) ;;
    *) program=./$program ;;
    esac
    setsid timeout -k 5 "$limit" "$program" </dev/null >"$file" 2>&1 &
    name_of[$!]=${1%@*} log_of[$!]=$file start_of[$!]=$EPOCHREALTIME limit_of[$!]=$limit
}

show_failure() { # what failed, from the log
    if ! grep -a '^FAIL' "$1" | head -n 40 | sed 's/^/    /' | grep .; then
        tail -n 15 "$1" | sed 's/^/    /'
    fi
    echo "    all of it: $1"
}

finish() { # pid, exit code
    local name=${name_of[$1]} file=${log_of[$1]} last why='' p=0 f=0 s=0 ms
    ms=$(((${EPOCHREALTIME/./} - ${start_of[$1]/./}) / 1000))
    kill -KILL -- "-$1" 2>/dev/null # whatever it left running
    last=$(grep -a . "$file" | tail -n 1)
    if [[ $last =~ ^([a-z0-9-]+:\ )?([0-9]+)\ passed,\ ([0-9]+)\ failed(,\ ([0-9]+)\ skipped)?$ ]]; then
        p=${BASH_REMATCH[2]} f=${BASH_REMATCH[3]} s=${BASH_REMATCH[5]:-0}
        [ $((p + f + s)) -gt 0 ] || why='no case ran'
    else
        why='no closing line'
    fi
    if [ "$2" -eq 124 ] || [ "$2" -eq 137 ]; then
        why="stopped after ${limit_of[$1]} s"
    elif [ "$2" -ne 0 ] && [ "$f" -eq 0 ]; then
        why="exit code $2${why:+, $why}"
    fi
    [ -z "$why" ] || f=$((f + 1))
    passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
    printf '%-4s %-48s %5d passed%s%s  %d.%01d s%s\n' "$([ "$f" -eq 0 ] && echo ok || echo FAIL)" \
        "$name" "$p" "$([ "$f" -eq 0 ] || echo ", $f failed")" \
        "$([ "$s" -eq 0 ] || echo ", $s skipped")" $((ms / 1000)) $((ms % 1000 / 100)) \
        "${why:+  ($why)}"
    [ "$f" -eq 0 ] || show_failure "$file"
    [ "$s" -eq 0 ] || grep -a '^SKIP' "$file" | head -n 20 | sed 's/^/    /'
    unset "name_of[$1]"
}

stop_all() {
    for pid in "${!name_of[@]}"; do kill -KILL -- "-$pid" 2>/dev/null; done
    exit 130
}
trap stop_all INT TERM

reap() {
    local pid code
    wait -n -p pid "${!name_of[@]}"
    code=$?
    finish "$pid" "$code"
}

for program; do
    [[ ${program%@*} == *"${ONLY:-}"* ]] || continue
    while [ "${#name_of[@]}" -ge "$parallel" ]; do reap; done
    start "$program"
done
while [ "${#name_of[@]}" -gt 0 ]; do reap; done

if [ "$skipped" -gt 0 ]; then
    echo "$passed passed, $failed failed, $skipped skipped"
else
    echo "$passed passed, $failed failed"
fi
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
