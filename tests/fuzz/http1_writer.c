/* SPDX-License-Identifier: MIT */
/*
 * Heads of requests over HTTP/1.1. The input chooses method, target, host, fields and length, of any bytes.
 *
 *   what cannot be one request is refused, by an assertion where there are any, and writes nothing
 *   what is written is one request to a strict server, with the parts of the input and nothing behind it
 *   a smaller room is told the same size and is left as it is
 *   nothing is read or written beyond a part (each has a block of its own size)
 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <curl/curl.h>

#include "fuzz.h"
#include "http1/writer.h"
#include "support/assertions.h"

enum { FIELDS = 12 };

struct bytes {
    const char *at;
    size_t size;
};

struct run {
    struct stook__http1_head head;
    struct curl_slist fields[FIELDS];
    char *target, *host;
    char *room;
    size_t room_size, result;
};

/* ------------------------------------------------------------------------------------ the input */

static const char *pick(struct fuzz_input *input, const char *const *list, unsigned count)
{
    unsigned i = fuzz_below(input, count + 2);
    return i < count ? list[i] : fuzz_text(input, 60);
}

/* A block of up to 63 bytes of any kind. */
static char *take_bytes(struct fuzz_input *input, size_t *ret_size)
{
    size_t size = fuzz_below(input, 64);
    char *block = malloc(size + (size == 0));
    CHECK(block != NULL);
    for (size_t i = 0; i < size; i++)
        block[i] = (char)fuzz_byte(input);
    *ret_size = size;
    return block;
}

static char *copy(const char *text, size_t *ret_size)
{
    size_t size = strlen(text);
    char *block = malloc(size + (size == 0));
    CHECK(block != NULL);
    memcpy(block, text, size);
    *ret_size = size;
    return block;
}

static int64_t pick_length(struct fuzz_input *input)
{
    static const int64_t lengths[] = {STOOK__HTTP1_NO_BODY, STOOK__HTTP1_NO_BODY, STOOK__HTTP1_CHUNKED, 0, 1, INT64_MAX, -3};
    unsigned i = fuzz_below(input, 9);
    int64_t length = 0;
    if (i < 7)
        return lengths[i];
    for (i = i == 7 ? 2 : 8; i > 0; i--)
        length = (int64_t)((uint64_t)length << 8 | fuzz_byte(input));
    return length;
}

static void make(struct run *run, struct fuzz_input *input)
{
    static const char *const methods[] = {"GET", "GET", "POST", "HEAD", "M-SEARCH"};
    static const char *const lines[] = {"User-Agent: stook/1", "Accept: text/html", "Accept:", "Accept;", "Content-Type:", "Expect:",
                                        "Expect: 100-continue", "X;", "X: \xc3\xa4\t", "Host:", "Content-Length:", "Host: b", "Content-Length: 1"};
    static const char *const targets[] = {"/", "", "?q", "/a/b?c=d&e"};
    struct stook__http1_head *head = &run->head;
    unsigned which = fuzz_below(input, 6);
    head->method = pick(input, methods, 5);
    run->target = which < 4 ? copy(targets[which], &head->target_size) : take_bytes(input, &head->target_size);
    if (fuzz_below(input, 4) > 0)
        run->host = copy("h.example:81", &head->host_size);
    else
        run->host = take_bytes(input, &head->host_size);
    head->target = run->target;
    head->host = run->host;
    head->absolute = fuzz_below(input, 4) == 1 ? "http://" : NULL;
    head->length = pick_length(input);
    size_t n = fuzz_below(input, FIELDS + 1);
    for (size_t i = 0; i < n; i++) {
        /* libcurl's type has no const. */
        const char *line = pick(input, lines, sizeof lines / sizeof *lines);
        memcpy(&run->fields[i].data, &line, sizeof line);
        run->fields[i].next = i + 1 < n ? &run->fields[i + 1] : NULL;
    }
    head->fields = n > 0 ? run->fields : NULL;
    run->room_size = fuzz_below(input, 65536) % 400;
}

/* ------------------------------------------------------------------- what can be sent at all */

