# shellcheck shell=bash
# What the lints share. A lint is tests/lint/<name>.sh [FOLDER]: it judges the tree in FOLDER (the
# project), prints a line for each finding, and closes with `lint-<name>: N passed, N failed`,
# where N counts rules.

set -u
lint_name=$(basename "$0" .sh)
lint_passed=0 lint_failed=0 lint_skipped=0
cd "${1:-.}" || exit 1
export LC_ALL=C

files() { # pattern...: the tree's files with such a name, without what a build makes
    local args=() p
    for p; do args+=(-o -name "$p"); done
    find . \( -name .git -o -path ./build \) -prune -o -type f \( "${args[@]:1}" \) -print |
        sed 's,^\./,,' | sort
}

judge() { # rule, findings: one rule; each line of the findings is one
    if [ -z "$2" ]; then
        lint_passed=$((lint_passed + 1))
    else
        sed "s|^|FAIL $1: |" <<<"$2"
        lint_failed=$((lint_failed + 1))
    fi
}

skip_rule() { # rule, reason
    echo "SKIP $1: $2"
    lint_skipped=$((lint_skipped + 1))
}

close_lint() {
    local skipped=
    [ "$lint_skipped" -eq 0 ] || skipped=", $lint_skipped skipped"
    echo "lint-$lint_name: $lint_passed passed, $lint_failed failed$skipped"
    [ "$lint_failed" -eq 0 ]
    exit $?
}
