#!/bin/bash
# lapeld is killed at random moments while it works; its clients' ledger is the judge.
# timeout: 115
exec /usr/bin/python3 tests/integration/server_kill.py "$@"
