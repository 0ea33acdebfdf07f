/* SPDX-License-Identifier: MIT */
#include "strict.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "../support/harness.h"

/* RFC 3986 2.2, 2.3 */
#define UNRESERVED "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~"
#define SUB_DELIMS "!$&'()*+,;="
#define PATH_AND_QUERY UNRESERVED SUB_DELIMS ":@/?"
/* In no URL, and a percent sign without two digits is not either, but libcurl leaves them where the program wrote them. */
#define LEFT_BY_LIBCURL "\"<>[]^`{|}%"
/* RFC 9110 5.6.2 */
#define TOKEN "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789!#$%&'*+-.^_`|~"
#define HEX "0123456789ABCDEFabcdef"

int strict_is(struct strict_bytes bytes, const char *text)
{
    return bytes.at != NULL && bytes.size == strlen(text) && memcmp(bytes.at, text, bytes.size) == 0;
}

int strict_is_named(struct strict_bytes bytes, const char *text)
{
    return bytes.size == strlen(text) && strncasecmp(bytes.at, text, bytes.size) == 0;
}

struct strict_bytes strict_trimmed(const char *text, size_t size)
{
    while (size > 0 && (text[0] == ' ' || text[0] == '\t'))
        text++, size--;
    while (size > 0 && (text[size - 1] == ' ' || text[size - 1] == '\t'))
        size--;
    return (struct strict_bytes){text, size};
}

static int consists_of(struct strict_bytes bytes, const char *set)
{
    for (size_t i = 0; i < bytes.size; i++)
        if (bytes.at[i] == '\0' || strchr(set, bytes.at[i]) == NULL)
            return 0;
    return bytes.size > 0;
}

/* The next line without its end, which is CR LF; 0: it is not there yet. */
static int take_line(const char *bytes, size_t size, size_t *at, struct strict_bytes *ret_line)
{
    for (size_t i = *at; i < size; i++) {
        if (bytes[i] != '\r' && bytes[i] != '\n')
            continue;
        if (i + 1 == size && bytes[i] == '\r')
            return 0;
        if (bytes[i] != '\r' || bytes[i + 1] != '\n')
            FAIL("a CR or LF is not of a line's end");
        *ret_line = (struct strict_bytes){bytes + *at, i - *at};
        *at = i + 2;
        return 1;
    }
    return 0;
}

static void parse_request_line(struct strict_bytes line, struct strict_request *request)
{
    const char *first = memchr(line.at, ' ', line.size), *end = line.at + line.size;
    const char *second = first != NULL ? memchr(first + 1, ' ', (size_t)(end - first - 1)) : NULL;
    CHECK(second != NULL);
    request->method = (struct strict_bytes){line.at, (size_t)(first - line.at)};
    request->target = (struct strict_bytes){first + 1, (size_t)(second - first - 1)};
    CHECK(consists_of(request->method, TOKEN));
    CHECK(strict_is((struct strict_bytes){second + 1, (size_t)(end - second - 1)}, "HTTP/1.1"));
    CHECK(request->target.size > 0);
    if (!strict_is(request->target, "*"))
        CHECK(request->target.at[0] == '/' && consists_of(request->target, PATH_AND_QUERY LEFT_BY_LIBCURL));
}

static size_t number(struct strict_bytes text, unsigned base)
{
    char digits[20] = "";
    CHECK(consists_of(text, base == 16 ? HEX : "0123456789") && text.size < sizeof digits - 4);
    memcpy(digits, text.at, text.size);
    return strtoul(digits, NULL, (int)base);
}

static void parse_field(struct strict_bytes line, struct strict_field *field)
{
    const char *colon = memchr(line.at, ':', line.size);
    CHECK(colon != NULL);
    field->name = (struct strict_bytes){line.at, (size_t)(colon - line.at)};
    field->value = strict_trimmed(colon + 1, line.size - field->name.size - 1);
    CHECK(consists_of(field->name, TOKEN)); /* and so no line goes on in the next */
    for (size_t i = 0; i < field->value.size; i++) {
        unsigned char c = (unsigned char)field->value.at[i];
        CHECK((c >= 0x20 && c != 0x7f) || c == '\t');
    }
}

/* What says where the message ends may be said once, and in one way. */
static void note_field(const struct strict_field *field, struct strict_request *request)
{
    if (strict_is_named(field->name, "Content-Length")) {
        CHECK(!request->has_length && !request->is_chunked);
        request->has_length = 1;
        request->length = number(field->value, 10);
    } else if (strict_is_named(field->name, "Transfer-Encoding")) {
        CHECK(!request->has_length && !request->is_chunked);
        CHECK(strict_is(field->value, "chunked"));
        request->is_chunked = 1;
    } else if (strict_is_named(field->name, "Expect")) {
        CHECK(!request->expects && strict_is(field->value, "100-continue"));
        request->expects = 1;
    }
}

