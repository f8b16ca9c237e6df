#!/bin/bash
# The chain of trust sets on the server: what is taken, what is served, and who may sign releases.
# timeout: 60
exec /usr/bin/python3 tests/integration/trust_server.py "$@"
