#!/bin/bash
# A rollout that is left by evidence, on the running server.
# timeout: 90
exec /usr/bin/python3 tests/integration/evidence.py "$@"
