#!/bin/sh
# SPDX-License-Identifier: MIT
# A program built with find_package(stook), against the shared and against the static library.
. "$(dirname -- "$0")/common.sh"

# consume NAME [option of cmake...]: build the consumer in a copy of its own and run it
consume() {
    dir="$work/package-$1"
    shift
    rm -rf -- "$dir"
    mkdir -p -- "$dir"
    cp -R "$here/consumer" "$dir/source"
    build "$dir/build" "$dir/source" -DCMAKE_PREFIX_PATH="$prefix" "$@"
    for program in consumer consumer-cxx; do
        if [ -x "$dir/build/$program" ]; then
            quietly "$dir/build/$program"
        fi
    done
}

# refuse WHY [option of cmake...]
refuse() {
    why=$1
    shift
    rm -rf -- "$work/package-refused"
    if "$CMAKE" -S "$here/consumer" -B "$work/package-refused" -DCMAKE_PREFIX_PATH="$prefix" "$@" \
        >"$work/output.txt" 2>&1; then
        fail "accepted: $why"
    fi
    grep -q 'stook' "$work/output.txt" || fail "the refusal does not name stook: $why"
}

consume shared
readelf -d "$dir/build/consumer" | grep -q 'NEEDED.*libstook' || fail "stook::stook is not the shared library"

consume static -DCONSUMER_LINK=stook::stook_static -DCONSUMER_COMPONENTS=static
if readelf -d "$dir/build/consumer" | grep -q 'NEEDED.*libstook'; then
    fail "stook::stook_static is not the static library"
fi
consume both "-DCONSUMER_LINK=stook::stook_static"

# Someone with the shared library is not asked for what only the static one needs.
consume bare -DCONSUMER_COMPONENTS=shared -DCMAKE_DISABLE_FIND_PACKAGE_CURL=ON
consume bare -DCMAKE_DISABLE_FIND_PACKAGE_CURL=ON
refuse "the static library without libcurl" -DCONSUMER_COMPONENTS=static -DCMAKE_DISABLE_FIND_PACKAGE_CURL=ON
grep -q 'libcurl' "$work/output.txt" || fail "the refusal does not name what is missing"

refuse "another minor version" -DCONSUMER_VERSION=0.999
refuse "a component that does not exist" -DCONSUMER_COMPONENTS=wool
