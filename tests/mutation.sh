#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Checks that tests notice a fault: sh tests/mutation.sh [part of a mutation's name...]
#
# Each tests/mutation/NAME.mutation removes the handling of one trap from a copy of the source and names
# the test that must fail then. If that test passes, or fails without the mutation, it proves nothing and
# this script fails. There are as many copies as processors, and each takes a share of the mutations.
#
#   MUTATION_SECONDS   the longest time of a test; beyond it the test has failed (40)
#   MUTATION_JOBS      number of copies
#
# A mutation is a text file. Nothing in it is quoted:
#
#   id: 0.1 A2                            rows of docs/internals/engine.md
#   test: regress/poll.answer_before_reset   as tests/list.sh prints it
#   what: an error of a poll is not passed on
#   file: src/curl/socket.c
#   --- old
#       if (events & STOOK__ERROR)
#   --- new
#       if (events & STOOK__ERROR)
#           return;
#       if (events & STOOK__ERROR)
#
# The old text is whole lines that occur exactly once in the file. Take as few as possible, because what is
# around them may change. The new text may be empty. More pairs of both, and another `file:`, may follow.
# tests/lint/mutations.sh reports at once which mutation no longer fits.
set -eu

root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd -P)
seconds=${MUTATION_SECONDS:-40}
jobs=${MUTATION_JOBS:-$(getconf _NPROCESSORS_ONLN 2>/dev/null || echo 2)}

# shellcheck source=tests/install-packages.sh
. "$root/tests/install-packages.sh"

command -v make >/dev/null 2>&1 || export CMAKE_GENERATOR=Ninja
# Most are of transfers that libcurl makes. Tests of the direct way set the option themselves.
export STOOK_TEST_LIBCURL=1
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

# field MUTATION id|test|what|file
field() { sed -n "s/^$2: //p" "$root/tests/mutation/$1"; }

wanted() {
    [ $# -gt 1 ] || return 0
    mutation_name=$1
    shift
    for part; do
        case $mutation_name in *"$part"*) return 0 ;; esac
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

# What was made of the files that a mutation changes: their times may not tell, within a second.
forget_objects() {
    objects=$build/CMakeFiles/stook_objects.dir
    for name in $(field "$1" file); do
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

# try MUTATION: in a copy that is whole before and after
try() {
    test=$(field "$1" test)
    what="$(field "$1" id): $test"
    case $skipped in
        *" $test "*) say skipped "${1%.mutation}" "$what" && return ;;
    esac
    # shellcheck disable=SC2046 # words
    tar -C "$copy" -cf "$log.tar" $(field "$1" file)
    if ! (cd -- "$copy" && awk -f tests/mutation/apply.awk "tests/mutation/$1") >"$log" 2>&1; then
        faulty "${1%.mutation}" "does not fit: $what"
    elif forget_objects "$1" && ! make_targets "$(target "$test")"; then
        faulty "${1%.mutation}" "does not build: $what"
    elif run "$test"; then
        faulty "${1%.mutation}" "nobody notices: $what"
    else
        say noticed "${1%.mutation}" "$what"
    fi
    tar -C "$copy" -xf "$log.tar"
    forget_objects "$1"
}

# work DIRECTORY MUTATION...: the tests pass as it is, and each mutation is noticed
work() {
    copy=$1/stook
    build=$1/build
    log=$1/log
    shift
    bad=0
    skipped=' '
    mkdir -p "$copy"
    copy_source
    tests=$(for mutation; do field "$mutation" test; done | sort -u)
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
            *) faulty "$test" 'fails without any mutation' ;;
        esac
    done
    for mutation; do try "$mutation"; done
    [ "$bad" -eq 0 ]
}

# ------------------------------------------------------------------------------------ the shares

# Mutations of one test go to one copy.
for mutation in "$root"/tests/mutation/*.mutation; do
    mutation=$(basename -- "$mutation")
    if wanted "$mutation" "$@"; then printf '%s %s\n' "$(field "$mutation" test)" "$mutation"; fi
done | sort | awk -v jobs="$jobs" '$1 != test { test = $1; share = (share + 1) % jobs }
    { print share, $2 }' >"$scratch/shares"

share=0
while [ "$share" -lt "$jobs" ]; do
    mutations=$(sed -n "s/^$share //p" "$scratch/shares")
    # shellcheck disable=SC2086 # words
    if [ -n "$mutations" ]; then
        (trap - EXIT INT TERM && work "$scratch/$share" $mutations) &
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
