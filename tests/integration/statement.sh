#!/bin/bash
# Statements, erasing and device status on the running server.
# timeout: 60
exec /usr/bin/python3 tests/integration/statement.py "$@"
