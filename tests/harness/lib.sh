# shellcheck shell=bash
# Helpers for test scripts in bash: cases, expectations, servers in the background.
#
#     #!/bin/bash
#     # What the script shows, in a sentence.
#     # timeout: 60
#     . tests/harness/lib.sh
#
#     begin "a stranger is refused"
#     expect_exit 1 "$BIN/lapel" status
#     expect_match "$OUT" 'not authorised'
#     finish
#
# A script runs from the project's root. $BIN is where the programs are, $TEST_BIN where those of
# tests/ are, $TMP an empty folder that is removed at the end together with all that was started.
# A case passes when it expected something and all of that came true. A failing expectation
# prints a line and goes on; nothing ends the script early but finish.

set -u
BUILD=${BUILD:-build}
BIN=$PWD/$BUILD/bin
# shellcheck disable=SC2034 # for the scripts
TEST_BIN=$PWD/$BUILD/test
TMP=$(mktemp -d)
OUT=

lib_case='' lib_checks=0 lib_broken=0 lib_passed=0 lib_failed=0 lib_skipped=0
declare -A PID=() # of what `start` started, by name
exec {lib_never}<> <(:) # a read from it waits for its timeout

lib_end() {
    [ -n "$lib_case" ] || return 0
    if [ "$lib_checks" -eq 0 ]; then
        echo "FAIL $lib_case: the case checks nothing"
        lib_broken=1
    fi
    if [ "$lib_broken" -eq 0 ]; then lib_passed=$((lib_passed + 1)); else lib_failed=$((lib_failed + 1)); fi
    lib_case=
}

begin() { # name: start a case
    lib_end
    lib_case=$1 lib_checks=0 lib_broken=0
}

skip() { # reason: the case at work can't run on this machine; leave it with `|| return` or `fi`
    echo "SKIP $lib_case: $1"
    lib_skipped=$((lib_skipped + 1))
    lib_case=
}

hold() { # held? text: one expectation; 0 is held
    [ -n "$lib_case" ] || begin "(no case)"
    lib_checks=$((lib_checks + 1))
    [ "$1" -ne 0 ] || return 0
    lib_broken=$((lib_broken + 1))
    echo "FAIL $lib_case: ${BASH_SOURCE[2]:-$0}:${BASH_LINENO[1]}: $2"
    return 1
}

flunk() { # text: the case fails
    hold 1 "$1"
}

expect_eq() { # got, want, [what]
    [ "$1" = "$2" ]
    hold $? "${3:-got} is '$1', want '$2'"
}

expect_match() { # text, extended regular expression
    grep -Eq -- "$2" <<<"$1"
    hold $? "no /$2/ in: $1"
}

expect_no_match() { # text, extended regular expression
    ! grep -Eq -- "$2" <<<"$1"
    hold $? "there is a /$2/ in: $1"
}

expect_exit() { # code, command...: $OUT is what it printed on both outputs
    local want=$1 code
    shift
    OUT=$("$@" 2>&1 </dev/null)
    code=$?
    [ "$code" -eq "$want" ]
    hold $? "exit code $code, want $want: $* prints: $OUT"
}

expect_ok() { # command...
    local code
    OUT=$("$@" 2>&1 </dev/null)
    code=$?
    hold $code "exit code $code: $* prints: $OUT"
}

start() { # name, command...: in the background, its output in $TMP/name.log
    local name=$1
    shift
    "$@" </dev/null >>"$TMP/$name.log" 2>&1 &
    PID[$name]=$!
}

stop() { # name, [signal]: returns its exit code
    local pid=${PID[$1]}
    unset "PID[$1]"
    kill "-${2:-TERM}" "$pid" 2>/dev/null
    wait "$pid" 2>/dev/null
}

wait_for() { # seconds, command...: until the command succeeds; 1 when it never did
    local end=$((${EPOCHREALTIME%.*} + $1))
    shift
    until "$@" >/dev/null 2>&1; do
        [ "${EPOCHREALTIME%.*}" -lt "$end" ] || return 1
        read -rt 0.02 -u "$lib_never"
    done
    return 0
}

wait_line() { # name, extended regular expression: until what `start` started prints it (20 s)
    wait_for 20 grep -Eq -- "$2" "$TMP/$1.log" && return 0
    flunk "$1 never printed /$2/, but: $(tail -n 5 "$TMP/$1.log")"
}

free_port() { # print a TCP port of the loopback that nobody listens on
    /usr/bin/python3 -c 'import socket
s = socket.socket()
s.bind(("127.0.0.1", 0))
print(s.getsockname()[1])'
}

# A lapeld in the folder at work, which is $TMP: it trusts maker.pem, has the product lamp, and sends
# payloads in clear. `lapel` has its token. `url device` is where it listens.
lamp_server() {
    mkdir trust
    expect_ok lapel key new maker.pem
    cp maker.pub.pem trust/
    cat >lapeld.conf <<EOF
data_dir = $TMP/data
trust_dir = $TMP/trust
ballast = 0
public_url = https://updates.example
[device]
listen = 127.0.0.1:0
tls = off
[operator]
listen = 127.0.0.1:0
tls = on
EOF
    start lapeld lapeld --config lapeld.conf
    wait_for 20 lapeld --config lapeld.conf --probe || flunk "no server: $(tail -n 3 lapeld.log)"
    expect_ok lapel token bootstrap --server "$(url operator)" --ca data/ca.pem data/bootstrap-token
    expect_ok lapel product set lamp --vendor-domain example.com --vendor-name Lamps --model EL-100 \
        --support-end 2036-06 --contact mailto:security@example.com --payload-in-clear yes
}

url() { # device, operator, public: where that lapeld listens
    awk -v n="$1" '$1 == n { print $2 }' "$TMP/data/endpoints"
}

lib_clean() {
    local name
    # waited for with its complaint put away: bash would say "Killed" after the closing line
    for name in "${!PID[@]}"; do
        { kill -KILL "${PID[$name]}" && wait "${PID[$name]}"; } 2>/dev/null
    done
    rm -rf "$TMP"
}
trap lib_clean EXIT

finish() { # print the closing line and end the script
    lib_end
    if [ "$lib_skipped" -gt 0 ]; then
        echo "$lib_passed passed, $lib_failed failed, $lib_skipped skipped"
    else
        echo "$lib_passed passed, $lib_failed failed"
    fi
    [ "$lib_failed" -eq 0 ] && [ $((lib_passed + lib_skipped)) -gt 0 ]
    exit $?
}
