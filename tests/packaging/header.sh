#!/bin/sh
# SPDX-License-Identifier: MIT
# stook.h and each of its parts alone, in every language that may include them, without a warning and without padding.
. "$(dirname -- "$0")/common.sh"

dir="$work/header"
rm -rf -- "$dir"
mkdir -p -- "$dir"

# Twice, and with what the macros and functions make; nothing of libuv or libcurl.
cat >"$dir/alone.c" <<'END'
#include <stook.h>
#include <stook.h>
#if defined(UV_H) || defined(CURLINC_CURL_H)
#error "stook.h is to include neither libuv nor libcurl"
#endif
int use(void);
int use(void)
{
    struct stook_client_options none = STOOK_CLIENT();
    struct stook_client_options options = STOOK_CLIENT(.timeout_ms = 5000, .max_body_bytes = STOOK_NONE);
    struct stook_request request = STOOK_REQUEST(.url = "http://localhost/", .body_size = STOOK_AUTO);
    struct stook_request shortest = STOOK_REQUEST("http://localhost/");
    struct stook_gather_options gather = STOOK_GATHER(.limit = 10);
    struct stook_progress progress = STOOK_PROGRESS();
    struct stook_batch_stats stats = STOOK_BATCH_STATS();
    return none.size && options.size && request.size && shortest.size && gather.size && progress.size && stats.size;
}
END
cat >"$dir/alone.cc" <<'END'
#include <stook.h>
#include <stook.h>
int use();
int use()
{
    stook_client_options options;
    stook_request request;
    stook_gather_options gather;
    stook_client_options_init(&options, sizeof options);
    stook_request_init(&request, sizeof request);
    stook_gather_options_init(&gather, sizeof gather);
    struct stook_batch_stats stats;
    stook_batch_stats_init(&stats, sizeof stats);
    options.timeout_ms = STOOK_NONE;
    return options.size && request.size && gather.size && stook_batch_stats(nullptr, &stats);
}
END
cat >"$dir/after.c" <<'END'
#include <uv.h>
#include <stook.h>
int use(uv_loop_t *loop, stook_client **client);
int use(uv_loop_t *loop, stook_client **client) { return stook_client_new(loop, NULL, client); }
END
cat >"$dir/before.c" <<'END'
#include <stook.h>
#include <uv.h>
int use(uv_loop_t *loop, stook_client **client);
int use(uv_loop_t *loop, stook_client **client) { return stook_client_new(loop, NULL, client); }
END
# Each header alone, and as the first.
for header in "$root"/include/stook/*.h; do
    part=$(basename -- "$header" .h)
    printf '#include <stook/%s.h>\n#include <stook/%s.h>\nint use_%s(void);\n' "$part" "$part" "$part" >"$dir/part-$part.c"
    cp "$dir/part-$part.c" "$dir/part-$part.cc"
done
cp "$dir/after.c" "$dir/after.cc"
cp "$dir/before.c" "$dir/before.cc"

tried=0
# check COMPILER STANDARD FILE [flag...]
check() {
    compiler=$1
    standard=$2
    file=$3
    shift 3
    quietly "$compiler" "-std=$standard" -Wall -Wextra -Wpedantic -Werror "$@" \
        -I "$root/include" -fsyntax-only "$dir/$file"
    tried=$((tried + 1))
}
there() { [ -n "$1" ] && command -v "$1" >/dev/null 2>&1; }

for cc in "$CC" gcc clang; do
    there "$cc" || continue
    for standard in c99 c11 c17; do
        check "$cc" "$standard" alone.c
    done
    check "$cc" c99 alone.c -Wpadded
    check "$cc" c11 alone.c -Wstrict-prototypes -Wmissing-prototypes -Wshadow -Wundef -Wcast-qual
    for part in "$dir"/part-*.c; do check "$cc" c99 "$(basename -- "$part")" -Wpadded -Wundef; done
    check "$cc" gnu11 before.c -Wno-pedantic
    check "$cc" gnu11 after.c -Wno-pedantic
done
for cxx in "${CXX:-}" g++ clang++; do
    there "$cxx" || continue
    for standard in c++11 c++17 c++20; do
        check "$cxx" "$standard" alone.cc
    done
    check "$cxx" c++11 alone.cc -Wpadded -Wshadow -Wundef
    for part in "$dir"/part-*.cc; do check "$cxx" c++11 "$(basename -- "$part")" -Wpadded -Wundef; done
    check "$cxx" c++17 before.cc -Wno-pedantic
    check "$cxx" c++17 after.cc -Wno-pedantic
done
printf '%d compilations\n' "$tried"
[ "$tried" -gt 0 ] || fail "no compiler was found"
