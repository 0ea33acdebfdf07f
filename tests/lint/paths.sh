#!/bin/sh
# SPDX-License-Identifier: MIT
# No file of ours knows a directory of somebody's machine.
. "$(dirname -- "$0")/common.sh"

# An absolute path, not the middle of a URL or of a longer path. The brackets keep the next line out.
tops='[h]ome|[r]oot|[U]sers|[w]ork|[m]nt|[b]uilds'
files | while IFS= read -r file; do
    grep -HnIE "(^|[^A-Za-z0-9_.~}/-])/($tops)/[A-Za-z0-9_.]" -- "$file" || :
done | refuse "paths of a machine"
