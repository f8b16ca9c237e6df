#!/bin/bash
# Which server lapel-agent believes: by authority, by pinned key, with a clock and without one
# (provisions 5.5-1, 5.5-7). The token never reaches another one.
# timeout: 120
. tests/harness/lib.sh

AGENT=$BIN/lapel-agent
CLOCK=$TEST_BIN/integration/fake_clock.so
cd "$TMP" || exit 1

cat >peer.py <<'EOF'
"""HTTPS that answers each request with 503: what it printed shows whether a token came."""
import socket, ssl, sys
server = socket.create_server(("127.0.0.1", 0))
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(sys.argv[1], sys.argv[2])
print("port", server.getsockname()[1], flush=True)
while True:
    try:
        with context.wrap_socket(server.accept()[0], server_side=True) as peer:
            print("request", peer.recv(4096), flush=True)
            peer.sendall(b"HTTP/1.1 503 Later\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
    except OSError as e:
        print("error", e, flush=True)
EOF

# --- One authority, and certificates of several lives.

day=86400
now=$(date +%s)
stamp() { date -u -d "@$1" +%Y%m%d%H%M%SZ; }
mkdir ca && : >ca/index && echo 01 >ca/serial
cat >ca.conf <<EOF
[ca]
default_ca = here
[here]
database = ca/index
serial = ca/serial
new_certs_dir = ca
default_md = sha256
policy = any
unique_subject = no
[any]
commonName = supplied
[root]
basicConstraints = critical, CA:true
[server]
subjectAltName = DNS:localhost
EOF
key() { # name: name.key, and name.csr for it
    openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj "/CN=$1" -keyout "$1.key" \
        -out "$1.csr" 2>/dev/null
}
certificate() { # name, extensions, begin, end (seconds since 1970), more options: name.pem
    openssl ca -batch -notext -config ca.conf -extensions "$2" -keyfile ca.key -in "$1.csr" -out "$1.pem" \
        -startdate "$(stamp "$3")" -enddate "$(stamp "$4")" "${@:5}" 2>/dev/null
    hold $? "no certificate $1"
}
pin() { openssl x509 -in "$1.pem" -pubkey -noout | openssl pkey -pubin -outform DER | sha256sum | cut -c1-64; }

begin "certificates for the test"
expect_ok "$BIN/lapel" key new maker.pem
for name in ca good ended late; do key $name; done
certificate ca root 0 $((now + 9000 * day)) -selfsign
certificate good server $((now - day)) $((now + 900 * day)) -cert ca.pem
certificate ended server $((now - 20 * day)) $((now - 10 * day)) -cert ca.pem
certificate late server $((now + 300 * day)) $((now + 900 * day)) -cert ca.pem
expect_ok openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj /CN=elsewhere \
    -days 30 -keyout other.key -out other.pem

(umask 077 && printf '0123456789012345678901234567890123456789_-A' >token)
cat >conf <<EOF
product = lamp
model = EL-100
device_id = a
token_file = $TMP/token
release_keys = $TMP/maker.pub.pem
vendor_domain = example.com
state_dir = $TMP/state
EOF

serve() { # certificate
    rm -f tls.log
    start tls /usr/bin/python3 peer.py "$1.pem" "$1.key"
    wait_line tls '^port [0-9]+$'
    PORT=$(sed -n 's/^port //p' tls.log)
}
check() { # clock ("" the machine's), more options
    local -a clock=()
    [ -z "$1" ] || clock=(env "FAKE_CLOCK=$1" "LD_PRELOAD=$CLOCK")
    OUT=$(timeout 60 "${clock[@]}" "$AGENT" -c conf --server="https://localhost:$PORT" "${@:2}" check 2>&1)
}
believed() { # case, certificate, clock, options...
    begin "believed: $1"
    serve "$2"
    check "${@:3}"
    wait_line tls '^request.*Authorization: Bearer'
    expect_no_match "$OUT" 'net-trust'
    stop tls
}
refused() { # case, certificate, clock, options...
    begin "refused: $1"
    serve "$2"
    check "${@:3}"
    expect_match "$OUT" 'net-trust host=localhost'
    wait_line tls '^error'
    expect_no_match "$(cat tls.log)" '^request'
    stop tls
}

CA=--ca-file=$TMP/ca.pem
believed "a certificate of the authority" good "" "$CA"
refused "one of nobody's" other "" "$CA"
refused "one that has ended" ended "" "$CA"
refused "one that has not begun" late "" "$CA"

# A device without a battery: 1970, until somebody sets the clock.
believed "no clock: the certificate begins later than 1970" good 100000 "$CA"
refused "no clock: it ended before the agent was built" ended 100000 "$CA"
believed "no clock: it begins later than the agent was built, which proves nothing" late 100000 "$CA"
refused "no clock: still nobody's" other 100000 "$CA"
refused "a clock that is far ahead" good $((now + 5000 * day)) "$CA"

# Nor does it know what day it is, until a server's signed statement says so.
serve_lapeld() { # more settings...
    start lapeld "$BIN/lapeld" --set data_dir="$TMP/data" --set trust_dir="$TMP/trust" --set public.listen= \
        --set device.listen=127.0.0.1:0 --set operator.listen=127.0.0.1:0 --set operator.tls=on \
        --set public_url=https://localhost "$@"
    wait_for 20 test -s data/endpoints
    hold $? "lapeld does not start: $(tail -n 3 lapeld.log)"
}
ask_lapeld() { # name of a new state_dir, options...: without a clock
    PORT=$(sed -n 's/^device .*://p' data/endpoints)
    check 100000 --online-keys="$TMP/online.pem" --state-dir="$TMP/$1" --token-file="$TMP/a.token" "${@:2}"
    expect_no_match "$OUT" 'net-trust|statement-refused'
    expect_match "$("$AGENT" -c conf --server="https://localhost:$PORT" --online-keys="$TMP/online.pem" \
        --state-dir="$TMP/$1" --json status)" '"number": ?"?[1-9]'
}

