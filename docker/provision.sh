#!/bin/sh
# What a maker does, in steps that belong to different places:
#
#   provision.sh keys       once, on the signing machine: the release key. Only its public half leaves
#   provision.sh provision  once, at the operator's desk: first admin, product, five devices
#   provision.sh publish    for each release, VERSION and SEQUENCE given: a payload of SIZE random
#                           bytes, signed, published, and rolled out to everybody
set -eu
umask 022

keys() {
    [ -f /maker/release.pem ] || lapel key new /maker/release.pem
    cp /maker/release.pub.pem /trust/release.pub.pem
}

provision() {
    [ -f /provision/done ] && exit 0
    export LAPEL_HOME=/provision/operator
    cp /data/ca.pem /provision/ca.pem
    cp /trust/release.pub.pem /provision/release.pub.pem
    lapel token bootstrap --server https://server:8444 --ca /data/ca.pem /data/bootstrap-token
    lapel product set lamp --vendor-domain example.com --vendor-name "Example Lamps" \
        --model EL-100 --support-end 2036-06 --contact mailto:security@example.com --poll-s 30
    mkdir -p /provision/devices
    for id in device1 device2 device3 device4 device5; do
        rm -f "/provision/devices/$id"
        lapel device add lamp "$id" --out "/provision/devices/$id"
        chown 10002 "/provision/devices/$id"
    done
    : >/provision/done
}

publish() {
    work=$(mktemp -d)
    head -c "${SIZE:-1000000}" /dev/urandom >"$work/image.bin"
    cat >"$work/release.json" <<END
{ "vendor-domain": "example.com", "model": "EL-100", "severity": "security",
  "components": [ { "id": ["main"], "payload": "image.bin" } ],
  "text": { "en": { "version": "$VERSION", "changes": "Release $VERSION.",
                    "risks-removed": "None.", "disrupts": true, "downtime-s": 5 } } }
END
    lapel manifest create "$work/release.json" "$work/unsigned" --sequence "$SEQUENCE"
    lapel manifest sign "$work/unsigned" "$work/release.suit" --key /maker/release.pem
    export LAPEL_HOME=/provision/operator
    release=$(lapel release publish lamp "$work/release.suit" "$work/image.bin" --json |
        sed -n 's/^  "id": \([0-9]*\),*$/\1/p')
    rm -rf "$work"
    lapel rollout create "$release" --start
}

"$1"
