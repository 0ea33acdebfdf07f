#!/bin/sh
# SPDX-License-Identifier: MIT
#
# A million requests, one in five of them a fault of any kind: `sh tests/soak.sh [SEED [COUNT]]`.
#
# tests/faults/soak.c says what they are and what the result of each must be. Without SEED the clock gives
# one. STOOK_SANITIZE=address,undefined in the environment builds with these sanitizers, and takes four
# times as long. The test suite runs 30,000 requests with one seed.
set -eu

root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd -P)
seed=${1:-$(date +%s)}
tree=$root/build/soak${STOOK_SANITIZE:+-$(printf %s "$STOOK_SANITIZE" | tr , -)}

cmake -S "$root" -B "$tree" -DCMAKE_BUILD_TYPE=RelWithDebInfo -DSTOOK_BUILD_TESTS=ON -DSTOOK_CXX=OFF -DSTOOK_VALGRIND=OFF -DSTOOK_SANITIZE="${STOOK_SANITIZE-}" >/dev/null
cmake --build "$tree" --target test_faults_soak --parallel 2 >/dev/null
printf 'seed %s\n' "$seed"
STOOK_SEED=$seed SOAK_COUNT=${2:-1000000} exec "$tree/tests/test_faults_soak" everything
