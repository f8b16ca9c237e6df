#!/bin/bash
# timeout: 300
# The tests of the tests: run.sh, check.h and lib.sh see a failure, and so does each lint.
. tests/harness/lib.sh

# --- run.sh: what a program does, what the sum must be, and what must be said.

run_with() { # shell script...: run.sh over programs made of these; $OUT is all that it prints
    local n=0 list=() text
    rm -rf "$TMP/run"
    mkdir -p "$TMP/run"
    for text; do
        n=$((n + 1))
        printf '#!/bin/sh\n%s\n' "$text" >"$TMP/run/p$n.sh"
        chmod +x "$TMP/run/p$n.sh"
        list+=("$TMP/run/p$n.sh")
    done
    OUT=$(RUN_LOG=$TMP/run/log ONLY='' tests/run.sh ${list[@]+"${list[@]}"} 2>&1)
}

sums() { # name, exit code, last line, said, script...
    local want=$2 last=$3 said=$4
    begin "run.sh: $1"
    shift 4
    run_with "$@"
    expect_eq $? "$want" "exit code"
    expect_eq "$(tail -n 1 <<<"$OUT")" "$last" "last line"
    expect_match "$OUT" "$said"
}

sums "two programs add up" 0 "5 passed, 0 failed" 'ok .*p2' 'echo 2 passed, 0 failed' 'echo 3 passed, 0 failed'
sums "a name before the counts" 0 "2 passed, 0 failed" ok 'echo lint-x: 2 passed, 0 failed'
sums "skipped cases are told" 0 "1 passed, 0 failed, 2 skipped" 'SKIP why' 'echo SKIP why; echo 1 passed, 0 failed, 2 skipped'
sums "a failing case" 1 "1 passed, 1 failed" 'FAIL the case' 'echo FAIL the case; echo 1 passed, 1 failed; exit 1'
sums "a failing case that exits 0" 1 "1 passed, 1 failed" 'p1' 'echo 1 passed, 1 failed'
sums "an exit code alone" 1 "3 passed, 1 failed" 'exit code 7' 'echo 3 passed, 0 failed; exit 7'
sums "no closing line" 1 "0 passed, 1 failed" 'no closing line' 'echo hello'
sums "words after the closing line" 1 "0 passed, 1 failed" 'no closing line' 'echo 3 passed, 0 failed; echo bye'
sums "nothing ran in a program" 1 "1 passed, 1 failed" 'no case ran' 'echo 0 passed, 0 failed' 'echo 1 passed, 0 failed'
sums "a crash" 1 "0 passed, 1 failed" 'exit code 139' 'kill -SEGV $$'
sums "no program at all" 1 "0 passed, 0 failed" passed
# shellcheck disable=SC2016 # for the inner shell
sums "time is up" 1 "0 passed, 1 failed" 'stopped after 1 s' '# timeout: 1
exec tail -f /dev/null'

begin "run.sh: what a program leaves running is ended"
run_with "tail -f /dev/null & echo \$! >$TMP/left; echo 1 passed, 0 failed"
expect_ok wait_for 5 eval '! kill -0 "$(cat "$TMP/left")"'

begin "run.sh: an absent program fails"
OUT=$(RUN_LOG=$TMP/run/log ONLY='' tests/run.sh "$TMP/none" 2>&1)
expect_eq $? 1

# --- check.h

check_h() { # name, exit code, last line, said, body
    begin "check.h: $1"
    printf '#include "check.h"\nint main(void)\n{\n%s\nreturn check_done();\n}\n' "$5" >"$TMP/t.c"
    expect_ok "${CC:-gcc}" -std=c11 -Wall -Wextra -Werror -Wno-unused-function -Itests/harness \
        -o "$TMP/t" "$TMP/t.c"
    expect_exit "$2" "$TMP/t"
    expect_eq "$(tail -n 1 <<<"$OUT")" "$3" "last line"
    expect_match "$OUT" "$4"
}

check_h "holds" 0 "2 passed, 0 failed" passed 'check_case("a"); CHECK(1); check_case("b"); CHECK_INT(-1, -1);'
check_h "CHECK" 1 "1 passed, 1 failed" 'FAIL a: .*1 > 2 does not hold' 'check_case("a"); CHECK(1 > 2); CHECK(1); check_case("b"); CHECK(1);'
check_h "CHECK_INT" 1 "0 passed, 1 failed" 'is -3, want 4' 'check_case("a"); CHECK_INT(-3, 4);'
check_h "CHECK_UINT" 1 "0 passed, 1 failed" 'is 18446744073709551615, want 0' 'check_case("a"); CHECK_UINT(UINT64_MAX, 0);'
check_h "CHECK_STR" 1 "0 passed, 1 failed" 'is "\(null\)", want "x"' 'check_case("a"); const char *s = NULL; CHECK_STR(s, "x");'
check_h "CHECK_BYTES" 1 "0 passed, 1 failed" 'want \(2\) 6162' 'check_case("a"); CHECK_BYTES("ax", 2, "ab", 2);'
check_h "a case without a check" 1 "0 passed, 1 failed" 'checks nothing' 'check_case("a");'
check_h "no case" 1 "0 passed, 0 failed" passed ''

