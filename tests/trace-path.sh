#!/bin/sh
# SPDX-License-Identifier: MIT
#
# How far a reader jumps who follows one request: sh tests/trace-path.sh [--calls]
#
# Builds the library in build/trace-path with -O0 -finstrument-functions, and runs one GET over http against
# the test server, on an owned loop that has no connection yet. Counts what the loop's thread enters from
# stook_batch_add() to the return of stook_gather():
#
#   files        different .c files of src/
#   changes      entries of a function whose file is not that of the entry before
#   functions    different functions
#
# Functions of src/util/ and functions that stand in headers are left out. Prints the files in the order in
# which they are first entered; with --calls every entry, in order, with its file.
#
# The target is at most 15 files, and is not reached. A file counts as soon as one function of it is entered, be
# it only to find nothing to do. The fifteen files in docs/architecture.md are another measure: what a reader
# needs to read. Needs addr2line (binutils).
set -eu

top=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd -P)
tree=$top/build/trace-path
calls=
case ${1-} in
    '') ;;
    --calls) calls=1 ;;
    *) echo "usage: sh tests/trace-path.sh [--calls]" >&2 && exit 2 ;;
esac

mkdir -p "$tree"
{
    cmake -S "$top" -B "$tree" -DBUILD_SHARED_LIBS=OFF -DSTOOK_BUILD_TESTS=ON -DCMAKE_BUILD_TYPE=Debug \
        -DCMAKE_C_FLAGS_DEBUG='-O0 -gdwarf-4 -finstrument-functions' &&
        cmake --build "$tree" --parallel --target trace_path
} >"$tree/build.txt" 2>&1 || { cat "$tree/build.txt" >&2 && exit 1; }

"$tree/tests/trace_path" one_get >"$tree/addresses.txt"

# A line an entry: the function, then its file from src/ on.
addr2line -f -e "$tree/tests/trace_path" <"$tree/addresses.txt" | paste - - |
    sed -n 's|^\([^	]*\)	.*/\(src/[^:]*\.c\):.*|\1 \2|p' | grep -v ' src/util/' >"$tree/path.txt"

if [ -n "$calls" ]; then
    awk '{ printf "%-32s %s\n", $2, $1 }' "$tree/path.txt"
    echo
fi
awk '
    !($2 in seen) { seen[$2] = ++files; order[files] = $2 }
    { entered[$2]++ }
    !($1 $2 in known) { known[$1 $2] = 1; functions++; own[$2]++ }
    NR > 1 && $2 != before { changes++ }
    { before = $2 }
    END {
        printf "%-32s %9s %9s\n", "file, by first entry", "functions", "entries"
        for (i = 1; i <= files; i++)
            printf "%-32s %9d %9d\n", order[i], own[order[i]], entered[order[i]]
        printf "\nfiles: %d\nchanges of file: %d\nfunctions: %d\nentries: %d\n", files, changes, functions, NR
    }' "$tree/path.txt"
