#!/bin/bash
# No private key, token or password in the tree. Test keys stand in a folder `keys` below tests/,
# marked by the word "test" in the file's name, its first line, or a README.md beside it.
. "$(dirname "$0")/../harness/lint.sh"

# The expressions are written so that they don't find themselves.
PEM='BEGIN ([A-Z0-9]+ )?PRIVATE[ ]KEY'
DER='\x02\x01[\x00\x01](\x04\x20|\x30\x13\x06\x07\x2a\x86\x48\xce\x3d\x02\x01)' # SEC1, PKCS#8
HEX='(307702010104[2]0|0201003013[0]6072a8648ce3d0201)'
JWK='"[d]"[[:space:]]*:[[:space:]]*"[A-Za-z0-9_-]{40,}"'
FOREIGN='(ghp_|github_pat_|glpat-|xox[abp]-|AKIA)[A-Za-z0-9_-]{16,}'
OURS='(^|[^A-Za-z0-9_/+.-])[A-Za-z0-9_-]{43}([^A-Za-z0-9_/+=.-]|$)'
PASSWORD='(password|passwd|secret|token)[a-z_]*"?[[:space:]]*[:=][[:space:]]*"[^"$%<{ ]{12,}"'

search() { # grep flags, expression: the files and lines, without the value itself
    files '*' | tr '\n' '\0' | xargs -0r grep -nH "$1" -- "$2" /dev/null | cut -d: -f1,2
}

is_marked() { # file
    case $1 in
    tests/*/keys/* | tests/keys/*) ;;
    *) return 1 ;;
    esac
    grep -qi test <<<"$(basename "$1")" || head -n 1 "$1" | grep -aqi 'test' ||
        grep -qsi 'test key' "$(dirname "$1")/README.md"
}

unmarked() { # of the findings, those outside the marked test keys
    while IFS= read -r finding; do
        is_marked "${finding%%:*}" || echo "$finding"
    done
}

der_keys() {
    files '*' | tr '\n' '\0' | xargs -0r grep -laP "$DER" -- /dev/null | while IFS= read -r f; do
        is_marked "$f" || echo "$f"
    done
}

# 43 base64url characters are a token of ours when they mix capitals, small letters and digits.
# A table in a test may hold a made-up one.
tokens() {
    files '*' | grep -v '^tests/' | tr '\n' '\0' | xargs -0r grep -nHIoE -- "$OURS" /dev/null |
        awk -F: '$3 ~ /[A-Z]/ && $3 ~ /[a-z]/ && $3 ~ /[0-9]/ { print $1 ":" $2 }'
}

judge "private key (PEM)" "$(search -aE "$PEM" | unmarked)"
judge "private key (DER)" "$(der_keys)"
judge "private key (hex)" "$(search -aiE "$HEX" | unmarked)"
judge "private key (JWK)" "$(search -IE "$JWK" | unmarked)"
judge "token of another service" "$(search -IE "$FOREIGN")"
judge "token of ours" "$(tokens)"
judge "password" "$(files '*' | grep -v '^tests/' | tr '\n' '\0' |
    xargs -0r grep -nHIiE -- "$PASSWORD" /dev/null | cut -d: -f1,2)"
close_lint
