/* SPDX-License-Identifier: MIT */
/*
 * The decoder alone. The input is a byte that chooses the codings, one for the bounds, and a body.
 *
 *   one outcome, whole and in pieces of sizes that the input decides
 *   never more bytes than the bounds allow, never more work in a pull than its budget and a step
 *   the end is an end only if every stream had its own
 *   what zlib itself makes of a single gzip stream is what comes out
 */
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include <stook.h>

#include "fuzz.h"
#include "http/decoder.h"

enum { BUDGET = 64 << 10, ROOM = 16 << 10 };

static const char *const lists[] = {"gzip",     "br",       "zstd",       "gzip, gzip", "gzip, br",         "br, gzip",
                                    "zstd, br", "br, zstd", "gzip, zstd", "x-gzip",     "gzip, gzip, gzip", "identity, gzip"};
static const struct stook__decoder_limits bounds[] = {{-1, 1000}, {100000, 20}, {5000, -1}, {0, 1}};

/* What one step may add to a budget that is nearly used up: it reads some and produces a piece in each layer. */
static const int64_t STEP = 2 * (2048 * STOOK__DECODER_READ + ROOM + STOOK__DECODER_RESTART);

struct outcome {
    int error, ended, trailed;
    size_t size;
    unsigned long sum; /* of what came out */
};

static void check_bounds(const struct outcome *outcome, size_t fed, const struct stook__decoder_limits *limits)
{
    if (limits->bytes >= 0)
        CHECK(outcome->size <= (size_t)limits->bytes);
    if (limits->ratio >= 0)
        CHECK(outcome->size <= STOOK__DECODER_FREE + fed * (size_t)limits->ratio);
}

static void pull_all(struct stook__decoder *decoder, struct outcome *outcome)
{
    for (;;) {
        unsigned char *room = malloc(ROOM);
        int64_t budget = BUDGET;
        size_t made = 0;
        CHECK(room != NULL);
        outcome->error = stook__decoder_pull(decoder, room, ROOM, &budget, &made);
        CHECK(made <= ROOM && BUDGET - budget <= BUDGET + STEP);
        if (outcome->error == 0) { /* or they are not for use */
            outcome->size += made;
            outcome->sum = crc32(outcome->sum, room, (uInt)made);
        }
        free(room);
        if (outcome->error != 0 || (made == 0 && budget > 0))
            return;
    }
}

static struct outcome run(const char *list, const struct stook__decoder_limits *limits, const uint8_t *data, size_t size,
                          const uint8_t *sizes, size_t n_sizes)
{
    struct outcome outcome = {0};
    struct stook__allocator *allocator = stook__allocator_new(NULL);
    struct stook__decoder *decoder = NULL;
    CHECK(allocator != NULL);
    outcome.error = stook__decoder_new(allocator, list, limits, &decoder);
    for (size_t at = 0, n = 0; decoder != NULL && outcome.error == 0 && at < size; n++) {
        size_t part = sizes != NULL ? 1u + sizes[n % n_sizes] : size;
        part = part < size - at ? part : size - at;
        uint8_t *piece = malloc(part);
        CHECK(piece != NULL);
        memcpy(piece, data + at, part);
        stook__decoder_feed(decoder, piece, part);
        pull_all(decoder, &outcome);
        free(piece);
        at += part;
    }
    if (decoder != NULL) {
        check_bounds(&outcome, size, limits);
        outcome.ended = outcome.error == 0 && stook__decoder_ended(decoder);
        outcome.trailed = outcome.error == 0 && stook__decoder_trailed(decoder);
        CHECK(outcome.error == 0 || outcome.error == STOOK_EDECODE || outcome.error == STOOK_ETOOLARGE);
        CHECK(outcome.error == 0 || stook__decoder_why(decoder) != NULL);
    }
    stook__decoder_free(decoder);
    stook__allocator_unref(allocator);
    return outcome;
}

/* One gzip stream by zlib alone: 1 if that is all there is. */
static int by_zlib(const uint8_t *data, size_t size, struct outcome *outcome)
{
    static unsigned char room[ROOM];
    z_stream stream = {.next_in = (unsigned char *)data, .avail_in = (uInt)size};
    int code = Z_OK;
    memset(outcome, 0, sizeof *outcome);
    CHECK_EQ_INT(inflateInit2(&stream, 16 + MAX_WBITS), Z_OK);
    while (code == Z_OK) {
        stream.next_out = room;
        stream.avail_out = sizeof room;
        code = inflate(&stream, Z_NO_FLUSH);
        size_t made = sizeof room - stream.avail_out;
        outcome->size += made;
        outcome->sum = crc32(outcome->sum, room, (uInt)made);
    }
    int all = code == Z_STREAM_END && stream.avail_in == 0;
    inflateEnd(&stream);
    return all;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 3)
        return 0;
    const char *list = lists[data[0] % (sizeof lists / sizeof *lists)];
    const struct stook__decoder_limits *limits = &bounds[data[1] % (sizeof bounds / sizeof *bounds)];
    struct outcome whole = run(list, limits, data + 2, size - 2, NULL, 0), reference;
    struct outcome pieces = run(list, limits, data + 2, size - 2, data + 1, size - 1);
    /* A ratio is held against what was fed so far, so pieces may meet it sooner. */
    if (whole.error != pieces.error) {
        CHECK_ERROR(pieces.error, STOOK_ETOOLARGE);
    } else {
        CHECK_EQ_INT(pieces.ended, whole.ended);
        CHECK_EQ_INT(pieces.trailed, whole.trailed);
        if (whole.error == 0) {
            CHECK_EQ_SIZE(pieces.size, whole.size);
            CHECK(pieces.sum == whole.sum);
        }
    }
    if (data[0] % (sizeof lists / sizeof *lists) == 0 && whole.error == 0 && by_zlib(data + 2, size - 2, &reference)) {
        CHECK(whole.ended);
        CHECK_EQ_SIZE(whole.size, reference.size);
        CHECK(whole.sum == reference.sum);
    }
    return 0;
}
