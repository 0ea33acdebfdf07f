#!/bin/sh
# SPDX-License-Identifier: MIT
#
# That the tests would notice: sh tests/broken.sh [part of a patch's name...]
#
# Each file of tests/broken/ takes the handling of one trap out of a copy of the source. Its head
# names the ids of docs/internals/engine.md and the test that has to fail then. A test that passes
# all the same, or fails without any patch, proves nothing: then this script fails.
#
#   BROKEN_SECONDS   how long a test may take before that is a failure too (20)
#   BROKEN_JOBS      compilers at once
set -eu

root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd -P)
seconds=${BROKEN_SECONDS:-20}
jobs=${BROKEN_JOBS:-$(getconf _NPROCESSORS_ONLN 2>/dev/null || echo 2)}
command -v make >/dev/null 2>&1 || export CMAKE_GENERATOR=Ninja
scratch=$(mktemp -d)
trap 'rm -rf -- "$scratch"' EXIT
trap 'exit 130' INT TERM
copy=$scratch/stook
build=$scratch/build
log=$scratch/log

files() {
    if git -C "$root" rev-parse --git-dir >/dev/null 2>&1; then
        git -C "$root" -c core.quotePath=off ls-files --cached --others --exclude-standard
    else
        (cd -- "$root" && find . \( -name .git -o -path ./build -o -path './build-*' \) -prune -o -type f -print)
    fi | while IFS= read -r file; do
        if [ -f "$root/$file" ]; then printf '%s\n' "$file"; fi
    done
}

field() { sed -n "s/^# $2: *//p" "$1"; }

wanted() {
    [ $# -gt 1 ] || return 0
    patch_name=$1
    shift
    for part; do
        case $patch_name in *"$part"*) return 0 ;; esac
    done
    return 1
}

# program DIR/FILE.TEST: the target that is built for it
target() { printf 'test_%s\n' "${1%%.*}" | tr / _; }

# run DIR/FILE.TEST: what CTest would run, and how it ends
run() {
    timeout -k 2 "$seconds" "$build/tests/$(target "$1")" "${1#*.}" >"$log" 2>&1
}

# What was made of the files that a patch changes: their times may not tell, within a second.
forget_objects() {
    objects=$build/CMakeFiles/stook_objects.dir
    sed -n 's/^+++ b\/\([^ \t]*\).*/\1/p' "$1" | while IFS= read -r changed; do
        case $changed in
            src/*.c) rm -f "$objects/$changed.o" ;;
            *) rm -rf "$objects/src" && mkdir "$objects/src" && cmake "$build" >/dev/null ;;
        esac
    done
}

mkdir "$copy"
files | (cd -- "$root" && tar -cf - -T -) | (cd -- "$copy" && tar -xf -)
cmake -S "$copy" -B "$build" -DCMAKE_BUILD_TYPE=RelWithDebInfo -DSTOOK_BUILD_EXAMPLES=OFF >"$log" 2>&1 || {
    cat "$log"
    exit 2
}

patches=
for patch in "$root"/tests/broken/*.patch; do
    if wanted "$(basename -- "$patch")" "$@"; then patches="$patches $(basename -- "$patch")"; fi
done
tests=$(for patch in $patches; do field "$root/tests/broken/$patch" test; done | sort -u)
targets=$(for test in $tests; do target "$test"; done | sort -u)
# shellcheck disable=SC2086
cmake --build "$build" --parallel "$jobs" --target $targets >"$log" 2>&1 || {
    cat "$log"
    exit 2
}

bad=0
skipped=' '
say() { printf '%-8s %-40s %s\n' "$1" "$2" "$3"; }
for test in $tests; do
    status=0
    run "$test" || status=$?
    case $status in
        0) ;;
        77) skipped="$skipped$test " ;;
        *)
            say FAULTY "$test" "fails without any patch"
            cat "$log"
            bad=$((bad + 1))
            ;;
    esac
done

for patch in $patches; do
    file=$root/tests/broken/$patch
    test=$(field "$file" test)
    what="$(field "$file" id): $test"
    case $skipped in
        *" $test "*)
            say skipped "${patch%.patch}" "$what"
            continue
            ;;
    esac
    if ! patch -p1 -s -f -d "$copy" <"$file" >"$log" 2>&1; then
        say FAULTY "${patch%.patch}" "does not apply: $what"
        cat "$log"
        bad=$((bad + 1))
        files | (cd -- "$root" && tar -cf - -T -) | (cd -- "$copy" && tar -xf -)
        continue
    fi
    forget_objects "$file"
    if ! cmake --build "$build" --parallel "$jobs" --target "$(target "$test")" >"$log" 2>&1; then
        say FAULTY "${patch%.patch}" "does not build: $what"
        cat "$log"
        bad=$((bad + 1))
    elif run "$test"; then
        say FAULTY "${patch%.patch}" "nobody notices: $what"
        bad=$((bad + 1))
    else
        say noticed "${patch%.patch}" "$what"
    fi
    patch -p1 -s -f -R -d "$copy" <"$file"
    forget_objects "$file"
done
[ "$bad" -eq 0 ]