static int is_token(struct bytes text)
{
    for (size_t i = 0; i < text.size; i++)
        if (text.at[i] <= ' ' || text.at[i] == 0x7f || (text.at[i] & 0x80) != 0 || strchr("\"(),/:;<=>?@[\\]{}", text.at[i]) != NULL)
            return 0;
    return text.size > 0;
}

static int is_visible(const char *text, size_t size)
{
    for (size_t i = 0; i < size; i++)
        if ((unsigned char)text[i] <= ' ' || (unsigned char)text[i] >= 0x7f)
            return 0;
    return 1;
}

static int is_value(struct bytes text)
{
    for (size_t i = 0; i < text.size; i++)
        if (((unsigned char)text.at[i] < ' ' && text.at[i] != '\t') || text.at[i] == 0x7f)
            return 0;
    return 1;
}

static struct bytes trimmed(struct bytes text)
{
    while (text.size > 0 && (text.at[0] == ' ' || text.at[0] == '\t'))
        text.at++, text.size--;
    while (text.size > 0 && (text.at[text.size - 1] == ' ' || text.at[text.size - 1] == '\t'))
        text.size--;
    return text;
}

static int is_named(struct bytes name, const char *text)
{
    return name.size == strlen(text) && strncasecmp(name.at, text, name.size) == 0;
}

static int frames(struct bytes name)
{
    return is_named(name, "Host") || is_named(name, "Content-Length") || is_named(name, "Transfer-Encoding");
}

/* A line as libcurl takes it, in its parts: 1 if it is written, 0 if it is not, -1 if it is none. */
static int split_line(const char *line, struct bytes *ret_name, struct bytes *ret_value)
{
    size_t size = strcspn(line, ":;");
    *ret_name = (struct bytes){line, size};
    *ret_value = (struct bytes){line + size, 0};
    if (!is_token(*ret_name) || line[size] == '\0')
        return -1;
    if (line[size] == ';')
        return line[size + 1] != '\0' || frames(*ret_name) ? -1 : 1;
    *ret_value = trimmed((struct bytes){line + size + 1, strlen(line + size + 1)});
    if (ret_value->size == 0)
        return 0;
    return !is_value(*ret_value) || frames(*ret_name) ? -1 : 1;
}

static int can_be_sent(const struct stook__http1_head *head)
{
    struct bytes name, value;
    for (const struct curl_slist *field = head->fields; field != NULL; field = field->next)
        if (split_line(field->data, &name, &value) < 0)
            return 0;
    return is_token((struct bytes){head->method, strlen(head->method)}) && is_visible(head->target, head->target_size) &&
           (head->target_size == 0 || head->target[0] == '/' || head->target[0] == '?') && head->host_size > 0 &&
           is_visible(head->host, head->host_size) && head->length >= STOOK__HTTP1_CHUNKED;
}

/* -------------------------------------------------------------------------- a strict server */

/* The next line, whose end is CR LF; no other byte of it is a control byte but a tab. */
static struct bytes take_line(struct bytes *rest)
{
    struct bytes line = *rest;
    const char *end = memchr(rest->at, '\n', rest->size);
    CHECK(end != NULL && end > rest->at && end[-1] == '\r');
    line.size = (size_t)(end - rest->at) - 1;
    CHECK(is_value(line));
    rest->at += line.size + 2;
    rest->size -= line.size + 2;
    return line;
}

static void expect_bytes(struct bytes *line, const char *text, size_t size)
{
    CHECK(line->size >= size && memcmp(line->at, text, size) == 0);
    line->at += size;
    line->size -= size;
}

/* Three parts with a blank between them (RFC 9112 3), none of which has a blank in it. */
static void check_request_line(struct bytes line, const struct stook__http1_head *head)
{
    size_t blanks = 0;
    for (size_t i = 0; i < line.size; i++)
        blanks += line.at[i] == ' ' || line.at[i] == '\t';
    CHECK_EQ_SIZE(blanks, 2);
    expect_bytes(&line, head->method, strlen(head->method));
    expect_bytes(&line, " ", 1);
    if (head->absolute != NULL) {
        expect_bytes(&line, "http://", 7);
        expect_bytes(&line, head->host, head->host_size);
    }
    if (head->target_size == 0 || head->target[0] == '?')
        expect_bytes(&line, "/", 1);
    CHECK(line.size > 0 && (line.at[0] == '/' || head->target_size == 0 || head->target[0] == '?'));
    expect_bytes(&line, head->target, head->target_size);
    expect_bytes(&line, " HTTP/1.1", 9);
    CHECK_EQ_SIZE(line.size, 0);
}

