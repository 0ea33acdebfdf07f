#!/bin/sh
# SPDX-License-Identifier: MIT
#
# What a request costs: `sh tests/bench/count.sh [TEST...]` builds build/bench, takes the figures of
# docs/internals/cost.md, or those named, and holds them against the targets.
#
# With STOOK_BENCH_KEEP set to a directory, the profiles are left there, for callgrind_annotate.
set -eu

root=$(CDPATH='' cd -- "$(dirname -- "$0")/../.." && pwd -P)
tree=$root/build/bench
cmake -S "$root" -B "$tree" -DCMAKE_BUILD_TYPE=RelWithDebInfo -DSTOOK_WERROR=ON -DSTOOK_BUILD_TESTS=ON -DSTOOK_CXX=OFF -DSTOOK_BENCH=ON >/dev/null
cmake --build "$tree" --target test_cost --parallel 2 >/dev/null
program=$tree/tests/bench/test_cost

if [ "$#" -eq 0 ]; then
    # shellcheck disable=SC2046 # one word each
    set -- $("$program" | sort)
fi
missed=
for name; do
    printf '\n%s\n' "$name"
    status=0
    "$program" "$name" || status=$?
    [ "$status" -eq 0 ] || [ "$status" -eq 77 ] || missed="$missed $name"
done
[ -z "$missed" ] || {
    printf '\nMissed:%s\n' "$missed"
    exit 1
}
