#!/bin/bash
# TLS of the listeners, seen by another library: suites, record sizes, tickets, certificates.
# timeout: 110
. tests/harness/lib.sh

SERVER=$TEST_BIN/integration/http_stub
CLIENT="/usr/bin/python3 tests/integration/http_client.py"
REQUEST='GET /hello HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n'

held() { hold "$@"; } # exit code, what it says about it

serve() { # name, more options...: sets DATA, PORT, CA
    local name=$1
    shift
    DATA=$TMP/$name
    start "$name" "$SERVER" --set data_dir="$DATA" --set device.listen=127.0.0.1:0 \
        --set operator.listen=127.0.0.1:0 --set operator.tls=on "$@"
    wait_line "$name" 'operator listens' || { tail "$TMP/$name.log"; finish; }
    wait_for 5 test -s "$DATA/endpoints"
    PORT=$(sed -n 's/^device .*://p' "$DATA/endpoints")
    CA=$DATA/ca.pem
}

hello() { # s_client's arguments: $OUT is all it prints
    OUT=$(printf "$REQUEST" | timeout 20 openssl s_client -connect "127.0.0.1:$PORT" -CAfile "$CA" \
        -verify_return_error -verify_ip 127.0.0.1 -ign_eof "$@" 2>&1 | tr -d '\0')
}

serial() { # of the certificate that the server shows now
    openssl s_client -connect "127.0.0.1:$PORT" </dev/null 2>/dev/null | openssl x509 -noout -serial
}

make_cert() { # name: a certificate by an authority that isn't the server's
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj "/CN=$1" \
        -addext subjectAltName=IP:127.0.0.1 -keyout "$TMP/$1.key" -out "$TMP/$1.pem" 2>/dev/null
}

# What the certificate of a file says.
text_of() { openssl x509 -in "$1" -noout -text; }
not_after_days() { echo $((($(date -d "$(openssl x509 -in "$1" -noout -enddate | cut -d= -f2)" +%s) - $(date +%s)) / 86400)); }

serve own --set public_url=https://updates.example:8443/x

begin "the first start makes a CA and a certificate, and says where"
expect_match "$(cat "$TMP/own.log")" "made a private CA.*$DATA/ca.pem"
for f in ca.key server.key; do expect_eq "$(stat -c %a "$DATA/$f")" 600 "$f"; done
for f in ca.pem server.pem; do expect_eq "$(stat -c %a "$DATA/$f")" 644 "$f"; done
expect_ok openssl verify -CAfile "$CA" -purpose sslserver "$DATA/server.pem"
expect_match "$(text_of "$CA")" 'CA:TRUE, pathlen:0'
expect_match "$(text_of "$CA")" 'NIST CURVE: P-256'
expect_match "$(text_of "$DATA/server.pem")" 'DNS:updates.example'
expect_match "$(text_of "$DATA/server.pem")" 'IP Address:127.0.0.1'
is_new() { [ "$(not_after_days "$DATA/server.pem")" -ge 395 ]; } # 397, but it began yesterday
is_new
held $? "the certificate ends in $(not_after_days "$DATA/server.pem") days"
[ "$(not_after_days "$CA")" -gt 10900 ]
held $? "the CA ends in $(not_after_days "$CA") days"

begin "a client that knows the CA is served, in TLS 1.2 and 1.3"
for v in tls1_2 tls1_3; do
    hello -$v
    expect_match "$OUT" 'Verify return code: 0'
    expect_match "$OUT" '^hello$'
done

begin "older versions are refused"
for v in tls1 tls1_1; do
    hello -$v -cipher ALL:@SECLEVEL=0
    expect_no_match "$OUT" '^hello$'
done

begin "suites without authenticated encryption or forward secrecy are refused"
for suite in ECDHE-ECDSA-AES128-SHA ECDHE-ECDSA-AES256-SHA384 ECDHE-RSA-AES128-SHA AES128-GCM-SHA256 \
    DHE-RSA-AES128-GCM-SHA256 AES128-SHA NULL-SHA; do
    hello -tls1_2 -cipher "$suite:@SECLEVEL=0"
    expect_no_match "$OUT" '^hello$'
done
for suite in ECDHE-ECDSA-AES128-GCM-SHA256 ECDHE-ECDSA-AES256-GCM-SHA384 ECDHE-ECDSA-CHACHA20-POLY1305; do
    hello -tls1_2 -cipher "$suite"
    expect_match "$OUT" '^hello$'
