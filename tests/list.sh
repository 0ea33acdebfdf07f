#!/bin/sh
# SPDX-License-Identifier: MIT
# Prints all tests, one a line: the program, the test, its labels. From the TEST macros, as CMake takes them.
set -eu
cd -- "$(dirname -- "$0")"
for file in faults/*.c integration/*.c interop/*.c regress/*.c sim/*.c unit/*.c; do
    sed -n "s|^TEST\(_BOTH\)\{0,1\}(\([^)]*\)).*|${file%.c} \2|p" "$file" | tr -s ', ' ' '
done
