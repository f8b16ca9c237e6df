#!/bin/bash
# What a stranger can cost lapeld: no disk, little reading, no place of a real device, no memory.
# timeout: 180
exec /usr/bin/python3 tests/integration/stranger.py "$@"
