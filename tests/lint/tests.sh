#!/bin/bash
# Tests that can fail, and do run.
. "$(dirname "$0")/../harness/lint.sh"

SLEEP='\b(usleep|nanosleep|clock_nanosleep|thrd_sleep|sleep)[[:space:]]*\(|(^|[;&|[:space:]])sleep[[:space:]]+[0-9$]'

unit_tests=$(files 'test_*.c' | grep '^tests/')
stories=$(files '*.sh' | grep -E '^tests/(contract|integration|powerloss|interop|lint)/')
targets=$(files 'fuzz_*.c' | grep '^tests/fuzz/')

asserts_nothing() {
    for f in $unit_tests; do
        grep -qE '\b(CHECK(_[A-Z]+)?|check_(int|uint|str|bytes|that)|assert_[a-z_]+)[[:space:]]*\(' "$f" ||
            echo "$f: no assertion"
        grep -qE '\b(check_done|cmocka_run_group_tests)' "$f" || echo "$f: no closing line"
    done
    for f in $(grep -E '^tests/(contract|integration)/' <<<"$stories"); do
        # A story in Python counts by itself (lapel_test.py).
        python=$(sed -n 's|^exec /usr/bin/python3 \(tests/[a-z_/]*\.py\).*|\1|p' "$f")
        if [ -n "$python" ]; then
            grep -qE '\bT\.(check|equal)\(' "$python" || echo "$python: no expectation"
            tail -n 1 "$python" | grep -qx 'T.end()' || echo "$python: does not close with T.end()"
            continue
        fi
        grep -qE '^[[:space:]]*(expect_[a-z_]+|wait_line|flunk)\b|\bexpect_[a-z_]+ ' "$f" || echo "$f: no expectation"
        tail -n 3 "$f" | grep -qE '^finish$' || echo "$f: does not close with finish"
    done
}

# What the module.mk files list, as make reads them: `in` all of it, `no` what has no source. make
# leaves the latter out, so that a folder can be built before it is whole.
listed() { # in|no
    printf '%s\n' 'include $(sort $(wildcard */module.mk))' \
        'in := $(TESTS) $(SLOW_TESTS) $(FUZZ) $(TEST_TOOLS)' \
        'no := $(foreach x,$(in),$(if $(or $(SRC.$(x)),$(wildcard $(x).c)),,$(x)))' \
        "print: ; @printf '%s\\n' \$($1)" | make -sf - print 2>/dev/null
}

never_runs() {
    local in
    in=$(listed in)
    for f in $unit_tests $targets; do
        grep -qxF -- "${f%.c}" <<<"$in" || echo "$f: in no module.mk"
    done
    for name in $(listed no); do
        echo "$name: in module.mk, but has no source"
    done
    for f in $stories; do
        [ -x "$f" ] || echo "$f: not executable"
    done
    for f in $targets; do
        noun=${f##*/fuzz_}
        [ -n "$(ls "tests/fuzz/corpus/${noun%.c}" 2>/dev/null)" ] || echo "$f: no corpus"
    done
}

judge "a test asserts" "$(asserts_nothing)"
judge "a test runs" "$(never_runs)"
judge "sleep in a test" "$(files '*.c' '*.h' '*.sh' '*.py' | grep '^tests/' |
    grep -v '^tests/lint/' | tr '\n' '\0' | xargs -0r grep -nHE -- "$SLEEP" /dev/null |
    grep -vE '^[^:]*:[0-9]+:[[:space:]]*(#|/?\*|//)')"
close_lint
