#!/bin/bash
# lapel-fleet: a few seeds of the figures (`make fleet` runs all of them), files, the storm, and the
# script of server/EVIDENCE.md that finds a device's place.
# timeout: 120
. tests/harness/lib.sh

fleet=$BIN/lapel-fleet

begin "a silent brick is halted early"
expect_exit 0 "$fleet" figure brick --seeds 20 --csv "$TMP/brick.csv" --svg "$TMP/p"
expect_match "$OUT" 'reached: 100.0 % of the seeds'
expect_match "$OUT" 'Wilson 95 %'
expect_eq "$(grep -c '^brick,evidence,' "$TMP/brick.csv")" 20
for svg in "$TMP"/p-brick-exposed.svg "$TMP"/p-brick-wealth.svg; do
    expect_exit 0 /usr/bin/python3 -c 'import sys, xml.dom.minidom as x
assert x.parse(sys.argv[1]).getElementsByTagName("polyline")' "$svg"
done

begin "the same seed gives the same numbers, another gives others"
expect_exit 0 "$fleet" figure brick --seeds 20
first=$OUT
expect_exit 0 "$fleet" figure brick --seeds 20
expect_eq "$OUT" "$first"
expect_exit 0 "$fleet" figure brick --seeds 20 --first-seed 1000
[ "$(sed 1,2d <<<"$OUT")" != "$(sed 1,2d <<<"$first")" ]
hold $? "seeds 1000 and on give what seeds 1 and on gave"

begin "small fleets, one revision, explicit failures"
expect_exit 0 "$fleet" figure brick-10k revision suspect bad --seeds 50

begin "good releases go on: constant, hourly, at the limit, an outage, slow links"
expect_exit 0 "$fleet" figure good-constant good-hourly good-limit good-outage good-slow --seeds 5

begin "good releases reach 99 % in a fortnight"
expect_exit 0 "$fleet" figure harmless reach --seeds 2

begin "a figure that is not reached exits 1"
expect_exit 1 "$fleet" figure brick --devices 10000 --seeds 10
expect_match "$OUT" 'NOT REACHED'

begin "a wrong name lists the figures"
expect_exit 2 "$fleet" figure nonsense
expect_match "$OUT" 'brick-10k'

begin "power is back: a storm of a million is served"
expect_exit 0 "$fleet" storm --svg "$TMP/s"
expect_match "$OUT" ' 500/s +octaves +1\.9[0-9]+ +500 '
expect_exit 0 test -s "$TMP/s-storm-500.svg"

begin "ten lines of Python find the places that lapel finds"
sed -n '/^```python$/,/^```$/p' server/EVIDENCE.md | sed '1d;$d' >"$TMP/place.py"
expect_exit 0 "$TEST_BIN/unit/test_canary" --places 000102030405060708090a0b0c0d0e0f a lamp-0001 ünit
want=$OUT
expect_exit 0 /usr/bin/python3 "$TMP/place.py" 000102030405060708090a0b0c0d0e0f a lamp-0001 ünit
expect_eq "$OUT" "$want"
expect_exit 0 test "$(wc -l <"$TMP/place.py")" -le 10

finish
