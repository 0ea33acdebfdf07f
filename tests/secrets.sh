#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Searches all that the library has said in the tests for the secrets that the tests have used:
#
#   sh tests/secrets.sh DIRECTORY   where tests that ran with TEST_OVERHEAR=DIRECTORY wrote it
#
# Messages, dumps and curl commands are in the directory (tests/support/overheard.c). The trace is made
# here: tests that use a secret run once more, in a build with the trace on.
set -eu

root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd -P)
heard=$1
tree=$root/build/trace
scratch=$(mktemp -d)
trap 'rm -rf -- "$scratch"' EXIT

# Secrets of the tests contain one of these words. So do no names and no messages of the library, and no
# path of a URL, which the library shows.
words='s3cret hush-hush secret-pw sesame hidden barley'

# A word in base64, without what depends on the bytes before and behind it, at each of the three places.
encoded() {
    printf '%s' "$1" | openssl base64 -A | cut -c1-$((${#1} * 8 / 6 / 4 * 4))
    printf 'x%s' "$1" | openssl base64 -A | cut -c3-$(((${#1} + 1) * 8 / 6 / 4 * 4))
    printf 'xx%s' "$1" | openssl base64 -A | cut -c4-$(((${#1} + 2) * 8 / 6 / 4 * 4))
}
for word in $words; do
    printf '%s\n' "$word"
    encoded "$word"
done >"$scratch/patterns"

# Tests of faults/ fail if anything is printed.
set -- "$root"/tests/integration/*.c
# shellcheck disable=SC2086 # words
programs=$(printf '%s\n' $words | grep -lFf - "$@" | sed 's/.*tests\///; s/\.c$//; s/\//_/; s/^/test_/')
jobs=$(getconf _NPROCESSORS_ONLN 2>/dev/null || echo 2)
build() {
    cmake -S "$root" -B "$tree" -DCMAKE_BUILD_TYPE=Debug -DSTOOK_TRACE=ON -DSTOOK_BUILD_TESTS=ON
    # shellcheck disable=SC2086 # words
    cmake --build "$tree" --parallel "$jobs" --target test_server $programs
}
if ! build >"$scratch/build" 2>&1; then
    tail -20 "$scratch/build"
    exit 1
fi
for program in $programs; do
    for test in $("$tree/tests/$program" 2>/dev/null || :); do
        case $test in nomem | *million* | large*) continue ;; esac
        # Whether it passes is for its own run to say: the trace takes time.
        STOOK_TRACE=all TEST_OVERHEAR=$heard timeout 60 "$tree/tests/$program" "$test" >>"$heard/trace" 2>&1 || :
    done
done

lines=$(cat "$heard"/* | wc -l)
if grep -rnFf "$scratch/patterns" "$heard" >"$scratch/found"; then
    printf 'secrets in what the library says:\n'
    head -40 "$scratch/found"
    exit 1
fi
# Something was heard at all, and the trace is in it.
if [ "$lines" -lt 10000 ] || ! grep -q 'request 0: ' "$heard/trace"; then
    printf 'only %s lines were heard\n' "$lines"
    exit 1
fi
printf 'No secret in %s lines of messages, dumps, curl commands and trace.\n' "$lines"
