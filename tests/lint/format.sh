#!/bin/bash
# Every C file stands as `make format` would write it.
. "$(dirname "$0")/../harness/lint.sh"

# Releases of clang-format differ in details, and one of them has to be the judge.
VERSION=14
have=$(clang-format --version 2>/dev/null | sed -n 's/.*version \([0-9]*\)\..*/\1/p')
if [ "$have" != "$VERSION" ]; then
    skip_rule "format" "clang-format $VERSION is the judge, this is ${have:-none}"
else
    judge "format (make format mends it)" "$(files '*.[ch]' | tr '\n' '\0' |
        xargs -0r clang-format --dry-run -Werror 2>&1 | grep -E '^[^ ]+: error:' |
        sed 's/:[0-9]*: error:.*/: not formatted/' | sort -u -t: -k1,1)"
fi
close_lint
