# SPDX-License-Identifier: MIT
# shellcheck shell=sh disable=SC2034
# Read by every script here: `. "$(dirname -- "$0")/common.sh"`. The first argument of each is a
# directory to work in.

set -eu
unset DESTDIR CMAKE_PREFIX_PATH CMAKE_INSTALL_MODE || :

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
root=$(CDPATH='' cd -- "$here/../.." && pwd)
mkdir -p -- "${1:?a directory to work in}"
work=$(CDPATH='' cd -- "$1" && pwd)

CC=${CC:-cc}
CXX=${CXX:-}
CMAKE=${CMAKE:-cmake}
JOBS=${JOBS:-1}
export CC
if [ -n "$CXX" ]; then export CXX; else unset CXX; fi

# Where install.sh builds, and where the installed tree ends up. The blank is there to be tripped on.
built="$work/built"
prefix="$work/moved prefix"

fail() {
    printf 'FAILED: %s\n' "$*" >&2
    exit 1
}

# Run a command; show it and what it printed only if it fails.
quietly() {
    if ! "$@" >"$work/output.txt" 2>&1; then
        printf 'FAILED:' >&2
        printf ' %s' "$@" >&2
        printf '\n' >&2
        cat "$work/output.txt" >&2
        exit 1
    fi
}

# build TREE SOURCE [option of cmake...]
build() {
    tree=$1
    source=$2
    shift 2
    rm -rf -- "$tree"
    quietly "$CMAKE" -S "$source" -B "$tree" "$@"
    quietly "$CMAKE" --build "$tree" --parallel "$JOBS"
}

# The library's version, as the header says it.
version=$(awk '/define STOOK_VERSION_(MAJOR|MINOR|PATCH) / { v = v dot $3; dot = "." } END { print v }' \
    "$root/include/stook/version.h")
