#!/bin/sh
# SPDX-License-Identifier: MIT
# Build as a packager would, install into an empty prefix, and move that somewhere else.
. "$(dirname -- "$0")/common.sh"

rm -rf -- "$work/first prefix" "$prefix"
build "$built" "$root" -DCMAKE_BUILD_TYPE=Release -DCMAKE_C_FLAGS=-g -DCMAKE_INSTALL_LIBDIR=lib \
    -DCMAKE_INSTALL_PREFIX=/nowhere
quietly "$CMAKE" --install "$built" --prefix "$work/first prefix"
mv -- "$work/first prefix" "$prefix"

# Nothing that was installed remembers where it was built or meant to go.
if grep -rlF -e "$work" -e "$root" -e /nowhere -- "$prefix"; then
    fail "these installed files name a directory of the build"
fi
