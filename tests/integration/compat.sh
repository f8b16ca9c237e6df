#!/bin/bash
# Documents grow: keys that nobody knows, between the running agent and the running server.
# timeout: 240
exec /usr/bin/python3 tests/integration/compat.py "$@"
