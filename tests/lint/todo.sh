#!/bin/sh
# SPDX-License-Identifier: MIT
# What is left to do has an issue, and its number stands beside it: the word, then (#12).
. "$(dirname -- "$0")/common.sh"

files | grep -vE '\.md$' | while IFS= read -r file; do
    grep -HnIwE '[T]ODO|[F]IXME|[X]XX' -- "$file" | grep -vE '[T]ODO\(#[0-9]+\)' || :
done | refuse "left to do, but where is the issue?"
