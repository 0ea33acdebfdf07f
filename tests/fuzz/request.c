/* SPDX-License-Identifier: MIT */
/*
 * Requests of random texts. The input is numbers and texts for the members of a request.
 *
 *   what is refused sends nothing, and stook_request_to_curl() refuses it with the same error
 *   what is not refused arrives at a strict server as one request, with what the program gave and
 *   nothing that neither the program nor the library's documentation knows
 *   not one byte is behind it on the connection
 *   exactly one result and one body_release; nothing is left in memory or in the loop
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include <stook.h>

#include "fuzz.h"
#include "support/memory.h"
#include "server.h"
#include "strict.h"

enum { HEADERS = 4, PAIRS = 3, PARTS = 3 };
enum { BODY = 1, JSON = 2, FORM = 4, PART_LIST = 8, READ = 16, BODY_FILE = 32 }; /* of `bodies` */

static const char ok[] = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
/* What a body is told that waits for leave. */
static const char *const leaves[] = {"HTTP/1.1 100 Continue\r\n\r\n",
                                     "HTTP/1.1 417 No\r\nContent-Length: 0\r\n\r\n",
                                     "HTTP/1.1 417 No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
                                     "HTTP/1.1 413 No\r\nContent-Length: 0\r\n\r\n",
                                     "HTTP/1.1 413 No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
                                     ok};
static const char file_bytes[] = "--\r\n\r\n--boundary\r\nContent-Disposition: form-data; name=\"x\"\r\n\r\n\0\xff y";

static char file_path[128];

struct run {
    uv_loop_t loop;
    struct memory memory;
    struct fuzz_server server;
    struct stook_client_options options;
    struct stook_request asked;
    const char *headers[HEADERS + 1], *form[2 * PAIRS + 1];
    struct stook_part part[PARTS];
    const struct stook_part *parts[PARTS + 1];
    char url[2200], *fields[HEADERS];
    unsigned bodies, leave;
    char *body; /* of `body` and of body_read, `size` bytes */
    size_t size;
    /* body_read: how many bytes at a time, and what it says behind the last. */
    unsigned piece, later, end;
    size_t given;
    int is_later;
    /* What came. */
    int is_tls, requests, early; /* early: the status of an answer before the body */
    struct fuzz_connection *without_body; /* that had it: the body is still to come, unless the connection ends */
    int results, releases, error, status;
    unsigned attempts;
    char message[400];
};

/* ------------------------------------------------------------------------ the request */

static const char *pick(struct fuzz_input *input, const char *const *list, unsigned count)
{
    unsigned i = fuzz_below(input, count + 1);
    return i < count ? list[i] : fuzz_text(input, 300);
}

static void make_url(struct run *run, struct fuzz_input *input)
{
    static const char *const begins[] = {"http://h/", "http://h/", "http://h/", "http://h", "http://h/?", "http://", "https://h/", ""};
    const char *begin = begins[fuzz_below(input, 8)];
    snprintf(run->url, sizeof run->url, "%s%s", begin, fuzz_text(input, 2000));
    run->asked.url = run->url;
}

static void make_headers(struct run *run, struct fuzz_input *input)
{
    static const char *const names[] = {"X-A", "Accept", "Content-Type", "User-Agent", "Authorization", "Cookie", "Accept-Encoding",
                                        "Range", "Referer", "Host", "Content-Length", "X-A", "x"};
    unsigned count = fuzz_below(input, HEADERS + 1);
    for (unsigned i = 0; i < count; i++) {
        const char *name = pick(input, names, 13), *value = fuzz_text(input, 300);
        run->fields[i] = malloc(strlen(name) + strlen(value) + 3);
        CHECK(run->fields[i] != NULL);
        sprintf(run->fields[i], "%s%s%s", name, *value != '\0' && *value < '!' ? "" : ": ", value);
        run->headers[i] = run->fields[i];
    }
    if (count > 0)
        run->asked.headers = run->headers;
}

