#!/bin/bash
# Ratios against bare references, each measured in this run on this machine, with lapeld as it is
# shipped. Prints them and writes build/bench.json. Exit 1 when one is over its budget.
#
#   DEVICES=100000 REQUESTS=60000 tests/bench/bench.sh
cd "$(dirname "$0")/../.." || exit 1
. tests/harness/lib.sh
DEVICES=${DEVICES:-100000}
REQUESTS=${REQUESTS:-60000}
TLS_REQUESTS=${TLS_REQUESTS:-3000}
LAPEL_HOME=$TMP/operator
export LAPEL_HOME
declare -A RESULT=() BUDGET=()
OVER=0

die() {
    echo "bench: $*" >&2
    tail -n 3 "$TMP"/*.log >&2
    exit 1
}
cpu_ms() { # pid: user and system time so far
    awk -v hz="$(getconf CLK_TCK)" '{ print ($14 + $15) * 1000 / hz }' "/proc/$1/stat"
}
calc() { awk "BEGIN { printf \"%.3f\", $1 }"; }
median() { printf '%s\n' "$@" | sort -n | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'; }
note() { # name, value, budget ("<= 2.0"), text
    RESULT[$1]=$2 BUDGET[$1]=$3
    if awk "BEGIN { exit !($2 $3) }"; then
        printf '%-26s %10s  (budget %s)  %s\n' "$1" "$2" "$3" "$4"
    else
        printf '%-26s %10s  OVER its budget of %s: %s\n' "$1" "$2" "$3" "$4"
        OVER=1
    fi
}

# --- a server with DEVICES devices, in clear for what is compared in clear ---------------------

serve() { # tls on|off
    cat >"$TMP/lapeld.conf" <<END
data_dir = $TMP/data
trust_dir = $TMP/trust
public_url = https://localhost
log_level = warn
[device]
listen = 127.0.0.1:0
tls = $1
[operator]
listen = 127.0.0.1:0
END
    start lapeld "$BIN/lapeld" --config "$TMP/lapeld.conf"
    wait_for 60 "$BIN/lapeld" --config "$TMP/lapeld.conf" --probe || die "lapeld does not start"
    DEVICE=$(awk '$1 == "device" { print $2 }' "$TMP/data/endpoints")
    OPERATOR=$(awk '$1 == "operator" { print $2 }' "$TMP/data/endpoints")
}
load() { # way, requests: the server's CPU in microseconds for each request; JSON in $OUT
    local pid=${PID[$SERVER]} before ca=()
    [ "$1" = keep ] || ca=("$TMP/data/ca.pem")
    before=$(cpu_ms "$pid")
    OUT=$("$TEST_BIN/bench/load" "${PORT}" "$1" "$TMP/devices.csv" "$2" "${ca[@]}") || die "load: $OUT"
    calc "($(cpu_ms "$pid") - $before) * 1000 / $2"
}

mkdir -p "$TMP/trust"
"$BIN/lapel" key new "$TMP/release.pem" >/dev/null || die "no key"
cp "$TMP/release.pub.pem" "$TMP/trust/"
serve off
"$BIN/lapel" token bootstrap --server "$OPERATOR" "$TMP/data/bootstrap-token" >/dev/null || die "no admin"
"$BIN/lapel" product set lamp --vendor-domain example.com --vendor-name Bench --model EL-100 \
    --support-end 2036-06 --contact mailto:a@example.com --payload-in-clear yes >/dev/null ||
    die "no product"
seq -f 'device%07.0f' 1 "$DEVICES" >"$TMP/ids.csv"
"$BIN/lapel" device add lamp --csv "$TMP/ids.csv" --out "$TMP/devices.csv" >/dev/null || die "no devices"

# --- check-ins answered "nothing", keep-alive ---------------------------------------------------

echo "$DEVICES devices, $REQUESTS check-ins each round"
start bare "$TEST_BIN/bench/bare" 2
wait_line bare '^[0-9]+$'
LAPELD_PORT=${DEVICE##*:} BARE_PORT=$(head -n 1 "$TMP/bare.log")
SERVER=lapeld PORT=$LAPELD_PORT load keep "$DEVICES" >/dev/null # each device is known from here on
ratios=()
for _ in 1 2 3; do
    a=$(SERVER=lapeld PORT=$LAPELD_PORT load keep "$REQUESTS")
    b=$(SERVER=bare PORT=$BARE_PORT load keep "$REQUESTS")
    echo "  lapeld $a us, bare libmicrohttpd $b us of CPU for each request"
    ratios+=("$(calc "$a / $b")")
done
note checkin_nothing_cpu "$(median "${ratios[@]}")" "<= 2.0" "x the CPU of a bare handler"
note rss_mib_100k "$(awk '/RssAnon/ { printf "%.1f", $2 / 1024 }' "/proc/${PID[lapeld]}/status")" \
    "<= 40" "MiB of anonymous memory with $DEVICES devices"
stop bare

# --- payloads in clear against nginx --------------------------------------------------------------

head -c 65536 /dev/urandom >"$TMP/small.bin"
head -c 104857600 /dev/urandom >"$TMP/large.bin"
publish() { # name, sequence
    cat >"$TMP/$1.json" <<END
{ "vendor-domain": "example.com", "model": "EL-100", "components": [ { "id": ["main"], "payload": "$1.bin" } ],
  "text": { "en": { "version": "$1" } } }
END
    "$BIN/lapel" manifest create "$TMP/$1.json" "$TMP/$1.u" --sequence "$2" >/dev/null &&
        "$BIN/lapel" manifest sign "$TMP/$1.u" "$TMP/$1.suit" --key "$TMP/release.pem" &&
        "$BIN/lapel" release publish lamp "$TMP/$1.suit" "$TMP/$1.bin" --json >"$TMP/release" &&
        "$BIN/lapel" rollout create "$(jq .id "$TMP/release")" --start >/dev/null || die "no release $1"
    # the grant: the device must have been offered it
    "$BIN/lapel" checkin make --product lamp --device device0000001 --model EL-100 \
        --vendor-domain example.com "$TMP/checkin" &&
        curl -sf -H "@$TMP/auth" -H 'Content-Type: application/cbor' --data-binary "@$TMP/checkin" \
            -o /dev/null "$DEVICE/v1/checkin" || die "no offer of $1"
    mkdir -p "$TMP/www"
    cp "$TMP/$1.bin" "$TMP/www/$1.bin"
}
printf 'Authorization: Bearer %s\n' "$(head -n 1 "$TMP/devices.csv" | cut -d , -f 2)" >"$TMP/auth"
NGINX_PORT=$(free_port)
cat >"$TMP/nginx.conf" <<END
worker_processes 2;
daemon off;
pid $TMP/nginx.pid;
error_log $TMP/nginx.log;
events { worker_connections 2048; }
http {
    access_log off; sendfile on; tcp_nopush on;
    client_body_temp_path $TMP/n1; proxy_temp_path $TMP/n2; fastcgi_temp_path $TMP/n3;
    uwsgi_temp_path $TMP/n4; scgi_temp_path $TMP/n5;
    server { listen 127.0.0.1:$NGINX_PORT; root $TMP/www; }
}
END
chmod 755 "$TMP"
start nginx nginx -c "$TMP/nginx.conf"
rate() { # url, connections: bytes a second
    wrk -t $(($2 < 2 ? 1 : 2)) -c "$2" -d 3s -H "$(cat "$TMP/auth")" "$1" |
        awk '/Non-2xx/ { exit 1 } /Transfer\/sec/ { v = $2; u = v; sub(/[0-9.]+/, "", u);
            print v * (u == "GB" ? 1e9 : u == "MB" ? 1e6 : u == "KB" ? 1e3 : 1) }'
}
payload() { # name, sequence, result, connections...
    local name=$1 result=$3 ratios=() c a b digest
    publish "$name" "$2"
    wait_for 10 curl -sf -o /dev/null "http://127.0.0.1:$NGINX_PORT/$name.bin" || die "no nginx"
    digest=$(sha256sum "$TMP/$name.bin" | cut -d ' ' -f 1)
    curl -sf -H "@$TMP/auth" -o "$TMP/got" "$DEVICE/v1/payloads/$digest" && cmp "$TMP/got" "$TMP/$name.bin" ||
        die "the payload $name is not served"
    rm -f "$TMP/got"
    shift 3
    for c; do
        a=$(rate "$DEVICE/v1/payloads/$digest" "$c") b=$(rate "http://127.0.0.1:$NGINX_PORT/$name.bin" "$c")
        [ -n "$a" ] && [ -n "$b" ] || die "wrk: no rate for $name at $c connections"
        echo "  $name, $c connections: lapeld $(calc "$a / 1e6") MB/s, nginx $(calc "$b / 1e6") MB/s"
        ratios+=("$(calc "$a / $b")")
    done
    note "$result" "$(printf '%s\n' "${ratios[@]}" | sort -n | head -n 1)" ">= 0.8" "x nginx, the worst of: $*"
}
payload small 16 payload_64k 1 64
payload large 32 payload_100m 1 64
stop nginx
stop lapeld

# --- a new TLS connection for each check-in --------------------------------------------------------

serve on
start bare "$TEST_BIN/bench/bare" 2 "$TMP/data/server.pem" "$TMP/data/server.key"
wait_for 20 grep -qE '^[0-9]+$' <(tail -n 1 "$TMP/bare.log")
LAPELD_PORT=${DEVICE##*:} BARE_PORT=$(tail -n 1 "$TMP/bare.log")
rates=() resumed=()
for _ in 1 2 3; do
    a=$(SERVER=lapeld PORT=$LAPELD_PORT load full "$TLS_REQUESTS")
    b=$(SERVER=bare PORT=$BARE_PORT load full "$TLS_REQUESTS")
    c=$(SERVER=lapeld PORT=$LAPELD_PORT load resumed "$TLS_REQUESTS")
    echo "  lapeld: full $a us, resumed $c us; bare: full $b us of CPU for each connection"
    rates+=("$(calc "$b / $a")")
    resumed+=("$(calc "$c / $a")")
done
note checkin_tls_rate "$(median "${rates[@]}")" ">= 0.8" "x bare libmicrohttpd with TLS, by CPU, full handshakes"
note checkin_tls_resumed_cpu "$(median "${resumed[@]}")" "<= 0.35" "x the CPU of a full handshake (TLS 1.2)"
stop bare
stop lapeld

# --- a device's work for an envelope -----------------------------------------------------------------

# The one image of the drafts' download-and-install template; the example of our own template, with
# priority, kid and text in two languages, is printed beside it.
counted=$(tests/bench/envelope.sh tests/interop/vectors/exec/download-install.suit) || die "envelope: not counted"
note envelope_instructions "${counted% *}" "<= 30000" \
    "to check and dry-run one image's envelope, without signature and the hash of ${counted#* } bytes"
counted=$(tests/bench/envelope.sh manifests/examples/single.suit) || die "envelope: not counted"
echo "  manifests/examples/single.suit: ${counted% *} instructions, and the hash of ${counted#* } bytes"

# --- write it down -------------------------------------------------------------------------------------

mkdir -p build
{
    echo '{'
    for name in $(printf '%s\n' "${!RESULT[@]}" | sort); do echo "  \"$name\": ${RESULT[$name]},"; done | sed '$s/,$//'
    echo '}'
} >build/bench.json
echo "written to build/bench.json"
exit $OVER
