/* SPDX-License-Identifier: MIT */
/*
 * The reader of responses alone. The input is a byte of rules and the bytes of a connection.
 *
 *   one outcome, whole, byte by byte, and in pieces of sizes that the input decides
 *   taken apart by lines, as libcurl gives them, it is what the whole stream gives
 *   strict refuses what was lenient, and nothing else
 *   no more of the body than was said, and none where there is none
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <stook.h>

#include "fuzz.h"
#include "http1/reader.h"

enum { LINE_MAX_BYTES = 2048 };

/* What came of it, in order: each event by a letter, its texts behind. */
struct transcript {
    char *text;
    size_t size, room;
    uint64_t body;
    int error, lenient, status;
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
        transcript->body += item->value_size;
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
    CHECK(transcript->error == 0 || (transcript->why != NULL && transcript->why[0] != '\0'));
    CHECK(transcript->error == 0 || transcript->error == STOOK_EPROTOCOL || transcript->error == STOOK_ETRUNCATED ||
          transcript->error == STOOK_ETOOLARGE);
    if (transcript->error == 0 && reader->state == STOOK__READER_ENDED && !reader->chunked && reader->length >= 0)
        CHECK(transcript->body == 0 || transcript->body == (uint64_t)reader->length);
    if (reader->rules.to_head)
        CHECK_EQ_INT((int)transcript->body, 0);
}

/* In pieces; each in a block of its own, so that a sanitizer sees who reads on. `sizes` NULL: whole. */
static struct transcript source(const uint8_t *bytes, size_t size, const struct stook__reader_rules *rules, const uint8_t *sizes,
                              size_t n_sizes)
{
    static char line[LINE_MAX_BYTES + 1];
    struct stook__reader reader;
    struct transcript transcript = {0};
    stook__reader_begin(&reader, rules, line, LINE_MAX_BYTES);
    int more = 1;
    for (size_t at = 0, n = 0; more && at < size; n++) {
        size_t part = sizes == NULL ? size : 1u + sizes[n % n_sizes] % 61, done = 0;
        part = part < size - at ? part : size - at;
        char *piece = malloc(part);
        CHECK(piece != NULL);
        memcpy(piece, bytes + at, part);
        for (enum stook__reader_event event = STOOK__READER_FIELD; more && event != STOOK__READER_NOTHING;) {
            struct stook__reader_item item = {0};
            size_t used;
            event = stook__reader_feed(&reader, piece + done, part - done, &used, &item);
            CHECK(used <= part - done && (used > 0 || event != STOOK__READER_BYTES));
            done += used;
            more = take(&transcript, &reader, event, &item);
            CHECK(event != STOOK__READER_NOTHING || done == part);
        }
        free(piece);
        at += part;
        transcript.used += done;
    }
    finish(&transcript, &reader);
    return transcript;
}

/* As libcurl does: header lines one by one, then what is behind them. 0: it would not come so far. */
static int apart(const uint8_t *bytes, size_t size, const struct stook__reader_rules *rules, struct transcript *transcript)
{
    static char line[LINE_MAX_BYTES + 1];
    struct stook__reader reader;
    struct stook__reader_item item = {0};
    memset(transcript, 0, sizeof *transcript);
    stook__reader_begin(&reader, rules, line, LINE_MAX_BYTES);
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
    CHECK_EQ_SIZE(b->size, a->size);
    CHECK(a->size == 0 || memcmp(a->text, b->text, a->size) == 0);
    if (a->error != 0)
        CHECK_STR(b->why, a->why);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint8_t ones[1];
    struct transcript apart_from;
    if (size < 2)
        return 0;
    struct stook__reader_rules rules = {.to_head = data[0] & 1};
    struct transcript whole = source(data + 1, size - 1, &rules, NULL, 0);
    struct transcript bytes = source(data + 1, size - 1, &rules, ones, 1);
    struct transcript pieces = source(data + 1, size - 1, &rules, data, size);
    check_same(&whole, &bytes);
    check_same(&whole, &pieces);
    if (whole.error == 0) { /* else it ends where the error is found, which for a line in pieces may be before its end */
        CHECK_EQ_SIZE(bytes.used, whole.used);
        CHECK_EQ_SIZE(pieces.used, whole.used);
    }
    if (apart(data + 1, size - 1, &rules, &apart_from))
        check_same(&whole, &apart_from);
    rules.strict = 1;
    struct transcript strict = source(data + 1, size - 1, &rules, NULL, 0);
    if (whole.lenient)
        CHECK(strict.error != 0);
    else
        check_same(&whole, &strict);
    free(whole.text);
    free(bytes.text);
    free(pieces.text);
    free(apart_from.text);
    free(strict.text);
    return 0;
}