/* Bytes of the input, NUL among them, perhaps many times. */
static void make_bytes(struct run *run, struct fuzz_input *input)
{
    size_t size = fuzz_below(input, 300), times = fuzz_byte(input) < 250 ? 1 : 1000;
    size = size < input->left ? size : input->left;
    run->size = size * times;
    run->body = malloc(run->size + 1);
    CHECK(run->body != NULL);
    for (size_t i = 0; i < times; i++)
        memcpy(run->body + i * size, input->next, size);
    run->body[run->size] = '\0';
    input->next += size;
    input->left -= size;
}

static int64_t a_size(struct fuzz_input *input, size_t size)
{
    const int64_t sizes[] = {STOOK_AUTO, (int64_t)size, (int64_t)size, STOOK_NONE, 0, -7};
    return sizes[fuzz_below(input, 6)];
}

static void make_parts(struct run *run, struct fuzz_input *input)
{
    unsigned count = fuzz_below(input, PARTS + 1);
    for (unsigned i = 0; i < count; i++) {
        unsigned has = fuzz_byte(input);
        struct stook_part *part = &run->part[i];
        *part = STOOK_PART(.name = has & 64 ? "n" : fuzz_text(input, 100), .filename = has & 1 ? fuzz_text(input, 100) : NULL,
                           .type = has & 2 ? fuzz_text(input, 100) : NULL);
        if ((has & 12) == 4)
            part->file = file_path;
        else
            part->value = fuzz_text(input, 300);
        if ((has & 12) == 12)
            part->value_size = a_size(input, strlen(part->value));
        else if (part->value != NULL)
            part->value_size = *(const char *)part->value != '\0' ? STOOK_AUTO : STOOK_NONE;
        if (has == 0x55)
            part->value = part->file = "x";
        run->parts[i] = part;
    }
    run->asked.parts = run->parts;
}

static void make_form(struct run *run, struct fuzz_input *input)
{
    unsigned count = fuzz_below(input, 2 * PAIRS + 1);
    for (unsigned i = 0; i < count; i++)
        run->form[i] = fuzz_text(input, 200);
    run->asked.form = run->form;
}

static void on_release(void *body, void *user)
{
    struct run *run = user;
    CHECK(body == run->body && run->results == 0);
    run->releases++;
}

static int64_t on_read(stook_batch *batch, size_t index, void *buffer, size_t size, void *user)
{
    struct run *run = user;
    size_t left = run->size - run->given, piece = run->piece < left ? run->piece : left;
    CHECK(stook_batch_count(batch) > index && size >= 65536);
    if (run->later > 0 && run->given / run->piece % 4 == 0) {
        run->later--;
        run->is_later = 1;
        return STOOK_AGAIN;
    }
    piece = piece < size ? piece : size;
    if (piece == 0)
        return run->end == 1 ? -1 : run->end == 2 ? (int64_t)size + 1 : 0;
    memcpy(buffer, run->body + run->given, piece);
    run->given += piece;
    return (int64_t)piece;
}

static int on_rewind(stook_batch *batch, size_t index, void *user)
{
    struct run *run = user;
    CHECK(stook_batch_count(batch) > index);
    run->given = 0;
    return 0;
}

