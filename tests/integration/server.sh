#!/bin/bash
# lapeld as operators and devices see it, from an empty folder to a confirmed release.
# timeout: 110
exec /usr/bin/python3 tests/integration/server_story.py "$@"
