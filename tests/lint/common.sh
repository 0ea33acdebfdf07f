# SPDX-License-Identifier: MIT
# shellcheck shell=sh
# Read by every script here: `. "$(dirname -- "$0")/common.sh"`. Leaves us at the top of the project.

set -eu
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
cd -- "$here/../.."

# The files that are ours: what git tracks or would track; without git, all but what is built.
files() {
    if git rev-parse --git-dir >/dev/null 2>&1; then
        git -c core.quotePath=off ls-files --cached --others --exclude-standard -- "$@" |
            while IFS= read -r file; do
                if [ -f "$file" ]; then printf '%s\n' "$file"; fi
            done
    else
        find "${@:-.}" \( -name .git -o -path ./build -o -path './build-*' \) -prune -o -type f -print |
            sed 's|^\./||'
    fi | LC_ALL=C sort -u
}

# A C file without comments and without what its strings hold, line by line as it was.
bare() { awk -f "$here/bare.awk" "$1"; }

# Findings are lines on the standard input; any at all is a failure.
refuse() {
    if grep . >&2; then
        printf 'FAILED: %s\n' "$1" >&2
        exit 1
    fi
}
