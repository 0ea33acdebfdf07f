#!/bin/sh
# SPDX-License-Identifier: MIT
# What a build may do without: never in silence. What is missing is an error that names its switch,
# and who only installs is asked for nothing that tests and examples need.
. "$(dirname -- "$0")/common.sh"

dir="$work/options"
rm -rf -- "$dir"
mkdir -p -- "$dir/bin"

# A pkg-config that does not know what $MISSING names.
cat >"$dir/bin/pkg-config" <<'END'
#!/bin/sh
for word; do
    [ "${word%%[<>=]*}" != "${MISSING:-}" ] || exit 1
done
exec pkg-config "$@"
END
chmod 755 "$dir/bin/pkg-config"

# configure [option of cmake...]: into $dir/output.txt
configure() {
    rm -rf -- "$dir/tree"
    "$CMAKE" -S "$root" -B "$dir/tree" -DPKG_CONFIG_EXECUTABLE="$dir/bin/pkg-config" "$@" >"$dir/output.txt" 2>&1
}
accepted() { configure "$@" || { cat "$dir/output.txt" && fail "refused: $*"; }; }
refused() { ! configure "$@" || fail "accepted: ${MISSING:-} $*"; }
# CMake breaks long lines of its errors.
says() { tr -s ' \n' '  ' <"$dir/output.txt" | grep -qF -e "$1" || { cat "$dir/output.txt" && fail "not said: $1"; }; }

accepted -DCMAKE_DISABLE_FIND_PACKAGE_OpenSSL=ON
for name in gzip br zstd libuv libcurl; do says "$name"; done
says "tests: OFF, examples: OFF"

for row in zlib:STOOK_ZLIB:gzip libbrotlidec:STOOK_BROTLI:br libzstd:STOOK_ZSTD:zstd; do
    MISSING=${row%%:*}
    switch=${row#*:}
    coding=${switch#*:}
    switch=${switch%:*}
    export MISSING
    refused
    says "$MISSING for the content coding $coding"
    says "-D$switch=OFF"
    accepted "-D$switch=OFF"
    says "not $coding ($switch)"
done

MISSING=jansson
refused -DSTOOK_BUILD_EXAMPLES=ON -DSTOOK_CXX=OFF
says "-DSTOOK_JANSSON=OFF"
accepted -DSTOOK_BUILD_EXAMPLES=ON -DSTOOK_CXX=OFF -DSTOOK_JANSSON=OFF
MISSING=

CXX=/nowhere/c++
export CXX
refused -DSTOOK_BUILD_TESTS=ON -DCMAKE_DISABLE_FIND_PACKAGE_OpenSSL=ON
says "-DSTOOK_CXX=OFF"
says "libssl-dev"
MISSING=glib-2.0
refused -DSTOOK_BUILD_TESTS=ON
says "libglib2.0-dev"
MISSING=

# Every choice of codings is compiled.
for gzip in '' -DSTOOK_HAS_GZIP; do
    for br in '' -DSTOOK_HAS_BR; do
        for zstd in '' -DSTOOK_HAS_ZSTD; do
            # shellcheck disable=SC2086 # words
            quietly "$CC" -std=c11 -D_GNU_SOURCE -Wall -Wextra -Werror -fsyntax-only -I "$root/src" -I "$root/include" \
                $gzip $br $zstd "$root/src/http/codecs.c"
        done
    done
done

# What only a build with the trace, and what only one with assertions, has is compiled.
flags=$(pkg-config --cflags libuv libcurl)
for file in "$root"/src/*/*.c "$root"/src/curl/quirks/*.c; do
    # shellcheck disable=SC2086 # words
    quietly "$CC" -std=c11 -D_GNU_SOURCE -DSTOOK_TRACE -Wall -Wextra -Wno-unused-parameter -Werror -fsyntax-only \
        -I "$root/src" -I "$root/include" $flags "$file"
done
