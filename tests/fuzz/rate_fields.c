/* SPDX-License-Identifier: MIT */
/*
 * What responses say about when to come back. The input is a letter, then a section as text: "name: value"
 * lines. The letter chooses the status, and whether the clock is that of 1994 or far off.
 *
 *   a wait is within its bounds, and said by a field that is there
 *   a status that says nothing of limits has only Retry-After and its relatives
 *   names in another case, blanks around values and other fields between change nothing
 *   nothing is read behind a section that ends anywhere
 */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "fuzz.h"
#include "http/rate_fields.h"

static const int statuses[] = {429, 503, 200};
static const int64_t clocks[] = {784111777000, 1700000000000, 0, INT64_MIN, INT64_MAX};

/* "name\0 value\0" in sequence, in a block of its own size. `spoiled`: in ways that mean the same. */
static char *to_fields(const uint8_t *text, size_t size, int spoiled, size_t *ret_size)
{
    static const char other[] = "Server\0 \tnobody";
    char *all = malloc(size * 24 + sizeof other), *fields;
    size_t at = 0;
    int in_value = 0;
    CHECK(all != NULL);
    for (size_t i = 0; i < size; i++) {
        int ends = text[i] == '\n' || (text[i] == ':' && !in_value) || text[i] == '\0';
        if (ends && spoiled && in_value)
            all[at++] = '\t';
        all[at++] = ends ? '\0' : spoiled && !in_value ? (char)toupper(text[i]) : (char)text[i];
        if (ends && spoiled && !in_value)
            all[at++] = ' ';
        if (ends && spoiled && in_value) {
            memcpy(all + at, other, sizeof other);
            at += sizeof other;
        }
        in_value ^= ends;
    }
    fields = malloc(at + (at == 0));
    CHECK(fields != NULL);
    memcpy(fields, all, at);
    free(all);
    *ret_size = at;
    return fields;
}

static struct stook__rate_hint parse(const uint8_t *text, size_t size, int spoiled, int status, int64_t now)
{
    struct stook__rate_hint hint = {-5, "?"};
    size_t fields_size;
    char *fields = to_fields(text, size, spoiled, &fields_size);
    stook__rate_fields_parse(fields, fields_size, status, now, &hint);
    free(fields);
    return hint;
}

static void check_same(const struct stook__rate_hint *a, const struct stook__rate_hint *b)
{
    CHECK(a->wait_ms == b->wait_ms && a->field == b->field);
}

static void check_field(const uint8_t *text, size_t size, const struct stook__rate_hint *hint, int status)
{
    size_t length = strlen(hint->field), found = 0;
    for (size_t i = 0; i + length <= size; i++)
        found += strncasecmp((const char *)text + i, hint->field, length) == 0;
    CHECK(found > 0);
    CHECK(status != 200 || strstr(hint->field, "retry-after") != NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    int status = statuses[data[0] % 3];
    int64_t now = clocks[data[0] / 3 % 5];
    const uint8_t *text = data + 1;
    size--;
    struct stook__rate_hint hint = parse(text, size, 0, status, now), again = parse(text, size, 1, status, now);
    CHECK((hint.wait_ms == -1 && hint.field == NULL) || (hint.wait_ms >= 0 && hint.wait_ms <= STOOK__RATE_WAIT_MAX));
    if (hint.field != NULL)
        check_field(text, size, &hint, status);
    check_same(&hint, &again);
    if (size > 0)
        parse(text, data[size / 2] % size, 0, status, now); /* it ends anywhere */
    return 0;
}
