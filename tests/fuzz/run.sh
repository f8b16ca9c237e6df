#!/bin/bash
# Search for inputs that crash, with libFuzzer.
#
#   tests/fuzz/run.sh SECONDS TARGET...    targets are build/fuzz/test/fuzz/fuzz_<noun>
#
# Starts from tests/fuzz/corpus/<noun> and what earlier searches kept in build/fuzz/corpus/<noun>.
# A find lands in build/fuzz/found/<noun>-*: put it into tests/fuzz/corpus/<noun> with the mend.
# Closes with `N passed, N failed`, one per target.
set -u
seconds=$1
shift
passed=0 failed=0

for target; do
    noun=${target##*/fuzz_}
    kept=build/fuzz/corpus/$noun log=build/log/fuzz.$noun.log
    mkdir -p "$kept" build/fuzz/found build/log
    options=(-max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -print_final_stats=1
        -artifact_prefix="build/fuzz/found/$noun-")
    [ ! -f "tests/fuzz/$noun.dict" ] || options+=(-dict="tests/fuzz/$noun.dict")
    if "$target" "${options[@]}" "$kept" "tests/fuzz/corpus/$noun" >"$log" 2>&1 </dev/null; then
        passed=$((passed + 1))
        echo "ok   $noun: $(sed -n 's/^stat::number_of_executed_units: *//p' "$log") inputs tried"
    else
        failed=$((failed + 1))
        echo "FAIL $noun:"
        grep -aE '^(SUMMARY|==[0-9]+== ?ERROR|.*runtime error|artifact_prefix|Test unit)' "$log" | sed 's/^/    /'
        echo "    all of it: $log"
    fi
done
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
