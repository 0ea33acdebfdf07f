#!/bin/sh
# SPDX-License-Identifier: MIT
# Built and installed a second time, from another place into another place: the same bytes.
. "$(dirname -- "$0")/common.sh"

dir="$work/reproducible/a longer way down"
rm -rf -- "$work/reproducible"
mkdir -p -- "$dir"
# Just what the build reads; the tree for the build lies within the source this time.
cp -R "$root/CMakeLists.txt" "$root/cmake" "$root/include" "$root/pkgconfig" "$root/src" "$dir/"
build "$dir/build/here" "$dir" -DCMAKE_BUILD_TYPE=Release -DCMAKE_C_FLAGS=-g -DCMAKE_INSTALL_LIBDIR=lib \
    -DCMAKE_INSTALL_PREFIX=/elsewhere
quietly "$CMAKE" --install "$dir/build/here" --prefix "$work/reproducible/prefix"
diff -r "$prefix" "$work/reproducible/prefix" || fail "the two builds differ"
