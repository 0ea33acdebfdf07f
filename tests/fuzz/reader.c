/* SPDX-License-Identifier: MIT */
/*
 * The reader of responses alone. The input is a byte of rules and the bytes of a connection, or numbers of fragments that
 * make them.
 *
 *   one outcome, whole, byte by byte, and in pieces of sizes that the input decides, with a block for lines that is
 *   there from the beginning or grows by what the reader asks for
 *   taken apart by lines, as libcurl gives them, it is what the whole stream gives
 *   strict refuses what was lenient, and nothing else
 *   no more of the body than was said, and none where there is none
 *   what a model of RFC 9112 makes of it, where that is sure
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <stook.h>

#include "fuzz.h"
#include "model.h"
#include "http1/reader.h"

enum { LINE_MAX_BYTES = 2048 };

/* What came of it, in order: each event by a letter, its texts behind. */
struct transcript {
    char *text;
    size_t size, room;
    char *body;
    size_t body_size, fields, trailers;
    int error, lenient, status, by_chunks, keeps, is_over;
    const char *why;
    size_t used; /* bytes of the message */
};

static void write_down(struct transcript *transcript, char message, const char *text, size_t size)
{
    if (transcript->size + size + 1 > transcript->room) {
        transcript->room = 2 * transcript->room + size + 256;
        transcript->text = realloc(transcript->text, transcript->room);
        CHECK(transcript->text != NULL);
    }
    if (message != '\0')
        transcript->text[transcript->size++] = message;
    if (size > 0)
        memcpy(transcript->text + transcript->size, text, size);
    transcript->size += size;
}

/* 1: there is more to come. */
static int take(struct transcript *transcript, const struct stook__reader *reader, enum stook__reader_event event,
                const struct stook__reader_item *item)
{
    char number[32];
    switch (event) {
    case STOOK__READER_STATUS:
        write_down(transcript, 'S', number, (size_t)snprintf(number, sizeof number, "%d/%d", reader->status, reader->protocol));
        break;
    case STOOK__READER_FIELD:
        CHECK(item->name + item->name_size < item->value);
        write_down(transcript, 'F', item->name, item->name_size);
        write_down(transcript, '=', item->value, item->value_size);
        *(reader->state == STOOK__READER_TRAILERS ? &transcript->trailers : &transcript->fields) += 1;
        CHECK(item->value_size == 0 || (item->value[0] != ' ' && item->value[item->value_size - 1] != ' '));
        break;
    case STOOK__READER_FOLD:
        write_down(transcript, '+', item->value, item->value_size);
        break;
    case STOOK__READER_ODD:
        write_down(transcript, 'O', NULL, 0);
        break;
    case STOOK__READER_HEAD:
        write_down(transcript, reader->informational ? 'I' : 'H', NULL, 0);
        break;
    case STOOK__READER_BYTES: /* pieces are no part of the outcome */
        CHECK(item->value_size > 0);
        write_down(transcript, '\0', item->value, item->value_size);
        transcript->body = realloc(transcript->body, transcript->body_size + item->value_size);
        CHECK(transcript->body != NULL);
        memcpy(transcript->body + transcript->body_size, item->value, item->value_size);
        transcript->body_size += item->value_size;
        break;
    default:
        break;
    }
    return event != STOOK__READER_END && event != STOOK__READER_ERROR;
}

static void finish(struct transcript *transcript, const struct stook__reader *reader)
{
    transcript->error = stook__reader_eof(reader, &transcript->why);
    transcript->lenient = reader->lenient != NULL;
    transcript->status = reader->status;
    transcript->by_chunks = reader->by_chunks;
    transcript->keeps = stook__reader_keeps_connection(reader);
    transcript->is_over = stook__reader_is_over(reader);
    CHECK(!transcript->is_over || transcript->error == 0);
    CHECK(!transcript->keeps || transcript->is_over);
    CHECK(!transcript->by_chunks || reader->chunked);
    CHECK(transcript->error == 0 || (transcript->why != NULL && transcript->why[0] != '\0'));
    CHECK(transcript->error == 0 || transcript->error == STOOK_EPROTOCOL || transcript->error == STOOK_ETRUNCATED ||
          transcript->error == STOOK_ETOOLARGE);
    if (transcript->error == 0 && reader->state == STOOK__READER_ENDED && !reader->chunked && reader->length >= 0)
        CHECK(transcript->body_size == 0 || transcript->body_size == (uint64_t)reader->length);
    if (reader->rules.to_head)
        CHECK_EQ_SIZE(transcript->body_size, 0);
}

/* Gives the reader the block that it asks for, and `more` bytes, as far as it may use them. */
static void enlarge(struct stook__reader *reader, size_t more)
{
    CHECK(reader->line_wanted > reader->line_capacity && reader->line_wanted <= reader->line_max);
    more = more < reader->line_max - reader->line_wanted ? more : reader->line_max - reader->line_wanted;
    reader->line_capacity = reader->line_wanted + more;
    reader->line = realloc(reader->line, reader->line_capacity);
    CHECK(reader->line != NULL);
}

