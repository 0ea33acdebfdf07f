#!/bin/sh
# SPDX-License-Identifier: MIT
# stook as a part of another project: built with it, and otherwise keeping to itself.
. "$(dirname -- "$0")/common.sh"

dir="$work/subdirectory"
rm -rf -- "$dir"
mkdir -p -- "$dir"

for shared in undefined ON; do
    set --
    [ "$shared" = undefined ] || set -- "-DBUILD_SHARED_LIBS=$shared"
    build "$dir/$shared" "$here/consumer" -DCONSUMER_VENDORED="$root" "$@"
    quietly "$dir/$shared/consumer"
    [ ! -x "$dir/$shared/consumer-cxx" ] || quietly "$dir/$shared/consumer-cxx"
done
readelf -d "$dir/ON/consumer" | grep -q 'NEEDED.*libstook' ||
    fail "BUILD_SHARED_LIBS=ON gave no shared library"
if readelf -d "$dir/undefined/consumer" | grep -q 'NEEDED.*libstook'; then
    fail "without BUILD_SHARED_LIBS the library is not what add_library() makes"
fi

# Our tests, examples, install rules and build type are not the other project's.
quietly "$CMAKE" --install "$dir/ON" --prefix "$dir/prefix"
if find "$dir/prefix" -name '*stook*' | grep .; then
    fail "these came along into the other project's prefix"
fi
(cd -- "$dir/ON" && "${CMAKE%cmake}ctest" -N) >"$work/output.txt" 2>&1
grep -q '^Total Tests: 0$' "$work/output.txt" || fail "our tests are among the other project's"
grep -q '^CMAKE_BUILD_TYPE:[A-Z]*=$' "$dir/ON/CMakeCache.txt" ||
    fail "the other project's build type was set"

# Unless it wants them.
build "$dir/installed" "$here/consumer" -DCONSUMER_VENDORED="$root" -DSTOOK_INSTALL=ON \
    -DCMAKE_INSTALL_LIBDIR=lib
quietly "$CMAKE" --install "$dir/installed" --prefix "$dir/prefix"
[ -f "$dir/prefix/lib/libstook.a" ] || fail "STOOK_INSTALL=ON installed no library"
