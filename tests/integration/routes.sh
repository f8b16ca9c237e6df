#!/bin/bash
# Bad input on every route of lapeld: it is refused, says what is wrong, and leaves no trace.
# timeout: 120
exec /usr/bin/python3 tests/integration/routes.py "$@"
