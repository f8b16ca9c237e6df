#!/bin/sh
# What a factory and a boot loader do for a real device: give it its identity, and start it again
# when it asks for a reboot (exit code 75).
set -u
umask 077
home=/var/lib/lapel-agent
conf=$home/agent.conf

[ -f $home/token ] || cp "/provision/devices/$DEVICE_ID" $home/token || exit 1
{
    cat /etc/lapel/agent.conf
    echo "device_id = $DEVICE_ID"
    echo "token_file = $home/token"
} >$conf

while :; do
    lapel-agent run --config $conf &
    agent=$!
    trap 'kill -TERM $agent 2>/dev/null' TERM INT
    wait $agent
    code=$?
    [ $code -eq 75 ] || exit $code
done
