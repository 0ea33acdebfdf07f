#!/bin/sh
# SPDX-License-Identifier: MIT
# Every source file says its licence within its first three lines.
. "$(dirname -- "$0")/common.sh"

files | grep -E '\.(c|cc|h|sh|awk|py|cmake|map|in|conf|[1-9])$|(^|/)CMakeLists\.txt$|^\.ci/' |
    grep -vE '\.pc\.in$|^LICENSES/' | while IFS= read -r file; do
    head -n 3 -- "$file" | grep -q 'SPDX-License-Identifier: MIT' || printf '%s\n' "$file"
done | refuse "no SPDX-License-Identifier in the first three lines"
