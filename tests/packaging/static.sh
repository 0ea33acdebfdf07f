#!/bin/sh
# SPDX-License-Identifier: MIT
# BUILD_SHARED_LIBS=OFF, as vcpkg and Conan ask for it, and directories given as absolute paths, as
# Nix does: only the archive is made, plain pkg-config links it, stook::stook means it.
. "$(dirname -- "$0")/common.sh"

dir="$work/static"
rm -rf -- "$dir"
mkdir -p -- "$dir"
# Absolute paths stand in stook.pc as they are, and pkg-config splits them at blanks.
out=$(mktemp -d)
trap 'rm -rf -- "$out"' EXIT

build "$dir/build" "$root" -DBUILD_SHARED_LIBS=OFF \
    -DCMAKE_INSTALL_PREFIX="$out/prefix" -DCMAKE_INSTALL_LIBDIR="$out/out/lib" \
    -DCMAKE_INSTALL_INCLUDEDIR="$out/dev/include"
quietly "$CMAKE" --install "$dir/build"

[ -f "$out/out/lib/libstook.a" ] || fail "there is no libstook.a"
if find "$out" -name 'libstook.so*' | grep .; then
    fail "a shared library was made too"
fi

if command -v pkg-config >/dev/null 2>&1; then
    PKG_CONFIG_PATH="$out/out/lib/pkgconfig${PKG_CONFIG_PATH:+:$PKG_CONFIG_PATH}"
    export PKG_CONFIG_PATH
    [ "$(pkg-config --variable=libdir stook)" = "$out/out/lib" ] ||
        fail "stook.pc has another libdir"
    [ "$(pkg-config --variable=includedir stook)" = "$out/dev/include" ] ||
        fail "stook.pc has another includedir"
    flags=$(pkg-config --cflags --libs stook)
    eval "set -- $flags"
    quietly "$CC" -o "$dir/plain" "$here/consumer/consumer.c" "$@"
    quietly "$dir/plain"
fi

for target in stook::stook stook::stook_static; do
    build "$dir/consumer" "$here/consumer" -Dstook_DIR="$out/out/lib/cmake/stook" -DCONSUMER_LINK="$target"
    quietly "$dir/consumer/consumer"
done
