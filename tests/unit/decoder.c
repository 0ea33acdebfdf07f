/* SPDX-License-Identifier: MIT */
/* The decoder alone: every layer is bounded, and so is the work of one call. */
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "support/harness.h"
#include "http/decoder.h"

enum { BUDGET = 64 << 10, PIECE = 16 << 10 };

static struct stook__allocator *allocator;

/* A gzip member with those bytes and so many zeros behind them; to be freed. */
static unsigned char *gzip(const void *data, size_t size, size_t zeros, size_t *ret_size)
{
    static const unsigned char zero[1 << 20];
    size_t room = size + zeros / 500 + 4096;
    unsigned char *packed = malloc(room);
    z_stream stream = {.next_in = (unsigned char *)data, .avail_in = (uInt)size, .next_out = packed, .avail_out = (uInt)room};
    CHECK(packed != NULL && deflateInit2(&stream, 9, Z_DEFLATED, 16 + MAX_WBITS, 9, Z_DEFAULT_STRATEGY) == Z_OK);
    CHECK_EQ_INT(deflate(&stream, Z_NO_FLUSH), Z_OK);
    for (size_t part; zeros > 0; zeros -= part) {
        part = zeros < sizeof zero ? zeros : sizeof zero;
        stream.next_in = (unsigned char *)zero;
        stream.avail_in = (uInt)part;
        CHECK_EQ_INT(deflate(&stream, Z_NO_FLUSH), Z_OK);
    }
    CHECK_EQ_INT(deflate(&stream, Z_FINISH), Z_STREAM_END);
    *ret_size = room - stream.avail_out;
    deflateEnd(&stream);
    return packed;
}

static struct stook__decoder *open_decoder(const char *list, int64_t bytes, int64_t ratio)
{
    struct stook__decoder *decoder = NULL;
    allocator = stook__allocator_new(NULL);
    CHECK_ERROR(stook__decoder_new(allocator, list, &(struct stook__decoder_limits){bytes, ratio}, &decoder), 0);
    CHECK(decoder != NULL);
    return decoder;
}

static void close_decoder(struct stook__decoder *decoder)
{
    stook__decoder_free(decoder);
    stook__allocator_unref(allocator);
}

struct run {
    int error;
    size_t bytes, pulls; /* decoded; how often it was pulled */
    int64_t work, most;  /* of all pulls; of the one that worked most */
};

/* All that those bytes decode to, until the end or an error. */
static struct run drain(struct stook__decoder *decoder, const void *data, size_t size)
{
    static unsigned char room[PIECE];
    struct run run = {0};
    stook__decoder_feed(decoder, data, size);
    for (;;) {
        int64_t budget = BUDGET;
        size_t made = 0;
        run.error = stook__decoder_pull(decoder, room, sizeof room, &budget, &made);
        run.pulls++;
        run.bytes += made;
        run.work += BUDGET - budget;
        run.most = BUDGET - budget > run.most ? BUDGET - budget : run.most;
        if (run.error != 0 || (made == 0 && budget > 0))
            return run;
    }
}

/* What one step may add to a budget that is nearly used up: it reads some and produces a piece in each layer. */
static const int64_t OVER = 2 * (2048 * STOOK__DECODER_READ + PIECE + STOOK__DECODER_RESTART);

TEST(streams_that_produce_nothing)
{
    size_t one, count = 50000;
    unsigned char *member = gzip("", 0, 0, &one), *many = malloc(one * count);
    CHECK(many != NULL);
    for (size_t i = 0; i < count; i++)
        memcpy(many + i * one, member, one);
    struct stook__decoder *decoder = open_decoder("gzip", 0, 1000);
    struct run run = drain(decoder, many, one * count);
    CHECK_ERROR(run.error, 0);
    CHECK_EQ_SIZE(run.bytes, 0);
    CHECK(run.most <= BUDGET + OVER);
    /* Each begin of a stream counts, not only its bytes. */
    CHECK(run.pulls >= count * STOOK__DECODER_RESTART / (BUDGET + (size_t)OVER));
    CHECK(stook__decoder_ended(decoder) && !stook__decoder_trailed(decoder));
    close_decoder(decoder);
    free(member);
    free(many);
}