static void make_body(struct run *run, struct fuzz_input *input)
{
    static const unsigned kinds[] = {0, BODY, BODY, JSON, FORM, PART_LIST, READ, BODY_FILE};
    unsigned kind = fuzz_byte(input);
    run->bodies = kind < 250 ? kinds[kind % 8] : fuzz_byte(input);
    if (run->bodies & (BODY | READ))
        make_bytes(run, input);
    if (run->bodies & BODY) {
        run->asked.body = run->body;
        run->asked.body_size = a_size(input, run->size);
        run->asked.body_release = fuzz_below(input, 2) ? on_release : NULL;
    }
    if (run->bodies & READ) {
        static const unsigned ends[] = {0, 0, 0, 0, 0, 0, 1, 2};
        static const int wrong[] = {0, 0, 0, 0, 0, 0, 1, -1};
        run->piece = 1 + fuzz_below(input, 4000);
        run->piece += run->size > 1000 ? 4000 : 0;
        run->later = fuzz_below(input, 4);
        run->end = ends[fuzz_below(input, 8)];
        run->asked.body_read = on_read;
        run->asked.body_rewind = fuzz_below(input, 2) ? on_rewind : NULL;
        if (fuzz_below(input, 2))
            run->asked.body_size = (int64_t)run->size + wrong[fuzz_below(input, 8)];
    }
    if (run->bodies & JSON)
        run->asked.json = fuzz_text(input, 1000);
    if (run->bodies & FORM)
        make_form(run, input);
    if (run->bodies & PART_LIST)
        make_parts(run, input);
    if (run->bodies & BODY_FILE)
        run->asked.body_file = run->bodies & 128 ? "" : file_path;
}

static void make(struct run *run, struct fuzz_input *input)
{
    static const char *const methods[] = {"GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"};
    static const int64_t numbers[] = {0, 0, 0, 1, 1, 1, STOOK_NONE, 2};
    unsigned has = fuzz_byte(input), more = fuzz_byte(input);
    run->options = STOOK_CLIENT(.allocator = &run->memory.allocator);
    run->asked = STOOK_REQUEST(NULL, .user = run, .attempt_timeout_ms = 60000, .timeout_ms = 60000);
    make_url(run, input);
    run->asked.method = has & 1 ? pick(input, methods, 7) : NULL;
    if (has & 2)
        make_headers(run, input);
    if (has & 4)
        run->asked.username = fuzz_text(input, 100);
    if (has & 8)
        run->asked.password = fuzz_text(input, 100);
    if (has & 16)
        run->asked.bearer = fuzz_text(input, 100);
    if (has & 32)
        run->asked.auth = numbers[fuzz_below(input, 8)] == 2 ? STOOK_AUTH_DIGEST : fuzz_below(input, 4);
    if (has & 64)
        run->options.user_agent = fuzz_text(input, 100);
    if (has & 128)
        make_body(run, input);
    if (more & 1)
        run->asked.expect = numbers[fuzz_below(input, 8)];
    if (more & 2)
        run->asked.decompress = numbers[fuzz_below(input, 8)];
    if (more & 4)
        run->asked.http_version = fuzz_below(input, 5);
    run->leave = (more >> 5) % 6;
}

/* --------------------------------------------------------------------- what arrives */

static int has_header(const struct run *run, const char *name)
{
    size_t size = strlen(name);
    for (const char *const *header = run->headers; *header != NULL; header++)
        if (strncasecmp(*header, name, size) == 0 && (*header)[size] == ':')
            return 1;
    return 0;
}

static int is_digest(const struct run *run)
{
    return run->asked.username != NULL && run->asked.auth == STOOK_AUTH_DIGEST;
}

/* Whether a body was given that may have bytes. */
static int has_body(const struct run *run)
{
    if (run->asked.body != NULL)
        return run->asked.body_size == STOOK_AUTO ? run->body[0] != '\0' : run->asked.body_size > 0;
    return run->asked.json != NULL || (run->asked.form != NULL && run->form[0] != NULL) ||
           (run->bodies & (PART_LIST | READ | BODY_FILE));
}

static const char *method_of(const struct run *run)
{
    return run->asked.method != NULL ? run->asked.method : has_body(run) ? "POST" : "GET";
}

/* With a body that has yet to be asked for credentials the first request is sent without it. */
static int is_prelude(const struct run *run)
{
    return is_digest(run) && has_body(run) && run->requests == 0;
}

static int is_idempotent(const char *method)
{
    static const char *const list[] = {"GET", "HEAD", "OPTIONS", "PUT", "DELETE"};
    for (size_t i = 0; i < sizeof list / sizeof *list; i++)
        if (strcmp(list[i], method) == 0)
            return 1;
    return 0;
}

