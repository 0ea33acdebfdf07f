#!/bin/sh
# SPDX-License-Identifier: MIT
# From a fresh clone to the tables: installs what is missing (Debian), builds into build/demo, runs
# gather_todos against the server that it brings along. Nothing on the internet is asked, besides
# Debian's package archive where a package is missing.
#
#     sh examples/demo.sh
set -eu

root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd -P)
build="$root/build/demo"

# shellcheck source=examples/install-missing.sh
. "$root/examples/install-missing.sh"
install_missing gcc cmake make pkg-config libuv1-dev libcurl4-openssl-dev zlib1g-dev libbrotli-dev libzstd-dev \
    -- libjansson-dev g++
set -- -DSTOOK_BUILD_EXAMPLES=ON
stook_is_there libjansson-dev || set -- "$@" -DSTOOK_JANSSON=OFF
stook_is_there g++ || set -- "$@" -DSTOOK_CXX=OFF

say() {
    printf '\n== %s\n\n' "$*"
}

# CMake refuses a build directory that was configured somewhere else, as after a move or a copy.
if [ -f "$build/CMakeCache.txt" ] &&
    ! grep -q -x -F "CMAKE_HOME_DIRECTORY:INTERNAL=$root" "$build/CMakeCache.txt"; then
    rm -rf "$build"
fi

command -v make >/dev/null 2>&1 || export CMAKE_GENERATOR=Ninja

say "Building stook and its examples in $build"
cmake --log-level=WARNING -S "$root" -B "$build" -DCMAKE_BUILD_TYPE=Release "$@"
cmake --build "$build" --parallel "$(getconf _NPROCESSORS_ONLN 2>/dev/null || echo 2)"

gather_todos="$build/examples/gather_todos"

say "The five programs of the article (gather_todos --compare; half a minute)"
"$gather_todos" --compare

say "The same against a server with little room (gather_todos --overload)"
"$gather_todos" --overload

say "Next: '$gather_todos' --sweep, and examples/README.md"