# --- lib.sh

lib_sh() { # name, exit code, last line, said, body
    begin "lib.sh: $1"
    printf '. tests/harness/lib.sh\n%s\nfinish\n' "$5" >"$TMP/s.sh"
    expect_exit "$2" bash "$TMP/s.sh"
    expect_eq "$(tail -n 1 <<<"$OUT")" "$3" "last line"
    expect_match "$OUT" "$4"
}

lib_sh "holds" 0 "1 passed, 0 failed" passed 'begin a; expect_eq 1 1; expect_exit 3 sh -c "exit 3"; expect_ok true'
lib_sh "expect_eq" 1 "0 passed, 1 failed" "FAIL a: .*is '1', want '2'" 'begin a; expect_eq 1 2'
lib_sh "expect_exit" 1 "0 passed, 1 failed" 'exit code 0, want 3' 'begin a; expect_exit 3 true'
lib_sh "expect_match" 1 "0 passed, 1 failed" 'no /x/ in' 'begin a; expect_match abc x'
lib_sh "expect_no_match" 1 "0 passed, 1 failed" 'there is' 'begin a; expect_no_match abc b'
lib_sh "a case that expects nothing" 1 "0 passed, 1 failed" 'checks nothing' 'begin a'
lib_sh "a skipped case" 0 "0 passed, 0 failed, 1 skipped" 'SKIP a: why' 'begin a; skip why'
lib_sh "wait_for gives up" 0 "1 passed, 0 failed" passed 'begin a; wait_for 1 false; expect_eq $? 1'

# --- Each lint: a tree in which one thing is wrong.

lint_sees() { # lint, rule that must fail, path, text
    begin "lint-$1: $2: $3"
    rm -rf "$TMP/tree"
    mkdir -p "$TMP/tree/$(dirname "$3")" "$TMP/tree/manifests/include/lsuit" "$TMP/tree/client/core" \
        "$TMP/tree/server/store" "$TMP/tree/server/http" "$TMP/tree/server/decide" "$TMP/tree/server/base"
    touch "$TMP/tree/manifests/include/lsuit/a.h" "$TMP/tree/client/core/b.h" "$TMP/tree/server/base/e.h" \
        "$TMP/tree/server/store/s.h" "$TMP/tree/server/http/http.h" "$TMP/tree/server/decide/d.h"
    # A planted secret is put together here, so that this file holds none.
    printf '%b' "${4//\~/}" >"$TMP/tree/$3"
    expect_exit "${5:-1}" bash "tests/lint/$1.sh" "$TMP/tree"
    if [ "${5:-1}" -eq 1 ]; then
        expect_match "$OUT" "^FAIL $2"
    fi
}

lint_allows() { # lint, path, text
    lint_sees "$1" "allowed" "$2" "$3" 0
}

lint_sees layers "layers" client/core/x.c '#include "base/e.h"\n'
lint_sees layers "layers" server/store/x.c '#include "http/http.h"\n'
lint_sees layers "layers" server/base/x.c '#include "store/s.h"\n'
lint_sees layers "layers" server/decide/x.c '#include "store/s.h"\n'
lint_sees layers "layers" server/api/x.c '#include "store/s.h"\n'
lint_sees layers "layers" server/http/x.c '#include "../store/s.h"\n'
lint_sees layers "layers" manifests/src/x.c '#include "../../client/core/b.h"\n'
lint_sees layers "layers" tools/lapel.c '#include "decide/d.h"\n'
lint_sees layers "layers" tools/x.c '#include "no/such.h"\n'
lint_sees layers "layers" other/x.c '#include "lsuit/a.h"\n'
lint_allows layers tools/fleet.c '#include "decide/d.h"\n#include "lsuit/a.h"\n'
lint_allows layers server/store/x.c '#include "s.h"\n#include "base/e.h"\n#include <sqlite3.h>\n'
lint_allows layers server/main.c '#include "http/http.h"\n#include "store/s.h"\n'
lint_sees layers "foreign headers" server/api/x.c '#include <microhttpd.h>\n'
lint_sees layers "foreign headers" server/engine/x.c '#include <sqlite3.h>\n'
lint_sees layers "foreign headers" server/http/mhd.c '#include <gnutls/gnutls.h>\n'
lint_sees layers "foreign headers" manifests/src/x.c '#include <psa/crypto.h>\n'
lint_sees layers "foreign headers" server/engine/x.c '#include <psa/crypto.h>\n'
lint_sees layers "foreign headers" manifests/crypto/psa.c '#include <mbedtls/sha256.h>\n'
lint_allows layers manifests/crypto/psa.c '#include <psa/crypto.h>\n'
lint_sees layers "no operating system" client/core/x.c '#include <stdio.h>\n'
lint_sees layers "SQL stands" server/engine/x.c 'static const char S[] = "SELECT a FROM b";\n'

