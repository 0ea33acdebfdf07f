#!/bin/sh
# SPDX-License-Identifier: MIT
# What the shared library exports is what src/libstook.map lists and what the headers mark STOOK_API;
# and the library says its name and needs as it should, and that it stays loaded.
. "$(dirname -- "$0")/common.sh"

library="$prefix/lib/libstook.so.$version"
soversion=$(sed -n 's/^set(STOOK_SOVERSION \([0-9]*\))$/\1/p' "$root/CMakeLists.txt")

nm -D --defined-only "$library" | awk '$2 != "A" { print $3 }' | LC_ALL=C sort >"$work/exported"

# "name@@NODE" of each name in the map.
awk '/^[A-Z].* \{$/ { node = $1 } /^    stook_[a-z_0-9]*;$/ { sub(";", "", $1); print $1 "@@" node }' \
    "$root/src/libstook.map" | LC_ALL=C sort >"$work/mapped"

# In the headers every public function begins with STOOK_API at the start of a line.
cat "$prefix"/include/stook.h "$prefix"/include/stook/*.h | tr '\n' ' ' | sed 's/STOOK_API/\n&/g' |
    sed -n 's/^STOOK_API [^(]*[ *]\(stook_[a-z_0-9]*\)(.*/\1/p' | LC_ALL=C sort >"$work/declared"

[ -s "$work/exported" ] || fail "nothing is exported"
diff -u "$work/mapped" "$work/exported" || fail "libstook.so does not export what src/libstook.map lists"
sed 's/@.*//' "$work/mapped" | LC_ALL=C sort | diff -u "$work/declared" - ||
    fail "src/libstook.map does not list what the headers mark STOOK_API"

readelf -d "$library" >"$work/dynamic"
grep -qF "Library soname: [libstook.so.$soversion]" "$work/dynamic" ||
    fail "the SONAME is not libstook.so.$soversion"
[ "$(readlink "$prefix/lib/libstook.so.$soversion")" = "libstook.so.$version" ] ||
    fail "libstook.so.$soversion leads elsewhere"
[ "$(readlink "$prefix/lib/libstook.so")" = "libstook.so.$soversion" ] ||
    fail "libstook.so leads elsewhere"
for needed in libuv libcurl; do
    grep -q "NEEDED.*\[$needed" "$work/dynamic" || fail "libstook.so does not ask for $needed"
done
grep -q 'FLAGS_1.*NODELETE' "$work/dynamic" || fail "libstook.so could be unloaded while it is at work"
if grep -E 'RPATH|RUNPATH|TEXTREL' "$work/dynamic"; then
    fail "libstook.so has an entry that it should not have"
fi
