#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Build and test, within a root that tests/matrix.sh made: inside.sh SANITIZERS [argument of ctest...]
set -eu

sanitize=$1
shift
jobs=$(getconf _NPROCESSORS_ONLN 2>/dev/null || echo 2)
build=/stook/build${sanitize:+-sanitized}

# What is linked to, and what that libcurl stands on.
tls=$(curl-config --configure 2>/dev/null | sed -n "s/.*--with-\(openssl\|gnutls\).*/\1/p")
echo "$(pkg-config --modversion libcurl) $tls|$(pkg-config --modversion libuv)" >/stook/versions

if [ -n "$sanitize" ]; then
    export UBSAN_OPTIONS=print_stacktrace=1
    cmake -S /stook/source -B "$build" -DCMAKE_BUILD_TYPE=Debug -DCMAKE_C_FLAGS_DEBUG='-O1 -g' \
        -DCMAKE_CXX_FLAGS_DEBUG='-O1 -g' -DSTOOK_SANITIZE="$sanitize"
else
    cmake -S /stook/source -B "$build" -DCMAKE_BUILD_TYPE=RelWithDebInfo
fi
cmake --build "$build" --parallel "$jobs"

cd -- "$build"
ctest -j "$jobs" --no-tests=error --output-on-failure --output-log /stook/ctest.txt \
    -LE '^(packaging|lint|valgrind)$' "$@"