/* A gzip head, and blocks of nothing behind it that each set up tables: hundreds of nanoseconds a byte. */
static unsigned char *empty_blocks(size_t size)
{
    static const unsigned char head[10] = {0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3};
    /* BFINAL 0, BTYPE 2; one literal code, that of the end, and one distance; 90 bits, the first last. */
    static const char block[] = "0"  "01" "00000" "00000" "0111"
                                "000" "000" "100" "000" "000" "000" "000" "000" "000"
                                "000" "000" "000" "000" "000" "000" "000" "000" "100"
                                "1" "1111111" "1" "1101011" "0" "0" "0";
    unsigned char *bytes = calloc(size, 1);
    size_t bit = 8 * sizeof head;
    CHECK(bytes != NULL);
    memcpy(bytes, head, sizeof head);
    for (size_t i = 0; bit < 8 * size; i++, bit++)
        if (block[i % (sizeof block - 1)] == '1')
            bytes[bit / 8] |= (unsigned char)(1 << bit % 8);
    return bytes;
}

/* What is read counts by what it may cost, although nothing is produced. */
TEST(tables_without_bytes)
{
    enum { SIZE = 1 << 20, WEIGHT = 32 };
    unsigned char *blocks = empty_blocks(SIZE);
    struct stook__decoder *decoder = open_decoder("gzip", 0, 1000);
    struct run run = drain(decoder, blocks, SIZE);
    CHECK_ERROR(run.error, 0);
    CHECK_EQ_SIZE(run.bytes, 0);
    CHECK(run.work >= (int64_t)SIZE * WEIGHT);
    CHECK(run.most <= BUDGET + OVER);
    close_decoder(decoder);
    free(blocks);
}

/* The uppermost layer has its end early, and throws away all that the one below it produces. */
TEST(a_layer_that_only_the_other_sees)
{
    size_t inner_size, outer_size;
    unsigned char *inner = gzip("x", 1, 0, &inner_size), *outer = gzip(inner, inner_size, 64 << 20, &outer_size);
    const struct {
        int64_t bytes, ratio;
        const char *why;
    } bounds[] = {{1 << 20, -1, "a layer"}, {-1, 20, "expands"}};
    for (size_t i = 0; i < sizeof bounds / sizeof *bounds; i++) {
        struct stook__decoder *decoder = open_decoder("gzip, gzip", bounds[i].bytes, bounds[i].ratio);
        struct run run = drain(decoder, outer, outer_size);
        CHECK_ERROR(run.error, STOOK_ETOOLARGE);
        CHECK_CONTAINS(stook__decoder_why(decoder), bounds[i].why);
        CHECK(run.work <= 4 * STOOK__DECODER_FREE);
        CHECK(run.most <= BUDGET + OVER);
        close_decoder(decoder);
    }
    free(inner);
    free(outer);
}

TEST(a_ratio_that_layers_multiply)
{
    size_t inner_size, outer_size;
    unsigned char *inner = gzip("", 0, 64 << 20, &inner_size), *outer = gzip(inner, inner_size, 0, &outer_size);
    CHECK(outer_size * 1000 < STOOK__DECODER_FREE);
    struct stook__decoder *decoder = open_decoder("gzip, gzip", -1, 1000);
    struct run run = drain(decoder, outer, outer_size);
    CHECK_ERROR(run.error, STOOK_ETOOLARGE);
    CHECK(run.bytes <= STOOK__DECODER_FREE + PIECE);
    close_decoder(decoder);
    free(inner);
    free(outer);
}

TEST(too_many_layers)
{
    struct stook__decoder *decoder = NULL;
    const struct stook__decoder_limits limits = {-1, -1};
    allocator = stook__allocator_new(NULL);
    CHECK_ERROR(stook__decoder_new(allocator, "gzip, gzip, gzip", &limits, &decoder), STOOK_EDECODE);
    CHECK_ERROR(stook__decoder_new(allocator, "gzip, identity, gzip", &limits, &decoder), 0);
    CHECK(decoder != NULL);
    close_decoder(decoder);
}

/* A stream that is both too large and broken further on is too large, however its bytes come. */
TEST(broken_behind_its_bound)
{
    size_t size;
    unsigned char *packed = gzip("x", 1, 5000, &size);
    packed[size - 8] ^= 1; /* of its checksum */
    struct stook__decoder *decoder = open_decoder("gzip", 100, -1);
    CHECK_ERROR(drain(decoder, packed, size).error, STOOK_ETOOLARGE);
    close_decoder(decoder);
    decoder = open_decoder("gzip", 5001, -1);
    CHECK_ERROR(drain(decoder, packed, size).error, STOOK_EDECODE);
    close_decoder(decoder);
    free(packed);
}
