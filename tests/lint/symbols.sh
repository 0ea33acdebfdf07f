#!/bin/sh
# SPDX-License-Identifier: MIT
# symbols.sh ARCHIVE: every name that the static library gives to a program begins with stook_.
. "$(dirname -- "$0")/common.sh"

archive=${1:?the static library}
nm -g --defined-only "$archive" 2>/dev/null | awk 'NF == 3 && $3 !~ /^stook_/ { print $3 }' |
    refuse "names in $archive that could meet a program's own"