/* The next line is a field of that name with that value (RFC 9112 5). */
static void check_field(struct bytes *rest, struct bytes name, struct bytes value)
{
    struct bytes line = take_line(rest), found = {line.at, 0};
    while (found.size < line.size && line.at[found.size] != ':')
        found.size++;
    CHECK(is_token(found) && found.size < line.size);
    CHECK(found.size == name.size && memcmp(found.at, name.at, name.size) == 0);
    found = trimmed((struct bytes){line.at + name.size + 1, line.size - name.size - 1});
    CHECK(found.size == value.size && memcmp(found.at, value.at, value.size) == 0);
}

static void check_text_field(struct bytes *rest, const char *name, const char *value)
{
    check_field(rest, (struct bytes){name, strlen(name)}, (struct bytes){value, strlen(value)});
}

static void check_framing(struct bytes *rest, int64_t length)
{
    char digits[32];
    if (length == STOOK__HTTP1_CHUNKED)
        check_text_field(rest, "Transfer-Encoding", "chunked");
    if (length < 0)
        return;
    size_t at = sizeof digits;
    digits[--at] = '\0';
    for (uint64_t left = (uint64_t)length; left > 0 || digits[at] == '\0'; left /= 10)
        digits[--at] = "0123456789"[left % 10];
    check_text_field(rest, "Content-Length", digits + at);
}

static void check_request(struct bytes rest, const struct stook__http1_head *head)
{
    struct bytes name, value;
    int has_accept = 0;
    for (const struct curl_slist *field = head->fields; field != NULL; field = field->next) {
        split_line(field->data, &name, &value);
        has_accept |= is_named(name, "Accept");
    }
    check_request_line(take_line(&rest), head);
    check_field(&rest, (struct bytes){"Host", 4}, (struct bytes){head->host, head->host_size});
    if (!has_accept)
        check_text_field(&rest, "Accept", "*/*");
    /* None of these is another Host or frames the message: can_be_sent() has seen to it. */
    for (const struct curl_slist *field = head->fields; field != NULL; field = field->next)
        if (split_line(field->data, &name, &value) > 0)
            check_field(&rest, name, value);
    check_framing(&rest, head->length);
    CHECK_EQ_SIZE(take_line(&rest).size, 0);
    CHECK_EQ_SIZE(rest.size, 0);
}

/* ----------------------------------------------------------------------------------- the target */

static void write_head(void *arg)
{
    struct run *run = arg;
    run->result = stook__http1_write_head(&run->head, run->room, run->room_size);
}

/* In a block of that size, which is left as it was unless the head fits: then this returns 1. */
static int write_to(struct run *run, size_t size, int may_be_sent)
{
    run->room_size = size;
    run->room = malloc(size + (size == 0));
    CHECK(run->room != NULL);
    memset(run->room, '\x01', size);
    CHECK_EQ_INT(test_fails_assertion(write_head, run), !may_be_sent && TEST_ASSERTS);
    CHECK_EQ_INT(run->result > 0, may_be_sent);
    if (run->result > 0 && run->result <= size)
        return 1;
    for (size_t i = 0; i < size; i++)
        CHECK(run->room[i] == '\x01');
    free(run->room);
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input input = {data, size};
    struct run run = {.result = 0};
    make(&run, &input);
    int may_be_sent = can_be_sent(&run.head);
    if (write_to(&run, run.room_size, may_be_sent)) {
        check_request((struct bytes){run.room, run.result}, &run.head);
        free(run.room);
    }
    if (may_be_sent) {
        size_t before = run.result;
        CHECK(write_to(&run, before, 1));
        CHECK_EQ_SIZE(run.result, before);
        check_request((struct bytes){run.room, before}, &run.head);
        free(run.room);
        CHECK(!write_to(&run, before - 1, 1));
    }
    free(run.target);
    free(run.host);
    fuzz_texts_free();
    return 0;
}
