#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Runs the tests with several threads under the thread sanitizer: sh tests/threads.sh [argument of ctest...]
# Builds build/tsan. A report of the sanitizer fails the test that caused it.
set -eu

root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd -P)
tree=$root/build/tsan
cmake -S "$root" -B "$tree" -DCMAKE_BUILD_TYPE=RelWithDebInfo -DSTOOK_BUILD_TESTS=ON -DSTOOK_CXX=OFF -DSTOOK_VALGRIND=OFF -DSTOOK_SANITIZE=thread >/dev/null
cmake --build "$tree" --parallel 2 >/dev/null
cd -- "$tree"
TSAN_OPTIONS="halt_on_error=1 ${TSAN_OPTIONS-}" ctest -j 2 --output-on-failure \
    -R '^(integration/(cancel|clients|result_ref|limits|load|more|policies|post|results|threads|turn|waiting)|sim/|unit/)' "$@"
