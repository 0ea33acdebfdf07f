/* SPDX-License-Identifier: MIT */
/* Content codings: group Z, with gzip, which the tests can write. tests/integration/decompress.c has the others. */
#include <stdio.h>
#include <string.h>
#include <zlib.h>

#include "support/faults.h"
#include "support/harness.h"

#define COUNT(array) (sizeof(array) / sizeof(array)[0])
#define GZIP "Content-Encoding: gzip\r\n"

enum { ROWS_MAX = 32, PLAIN = 20000, ROOM = 80000, MUCH = 64 << 20 };

static char plain[PLAIN + 1];

/* What is answered, made once for all rows: a head and so many bytes. */
static struct {
    size_t size;
    char bytes[ROOM + 512];
} answers[ROWS_MAX];
static size_t n_answers;

static size_t compress_by(const void *data, size_t size, void *room, int window)
{
    z_stream stream = {.avail_in = (uInt)size, .next_out = room, .avail_out = ROOM};
    memcpy(&stream.next_in, &data, sizeof data); /* zlib takes it without const, and only reads */
    CHECK_EQ_INT(deflateInit2(&stream, 9, Z_DEFLATED, window, 8, Z_DEFAULT_STRATEGY), Z_OK);
    CHECK_EQ_INT(deflate(&stream, Z_FINISH), Z_STREAM_END);
    deflateEnd(&stream);
    return ROOM - stream.avail_out;
}

static size_t gzip(const void *data, size_t size, void *room)
{
    return compress_by(data, size, room, 16 + MAX_WBITS);
}

static struct raw_behaviour answer(const char *fields, const void *body, size_t size, int chunked)
{
    char head[256];
    char *at = answers[n_answers].bytes;
    int length = chunked ? snprintf(head, sizeof head, "HTTP/1.1 200 OK\r\n%sTransfer-Encoding: chunked\r\n\r\n%zx\r\n", fields, size)
                         : snprintf(head, sizeof head, "HTTP/1.1 200 OK\r\n%sContent-Length: %zu\r\n\r\n", fields, size);
    CHECK(n_answers < ROWS_MAX && size <= ROOM);
    memcpy(at, head, (size_t)length);
    memcpy(at + length, body, size);
    size += (size_t)length;
    if (chunked) {
        memcpy(at + size, "\r\n0\r\n\r\n", 7);
        size += 7;
    }
    answers[n_answers].size = size;
    return (struct raw_behaviour){.bytes = answers[n_answers++].bytes, .size = size};
}

static void run(const struct fault *rows, size_t count, int64_t ratio)
{
    struct faults faults = {.rows = rows, .count = count,
                            .server = faults_server(rows, count, NULL, 0),
                            .client = {.decompress = 1, .max_body_bytes = 1 << 20, .max_decompress_ratio = ratio}};
    faults_run(&faults);
}

static void fill(void)
{
    unsigned state = 1;
    for (size_t i = 0; i < PLAIN; i++) {
        state = state * 1103515245u + 12345u;
        plain[i] = (char)('a' + (state >> 16) % 26);
    }
}