/* As the URL says, of the hosts of which libcurl makes nothing else: no numbers, no other scripts. */
static void check_host(const struct run *run, struct strict_bytes value)
{
    const char *host = strstr(run->url, "://") + 3;
    size_t size = strcspn(host, "/?#"), name = strcspn(host, ":/?#");
    CHECK(value.size > 0);
    if (strspn(host, "abcdefghijklmnopqrstuvwxyz-.") != name || host[name - 1] == '.' || (name < size && strcmp(host + name, ":80") <= 0))
        return;
    test_note("%.*s is not the host of %s", (int)value.size, value.at, run->url);
    CHECK(value.size >= name && memcmp(value.at, host, name) == 0);
    CHECK(value.size == name || value.at[name] == ':');
}

/* The path and the query of the URL, with what is not ASCII encoded; steps that libcurl takes are left to it, and
   it sends no empty query. */
static void check_target(const struct run *run, struct strict_bytes target)
{
    const char *rest = strstr(run->url, "://") + 3;
    size_t at = 0;
    rest += strcspn(rest, "/?#");
    if (strstr(rest, "/.") != NULL || strcasestr(rest, "%2e") != NULL)
        return;
    test_note("%.*s is not of %s", (int)target.size, target.at, run->url);
    if (*rest != '/') {
        CHECK(target.at[0] == '/');
        at = 1;
    }
    for (; *rest != '\0' && *rest != '#'; rest++) {
        char encoded[4] = {*rest, '\0'};
        if ((unsigned char)*rest >= 0x80)
            sprintf(encoded, "%%%02x", (unsigned char)*rest);
        size_t size = strlen(encoded);
        if (*rest == '?' && (rest[1] == '\0' || rest[1] == '#') && at == target.size)
            continue;
        CHECK(at + size <= target.size && strncasecmp(target.at + at, encoded, size) == 0);
        at += size;
    }
    CHECK_EQ_SIZE(at, target.size);
    test_note("%s", "");
}

static void check_basic(const struct run *run, struct strict_bytes value)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    char plain[256], text[256];
    size_t size = 0;
    unsigned bits = 0;
    CHECK(value.size > 6 && memcmp(value.at, "Basic ", 6) == 0 && (value.size - 6) % 4 == 0);
    for (size_t i = 6; i < value.size && value.at[i] != '='; i++) {
        const char *digit = strchr(digits, value.at[i]);
        CHECK(digit != NULL);
        bits = (bits << 6 | (unsigned)(digit - digits)) & 0xffff;
        if ((i - 6) % 4 != 0)
            plain[size++] = (char)(bits >> (6 - 2 * ((i - 6) % 4)) & 0xff);
    }
    plain[size] = '\0';
    snprintf(text, sizeof text, "%s:%s", run->asked.username, run->asked.password != NULL ? run->asked.password : "");
    CHECK_STR(plain, text);
}

