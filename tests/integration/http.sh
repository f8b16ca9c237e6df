#!/bin/bash
# The listeners on their own: deadlines, limits, ranges, halts, pending requests, proxies.
# timeout: 110
. tests/harness/lib.sh

SERVER=$TEST_BIN/integration/http_stub
CLIENT="/usr/bin/python3 tests/integration/http_client.py"

held() { hold "$@"; } # exit code, what it says about it

serve() { # name, more options...: sets DEVICE, OPERATOR (URLs) and their ports, DATA
    local name=$1
    shift
    DATA=$TMP/$name
    start "$name" "$SERVER" --set data_dir="$DATA" --set device.listen=127.0.0.1:0 \
        --set operator.listen=127.0.0.1:0 --set public.listen=127.0.0.1:0 "$@"
    wait_line "$name" 'public listens' || { tail "$TMP/$name.log"; finish; }
    wait_for 5 test -s "$DATA/endpoints"
    DEVICE=$(sed -n 's/^device //p' "$DATA/endpoints")
    OPERATOR=$(sed -n 's/^operator //p' "$DATA/endpoints")
    DEVICE_PORT=${DEVICE##*:} OPERATOR_PORT=${OPERATOR##*:}
}

get() { # curl's arguments: body in $OUT, status and what -w says in $CODE
    CODE=$(curl -sS --max-time 30 --cacert "$DATA/ca.pem" -o "$TMP/body" -w '%{http_code}' "$@" 2>"$TMP/err")
    OUT=$(head -c 4096 "$TMP/body" 2>/dev/null | tr -d '\0'; cat "$TMP/err")
}

count() { # what: the stub's counter of that name
    curl -sS "$OPERATOR/count" | sed "s/.*\b$1 \([0-9]*\).*/\1/"
}

is_count() { [ "$(count "$1")" = "$2" ]; } # name, value

head -c 3000000 /dev/urandom >"$TMP/file.bin"
truncate -s 50000000 "$TMP/large"

serve plain
cp "$TMP/file.bin" "$DATA/file.bin"

begin "hello in clear and over TLS, and no Server header"
for url in "$DEVICE" "$OPERATOR"; do
    get -D "$TMP/head" "$url/hello"
    expect_eq "$CODE" 200
    expect_eq "$OUT" hello
    expect_no_match "$(cat "$TMP/head")" '^[Ss]erver:'
done

begin "the probe says whether the server is well"
expect_exit 0 "$SERVER" --set data_dir="$DATA" --probe
expect_exit 1 "$SERVER" --set data_dir="$TMP/nowhere" --probe

begin "a second server on the same data folder is refused"
expect_exit 1 "$SERVER" --set data_dir="$DATA" --set device.listen=127.0.0.1:0
expect_match "$OUT" 'in use by another'

begin "a connection lives through a refusal without a body"
CODE=$(curl -sS "$OPERATOR/nothing" "$OPERATOR/hello" -o /dev/null -o /dev/null -w '%{http_code} %{num_connects},')
expect_eq "$CODE" "404 1,200 0,"

begin "a body up to the limit arrives whole"
head -c 4096 /dev/urandom >"$TMP/4096"
get --data-binary "@$TMP/4096" "$OPERATOR/echo"
expect_eq "$CODE" 200
expect_ok cmp "$TMP/4096" "$TMP/body"

begin "a body over the limit is refused before a byte of it is kept"
head -c 4097 /dev/urandom >"$TMP/4097"
get --data-binary "@$TMP/4097" "$OPERATOR/echo"
expect_eq "$CODE" 413
expect_match "$OUT" '"title":"too large"'
truncate -s 104857601 "$TMP/over"
for url in "$DEVICE" "$OPERATOR"; do
    get -T "$TMP/over" -H 'Expect:' "$url/sink"
    expect_eq "$CODE" 413
    get -T "$TMP/over" "$url/sink"
    expect_eq "$CODE" 413
done
expect_eq "$(count sink)" 0

begin "a body where none is allowed is refused"
get -X GET --data-binary x "$OPERATOR/hello"
expect_eq "$CODE" 413

begin "a body without a length is refused"
get -X PUT -H 'Transfer-Encoding: chunked' --data-binary x "$OPERATOR/sink"
expect_eq "$CODE" 411

begin "a refusal at the headers reaches a client that is sending 50 MB"
for url in "$DEVICE" "$OPERATOR"; do
    for expect in 'Expect:' 'Expect: 100-continue'; do
        get -T "$TMP/large" -H "$expect" "$url/denied"
        expect_eq "$CODE" 401 "$url $expect"
        expect_match "$OUT" '"status":401'
    done
done

begin "a large body streams through"
get -T "$TMP/large" "$DEVICE/sink"
expect_eq "$CODE" 200
expect_eq "$(count sink)" 50000000

begin "a header over the limit is refused"
get -H "X: $(head -c 20000 /dev/zero | tr '\0' x)" "$DEVICE/hello"
expect_eq "$CODE" 431

begin "files: whole, part, known, beyond; in clear and over TLS"
for url in "$DEVICE" "$OPERATOR"; do
    get "$url/file"
    expect_eq "$CODE" 200
    expect_ok cmp "$TMP/file.bin" "$TMP/body"
    get -r 1000-2999999 "$url/file"
    expect_eq "$CODE" 206
    expect_ok cmp <(tail -c +1001 "$TMP/file.bin") "$TMP/body"
    get -r -5 "$url/file"
    expect_ok cmp <(tail -c 5 "$TMP/file.bin") "$TMP/body"
    get -r 3000000- "$url/file"
    expect_eq "$CODE" 416
    etag=$(curl -sSI --cacert "$DATA/ca.pem" "$url/file" | tr -d '\r' | sed -n 's/^ETag: //p')
    expect_match "$etag" '^"abcd0{60}"$'
    get -H "If-None-Match: $etag" "$url/file"
    expect_eq "$CODE" 304
    get -r 0-9 -H "If-Range: $etag" "$url/file"
    expect_eq "$CODE" 206
    get -r 0-9 -H 'If-Range: "other"' "$url/file"
    expect_eq "$CODE" 200
done

begin "HEAD says the length and sends no body"
OUT=$(curl -sSI "$OPERATOR/file" | tr -d '\r')
expect_match "$OUT" '^Content-Length: 3000000$'
expect_match "$OUT" '^Accept-Ranges: bytes$'

begin "paths and queries are decoded once"
get "$OPERATOR/path/a%2Fb%20c%25"
expect_eq "$OUT" 'a/b c%'
get "$OPERATOR/path/a%zz"
expect_eq "$CODE" 400
get "$OPERATOR/path/a%00b"
expect_eq "$CODE" 400
get "$OPERATOR/query?x=a%2Fb+c%2525"
expect_eq "$OUT" 'a/b c%25'

begin "nobody is believed about the client's address who isn't a proxy"
get -H 'X-Forwarded-For: 192.0.2.1' -H 'X-Forwarded-Proto: https' "$OPERATOR/source"
expect_eq "$OUT" '::ffff:127.0.0.1 clear'

begin "answers by another thread, many at once"
OUT=$($CLIENT pipeline "$OPERATOR_PORT" 100)
expect_eq "$OUT" '300 answers'

begin "a halt cuts open replies off, in clear and over TLS, and later requests are served"
truncate -s 200000000 "$DATA/file.bin"
OUT=$($CLIENT halt "$OPERATOR_PORT" "$OPERATOR_PORT")
expect_eq "$OUT" 'cut off'
OUT=$($CLIENT halt "$DEVICE_PORT" "$OPERATOR_PORT" "$DATA/ca.pem")
expect_eq "$OUT" 'cut off'
OUT=$($CLIENT halt "$OPERATOR_PORT" "$OPERATOR_PORT" "" /kill-all)
expect_eq "$OUT" 'cut off'
expect_match "$(cat "$TMP/plain.log")" ' 1 replies of release 7 were cut off'
get -r 0-9 "$OPERATOR/file"
expect_eq "$CODE" 206

begin "every request that began was over in the end"
is_over() { # but for the one that asks
    curl -sS "$OPERATOR/count" | awk '{ exit !($6 - $8 == 1 && $6 > 2) }'
}
wait_for 20 is_over
held $? "begun $(count begun), done $(count done)"

begin "a stop answers what is pending, and ends with 0"
for i in 1 2 3 4 5 6 7 8; do
    start "later$i" curl -sS --cacert "$DATA/ca.pem" -d x "$([ $((i % 2)) = 0 ] && echo "$DEVICE" || echo "$OPERATOR")/later"
done
wait_for 20 is_count pending 8
stop plain TERM
expect_eq $? 0 "exit code"
for i in 1 2 3 4 5 6 7 8; do
    wait "${PID[later$i]}"
    expect_eq $? 0 "curl's exit code"
    expect_eq "$(cat "$TMP/later$i.log")" drained
    unset "PID[later$i]"
done
expect_no_match "$(cat "$TMP/plain.log")" 'left pending'
expect_match "$(tail -n 1 "$TMP/plain.log")" 'stopped'

# Short deadlines. A dripping client is never idle, so only a total deadline ends it.
serve strict --set limits.header_timeout=300ms --set limits.body_timeout=300ms \
    --set limits.response_timeout=300ms --set limits.idle_timeout=1s --set limits.min_rate=1GiB \
    --set trusted_proxies='127.0.0.1, 10.0.0.0/8'
truncate -s 200000000 "$DATA/file.bin"

begin "a header that drips is ended at its total deadline"
expect_eq "$($CLIENT header_drip "$OPERATOR_PORT")" closed
begin "so is that of a second request"
expect_eq "$($CLIENT second_header_drip "$OPERATOR_PORT")" closed
begin "a connection that says nothing is ended, in clear and before a TLS handshake"
expect_eq "$($CLIENT silent "$OPERATOR_PORT")" closed
expect_eq "$($CLIENT silent "$DEVICE_PORT")" closed

begin "a body that drips is ended, and its sink told"
expect_eq "$($CLIENT body_drip "$OPERATOR_PORT")" closed
wait_for 20 is_count aborts 1
held $? "aborts: $(count aborts)"

begin "a reply that nobody reads is ended"
coproc STALL { $CLIENT stall "$OPERATOR_PORT" /file; }
read -r OUT <&"${STALL[0]}" # it has asked
wait_for 20 is_over
held $? "begun $(count begun), done $(count done)"
echo >&"${STALL[1]}"
wait "$STALL_PID" 2>/dev/null

begin "a proxy is believed, as far as the list goes"
get -H 'X-Forwarded-For: 192.0.2.1' -H 'X-Forwarded-Proto: https' "$OPERATOR/source"
expect_eq "$OUT" '::ffff:192.0.2.1 tls'
get -H 'X-Forwarded-For: 203.0.113.9, 192.0.2.1, 10.1.2.3' "$OPERATOR/source"
expect_eq "$OUT" '::ffff:192.0.2.1 clear'
get -H 'X-Forwarded-For: 2001:db8::1' "$OPERATOR/source"
expect_eq "$OUT" '2001:db8::1 clear'
get -H 'X-Forwarded-For: nonsense' "$OPERATOR/source"
expect_eq "$OUT" '::ffff:127.0.0.1 clear'
# what the client sent stands before what the proxy added
get -H 'X-Forwarded-For: 127.0.0.1' -H 'X-Forwarded-Proto: https' \
    -H 'X-Forwarded-For: 192.0.2.1' -H 'X-Forwarded-Proto: http' "$OPERATOR/source"
expect_eq "$OUT" '::ffff:192.0.2.1 clear'
stop strict TERM

begin "options: what is wrong is named"
expect_exit 2 "$SERVER" --nonsense
expect_exit 2 "$SERVER" --check extra
expect_exit 2 "$SERVER" --check --version
expect_exit 2 "$SERVER" --restore x
expect_match "$OUT" 'not supported yet'
expect_exit 1 "$SERVER" --config "$TMP/absent" --check
expect_match "$OUT" 'absent: No such file'
printf '[device]\nlisten = 1\n' >"$TMP/bad.conf"
expect_exit 1 "$SERVER" --config "$TMP/bad.conf" --check
expect_match "$OUT" 'device.listen: not host:port: 1'
expect_exit 0 "$SERVER" --version
expect_match "$OUT" '^lapeld [0-9]+\.[0-9]+'
expect_exit 1 "$SERVER" --set data_dir="$TMP/busy" --set operator.listen=127.0.0.1:1 --set device.listen=192.0.2.1:1
expect_match "$OUT" 'listen on'
finish
