#!/bin/sh
# SPDX-License-Identifier: MIT
#
# That the tests would notice: sh tests/broken.sh [part of a patch's name...]
#
# Each file of tests/broken/ takes the handling of one trap out of a copy of the source. Its head
# names the ids of docs/internals/engine.md and the test that has to fail then. A test that passes
# all the same, or fails without any patch, proves nothing: then this script fails. There are as many
# copies as processors, each with its share of the patches.
#
#   BROKEN_SECONDS   how long a test may take before that is a failure too (20)
#   BROKEN_JOBS      copies at work at once
set -eu

root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd -P)
seconds=${BROKEN_SECONDS:-20}
jobs=${BROKEN_JOBS:-$(getconf _NPROCESSORS_ONLN 2>/dev/null || echo 2)}

# shellcheck source=tests/install-packages.sh
. "$root/tests/install-packages.sh"
install_missing patch || exit 2

command -v make >/dev/null 2>&1 || export CMAKE_GENERATOR=Ninja
scratch=$(mktemp -d)
workers=
leave() {
    trap - EXIT INT TERM
    for worker in $workers; do
        kill "$worker" 2>/dev/null && wait "$worker" || :
    done
    rm -rf -- "$scratch"
    exit "$1"
}
trap 'leave $?' EXIT
trap 'leave 130' INT TERM

# What git tracks or would track, as it is now.
files() {
    if git -C "$root" rev-parse --git-dir >/dev/null 2>&1; then
        git -C "$root" -c core.quotePath=off ls-files --cached --others --exclude-standard
    else
        (cd -- "$root" && find . \( -name .git -o -path ./build -o -path './build-*' \) -prune -o -type f -print)
    fi | while IFS= read -r file; do
        if [ -f "$root/$file" ]; then printf '%s\n' "$file"; fi
    done
}
copy_source() { files | (cd -- "$root" && tar -cf - -T -) | (cd -- "$copy" && tar -xf -); }

field() { sed -n "s/^# $2: *//p" "$root/tests/broken/$1"; }

wanted() {
    [ $# -gt 1 ] || return 0
    patch_name=$1
    shift
    for part; do
        case $patch_name in *"$part"*) return 0 ;; esac
    done
    return 1
}

# ------------------------------------------------------------------------------- one copy's share

# DIR/FILE.TEST: the target that is built for it
target() { printf 'test_%s\n' "${1%%.*}" | tr / _; }

# run DIR/FILE.TEST: what CTest would run, and how it ends
run() {
    timeout -k 2 "$seconds" "$build/tests/$(target "$1")" "${1#*.}" >"$log" 2>&1
}

make_targets() { cmake --build "$build" --target "$@" >"$log" 2>&1; }

changed() { sed -n 's/^+++ b\/\([^ \t]*\).*/\1/p' "$root/tests/broken/$1"; }

# What was made of the files that a patch changes: their times may not tell, within a second.
forget_objects() {
    objects=$build/CMakeFiles/stook_objects.dir
    for name in $(changed "$1"); do
        case $name in
            src/*.c) rm -f "$objects/$name.o" ;;
            *) rm -rf "$objects/src" && mkdir "$objects/src" && cmake "$build" >/dev/null ;;
        esac
    done
}

say() { printf '%-8s %-40s %s\n' "$1" "$2" "$3"; }
faulty() {
    bad=$((bad + 1))
    printf '%-8s %-40s %s\n%s\n' FAULTY "$1" "$2" "$(cat "$log")"
}

# try PATCH: in a copy that is whole before and after
try() {
    test=$(field "$1" test)
    what="$(field "$1" id): $test"
    case $skipped in
        *" $test "*) say skipped "${1%.patch}" "$what" && return ;;
    esac
    # shellcheck disable=SC2046 # words
    tar -C "$copy" -cf "$log.tar" $(changed "$1")
    if ! patch -p1 -s -f --fuzz=0 -d "$copy" <"$root/tests/broken/$1" >"$log" 2>&1; then
        faulty "${1%.patch}" "does not apply: $what"
    elif forget_objects "$1" && ! make_targets "$(target "$test")"; then
        faulty "${1%.patch}" "does not build: $what"
    elif run "$test"; then
        faulty "${1%.patch}" "nobody notices: $what"
    else
        say noticed "${1%.patch}" "$what"
    fi
    tar -C "$copy" -xf "$log.tar"
    forget_objects "$1"
}

# work DIRECTORY PATCH...: the tests pass as it is, and each patch is noticed
work() {
    copy=$1/stook
    build=$1/build
    log=$1/log
    shift
    bad=0
    skipped=' '
    mkdir -p "$copy"
    copy_source
    tests=$(for patch; do field "$patch" test; done | sort -u)
    # shellcheck disable=SC2046 # words
    if ! cmake -S "$copy" -B "$build" -DCMAKE_BUILD_TYPE=Debug -DSTOOK_BUILD_TESTS=ON -DSTOOK_CXX=OFF -DSTOOK_VALGRIND=OFF >"$log" 2>&1 ||
        ! make_targets $(for test in $tests; do target "$test"; done | sort -u); then
        faulty 'as it is' 'does not build'
        return 1
    fi
    for test in $tests; do
        status=0
        run "$test" || status=$?
        case $status in
            0) ;;
            77) skipped="$skipped$test " ;;
            *) faulty "$test" 'fails without any patch' ;;
        esac
    done
    for patch; do try "$patch"; done
    [ "$bad" -eq 0 ]
}

# ------------------------------------------------------------------------------------ the shares

# Patches of one test go to one copy.
for patch in "$root"/tests/broken/*.patch; do
    patch=$(basename -- "$patch")
    if wanted "$patch" "$@"; then printf '%s %s\n' "$(field "$patch" test)" "$patch"; fi
done | sort | awk -v jobs="$jobs" '$1 != test { test = $1; share = (share + 1) % jobs }
    { print share, $2 }' >"$scratch/shares"

share=0
while [ "$share" -lt "$jobs" ]; do
    patches=$(sed -n "s/^$share //p" "$scratch/shares")
    # shellcheck disable=SC2086 # words
    if [ -n "$patches" ]; then
        (trap - EXIT INT TERM && work "$scratch/$share" $patches) &
        workers="$workers $!"
    fi
    share=$((share + 1))
done

status=0
for worker in $workers; do
    wait "$worker" || status=1
done
workers=
exit "$status"