/* A field that the program has not given: which one is it, and is it as documented? */
static void check_own_field(const struct run *run, const struct strict_field *field, const struct strict_request *request, unsigned *seen)
{
    static const char *const names[] = {"Host", "User-Agent", "Accept", "Content-Type", "Expect", "Authorization",
                                        "Accept-Encoding", "Content-Length", "Transfer-Encoding"};
    const struct stook_request *asked = &run->asked;
    unsigned which = 0;
    while (which < 9 && !strict_is(field->name, names[which]))
        which++;
    test_note("%.*s: %.*s", (int)field->name.size, field->name.at, (int)field->value.size, field->value.at);
    CHECK(which < 9 && !(*seen & 1u << which) && !has_header(run, names[which]));
    *seen |= 1u << which;
    switch (which) {
    case 0:
        check_host(run, field->value);
        break;
    case 1: {
        const char *agent = run->options.user_agent != NULL ? run->options.user_agent : "stook/" STOOK_VERSION;
        struct strict_bytes trimmed = strict_trimmed(agent, strlen(agent));
        CHECK(*agent != '\0' && field->value.size == trimmed.size && memcmp(field->value.at, trimmed.at, trimmed.size) == 0);
        break;
    }
    case 2:
        CHECK(strict_is(field->value, "*/*"));
        break;
    case 3:
        if (asked->parts == NULL)
            CHECK(strict_is(field->value, asked->json != NULL ? "application/json" : asked->form != NULL ? "application/x-www-form-urlencoded" : ""));
        break;
    case 4:
        CHECK(asked->expect == 1 && run->early == 0);
        break;
    case 5:
        if (asked->bearer != NULL)
            CHECK(memcmp(field->value.at, "Bearer ", 7) == 0 && strict_is((struct strict_bytes){field->value.at + 7, field->value.size - 7}, asked->bearer));
        else
            check_basic(run, field->value);
        break;
    case 6:
        CHECK(asked->decompress == 1);
        break;
    default:
        CHECK(request->has_length || request->is_chunked);
    }
}

static void check_fields(const struct run *run, const struct strict_request *request)
{
    const char *const *given = run->headers;
    unsigned seen = 0;
    for (size_t i = 0; i < request->n_fields; i++) {
        const struct strict_field *field = &request->fields[i];
        size_t name = *given != NULL ? strcspn(*given, ":") : 0;
        struct strict_bytes value = {"", 0};
        if (*given != NULL)
            value = strict_trimmed(*given + name + 1, strlen(*given + name + 1));
        if (*given != NULL && field->name.size == name && memcmp(field->name.at, *given, name) == 0 && field->value.size == value.size &&
            memcmp(field->value.at, value.at, value.size) == 0)
            given++;
        else
            check_own_field(run, field, request, &seen);
    }
    test_note("the fields of %.*s", (int)request->head_size, request->target.at - request->method.size - 1);
    CHECK(*given == NULL);
    int agent = !has_header(run, "User-Agent") && (run->options.user_agent == NULL || *run->options.user_agent != '\0');
    int type = !has_header(run, "Content-Type") && (run->asked.json != NULL || run->asked.form != NULL || run->asked.parts != NULL);
    CHECK_EQ_INT((seen & 2) != 0, agent);
    CHECK((seen & 8) != 0 || !type || is_prelude(run));
    CHECK_EQ_INT((seen & 16) != 0, run->asked.expect == 1 && has_body(run) && !is_prelude(run) && run->early == 0 &&
                                       (request->is_chunked || request->length > 0));
    CHECK_EQ_INT((seen & 32) != 0, run->asked.bearer != NULL || (run->asked.username != NULL && !is_digest(run)));
    CHECK_EQ_INT((seen & 64) != 0, run->asked.decompress == 1);
    test_note("%s", "");
}

static int digit_of(char c)
{
    CHECK((c >= '0' && c <= '9') || (c >= 'A' && c <= 'F'));
    return c <= '9' ? c - '0' : c - 'A' + 10;
}

/* Names and values come back as they were. */
static void check_form(const struct run *run, const char *body, size_t size)
{
    size_t at = 0;
    for (const char *const *text = run->form; *text != NULL; text++) {
        int is_name = (text - run->form) % 2 == 0;
        for (const char *c = *text; *c != '\0'; c++) {
            char got = at < size ? body[at++] : '\0';
            if (got == '%') {
                CHECK(at + 2 <= size);
                got = (char)(digit_of(body[at]) << 4 | digit_of(body[at + 1]));
                at += 2;
            } else if (got == '+') {
                got = ' ';
            } else {
                CHECK(got != '&' && got != '=');
            }
            CHECK_EQ_INT(got, *c);
        }
        if (is_name || text[1] != NULL)
            CHECK(at < size && body[at++] == (is_name ? '=' : '&'));
    }
    CHECK_EQ_SIZE(at, size);
}

