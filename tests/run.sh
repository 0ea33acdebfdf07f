#!/bin/sh
# SPDX-License-Identifier: MIT
#
# All tests, from nothing: `sh tests/run.sh [argument of ctest...]`.
#
# Installs what is missing, builds twice, tests both: build/asan with the address and undefined
# behaviour sanitizers, then build/tests as programs get it, with the packaging and lint tests too.
# Run again, it builds what has changed. Root is needed only to install.
set -eu

root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd -P)

# shellcheck source=tests/install-packages.sh
. "$root/tests/install-packages.sh"

jobs=$(getconf _NPROCESSORS_ONLN 2>/dev/null || echo 2)
command -v make >/dev/null 2>&1 || export CMAKE_GENERATOR=Ninja
UBSAN_OPTIONS=${UBSAN_OPTIONS:-print_stacktrace=1}
export UBSAN_OPTIONS

# build NAME [option of cmake...]
build() {
    tree="$root/build/$1"
    shift
    # A clone that was moved or copied brings a tree that still points to where it was.
    cache="$tree/CMakeCache.txt"
    if [ -f "$cache" ] && ! grep -qxF "CMAKE_HOME_DIRECTORY:INTERNAL=$root" "$cache"; then
        rm -rf -- "$tree"
    fi
    cmake -S "$root" -B "$tree" -DSTOOK_WERROR=ON -DSTOOK_BUILD_TESTS=ON -DSTOOK_BUILD_EXAMPLES=ON "$@"
    cmake --build "$tree" --parallel "$jobs"
}

# check NAME [argument of ctest...]
failed=
check() {
    name=$1
    shift
    printf '\nTests of build/%s\n' "$name"
    (cd -- "$root/build/$name" && ctest -j "$jobs" --output-on-failure --output-log closing.txt "$@") ||
        failed="$failed $name"
}

build asan -DCMAKE_BUILD_TYPE=Debug -DCMAKE_C_FLAGS_DEBUG='-O1 -g' -DCMAKE_CXX_FLAGS_DEBUG='-O1 -g' \
    -DSTOOK_SANITIZE=address,undefined
build tests -DCMAKE_BUILD_TYPE=RelWithDebInfo

# What the library says in the tests is searched for their secrets, if all of them ran.
heard=
if [ $# -eq 0 ]; then
    heard=$(mktemp -d)
    trap 'rm -rf -- "$heard"' EXIT
    TEST_OVERHEAR=$heard
    export TEST_OVERHEAR
fi
check asan -LE '^(lint|packaging)$' "$@"
if [ -n "$heard" ]; then
    unset TEST_OVERHEAR
    printf '\nSecrets in what the library says\n'
    sh "$root/tests/secrets.sh" "$heard" || failed="$failed secrets"
fi
# Requests go the direct way where they can. Here they go libcurl's: the same tests, in one tree.
if [ $# -eq 0 ]; then
    export STOOK_TEST_LIBCURL=1
    check tests -L '^(integration|faults|interop)$' -LE '^slow$'
    unset STOOK_TEST_LIBCURL
fi
check tests "$@"

# What failed is said last, also if it was in the first tree.
case $failed in *secrets*) printf '\nFailed: secrets in what the library says, see above\n' ;; esac
case $failed in
    '') exit 0 ;;
    *asan*)
        printf '\nFailed in build/asan:\n'
        sed -n '/^\[/d; /tests passed, /,$p' "$root/build/asan/closing.txt"
        ;;
esac
exit 1
