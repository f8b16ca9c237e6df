#!/bin/sh
# Code and memory of the client core on Cortex-M33, as a table. Needs gcc-arm-none-eabi.
set -eu
cd "$(dirname "$0")/.."
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
CC="arm-none-eabi-gcc -std=c11 -mcpu=cortex-m33 -mthumb -Os -ffunction-sections -fdata-sections -Imanifests/include -Iclient/include"

for f in client/core/*.c; do
    $CC -c "$f" -o "$dir/$(basename "$f" .c).o"
done
cat >"$dir/sizes.c" <<END
#include "lapel_context.h"
char context[sizeof(struct lapel)], work[sizeof(struct lapel_work)];
END
$CC -c "$dir/sizes.c" -o "$dir/sizes.bss"

echo "| what | bytes |"
echo "|---|---|"
arm-none-eabi-size "$dir"/*.o | awk 'NR > 1 { text += $1; ram += $2 + $3 }
    END { print "| code and constants, without codec and crypto | " text " |"
          print "| static RAM of the library | " ram " |" }'
arm-none-eabi-nm -S "$dir/sizes.bss" | while read -r _ size _ name; do
    echo "| \`struct lapel$([ "$name" = work ] && echo _work)\` | $((0x$size)) |"
done