/* With what cannot stand between quotes as the WHATWG has it. */
static void check_quoted(struct strict_bytes got, const char *text)
{
    size_t at = 0;
    CHECK(got.at != NULL);
    for (; *text != '\0'; text++) {
        const char *expected = *text == '"' ? "%22" : (char[]){*text, '\0'};
        size_t size = strlen(expected);
        CHECK(at + size <= got.size && memcmp(got.at + at, expected, size) == 0);
        at += size;
    }
    CHECK_EQ_SIZE(at, got.size);
}

static void check_part(const struct stook_part *asked, const struct strict_part *got)
{
    const char *value = asked->value, *filename = asked->filename, *type = asked->type;
    size_t size = asked->value_size == STOOK_AUTO ? strlen(value) : asked->value_size > 0 ? (size_t)asked->value_size : 0;
    if (asked->file != NULL) {
        value = file_bytes;
        size = sizeof file_bytes;
        filename = filename != NULL ? filename : strrchr(file_path, '/') + 1;
    }
    check_quoted(got->name, asked->name);
    if (filename != NULL)
        check_quoted(got->filename, filename);
    else
        CHECK(got->filename.at == NULL);
    if (type != NULL) {
        struct strict_bytes trimmed = strict_trimmed(type, strlen(type));
        CHECK(got->type.at != NULL && got->type.size == trimmed.size && memcmp(got->type.at, trimmed.at, trimmed.size) == 0);
    } else {
        CHECK_EQ_INT(got->type.at != NULL, filename != NULL);
    }
    CHECK(got->value.size == size && (size == 0 || memcmp(got->value.at, value, size) == 0));
}

static void check_parts(const struct run *run, const struct strict_request *request)
{
    struct strict_part got[PARTS];
    struct strict_bytes type = {"", 0};
    size_t asked = 0;
    while (run->parts[asked] != NULL)
        asked++;
    for (size_t i = 0; i < request->n_fields; i++)
        if (strict_is(request->fields[i].name, "Content-Type"))
            type = request->fields[i].value;
    CHECK_EQ_SIZE(strict_parts(type, request->body, request->body_size, got, PARTS), asked);
    for (size_t i = 0; i < asked; i++)
        check_part(run->parts[i], &got[i]);
}

static void check_body(const struct run *run, const struct strict_request *request)
{
    const char *body = "";
    size_t size = 0;
    switch (run->bodies & (BODY | JSON | FORM | PART_LIST | READ | BODY_FILE)) {
    case 0:
        break;
    case BODY:
        body = run->body;
        size = run->asked.body_size == STOOK_AUTO ? strlen(run->body) : run->asked.body_size > 0 ? (size_t)run->asked.body_size : 0;
        break;
    case READ:
        CHECK(run->end == 0);
        body = run->body;
        size = run->size;
        break;
    case JSON:
        body = run->asked.json;
        size = strlen(body);
        break;
    case BODY_FILE:
        body = file_bytes;
        size = sizeof file_bytes;
        break;
    case FORM:
        check_form(run, request->body, request->body_size);
        return;
    case PART_LIST:
        check_parts(run, request);
        return;
    default:
        FAIL("more than one body was taken");
    }
    CHECK_EQ_SIZE(request->body_size, size);
    CHECK(size == 0 || memcmp(request->body, body, size) == 0);
}

static void check_request(struct run *run, const struct strict_request *request)
{
    CHECK(run->requests == 0 || (run->requests == 1 && is_digest(run) && has_body(run) && is_idempotent(method_of(run))));
    CHECK(strict_is(request->method, method_of(run)));
    check_target(run, request->target);
    check_fields(run, request);
    if (is_prelude(run))
        CHECK_EQ_SIZE(request->body_size, 0);
    else
        check_body(run, request);
}