lint_sees headers "public headers as C11" manifests/include/lsuit/x.h 'int lsuit_x(size_t n);\n'
lint_sees headers "public headers as C11" client/include/x.h 'int lapel_x();\n'
lint_sees headers "public headers as C.*17" client/include/x.h '#ifndef X\n#define X\nstruct x { int class; };\n#endif\n'
lint_sees headers "private headers" server/base/x.h 'uint8_t *x(void);\n'

lint_sees words "left-over note" a.md 'TO~DO later\n'
lint_sees words "path of one machine" a.md 'see /ro~ot/x\n'
lint_sees words "path of one machine" a.c '/* /hom~e/me/x */\n'
lint_sees words "heap" client/core/x.c 'p = malloc(3);\n'
lint_sees words "call that has" server/base/x.c 'sprintf(a, b);\n'
lint_sees words "tab or blank" a.c 'int a;\t\n'
lint_allows words client/core/x.c '/*\n * No malloc(). mktemp XXXXXX\n */\n'

KEY='-----BEGIN EC PRIV~ATE KEY-----\nMHcCAQEE\n'
lint_sees secrets "private key .PEM" a.pem "$KEY"
lint_sees secrets "private key .PEM" tests/unit/a.pem "$KEY"
lint_sees secrets "private key .PEM" tests/unit/keys/a.pem "$KEY"
lint_sees secrets "private key .PEM" docker/keys/test.pem "$KEY"
lint_allows secrets tests/unit/keys/test_a.pem "$KEY"
lint_sees secrets "private key .DER" a.bin '0w\002\001\001\004 abcdefgh'
lint_sees secrets "private key .hex" a.c '"30770201~010420aa"\n'
lint_sees secrets "private key .JWK" a.json '{"d": "0123456789abcdefghij~0123456789abcdefghijABC"}\n'
lint_sees secrets "token of another" a.md 'ghp_~0123456789abcdefghijABCD\n'
lint_sees secrets "token of ours" docker/a.conf 'token = Ab0123456789abcdef0123456789~ABCDEF012345678\n'
lint_sees secrets "password" docker/a.yaml 'password: "correct~horse1"\n'
lint_allows secrets a.c '"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"\n'

lint_sees tests "a test asserts" tests/unit/test_x.c 'int main(void) { return 0; }\n'
lint_sees tests "a test asserts" tests/integration/x.sh 'true\nfinish\n'
lint_sees tests "a test runs" tests/unit/test_x.c 'CHECK(1); check_done();\n'
lint_sees tests "a test runs" tests/fuzz/fuzz_x.c 'int x;\n'
lint_sees tests "a test runs: tests/unit/test_none: in module.mk" tests/module.mk 'TESTS += \\\n  tests/unit/test_none\n'
lint_sees tests "sleep in a test" tests/integration/y.sh 'sle~ep 1\n'
lint_sees tests "sleep in a test" tests/unit/test_x.c 'usle~ep(10);\n'

lint_sees documents "make target" README.md '`make nonsense`\n'
lint_sees documents "make target" README.md '```sh\n$ make V=1 nonsense\n```\n'
lint_sees documents "program in" README.md '`build/bin/nonsense`\n'
lint_sees documents "link in" README.md 'See [this](none.md).\n'
lint_sees documents "C in" client/README.md '```c\nint x = y;\n```\n'
lint_sees documents "target without" Makefile '.PHONY: a b \\\\\n  c\n## the a\na:\n## the c\nc:\nb:\n'

begin "lint-format: a file not formatted"
mkdir -p "$TMP/format"
cp .clang-format "$TMP/format"
printf 'int x(void) {\nreturn 1; }\n' >"$TMP/format/x.c"
OUT=$(bash tests/lint/format.sh "$TMP/format")
if grep -q SKIP <<<"$OUT"; then
    skip "another clang-format"
else
    expect_match "$OUT" "^FAIL format.*x.c:1: not formatted"
fi

lint_sees cppcheck "server" server/base/x.c '#include <stdlib.h>\nint x(void);\nint x(void)\n{\n    int a[2];\n    a[2] = 1;\n    return a[0];\n}\n'

begin "lint-symbols: writable data and a foreign name"
mkdir -p "$TMP/sym/build/lib"
printf 'int counter = 1;\nstatic int zero;\nint lsuit_ok(void) { return counter++ + zero++; }\n' >"$TMP/sym/x.c"
"${CC:-gcc}" -c "$TMP/sym/x.c" -o "$TMP/sym/x.o" && ar rcs "$TMP/sym/build/lib/liblsuit.a" "$TMP/sym/x.o"
expect_exit 1 bash tests/lint/symbols.sh "$TMP/sym"
expect_match "$OUT" 'counter: exported without the prefix'
expect_match "$OUT" 'counter: writable data'
expect_match "$OUT" 'zero: writable data'
finish
