#!/bin/sh
# SPDX-License-Identifier: MIT
# stook.pc for the prefixes of distributions: it finds itself with any libdir, and for /usr it gives
# the compiler no directory that it searches anyway.
. "$(dirname -- "$0")/common.sh"
command -v pkg-config >/dev/null 2>&1 || exit 77

tree="$work/prefix"
# configure [option of cmake...]
configure() {
    rm -rf -- "$tree"
    quietly "$CMAKE" -S "$root" -B "$tree" "$@"
}
# holds LINE
holds() { grep -qxF "$1" "$tree/stook.pc" || fail "not in stook.pc: $1"; }

configure -DCMAKE_INSTALL_PREFIX=/opt/stook -DCMAKE_INSTALL_LIBDIR=lib/some-linux-gnu
holds "prefix=\${pcfiledir}/../../.."
holds "libdir=\${prefix}/lib/some-linux-gnu"
holds "includedir=\${prefix}/include"

configure -DCMAKE_INSTALL_PREFIX=/usr -DCMAKE_INSTALL_LIBDIR=lib
holds "prefix=/usr"
flags=$(PKG_CONFIG_PATH="$tree" pkg-config --cflags --libs stook)
case " $flags " in
    *' -I/usr/include '* | *' -L/usr/lib '*) fail "pkg-config names a directory of the system: $flags" ;;
esac