/* The body waits for leave. */
static void judge_leave(struct run *run, struct fuzz_connection *connection)
{
    const char *leave = leaves[run->early == 0 ? run->leave : 0];
    if (connection->requests++ > 0)
        return;
    if (leave != leaves[0]) {
        run->early = atoi(leave + sizeof "HTTP/1.1");
        run->without_body = connection;
    }
    fuzz_connection_say(connection, leave, strlen(leave), strstr(leave, "close") != NULL);
}

static void on_bytes(struct fuzz_connection *connection)
{
    struct run *run = connection->server->user;
    struct strict_request request;
    if (connection->in[0] == 0x16 && strncasecmp(run->url, "https:", 6) == 0) {
        run->is_tls = 1;
        fuzz_connection_drop(connection, connection->in_size);
        fuzz_connection_say(connection, "", 0, 1);
        return;
    }
    size_t size = strict_parse(connection->in, connection->in_size, &request);
    if (size > 0 && connection == run->without_body) {
        run->without_body = NULL;
        strict_free(&request);
        fuzz_connection_drop(connection, size);
        size = strict_parse(connection->in, connection->in_size, &request);
    }
    if (size > 0) {
        check_request(run, &request);
        run->requests++;
        CHECK_EQ_SIZE(connection->in_size, size);
        fuzz_connection_drop(connection, size);
        fuzz_connection_say(connection, ok, sizeof ok - 1, 0);
    } else if (request.head_size > 0 && request.expects) {
        judge_leave(run, connection);
    }
    strict_free(&request);
}

static void on_end(struct fuzz_connection *connection)
{
    struct run *run = connection->server->user;
    /* Half a request only of one that failed, or was turned away. */
    CHECK(connection->in_size == 0 || connection == run->without_body || run->error == STOOK_ECALLBACK || run->results == 0);
    if (connection == run->without_body)
        run->without_body = NULL;
}

/* --------------------------------------------------------------------- as a command */

/* Words of sh: between single quotes is whatever there is, elsewhere nothing that means something. */
static void check_words(const char *line)
{
    int quoted = 0, pipes = 0;
    for (const char *c = line; *c != '\0'; c++) {
        if (*c == '\'')
            quoted = !quoted;
        if (quoted || *c == '\'')
            continue;
        if (*c == '\\' && c[1] == '\'')
            c++;
        else if (*c == '|' && c > line && c[-1] == ' ' && c[1] == ' ')
            pipes++;
        else
            CHECK(*c == ' ' || *c == '-' || *c == '.' || *c == '@' || (*c >= '0' && *c <= '9') || ((*c | 0x20) >= 'a' && (*c | 0x20) <= 'z'));
    }
    CHECK(!quoted && pipes <= 1);
}

/* 0, or the error. */
static int command(stook_client *client, const struct stook_request *request)
{
    int64_t size = stook_request_to_curl(client, request, STOOK_CURL_SECRETS, NULL, 0);
    if (size < 0)
        return (int)size;
    char *line = malloc((size_t)size + 1);
    CHECK(line != NULL);
    CHECK_EQ_INT(stook_request_to_curl(client, request, STOOK_CURL_SECRETS, line, (size_t)size + 1), size);
    CHECK_EQ_SIZE(strlen(line), (size_t)size);
    check_words(line);
    free(line);
    return 0;
}

/* -------------------------------------------------------------------------- the run */

static void on_result(stook_batch *batch, const stook_result *result, void *user)
{
    struct run *run = user;
    (void)batch;
    run->results++;
    run->error = stook_result_error(result);
    run->attempts = stook_result_attempts(result);
    snprintf(run->message, sizeof run->message, "%s", stook_result_message(result));
    run->status = stook_result_status(result);
    CHECK(run->error != 0 || run->status == 200 || run->status == run->early);
}

