#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Build and test, within a root that tests/matrix.sh made: inside.sh KIND [argument of ctest...], where
# KIND is nothing, "fast" without the slow tests, sanitizers, or "cost" for the tests of what a request costs.
set -eu

kind=$1
shift
apart='packaging|lint|valgrind'
if [ "$kind" = fast ]; then
    apart="$apart|slow"
    kind=
fi
jobs=$(getconf _NPROCESSORS_ONLN 2>/dev/null || echo 2)
build=/stook/build${kind:+-$kind}

# What is linked to, and what that libcurl stands on.
tls=$(curl-config --configure 2>/dev/null | sed -n "s/.*--with-\(openssl\|gnutls\).*/\1/p")
echo "$(pkg-config --modversion libcurl) $tls|$(pkg-config --modversion libuv)" >/stook/versions

configure() {
    cmake -S /stook/source -B "$build" -DSTOOK_BUILD_TESTS=ON -DSTOOK_BUILD_EXAMPLES=ON "$@"
}

case $kind in
    cost)
        set -- -j 1 -L cost "$@"
        configure -DCMAKE_BUILD_TYPE=RelWithDebInfo -DSTOOK_BENCH=ON
        ;;
    ?*)
        set -- -j "$jobs" -LE "^($apart)\$" "$@"
        export UBSAN_OPTIONS=print_stacktrace=1
        configure -DCMAKE_BUILD_TYPE=Debug -DCMAKE_C_FLAGS_DEBUG='-O1 -g' \
            -DCMAKE_CXX_FLAGS_DEBUG='-O1 -g' -DSTOOK_SANITIZE="$kind"
        ;;
    *)
        set -- -j "$jobs" -LE "^($apart)\$" "$@"
        configure -DCMAKE_BUILD_TYPE=RelWithDebInfo -DSTOOK_VALGRIND=OFF
        ;;
esac
cmake --build "$build" --parallel "$jobs"

cd -- "$build"
ctest --no-tests=error --output-on-failure --output-log /stook/ctest.txt "$@"
