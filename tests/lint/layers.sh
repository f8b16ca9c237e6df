#!/bin/bash
# Who may include whom: the order of the folders, and the one place for each foreign library.
. "$(dirname "$0")/../harness/lint.sh"

# A file under the first prefix may include files under the others. The longest first prefix counts.
# api/ sees one file of http/: the border that says what a request and a reply are.
LAYERS='
manifests/         manifests/
client/include/    client/include/ manifests/include/
client/core/       client/core/ client/include/ manifests/include/
client/ports/      client/ports/ client/include/ manifests/include/
client/examples/   client/ports/ client/include/ manifests/include/
server/base/       server/base/ manifests/include/
server/decide/     server/decide/ server/base/ manifests/include/
server/store/      server/store/ server/base/ manifests/include/
server/artifact/   server/artifact/ server/base/ manifests/include/
server/trust/      server/trust/ server/base/ manifests/include/
server/http/       server/http/ server/base/
server/engine/     server/engine/ server/decide/ server/store/ server/artifact/ server/trust/ server/base/ manifests/include/
server/api/        server/api/ server/web/ server/engine/ server/http/http.h server/base/ manifests/include/
server/web/        server/web/ server/engine/ server/base/ manifests/include/
server/main.c      server/ manifests/include/
tools/             tools/ client/include/ manifests/include/
tools/fleet        tools/ client/include/ client/core/sched.h manifests/include/ server/decide/
tests/             tests/ manifests/ client/ server/ tools/
'

# A foreign header that begins so stands only in files that match one of the expressions.
FOREIGN='
microhttpd.h  ^server/http/ ^tests/
gnutls/       ^server/(http|trust)/(tls|ca)[a-z_]*\.[ch]$ ^tests/
sqlite3.h     ^server/store/ ^tests/
libpq         ^server/store/ ^tests/
cbor.h        ^server/ ^tools/ ^tests/
jansson.h     ^server/ ^tools/ ^client/ports/posix/ ^tests/
ini.h         ^server/base/ ^client/ports/posix/ ^tests/
curl/         ^tools/ ^tests/
psa/          ^manifests/crypto/ ^client/ports/ ^server/trust/ ^server/main\.c$ ^tools/ ^tests/
mbedtls/      ^client/ports/[a-z0-9_]+/tls[a-z0-9_]*\.[ch]$ ^tools/pem\.c$ ^tests/
'

# The codec and the client's core run without an operating system.
FREESTANDING='^(manifests/(include|src)|client/(include|core))/'
FREESTANDING_HEADERS='^(assert|limits|stdalign|stdbool|stddef|stdint|stdnoreturn|string)\.h$'

# Each include as: file line header, with the file of ours that it names, or - when it is foreign.
includes() {
    files '*.[ch]' | awk '
        function exists(path,    line, got) {
            if (!(path in known)) {
                got = (getline line < path)
                close(path)
                known[path] = got >= 0
            }
            return known[path]
        }
        function plain(path) { # without dir/../ and ./
            gsub(/\/\.\//, "/", path)
            while (path ~ /[^\/.]+\/\.\.\//)
                sub(/[^\/.]+\/\.\.\//, "", path)
            return path
        }
        BEGIN {
            n = split("manifests/include/ client/include/ server/ tests/harness/ client/ manifests/ /", roots, " ")
        }
        {
            file = $0
            folder = file
            sub(/[^\/]*$/, "", folder)
            number = 0
            while ((getline line < file) > 0) {
                number++
                if (line !~ /^[ \t]*#[ \t]*include[ \t]*[<"]/)
                    continue
                quoted = line ~ /include[ \t]*"/
                header = line
                sub(/^[^<"]*[<"]/, "", header)
                sub(/[>"].*/, "", header)
                target = ""
                if (quoted && exists(plain(folder header)))
                    target = plain(folder header)
                for (i = 1; i <= n && target == ""; i++) {
                    path = (roots[i] == "/" ? "" : roots[i]) header
                    if (header ~ /\// || quoted || roots[i] ~ /include/)
                        if (exists(path))
                            target = path
                }
                print file, number, header, target == "" ? (quoted ? "?" : "-") : target
            }
            close(file)
        }'
}

ALL=$(includes)

ours() {
    awk -v table="$LAYERS" '
        BEGIN {
            n = split(table, line, "\n")
            for (i = 1; i <= n; i++)
                if (split(line[i], word, " ") > 0)
                    row[word[1]] = line[i]
        }
        $4 == "?" { print $1 ":" $2 ": no such header: " $3; next }
        $4 != "-" {
            best = ""
            for (prefix in row)
                if (index($1, prefix) == 1 && length(prefix) > length(best))
                    best = prefix
            if (best == "") {
                print $1 ":" $2 ": the layer table has no row for this file"
                next
            }
            n = split(row[best], word, " ")
            ok = 0
            for (i = 2; i <= n; i++)
                ok = ok || index($4, word[i]) == 1
            if (!ok)
                print $1 ":" $2 ": " best " may not include " $4
        }' <<<"$ALL"
}

foreign() {
    awk -v table="$FOREIGN" '
        BEGIN {
            n = split(table, line, "\n")
            for (i = 1; i <= n; i++)
                if (split(line[i], word, " ") > 0)
                    row[word[1]] = line[i]
        }
        $4 == "-" {
            for (prefix in row)
                if (index($3, prefix) == 1) {
                    n = split(row[prefix], word, " ")
                    ok = 0
                    for (i = 2; i <= n; i++)
                        ok = ok || $1 ~ word[i]
                    if (!ok)
                        print $1 ":" $2 ": " $3 " may not be included here"
                }
        }' <<<"$ALL"
}

freestanding() {
    awk -v where="$FREESTANDING" -v headers="${FREESTANDING_HEADERS//\\/\\\\}" \
        '$4 == "-" && $1 ~ where && $3 !~ headers { print $1 ":" $2 ": needs " $3 }' <<<"$ALL"
}

sql_outside_the_store() {
    files '*.[ch]' | grep '^server/' | grep -v '^server/store/' | tr '\n' '\0' |
        xargs -0r grep -nE '"(SELECT|INSERT|UPDATE|DELETE FROM|CREATE TABLE|BEGIN|COMMIT) '
}

judge "layers" "$(ours)"
judge "foreign headers" "$(foreign)"
judge "no operating system" "$(freestanding)"
judge "SQL stands in server/store" "$(sql_outside_the_store)"
close_lint
