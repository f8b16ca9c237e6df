#!/bin/sh
# What a maker does once, in two steps that belong to two places:
#
#   provision.sh keys       on the signing machine: the release key. Only its public half leaves
#   provision.sh provision  at the operator's desk: first admin, product, five devices
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

"$1"
