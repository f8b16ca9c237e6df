#!/bin/bash
# A server that is asked for more than it serves.
# timeout: 60
exec /usr/bin/python3 tests/integration/busy.py "$@"