/* In pieces; each in a block of its own, so that a sanitizer sees who reads on. `sizes` NULL: whole, with a block for
   lines; else one that grows. */
static struct transcript source(const uint8_t *bytes, size_t size, const struct stook__reader_rules *rules, const uint8_t *sizes,
                              size_t n_sizes)
{
    struct stook__reader reader;
    struct transcript transcript = {0};
    char *line = sizes == NULL ? malloc(LINE_MAX_BYTES) : NULL;
    CHECK(sizes != NULL || line != NULL);
    stook__reader_begin(&reader, rules, line, sizes == NULL ? LINE_MAX_BYTES : 0, LINE_MAX_BYTES);
    int more = 1;
    for (size_t at = 0, n = 0; more && at < size; n++) {
        size_t part = sizes == NULL ? size : 1u + sizes[n % n_sizes] % 61, done = 0;
        part = part < size - at ? part : size - at;
        char *piece = malloc(part);
        CHECK(piece != NULL);
        memcpy(piece, bytes + at, part);
        for (enum stook__reader_event event = STOOK__READER_FIELD; more && (event != STOOK__READER_NOTHING || done < part);) {
            struct stook__reader_item item = {0};
            size_t used;
            event = stook__reader_feed(&reader, piece + done, part - done, &used, &item);
            CHECK(used <= part - done && (used > 0 || event != STOOK__READER_BYTES));
            done += used;
            more = take(&transcript, &reader, event, &item);
            if (event == STOOK__READER_NOTHING && done < part)
                enlarge(&reader, sizes[n % n_sizes] / 4);
        }
        free(piece);
        at += part;
        transcript.used += done;
    }
    finish(&transcript, &reader);
    free(reader.line);
    return transcript;
}

/* As libcurl does: header lines one by one, then what is behind them. 0: it would not come so far. */
static int apart(const uint8_t *bytes, size_t size, const struct stook__reader_rules *rules, struct transcript *transcript)
{
    static char line[LINE_MAX_BYTES + 1];
    struct stook__reader reader;
    struct stook__reader_item item = {0};
    memset(transcript, 0, sizeof *transcript);
    stook__reader_begin(&reader, rules, line, LINE_MAX_BYTES, LINE_MAX_BYTES);
    int more = 1;
    size_t at = 0;
    while (more && at < size && (reader.state == STOOK__READER_STATUS_LINE || reader.state == STOOK__READER_FIELDS)) {
        const uint8_t *end = memchr(bytes + at, '\n', size - at);
        size_t part = end != NULL ? (size_t)(end + 1 - bytes) - at : 0;
        if (part == 0 || part > LINE_MAX_BYTES)
            return 0;
        char *copy = malloc(part);
        CHECK(copy != NULL);
        memcpy(copy, bytes + at, part);
        more = take(transcript, &reader, stook__reader_line(&reader, copy, part, &item), &item);
        free(copy);
        at += part;
    }
    while (more && at < size && reader.state != STOOK__READER_ENDED) {
        size_t used;
        enum stook__reader_event event = stook__reader_body(&reader, (const char *)bytes + at, size - at, &used, &item);
        more = take(transcript, &reader, event, &item) && event != STOOK__READER_NOTHING;
        at += used;
    }
    finish(transcript, &reader);
    return 1;
}

static void check_same(const struct transcript *a, const struct transcript *b)
{
    CHECK_ERROR(b->error, a->error);
    CHECK_EQ_INT(b->lenient, a->lenient);
    CHECK_EQ_INT(b->by_chunks, a->by_chunks);
    CHECK_EQ_INT(b->keeps, a->keeps);
    CHECK_EQ_INT(b->is_over, a->is_over);
    CHECK_EQ_SIZE(b->size, a->size);
    CHECK(a->size == 0 || memcmp(a->text, b->text, a->size) == 0);
    if (a->error != 0)
        CHECK_STR(b->why, a->why);
}

/* What no leniency has decided is the same for the model. */
static void check_model(const struct transcript *transcript, const uint8_t *bytes, size_t size, int to_head)
{
    struct model model;
    model_read((const char *)bytes, size, to_head, LINE_MAX_BYTES, &model);
    test_note("the model answers %d", model.answer);
    if (model.answer == MODEL_WRONG)
        CHECK_ERROR(transcript->error, STOOK_EPROTOCOL);
    if (model.answer == MODEL_CUT_OFF)
        CHECK_ERROR(transcript->error, STOOK_ETRUNCATED);
    if (model.answer == MODEL_COMPLETE) {
        CHECK_ERROR(transcript->error, 0);
        CHECK_EQ_SIZE(transcript->used, model.used);
        CHECK_EQ_INT(transcript->keeps, model.keeps);
    }
    if (model.answer == MODEL_COMPLETE || model.answer == MODEL_CUT_OFF) {
        CHECK_EQ_INT(transcript->lenient, 0);
        CHECK_EQ_INT(transcript->status, model.status);
        CHECK_EQ_SIZE(transcript->fields, model.fields);
        CHECK_EQ_SIZE(transcript->trailers, model.trailers);
        CHECK_EQ_SIZE(transcript->body_size, model.body_size);
        CHECK(model.body_size == 0 || memcmp(transcript->body, model.body, model.body_size) == 0);
    }
    test_note("%s", "");
    model_free(&model);
}