begin "a server that signs statements"
export LAPEL_HOME=$TMP/home
mkdir -p trust && cp maker.pub.pem trust/
serve_lapeld
expect_ok "$BIN/lapel" token bootstrap --server "$(awk '$1 == "operator" { print $2 }' data/endpoints)" \
    --ca data/ca.pem data/bootstrap-token
expect_ok "$BIN/lapel" product set lamp --vendor-domain example.com --vendor-name Lamps --model EL-100 \
    --support-end 2040-06 --contact mailto:security@example.com
expect_ok "$BIN/lapel" device add lamp a --out a.token
expect_ok "$BIN/lapel" statement key --out online.pem
WHEN=$((now - 120))
key hour && certificate hour server $((now - 20 * day)) $WHEN -cert ca.pem
believed "no clock: it ended today, for all we know" hour 100000 "$CA"

begin "what the statement says of the time is kept"
ask_lapeld told --ca-file="$TMP/data/ca.pem"
expect_ok test "$(cat told/passed)" -ge $WHEN
refused "no clock: it ended before the newest statement" hour 100000 "$CA" --state-dir="$TMP/told"
believed "no clock: one that ends later" good 100000 "$CA" --state-dir="$TMP/told"
believed "where nothing was kept, it is as before" hour 100000 "$CA"

begin "a time after the end of the server's own certificate is not believed"
stop lapeld
expect_exit 1 test -e data/endpoints
serve_lapeld --set device.cert="$TMP/hour.pem" --set device.key="$TMP/hour.key"
ask_lapeld other --server-key="$(pin hour)"
expect_exit 1 test -e other/passed
stop lapeld

believed "the pinned key, whatever its certificate says" other "" --server-key="$(pin other)"
believed "the pinned key after its end, without a clock" ended 100000 --server-key="$(pin ended)"
believed "the next key" other "" --server-key="$(pin good)" --server-key-next="$(pin other)"
refused "another key, though the authority vouches for it" good "" "$CA" --server-key="$(pin other)"

begin "a device that pins a key needs no authorities"
serve other
check "" --ca-file=/nonexistent --server-key="$(pin other)"
wait_line tls '^request'
expect_no_match "$OUT" 'ca_file'
finish