static int parse_head(const char *bytes, size_t size, size_t *at, struct strict_request *request)
{
    struct strict_bytes line;
    size_t hosts = 0;
    if (!take_line(bytes, size, at, &line))
        return 0;
    parse_request_line(line, request);
    for (;;) {
        if (!take_line(bytes, size, at, &line))
            return 0;
        if (line.size == 0)
            break;
        CHECK(request->n_fields < STRICT_FIELDS);
        struct strict_field *field = &request->fields[request->n_fields++];
        parse_field(line, field);
        note_field(field, request);
        hosts += strict_is_named(field->name, "Host") ? 1 : 0;
    }
    CHECK_EQ_SIZE(hosts, 1);
    /* RFC 9110 10.1.1: not in a request without content. */
    CHECK(!request->expects || request->is_chunked || request->length > 0);
    request->head_size = *at;
    return 1;
}

static void add(struct strict_request *request, const char *bytes, size_t size)
{
    request->body = realloc(request->body, request->body_size + size + 1);
    CHECK(request->body != NULL);
    memcpy(request->body + request->body_size, bytes, size);
    request->body_size += size;
    request->body[request->body_size] = '\0';
}

/* RFC 9112 7.1, without extensions and trailers. */
static int parse_chunks(const char *bytes, size_t size, size_t *at, struct strict_request *request)
{
    struct strict_bytes line;
    for (;;) {
        if (!take_line(bytes, size, at, &line))
            return 0;
        size_t chunk = number(line, 16);
        if (size - *at < chunk + 2)
            return 0;
        add(request, bytes + *at, chunk);
        *at += chunk;
        CHECK(bytes[*at] == '\r' && bytes[*at + 1] == '\n');
        *at += 2;
        if (chunk == 0)
            return 1;
    }
}

size_t strict_parse(const char *bytes, size_t size, struct strict_request *ret_request)
{
    size_t at = 0;
    memset(ret_request, 0, sizeof *ret_request);
    if (!parse_head(bytes, size, &at, ret_request))
        return 0;
    add(ret_request, "", 0);
    if (ret_request->is_chunked)
        return parse_chunks(bytes, size, &at, ret_request) ? at : 0;
    if (size - at < ret_request->length)
        return 0;
    add(ret_request, bytes + at, ret_request->length);
    return at + ret_request->length;
}

void strict_free(struct strict_request *request)
{
    free(request->body);
    request->body = NULL;
}

/* -------------------------------------------------------------------------- multipart */

/* name="value" with its quotes; what is behind it. A quote is percent-encoded inside, as the WHATWG has it. */
static const char *parse_parameter(const char *at, const char *end, const char *name, struct strict_bytes *ret_value)
{
    size_t size = strlen(name);
    if ((size_t)(end - at) < size + 5 || memcmp(at, "; ", 2) != 0 || memcmp(at + 2, name, size) != 0 || memcmp(at + 2 + size, "=\"", 2) != 0)
        return at;
    at += size + 4;
    const char *quote = memchr(at, '"', (size_t)(end - at));
    CHECK(quote != NULL);
    *ret_value = (struct strict_bytes){at, (size_t)(quote - at)};
    return quote + 1;
}

static void parse_part_head(const char *body, size_t size, size_t *at, struct strict_part *part)
{
    static const char disposition[] = "form-data";
    struct strict_bytes line;
    int has_disposition = 0;
    memset(part, 0, sizeof *part);
    for (;;) {
        struct strict_field field;
        CHECK(take_line(body, size, at, &line));
        if (line.size == 0)
            break;
        parse_field(line, &field);
        if (strict_is(field.name, "Content-Type")) {
            CHECK(part->type.at == NULL);
            part->type = field.value;
            continue;
        }
        CHECK(!has_disposition && strict_is(field.name, "Content-Disposition"));
        has_disposition = 1;
        const char *end = field.value.at + field.value.size, *next = field.value.at + sizeof disposition - 1;
        CHECK(field.value.size > sizeof disposition && memcmp(field.value.at, disposition, sizeof disposition - 1) == 0);
        next = parse_parameter(next, end, "name", &part->name);
        next = parse_parameter(next, end, "filename", &part->filename);
        CHECK(part->name.at != NULL && next == end);
    }
    CHECK(has_disposition);
}

size_t strict_parts(struct strict_bytes type, const char *body, size_t size, struct strict_part *ret_parts, size_t room)
{
    static const char form[] = "multipart/form-data; boundary=";
    char delimiter[80] = "\r\n--";
    size_t n = 0, at, boundary = type.size - (sizeof form - 1);
    CHECK(type.size > sizeof form - 1 && memcmp(type.at, form, sizeof form - 1) == 0 && boundary <= 70);
    memcpy(delimiter + 4, type.at + sizeof form - 1, boundary);
    CHECK(consists_of((struct strict_bytes){delimiter + 4, boundary}, TOKEN));
    size_t edge = boundary + 4;
    CHECK(size > edge && memcmp(body, delimiter + 2, edge - 2) == 0);
    for (at = edge - 2; size - at < 4 || memcmp(body + at, "--\r\n", 4) != 0;) {
        CHECK(size - at > 2 && memcmp(body + at, "\r\n", 2) == 0 && n < room);
        at += 2;
        parse_part_head(body, size, &at, &ret_parts[n]);
        const char *end = memmem(body + at, size - at, delimiter, edge);
        CHECK(end != NULL);
        ret_parts[n++].value = (struct strict_bytes){body + at, (size_t)(end - body) - at};
        at = (size_t)(end - body) + edge;
    }
    CHECK_EQ_SIZE(at + 4, size); /* and nothing behind it */
    return n;
}