done

begin "sslscan sees TLS 1.2 and 1.3 with such suites only"
if command -v sslscan >/dev/null; then
    OUT=$(sslscan --no-colour --no-failed "127.0.0.1:$PORT" 2>&1)
    expect_match "$OUT" '^TLSv1.2 +enabled'
    expect_match "$OUT" '^TLSv1.3 +enabled'
    expect_no_match "$OUT" '^(SSLv2|SSLv3|TLSv1.0|TLSv1.1) +enabled'
    expect_no_match "$(grep -E '^(Accepted|Preferred)' <<<"$OUT" | grep -Ev 'GCM|CHACHA20')" .
else
    skip "no sslscan"
fi

# The lengths of all records that came, largest first, without what the record layer adds.
record_sizes() { # overhead
    grep -a -A1 '<<<.*RecordHeader' <<<"$OUT" | sed -n 's/^ *1[67] 03 03 \(..\) \(..\).*/\1\2/p' |
        while read -r hex; do echo $((16#$hex - $1)); done | sort -nr
}

begin "records are no larger than the client asked"
head -c 100000 /dev/urandom >"$DATA/file.bin"
REQUEST=${REQUEST/hello/file}
for size in 512 1024 2048 4096; do
    for v in tls1_2:24 tls1_3:17; do
        hello -${v%:*} -maxfraglen $size -msg
        largest=$(record_sizes "${v#*:}" | head -n 1)
        expect_eq "$largest" $size "largest record, ${v%:*}"
        # Enough of them for the whole file, so the reply was not cut.
        [ $(($(record_sizes "${v#*:}" | grep -c "^$size$") * size)) -gt 94000 ]
        held $? "${v%:*}: not whole with $size, $(record_sizes "${v#*:}" | sort | uniq -c | head -5)"
    done
done
begin "a client that asks for nothing gets large ones"
hello -tls1_2 -msg
[ "$(record_sizes 24 | head -n 1)" -gt 8000 ]
held $? "largest: $(record_sizes 24 | head -n 1)"
REQUEST=${REQUEST/file/hello}

begin "sessions resume by ticket"
for v in tls1_2 tls1_3; do
    hello -$v -sess_out "$TMP/session.$v"
    expect_match "$OUT" '^New, '
    hello -$v -sess_in "$TMP/session.$v"
    expect_match "$OUT" '^Reused, '
    expect_match "$OUT" '^hello$'
done

begin "a restart keeps the CA and the certificate, and opens no old ticket"
sum=$(cat "$DATA"/*.pem "$DATA"/*.key | sha256sum)
stop own
expect_eq $? 0 "exit code"
serve own --set public_url=https://updates.example
expect_eq "$(cat "$DATA"/*.pem "$DATA"/*.key | sha256sum)" "$sum"
hello -tls1_2 -sess_in "$TMP/session.tls1_2"
expect_match "$OUT" '^New, '
expect_match "$OUT" '^hello$'
stop own

begin "another name makes another certificate, by the same CA"
ca=$(sha256sum <"$CA")
serve own --set public_url=https://other.example
expect_match "$(text_of "$DATA/server.pem")" 'DNS:other.example'
expect_eq "$(sha256sum <"$CA")" "$ca"
expect_ok openssl verify -CAfile "$CA" "$DATA/server.pem"
stop own

begin "without the CA's key the certificate stays, and the log says so"
mv "$DATA/ca.key" "$TMP/ca.key.away"
sum=$(sha256sum <"$DATA/server.pem")
serve own --set public_url=https://third.example
expect_eq "$(sha256sum <"$DATA/server.pem")" "$sum"
expect_match "$(cat "$TMP/own.log")" 'should be renewed, but'
stop own
rm "$DATA/server.pem"
expect_exit 1 "$SERVER" --set data_dir="$DATA" --set device.listen=127.0.0.1:0 --set operator.listen=
expect_match "$OUT" 'no ca.key in'

begin "two thirds of its life over, the certificate is made anew"
mv "$TMP/ca.key.away" "$DATA/ca.key"
# A certificate by the own CA that began long ago.
openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=old \
    -keyout "$DATA/server.key" -out "$TMP/old.csr" 2>/dev/null
printf 'subjectAltName=IP:127.0.0.1,DNS:localhost,DNS:third.example' >"$TMP/san"
mkdir -p "$TMP/db"
: >"$TMP/db/index"
echo 'unique_subject = no' >"$TMP/db/index.attr"
printf '[ca]\ndefault_ca=d\n[d]\ndatabase=%s/db/index\nnew_certs_dir=%s/db\nrand_serial=yes\ndefault_md=sha256\npolicy=p\n[p]\ncommonName=supplied\n' \
    "$TMP" "$TMP" >"$TMP/ca.conf"
for ends in +200 +100; do # 200 days before and after now, then 220 and 100
    openssl ca -batch -config "$TMP/ca.conf" -cert "$CA" -keyfile "$DATA/ca.key" -in "$TMP/old.csr" \
        -extfile "$TMP/san" -notext -out "$DATA/server.pem" \
        -startdate "$(date -u -d '-220 days' +%Y%m%d%H%M%SZ)" \
        -enddate "$(date -u -d "$ends days" +%Y%m%d%H%M%SZ)" 2>/dev/null
    sum=$(sha256sum <"$DATA/server.pem")
    serve own --set public_url=https://third.example
    if [ $ends = +200 ]; then
        expect_eq "$(sha256sum <"$DATA/server.pem")" "$sum"
    else
        is_new
        held $? "the certificate ends in $(not_after_days "$DATA/server.pem") days"
    fi
    stop own
done

make_cert first
make_cert second
cp "$TMP/first.pem" "$TMP/maker.pem"
cp "$TMP/first.key" "$TMP/maker.key"
serve maker --set device.cert="$TMP/maker.pem" --set device.key="$TMP/maker.key"
CA=$TMP/first.pem

begin "a maker's certificate is used"
hello
expect_match "$OUT" '^hello$'
expect_eq "$(serial)" "$(openssl x509 -in "$TMP/first.pem" -noout -serial)"

begin "SIGHUP reads it again; a connection lives through it"
coproc ACROSS { $CLIENT across "$PORT" "$CA"; }
exec {from}<&"${ACROSS[0]}" {to}>&"${ACROSS[1]}" # bash forgets them when it ends
read -r OUT <&"$from"
expect_eq "$OUT" hello
cp "$TMP/second.pem" "$TMP/maker.pem"
cp "$TMP/second.key" "$TMP/maker.key"
kill -HUP "${PID[maker]}"
wait_line maker 'read certificates'
expect_eq "$(serial)" "$(openssl x509 -in "$TMP/second.pem" -noout -serial)"
echo >&"$to"
read -r OUT <&"$from"
expect_eq "$OUT" hello

begin "files that don't fit together are refused, and those in use stay"
cp "$TMP/first.key" "$TMP/maker.key"
kill -HUP "${PID[maker]}"
wait_line maker 'is not the key of'
expect_eq "$(serial)" "$(openssl x509 -in "$TMP/second.pem" -noout -serial)"
stop maker
expect_exit 1 "$SERVER" --set data_dir="$TMP/maker" --set device.listen=127.0.0.1:0 --set operator.listen= \
    --set device.cert="$TMP/maker.pem" --set device.key="$TMP/maker.key"
expect_match "$OUT" 'is not the key of'

serve again --set limits.header_timeout=2s
cpu_ticks() { awk '{ print $14 + $15 }' "/proc/${PID[again]}/stat"; }

begin "handshakes that stall are ended at their deadline, and cost nothing meanwhile"
before=$(cpu_ticks)
for i in 1 2 3 4; do start "half$i" $CLIENT half_greeting "$PORT"; done
for i in 1 2 3 4; do
    wait "${PID[half$i]}"
    expect_eq "$(tail -n 1 "$TMP/half$i.log")" closed
    unset "PID[half$i]"
done
used=$(($(cpu_ticks) - before)) # libmicrohttpd alone takes all of a core for the 2 seconds
[ "$used" -lt $(($(getconf CLK_TCK) / 2)) ]
held $? "they took $used ticks of CPU"

begin "a stop ends handshakes that stall"
start half $CLIENT half_greeting "$PORT"
wait_line half 'asked'
stop again
expect_eq $? 0 "exit code"
wait "${PID[half]}"
unset "PID[half]"

serve again
begin "the probe works over TLS too"
expect_exit 0 "$SERVER" --set data_dir="$DATA" --probe
stop again
finish
