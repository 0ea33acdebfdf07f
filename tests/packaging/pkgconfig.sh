#!/bin/sh
# SPDX-License-Identifier: MIT
# A program built with nothing but pkg-config, against the shared and against the static library.
. "$(dirname -- "$0")/common.sh"
command -v pkg-config >/dev/null 2>&1 || exit 77

dir="$work/pkgconfig"
rm -rf -- "$dir"
mkdir -p -- "$dir"
cd -- "$dir"
cp "$here/consumer/consumer.c" "$here/consumer/consumer.cc" .

# compile COMPILER OUTPUT FILE [argument of pkg-config...]: what pkg-config prints is quoted for a shell
compile() {
    compiler=$1
    output=$2
    file=$3
    shift 3
    flags=$(pkg-config "$@") || return 1
    eval "set -- $flags"
    "$compiler" -O1 -Wall -o "$output" "$file" "$@"
}

PKG_CONFIG_PATH="$prefix/lib/pkgconfig${PKG_CONFIG_PATH:+:$PKG_CONFIG_PATH}"
export PKG_CONFIG_PATH
[ "$(pkg-config --modversion stook)" = "$version" ] || fail "stook.pc says another version"
quietly pkg-config --validate stook

quietly compile "$CC" shared consumer.c --cflags --libs stook
quietly env LD_LIBRARY_PATH="$prefix/lib" ./shared
case $(pkg-config --libs stook) in
    *-lcurl* | *-luv*) fail "a program with the shared library is made to link what only the library needs" ;;
esac
if [ -n "${CXX:-}" ]; then
    quietly compile "$CXX" shared-cxx consumer.cc --cflags --libs stook
    quietly env LD_LIBRARY_PATH="$prefix/lib" ./shared-cxx
fi

# The static library: a prefix with the archive alone. All of --static first; but a distribution
# may not install what libcurl's own archive needs, and then our archive goes with shared libcurl.
mkdir -- "static prefix"
cp -R "$prefix/." "static prefix/"
rm -f -- "static prefix/lib/"libstook.so*
PKG_CONFIG_PATH="$dir/static prefix/lib/pkgconfig${PKG_CONFIG_PATH:+:$PKG_CONFIG_PATH}"
links=$(pkg-config --static --libs stook)
for link in -lstook -pthread -luv -lcurl; do
    case " $links " in
        *" $link "*) ;;
        *) fail "pkg-config --static --libs stook does not name $link: $links" ;;
    esac
done
if compile "$CC" static consumer.c --static --cflags --libs stook >refused.txt 2>&1; then
    echo "linked with pkg-config --static"
else
    # Those of content codings that the build had, as it says itself.
    codings=$(pkg-config --print-requires-private stook | sed 's/[ <>=].*//' | grep -vx libuv | grep -vx libcurl || :)
    # shellcheck disable=SC2086 # words
    quietly compile "$CC" static consumer.c --cflags --libs stook libuv libcurl $codings
    echo "linked to libstook.a and the shared libuv and libcurl; pkg-config --static met:"
    grep -E 'cannot find|undefined' refused.txt | head -n 3
fi
quietly ./static
if readelf -d static | grep -q 'NEEDED.*libstook'; then
    fail "the static program asks for libstook.so"
fi