TEST(gzip_that_is_broken)
{
    static char whole[ROOM], bad[ROOM], nothing[ROOM], deep[2][ROOM], zlib[ROOM];
    fill();
    size_t size = gzip(plain, PLAIN, whole), empty = gzip("", 0, nothing);
    memcpy(bad, whole, size);
    bad[size - 6] ^= 1; /* of the checksum */
    memcpy(deep[0], whole, size);
    size_t deep_size = size;
    for (int i = 1; i < 8; i++)
        deep_size = gzip(deep[(i + 1) % 2], deep_size, deep[i % 2]);
    size_t zlib_size = compress_by(plain, PLAIN, zlib, MAX_WBITS);
    const struct fault rows[] = {
        {.id = "Z01 whole", .peer = answer(GZIP, whole, size, 0), .status = 200, .body = plain},
        {.id = "Z01 whole, in a chunk", .peer = answer(GZIP, whole, size, 1), .status = 200,
         .body = plain},
        {.id = "Z01 of nothing", .peer = answer(GZIP, nothing, empty, 0), .status = 200, .body = ""},
        {.id = "Z01 an empty body", .peer = answer(GZIP, "", 0, 0), .status = 200, .body = ""},
        {.id = "Z02 it is no gzip", .peer = answer(GZIP, "plain text", 10, 0),
         .error = STOOK_EDECODE, .status = 200, .body = ""},
        {.id = "Z03 half of it", .peer = answer(GZIP, whole, size / 2, 0),
         .error = STOOK_ETRUNCATED, .status = 200, .body = plain},
        {.id = "Z03 all but the last byte", .peer = answer(GZIP, whole, size - 1, 0),
         .error = STOOK_ETRUNCATED, .status = 200, .body = plain},
        {.id = "Z03 half of its head", .peer = answer(GZIP, whole, 5, 0),
         .error = STOOK_ETRUNCATED, .status = 200, .body = ""},
        {.id = "Z04 half of it, in a chunk", .peer = answer(GZIP, whole, size / 2, 1),
         .error = STOOK_ETRUNCATED, .status = 200, .body = plain},
        {.id = "Z05 a bad checksum", .peer = answer(GZIP, bad, size, 0), .error = STOOK_EDECODE,
         .status = 200, .body = plain},
        {.id = "Z08 eight layers",
         .peer = answer("Content-Encoding: gzip, gzip, gzip, gzip, gzip, gzip, gzip, gzip\r\n",
                        deep[1], deep_size, 0), .error = STOOK_EDECODE, .status = 200, .body = ""},
        {.id = "Z09 x-gzip", .peer = answer("Content-Encoding: x-gzip\r\n", whole, size, 0),
         .status = 200, .body = plain},
        {.id = "Z09 identity", .peer = answer("Content-Encoding: identity\r\n", plain, 100, 0),
         .status = 200},
        /* Not asked for, so it is left as it is, and the field says so. */
        {.id = "Z09 a coding nobody knows", .peer = answer("Content-Encoding: odd\r\n", "odd", 3, 0),
         .status = 200, .body = "odd"},
        {.id = "Z09 deflate", .peer = answer("Content-Encoding: deflate\r\n", zlib, zlib_size, 0),
         .status = 200},
    };
    run(rows, COUNT(rows), 0);
}

/* 64 KB that are 64 MB, in one layer or in two. */
TEST(bombs)
{
    static char much[MUCH], packed[2][ROOM];
    size_t size = gzip(much, MUCH, packed[0]), twice = gzip(packed[0], size, packed[1]);
    const struct fault rows[] = {
        {.id = "Z07 64 MB", .peer = answer(GZIP, packed[0], size, 0), .error = STOOK_ETOOLARGE,
         .costly = 1, .status = 200},
        {.id = "Z07 64 MB, in a chunk", .peer = answer(GZIP, packed[0], size, 1),
         .error = STOOK_ETOOLARGE, .costly = 1, .status = 200},
        {.id = "Z07 64 MB in two layers",
         .peer = answer("Content-Encoding: gzip, gzip\r\n", packed[1], twice, 0),
         .error = STOOK_ETOOLARGE, .costly = 1, .status = 200},
    };
    run(rows, COUNT(rows), STOOK_NONE); /* by size */
}

static const struct fault garbage[] = {
    {.id = "Z10 br garbage", .error = STOOK_EDECODE, .or_error = STOOK_ETRUNCATED, .either = 1,
     .peer = {.bytes = "HTTP/1.1 200 OK\r\nContent-Encoding: br\r\nContent-Length: 9\r\n\r\n"
                       "not br!!!"}, .status = 200},
    {.id = "Z10 zstd garbage", .error = STOOK_EDECODE, .either = 1,
     .peer = {.bytes = "HTTP/1.1 200 OK\r\nContent-Encoding: zstd\r\nContent-Length: 9\r\n\r\n"
                       "not zstd!"}, .status = 200},
};

/* Where one of the two is not built in, it is not asked for, and left as it is. */
TEST(other_garbage)
{
    run(garbage, COUNT(garbage), 0);
}

/* Z11: the same without `decompress`. */
TEST(not_asked_for)
{
    static const struct fault rows[] = {
        {.id = "Z11 not asked for", .status = 200, .body = "plain text",
         .peer = {.bytes = "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 10\r\n\r\n"
                           "plain text"}},
    };
    faults_in_the_clear(rows, COUNT(rows));
}
