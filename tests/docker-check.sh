#!/bin/bash
# Images, compose, updates, a server killed in the middle of a download, a device cut off.
# Needs a Docker engine; no registry. Closes with "N passed, N failed".
cd "$(dirname "$0")/.." || exit 1
. tests/harness/lib.sh

if ! docker info >/dev/null 2>&1; then
    echo "docker-check: no Docker engine runs here, so nothing was checked"
    exit 1
fi
BASE=debian:trixie-slim
LAPEL_DEVICE_PORT=$(free_port) LAPEL_OPERATOR_PORT=$(free_port) LAPEL_PUBLIC_PORT=$(free_port)
export LAPEL_DEVICE_PORT LAPEL_OPERATOR_PORT LAPEL_PUBLIC_PORT
PROJECT=lapelcheck$$
if docker compose version >/dev/null 2>&1; then COMPOSE=(docker compose); else COMPOSE=(docker-compose); fi
compose() { "${COMPOSE[@]}" -p $PROJECT -f docker/compose.yaml "$@" </dev/null; }
container() { compose ps -q "$1"; }
end() {
    compose down -v --remove-orphans >/dev/null 2>&1
    lib_clean
}
trap end EXIT

agent() { # device, command...
    local device=$1
    shift
    docker exec "$(container "$device")" lapel-agent "$@" \
        --config /var/lib/lapel-agent/agent.conf </dev/null 2>/dev/null
}
runs() { # device, version
    agent "$1" check >/dev/null
    [ "$(agent "$1" status --json | jq -r '"\(.running.version) \(.state)"')" = "$2 ready" ]
}
publish() { # version, sequence, bytes
    compose run --rm -e VERSION="$1" -e SEQUENCE="$2" -e SIZE="$3" publish
}
DEVICES=(device1 device2 device3 device4 device5)

begin "a base image is there, made of Debian's packages where no registry is"
if ! docker image inspect $BASE >/dev/null 2>&1 && ! docker pull -q $BASE >/dev/null 2>&1; then
    mmdebstrap --variant=apt trixie 2>"$TMP/base.log" | docker import - $BASE >/dev/null
fi
expect_ok docker image inspect $BASE

begin "both images build, and the unit tests pass on Debian 13"
expect_ok docker build -q -f docker/Dockerfile -t lapel-server .
expect_ok docker build -q -f docker/Dockerfile.device -t lapel-device .
expect_ok docker build -q -f docker/Dockerfile.check -t lapel-check .

begin "no secret and no root in the images"
for image in lapel-server lapel-device; do
    expect_no_match "$(docker image inspect -f '{{.Config.User}}' $image)" '^(0|root)?(:|$)'
    OUT=$(docker run --rm --entrypoint sh $image -c \
        'grep -rlE "BEGIN [A-Z ]*PRIVATE KEY" /etc/lapel /usr/bin/lapel* /usr/bin/device /var/lib 2>/dev/null; ls /var/lib/lapel* 2>/dev/null')
    expect_no_match "$OUT" 'key|token|PRIVATE|\.pem'
done

begin "one command brings up the server and five devices"
expect_ok compose up -d
wait_for 90 sh -c "docker volume inspect ${PROJECT}_provision && docker run --rm -v ${PROJECT}_provision:/p --entrypoint ls lapel-server /p/done" ||
    flunk "provisioning did not end: $(compose logs --tail 20 provision)"
for d in "${DEVICES[@]}"; do
    wait_for 60 agent "$d" status --json || flunk "$d does not start: $(compose logs --tail 20 "$d")"
done

begin "the server is healthy, not root, and can't write its own root file system"
wait_for 40 sh -c "[ \"\$(docker inspect -f '{{.State.Health.Status}}' $(container server))\" = healthy ]"
hold $? "the server is not healthy"
expect_exit 1 docker exec "$(container server)" sh -c 'touch /usr/bin/x 2>/dev/null && echo written'
expect_no_match "$(docker exec "$(container server)" id -u)" '^0$'

begin "a device listens on nothing (provisions 5.1-1, 5.6-1)"
for d in device1 device3; do
    # 0A in the fourth column is LISTEN; 0100007F and the resolver of the engine are not the device's
    OUT=$(docker exec "$(container $d)" sh -c 'cat /proc/net/tcp /proc/net/tcp6' |
        awk '$4 == "0A" && $2 !~ /^0B00007F:/')
    expect_eq "$OUT" "" "listening sockets"
done

begin "five devices install and confirm the first release"
expect_ok publish 1.0.0 16 1000000
for d in "${DEVICES[@]}"; do
    wait_for 120 runs "$d" 1.0.0 || flunk "$d is not on 1.0.0: $(agent "$d" status)"
done

begin "the server is killed in the middle of a download; every device ends on the new release"
expect_ok publish 2.0.0 32 200000000
in_the_middle() { # some device has a part, not all: asked often from the moment it begins
    local d
    for d in "${DEVICES[@]}"; do
        agent "$d" check >/dev/null
        for _ in 1 2 3 4 5; do
            agent "$d" status --json |
                jq -e '.attempt | .fetched > 0 and .fetched < .total' && return 0
        done
    done
    return 1
}
wait_for 60 in_the_middle
hold $? "no device was seen in the middle of its download"
expect_ok docker kill -s KILL "$(container server)"
expect_eq "$(docker inspect -f '{{.State.ExitCode}}' "$(docker ps -aqf name=${PROJECT}.server)")" 137 "exit code"
expect_ok compose up -d server
for d in "${DEVICES[@]}"; do
    wait_for 240 runs "$d" 2.0.0 || flunk "$d is not on 2.0.0: $(agent "$d" status)"
done

begin "a device that is cut off stays as it is, and follows when it is back"
NET=$(docker inspect -f '{{range $k, $v := .NetworkSettings.Networks}}{{$k}}{{end}}' "$(container device2)")
expect_ok docker network disconnect "$NET" "$(container device2)"
expect_ok publish 3.0.0 48 1000000
for d in device1 device3 device4 device5; do
    wait_for 120 runs "$d" 3.0.0 || flunk "$d is not on 3.0.0: $(agent "$d" status)"
done
runs device2 2.0.0
hold $? "device2 was cut off and is not on 2.0.0"
expect_ok docker network connect "$NET" "$(container device2)"
wait_for 240 runs device2 3.0.0
hold $? "device2 did not follow: $(agent device2 status)"
finish
