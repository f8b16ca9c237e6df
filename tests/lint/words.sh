#!/bin/bash
# Words that may not stand in the tree: left-over notes, paths of one machine, calls of the heap.
. "$(dirname "$0")/../harness/lint.sh"

NOTES='\b(TO[D]O|FIX[M]E|XX[X]|HAC[K])\b'
PATHS='(^|[^A-Za-z0-9_.$}])/(wor[k]|roo[t]|hom[e]/[a-z][a-z0-9_-]*)/'
HEAP='\b(malloc|calloc|realloc|free|alloca|strdup|strndup|asprintf)[[:space:]]*\('
HOLES='\b(gets|strcpy|strcat|sprintf|vsprintf|strtok|atoi|atol|system|tmpnam|mktemp|rand|srand)[[:space:]]*\('

text() { # expression: where it stands, in any text file
    files '*' | tr '\n' '\0' | xargs -0r grep -nHIE -- "$1" /dev/null
}

code() { # expression, folders: where it stands in C, comments aside
    files '*.[ch]' | grep -E "$2" | tr '\n' '\0' | xargs -0r grep -nHE -- "$1" /dev/null |
        grep -vE '^[^:]*:[0-9]+:[[:space:]]*(/?\*|//)'
}

judge "left-over note" "$(text "$NOTES")"
judge "path of one machine" "$(text "$PATHS")"
judge "heap in codec or core" "$(code "$HEAP" '^(manifests/(include|src|crypto)|client/(include|core))/')"
judge "call that has a safe form" "$(code "$HOLES" '^(manifests|client|server|tools)/')"
judge "tab or blank at a line's end in C" "$(files '*.[ch]' | tr '\n' '\0' |
    xargs -0r grep -nHP '\t|[ \t]$' /dev/null)"
close_lint
