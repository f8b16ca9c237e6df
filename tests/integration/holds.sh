#!/bin/bash
# Holds by attribute, on the running server and by the command line.
# timeout: 60
exec /usr/bin/python3 tests/integration/holds.py "$@"