/* An error that a request may have which was sent. */
static int may_fail(const struct run *run)
{
    if (run->error == STOOK_ECALLBACK)
        return run->bodies & READ && (run->end != 0 || (run->asked.body_size > 0 && (size_t)run->asked.body_size != run->size));
    if (run->error == STOOK_EPROTOCOL)
        return is_digest(run) && has_body(run) && !is_idempotent(method_of(run));
    return run->is_tls;
}

static void check_outcome(const struct run *run, int as_command)
{
    test_note("%s: %s; as a command %s", run->url, run->message, stook_err_name(as_command));
    if (run->error != 0 && run->attempts == 0) {
        CHECK_EQ_INT(run->requests, 0);
        CHECK_EQ_SIZE(run->server.connections, 0);
        if (run->error != STOOK_EFILE)
            CHECK_ERROR(as_command, run->error);
        return;
    }
    CHECK(as_command == 0 || as_command == STOOK_EUNSUPPORTED);
    CHECK(run->error == 0 || may_fail(run));
    CHECK(run->error != 0 || run->requests > 0 || run->early != 0);
}

static void await(struct run *run, stook_batch *batch)
{
    CHECK_ERROR(stook_gather_start(batch, &STOOK_GATHER(.on_result = on_result, .user = run), NULL, NULL), 0);
    while (run->results == 0) {
        CHECK(uv_run(&run->loop, run->is_later ? UV_RUN_NOWAIT : UV_RUN_ONCE) != 0);
        if (run->is_later)
            stook_batch_resume_request(batch, 0);
        run->is_later = 0;
    }
}

static void play(struct run *run)
{
    stook_client *client = NULL;
    stook_batch *batch = NULL;
    CHECK_EQ_INT(uv_loop_init(&run->loop), 0);
    run->server.on_bytes = on_bytes;
    run->server.on_end = on_end;
    run->server.user = run;
    fuzz_server_begin(&run->server, &run->loop);
    run->asked.unix_socket = run->server.path;
    int error = stook_client_new(&run->loop, &run->options, &client);
    if (error == 0) {
        CHECK_ERROR(stook_batch_new(client, &batch), 0);
        int as_command = command(client, &run->asked);
        error = stook_batch_add(batch, &run->asked);
        if (error == 0) {
            await(run, batch);
            check_outcome(run, as_command);
        } else {
            CHECK_ERROR(as_command, error);
        }
        CHECK_EQ_INT(run->releases, error == 0 && run->asked.body_release != NULL ? 1 : 0);
    } else {
        CHECK_ERROR(error, STOOK_EARG);
    }
    stook_client_close(client, NULL, NULL);
    CHECK_EQ_INT(uv_run(&run->loop, UV_RUN_NOWAIT) >= 0, 1);
    fuzz_server_end(&run->server);
    CHECK_EQ_INT(uv_run(&run->loop, UV_RUN_DEFAULT), 0);
    stook_batch_free(batch);
    CHECK_EQ_INT(uv_loop_close(&run->loop), 0);
    CHECK(run->results <= 1 && run->releases <= 1);
    memory_check_empty(&run->memory);
}

static void remove_file(void)
{
    unlink(file_path);
}

static void make_file(void)
{
    const char *top = getenv("TMPDIR");
    snprintf(file_path, sizeof file_path, "%s/stook-fuzz-file-%d", top != NULL && top[0] != '\0' ? top : "/tmp", (int)getpid());
    int fd = open(file_path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    CHECK(fd >= 0 && write(fd, file_bytes, sizeof file_bytes) == (ssize_t)sizeof file_bytes);
    close(fd);
    atexit(remove_file);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct run run;
    struct fuzz_input input = {data, size};
    if (file_path[0] == '\0')
        make_file();
    memset(&run, 0, sizeof run);
    memory_begin(&run.memory);
    make(&run, &input);
    play(&run);
    test_note("%s", "");
    for (size_t i = 0; i < HEADERS; i++)
        free(run.fields[i]);
    free(run.body);
    fuzz_texts_free();
    return 0;
}
