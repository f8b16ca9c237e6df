#!/bin/bash
# kill -9 of lapeld at random moments of a publish-and-update loop: nothing acknowledged is lost.
# timeout: 300
exec /usr/bin/python3 tests/powerloss/server_kill.py "$@"
