#!/bin/sh
# Install the Debian packages that a purpose needs and this machine lacks.
#
#   tests/harness/packages.sh PURPOSE...
#
# Works as root or with a sudo that asks nothing; else prints the line to run, and exits 1. Says
# what it installs; says nothing and takes no time when all is there. The names are those of
# Debian 12 and 13 both.
set -eu

packages_for() {
    case $1 in
    build)
        echo make gcc libc6-dev libmicrohttpd-dev libgnutls28-dev libsqlite3-dev libmbedtls-dev \
            libcbor-dev libjansson-dev libinih-dev libcurl4-openssl-dev
        ;;
    check)
        echo git g++ clang-format cppcheck curl openssl sslscan jq procps mount python3 \
            python3-cbor2 python3-cryptography
        ;;
    demo) echo curl jq procps python3 ;;
    bench) echo nginx-light wrk openssl curl jq procps valgrind ;;
    fuzz) echo clang libclang-rt-dev ;;
    size) echo gcc gcc-arm-none-eabi libnewlib-arm-none-eabi gcc-riscv64-unknown-elf jq python3 ;;
    m32) echo gcc-multilib libmbedtls-dev:i386 libjansson-dev:i386 ;;
    docker) echo docker.io docker-compose mmdebstrap curl jq ;;
    *)
        echo "packages.sh: no purpose '$1'" >&2
        return 1
        ;;
    esac
}

wanted=
for purpose; do
    wanted="$wanted $(packages_for "$purpose")"
done

if ! command -v dpkg-query >/dev/null; then
    echo "not a Debian system; these packages, by their names there, must be installed:$wanted"
    exit 0
fi

installed=$(dpkg-query -W -f '${db:Status-Status} ${Package}\n${db:Status-Status} ${Package}:${Architecture}\n' |
    sed -n 's/^installed //p')
missing=
for package in $wanted; do
    case "
$installed
" in
    *"
$package
"*) ;;
    *) case " $missing " in *" $package "*) ;; *) missing="$missing $package" ;; esac ;;
    esac
done
[ -n "$missing" ] || exit 0

foreign=
case $missing in *:i386*) dpkg --print-foreign-architectures | grep -qx i386 || foreign=i386 ;; esac

line="apt-get install -y --no-install-recommends$missing"
if [ "$(id -u)" -eq 0 ]; then
    as_root=
elif command -v sudo >/dev/null && sudo -n true 2>/dev/null; then
    as_root="sudo -n"
else
    echo "missing packages; run as root:" >&2
    echo "  ${foreign:+dpkg --add-architecture $foreign && }apt-get update && $line" >&2
    exit 1
fi

echo "installing:$missing"
quiet="-qq -o=Dpkg::Use-Pty=0 -o=DPkg::Lock::Timeout=300"
out=$(mktemp)
trap 'rm -f "$out"' EXIT
[ -z "$foreign" ] || $as_root dpkg --add-architecture "$foreign"
# shellcheck disable=SC2086 # the lists are meant to be split
if ! { $as_root env DEBIAN_FRONTEND=noninteractive apt-get $quiet update &&
    $as_root env DEBIAN_FRONTEND=noninteractive apt-get $quiet install -y \
        --no-install-recommends $missing; } >"$out" 2>&1 </dev/null; then
    cat "$out" >&2
    echo "could not install; by hand: apt-get update && $line" >&2
    exit 1
fi
