#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Fuzzes the library: sh tests/fuzz.sh [MINUTES [TARGET...]]
#
# Builds the targets of tests/fuzz/ with clang in build/fuzz (address and undefined behaviour sanitizers) and,
# for `calls`, once more in build/fuzz-thread (thread sanitizer: the target calls-thread), and runs each for so
# many minutes, a third of one by default, as many at once as there are processors. Inputs that reach something new
# are kept in build/fuzz/corpus, findings in build/fuzz/findings; docs/internals/fuzzing.md says what to do with both.
#
#   FUZZ_JOBS   number of targets that run at once
set -eu

root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd -P)

# shellcheck source=tests/install-packages.sh
. "$root/tests/install-packages.sh"
install_missing clang libclang-rt-dev || exit 2

minutes=${1:-}
[ $# -eq 0 ] || shift
case $minutes in
    '') seconds=20 ;;
    *[!0-9]* | 0*) echo "fuzz.sh: minutes are a number from 1" >&2; exit 2 ;;
    *) seconds=$((minutes * 60)) ;;
esac
[ $# -gt 0 ] || set -- calls calls-thread cookie_line download http1_writer response request decode rate_fields reader redirect url

fuzz="$root/build/fuzz"
jobs=${FUZZ_JOBS:-$(getconf _NPROCESSORS_ONLN 2>/dev/null || echo 2)}
command -v make >/dev/null 2>&1 || export CMAKE_GENERATOR=Ninja

# build TREE SANITIZERS TARGET
build() {
    cmake -S "$root" -B "$root/build/$1" -DCMAKE_C_COMPILER=clang -DCMAKE_BUILD_TYPE=Debug \
        -DCMAKE_C_FLAGS_DEBUG='-O1 -g' -DSTOOK_BUILD_TESTS=ON -DSTOOK_BUILD_FUZZERS=ON -DSTOOK_CXX=OFF \
        -DSTOOK_VALGRIND=OFF "-DSTOOK_SANITIZE=$2" >/dev/null
    cmake --build "$root/build/$1" --parallel "$jobs" --target "$3" >/dev/null
}

build fuzz address,undefined fuzzers
case " $* " in *' calls-thread '*) build fuzz-thread thread fuzz_calls ;; esac

TMPDIR="$fuzz/tmp"
UBSAN_OPTIONS=print_stacktrace=1
TSAN_OPTIONS="halt_on_error=1:suppressions=$root/tests/fuzz/thread.supp"
export TMPDIR UBSAN_OPTIONS TSAN_OPTIONS
rm -rf -- "$TMPDIR"
mkdir -p "$TMPDIR" "$fuzz/logs" "$fuzz/findings"

# run NAME: its log ends with what it did.
run() {
    name=${1%-thread}
    program="$root/build/fuzz/tests/fuzz/fuzz_$name"
    [ "$name" = "$1" ] || program="$root/build/fuzz-thread/tests/fuzz/fuzz_$name"
    mkdir -p "$fuzz/corpus/$1" "$fuzz/findings/$1"
    options=
    if [ -f "$root/tests/fuzz/$name.dict" ]; then options="-dict=$root/tests/fuzz/$name.dict"; fi
    # shellcheck disable=SC2086 # words, or none
    "$program" "-max_total_time=$seconds" -timeout=60 -rss_limit_mb=4096 -max_len=4096 -print_final_stats=1 $options \
        "-artifact_prefix=$fuzz/findings/$1/" "$fuzz/corpus/$1" "$root/tests/fuzz/corpus/$name" >"$fuzz/logs/$1" 2>&1 &
    child=$!
    wait "$child"
}

# As many at once as there are processors, each taking the next when it is done.
next() {
    child=
    trap '[ -z "$child" ] || kill "$child"; exit 143' TERM
    for target do
        if mkdir "$TMPDIR/taken-$target" 2>/dev/null; then
            run "$target" || : >"$TMPDIR/failed-$target"
        fi
    done
}
workers=
job=0
while [ "$job" -lt "$jobs" ]; do
    next "$@" &
    workers="$workers $!"
    job=$((job + 1))
done
# shellcheck disable=SC2086 # words
trap 'kill $workers 2>/dev/null; exit 130' INT TERM
# shellcheck disable=SC2086 # words
wait $workers

failed=0
printf '%-14s %12s %9s %7s %9s %8s\n' target executions a-second blocks features inputs
for target do
    log="$fuzz/logs/$target"
    stat() { sed -n "s/^stat::$1: *//p" "$log"; }
    # The last line about the corpus: "#N DONE cov: 1 ft: 2 corp: 3/4b ..."
    seen=$(grep -a ' cov: ' "$log" | tail -n 1 | sed 's/.* cov: \([0-9]*\) ft: \([0-9]*\) corp: \([0-9]*\).*/\1 \2 \3/')
    # shellcheck disable=SC2086 # words
    printf '%-14s %12s %9s %7s %9s %8s\n' "$target" "$(stat number_of_executed_units)" "$(stat average_exec_per_sec)" ${seen:-0 0 0}
    if [ -e "$TMPDIR/failed-$target" ]; then
        failed=1
        grep -aE '^[^ ]*\.[ch]:[0-9]+: |ERROR: |runtime error|SUMMARY' "$log" | head -n 5 | sed 's/^/    /'
        sed -n 's/.*Test unit written to /    /p' "$log"
    fi
done
rm -rf -- "$TMPDIR"
exit "$failed"