static void clean(struct transcript *transcript)
{
    free(transcript->text);
    free(transcript->body);
}

/* ------------------------------------------------------------------------------- fragments */

/* Of them many responses can be made that keep the grammar, which is where the model is sure. Bytes alone rarely do. */
static const char *const fragments[] = {
    "HTTP/1.1 200 OK\r\n", "HTTP/1.0 200 \r\n", "HTTP/1.1 100 Continue\r\n", "HTTP/1.1 103 Early Hints\r\n", "HTTP/1.1 204 No Content\r\n",
    "HTTP/1.1 304 Not Modified\r\n", "HTTP/1.0 404 Not Found\r\n", "HTTP/1.2 500 \xe4\r\n", "HTTP/1.1 101 Switching Protocols\r\n",
    "\r\n", "Content-Length: ", "content-length:", "Transfer-Encoding: chunked\r\n", "TRANSFER-ENCODING:Chunked\t\r\n", "Transfer-Encoding: gzip\r\n",
    "Connection: close\r\n", "connection:keep-alive \r\n", "Connection: ", "Connection: x, Close ,y\r\n", "Connection: , Keep-Alive,x\r\n",
    "close", "keep-alive", ",", "Date: Mon, 01 Jan 2024 00:00:00 GMT\r\n", "Set-Cookie: a=b; path=/\r\n", "Keep-Alive: timeout=5, max=9\r\n",
    "X:\r\n", "X-Long: 0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\r\n", "Connectioo: close\r\n", "Trailer: X\r\n",
    "0", "1", "2", "3", "00", "a", "F", "0\r\n", "1\r\nx\r\n", "3\r\nabc\r\n", "A;n=v\r\n0123456789\r\n", "000003\r\n\r\n\r\r\n", "0;last\r\n",
    "b", "abc", "\n", "\r", " ", "\t", ":", ";", "-",
};

enum { FRAGMENTS = sizeof fragments / sizeof *fragments, FRAGMENTS_MAX = 64, FRAGMENT_MAX = 100 };

static size_t join(const uint8_t *numbers, size_t count, uint8_t *ret_bytes)
{
    size_t size = 0;
    for (size_t i = 0; i < count && i < FRAGMENTS_MAX; i++) {
        const char *fragment = fragments[numbers[i] % FRAGMENTS];
        CHECK(strlen(fragment) < FRAGMENT_MAX);
        memcpy(ret_bytes + size, fragment, strlen(fragment));
        size += strlen(fragment);
    }
    return size;
}

/* ------------------------------------------------------------------------------ all of it */

static void check(const uint8_t *bytes, size_t size, int to_head, const uint8_t *sizes, size_t n_sizes)
{
    static const uint8_t ones[1];
    struct transcript apart_from;
    struct stook__reader_rules rules = {.to_head = to_head};
    struct transcript whole = source(bytes, size, &rules, NULL, 0);
    struct transcript single = source(bytes, size, &rules, ones, 1);
    struct transcript pieces = source(bytes, size, &rules, sizes, n_sizes);
    check_same(&whole, &single);
    check_same(&whole, &pieces);
    if (whole.error == 0) { /* else it ends where the error is found, which for a line in pieces may be before its end */
        CHECK_EQ_SIZE(single.used, whole.used);
        CHECK_EQ_SIZE(pieces.used, whole.used);
    }
    if (apart(bytes, size, &rules, &apart_from))
        check_same(&whole, &apart_from);
    check_model(&whole, bytes, size, to_head);
    rules.strict = 1;
    struct transcript strict = source(bytes, size, &rules, NULL, 0);
    if (whole.lenient)
        CHECK(strict.error != 0);
    else
        check_same(&whole, &strict);
    clean(&whole);
    clean(&single);
    clean(&pieces);
    clean(&apart_from);
    clean(&strict);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t joined[FRAGMENTS_MAX * FRAGMENT_MAX];
    if (size < 2)
        return 0;
    if (data[0] >= 0xfe) {
        size_t joined_size = join(data + 1, size - 1, joined);
        check(joined, joined_size, data[0] & 1, data, size);
    } else {
        check(data + 1, size - 1, data[0] & 1, data, size);
    }
    return 0;
}
