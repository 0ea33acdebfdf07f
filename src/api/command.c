/* SPDX-License-Identifier: MIT */
/*
 * A request as a line for sh that has curl send the same bytes. Everything is quoted, whatever is in
 * it; what the library adds by itself, or keeps libcurl from adding, is said with -H.
 */
#include <strings.h>

#include "api/extra.h"
#include "api/input.h"
#include "transfer/codings.h"

enum { WORD_MAX = 100000 }; /* of a command; the kernel takes 128 KiB */

/* What is written so far, cut where the buffer ends. */
struct line {
    char *at;
    size_t room; /* with the NUL */
    int64_t size;
    int secrets; /* shown */
};

static void put(struct line *line, const char *bytes, size_t size)
{
    size_t fits = size < line->room ? size : line->room > 0 ? line->room - 1 : 0;
    if (fits > 0)
        memcpy(line->at, bytes, fits);
    line->at += fits;
    line->room -= fits;
    line->size += (int64_t)size;
    if (fits < size)
        line->room = line->room > 0 ? 1 : 0;
}

static void say(struct line *line, const char *text)
{
    put(line, text, strlen(text));
}

/* The inside of a word between single quotes. */
static void quoted(struct line *line, const char *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        if (bytes[i] == '\'')
            say(line, "'\\''");
        else
            put(line, bytes + i, 1);
    }
}

static void word(struct line *line, const char *text)
{
    say(line, " '");
    quoted(line, text, strlen(text));
    say(line, "'");
}

static void option(struct line *line, const char *name, const char *value)
{
    if (value == NULL)
        return;
    say(line, " ");
    say(line, name);
    word(line, value);
}

/* ----------------------------------------------------------------------- headers */

static int is_secret(const char *field, size_t name_size)
{
    static const char *const parts[] = {"auth", "cookie", "token", "secret", "passw", "api-key", "apikey", "session",
                                        "credential", "signature"};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        for (size_t at = 0, size = strlen(parts[i]); at + size <= name_size; at++)
            if (strncasecmp(field + at, parts[i], size) == 0)
                return 1;
    return 0;
}

/* "Authorization: Basic REDACTED": the scheme is none. */
static void header(struct line *line, const char *field)
{
    size_t name = strcspn(field, ":"), shown = strlen(field);
    const char *value = field + name + (field[name] == ':');
    value += strspn(value, " \t");
    say(line, " -H '");
    if (field[name] == ':' && *value == '\0') {
        quoted(line, field, name);
        say(line, ";'"); /* sent empty, not taken away */
        return;
    }
    int redacted = !line->secrets && is_secret(field, name);
    if (redacted) {
        shown = (size_t)(value - field);
        const char *blank = name == 13 && strncasecmp(field, "Authorization", 13) == 0 ? strchr(value, ' ') : NULL;
        shown += blank != NULL ? (size_t)(blank + 1 - value) : 0;
    }
    quoted(line, field, shown);
    say(line, redacted ? "REDACTED'" : "'");
}

static void headers(struct line *line, const struct stook__policy *client, const struct stook_request *request, int has_body)
{
    char fields[8192];
    struct stook__pack pack = {NULL, 0};
    stook__extra_fields(&pack, request);
    for (const char *const *field = request->headers; field != NULL && *field != NULL; field++)
        header(line, *field);
    if (pack.size > 0 && pack.size <= sizeof fields) {
        pack.at = fields;
        stook__extra_fields(&pack, request);
        for (const char *field = fields; field < pack.at; field += strlen(field) + 1)
            header(line, field);
    }
    int64_t decode = request->decode != 0 ? request->decode : client->decode;
    if (decode == 1 && stook__codings_any())
        option(line, "-H", stook__codings_accepted());
    if (has_body && request->parts == NULL && request->json == NULL && request->form == NULL &&
        !stook__extra_has_field(request, "Content-Type"))
        say(line, " -H 'Content-Type:'");
    if (has_body)
        say(line, request->expect == 1 ? " -H 'Expect: 100-continue'" : " -H 'Expect:'");
    if (stook__extra_has_field(request, "User-Agent"))
        return;
    say(line, " -H 'User-Agent:");
    if (client->user_agent != NULL) {
        say(line, " ");
        quoted(line, client->user_agent, strlen(client->user_agent));
    }
    say(line, "'");
}

/* ------------------------------------------------------------------------- bodies */

/* Bytes that no word can hold are printed to curl; the only format that all sh have is that of octals. */
static void printed(struct line *line, const char *bytes, size_t size)
{
    say(line, "printf '");
    for (size_t i = 0; i < size; i++) {
        unsigned char c = (unsigned char)bytes[i];
        char octal[] = {'\\', (char)('0' + (c >> 6)), (char)('0' + (c >> 3 & 7)), (char)('0' + (c & 7))};
        if (c < 0x20 || c >= 0x7f || c == '\'' || c == '\\' || c == '%')
            put(line, octal, sizeof octal);
        else
            put(line, bytes + i, 1);
    }
    say(line, "' | ");
}

/* A value of curl's -F between its own double quotes. */
static void form_value(struct line *line, const char *bytes, size_t size)
{
    say(line, "\"");
    for (size_t i = 0; i < size && bytes[i] != '\0'; i++) {
        if (bytes[i] == '"' || bytes[i] == '\\')
            say(line, "\\");
        quoted(line, bytes + i, 1);
    }
    say(line, "\"");
}

static void form_part(struct line *line, const struct stook_part *part)
{
    const char *bytes = part->file != NULL ? part->file : part->value;
    size_t size = part->file != NULL ? strlen(part->file) : stook__parts_value(part);
    say(line, " -F '");
    quoted(line, part->name, strlen(part->name));
    say(line, part->file != NULL ? "=@" : "=");
    form_value(line, bytes, size);
    if (part->filename != NULL) {
        say(line, ";filename=");
        form_value(line, part->filename, strlen(part->filename));
    }
    if (part->type != NULL) {
        say(line, ";type=");
        quoted(line, part->type, strlen(part->type));
    }
    say(line, "'");
}

struct body {
    const char *bytes; /* NULL: none in memory */
    size_t size;
    char *owned;
};

static int is_word(const struct body *body)
{
    return body->size <= WORD_MAX && memchr(body->bytes, '\0', body->size) == NULL;
}

static void body_options(struct line *line, const struct stook_request *request, const struct body *body)
{
    for (const struct stook_part *const *part = request->parts; part != NULL && *part != NULL; part++) {
        struct stook_part mine;
        stook__input_struct(&mine, sizeof mine, *part);
        form_part(line, &mine);
    }
    if (request->body_file != NULL) {
        say(line, request->body_file[0] == '-' ? " --data-binary '@./" : " --data-binary '@");
        quoted(line, request->body_file, strlen(request->body_file));
        say(line, "'");
    } else if (request->body_read != NULL) {
        say(line, request->body_size > 0 ? " --data-binary @-" : " -T -");
    } else if (body->bytes != NULL && !is_word(body)) {
        say(line, " --data-binary @-");
    } else if (body->bytes != NULL) {
        say(line, " --data-raw '");
        quoted(line, body->bytes, body->size);
        say(line, "'");
    }
}

static int body_of(struct stook__heap *heap, const struct stook_request *request, struct body *ret_body)
{
    struct stook__pack pack = {NULL, 0};
    *ret_body = (struct body){.bytes = request->body};
    if (request->body != NULL)
        ret_body->size = request->body_size == STOOK_AUTO ? strlen(request->body) : request->body_size > 0 ? (size_t)request->body_size : 0;
    if (request->json == NULL && request->form == NULL) {
        int posts = request->method != NULL && strcmp(request->method, "POST") == 0;
        if (ret_body->bytes != NULL && ret_body->size == 0 && !posts)
            ret_body->bytes = NULL; /* no body, but of a POST an empty one */
        if (ret_body->bytes == NULL && posts && request->parts == NULL && request->body_file == NULL && request->body_read == NULL)
            ret_body->bytes = "";
        return 0;
    }
    stook__extra_body(&pack, request);
    ret_body->owned = pack.at = stook__resize(heap, NULL, pack.size + 1);
    if (pack.at == NULL)
        return STOOK_ENOMEM;
    ret_body->bytes = ret_body->owned;
    ret_body->size = pack.size;
    pack.size = 0;
    stook__extra_body(&pack, request);
    return 0;
}

/* ------------------------------------------------------------------------ the line */

static void peer_options(struct line *line, const struct stook__policy *client, const struct stook_request *request)
{
    static const struct stook__peer nothing;
    const struct stook__peer *usual = client->peer != NULL ? client->peer : &nothing;
    int own = request->client_cert != NULL;
    option(line, "--cacert", request->ca_file != NULL ? request->ca_file
                             : request->ca_data != NULL || usual->ca_data != NULL ? NULL : client->ca_file);
    option(line, "--cert", own ? request->client_cert : usual->client_cert);
    option(line, "--key", own ? request->client_key : usual->client_key);
    const char *password = own ? request->key_password : usual->key_password;
    option(line, "--pass", password == NULL || line->secrets ? password : "REDACTED");
    option(line, "--pinnedpubkey", request->pinned_key != NULL ? request->pinned_key : usual->pinned_key);
    for (const char *const *entry = request->resolve; entry != NULL && *entry != NULL; entry++)
        option(line, "--resolve", *entry);
    for (const char *entry = usual->resolve; entry != NULL && *entry != '\0'; entry += strlen(entry) + 1)
        option(line, "--resolve", entry);
    option(line, "--unix-socket", request->unix_socket);
}

static void write_line(struct line *line, const struct stook__policy *client, const struct stook_request *request,
                       const struct body *body)
{
    static const char *const versions[] = {"", " --http1.1", " --http2", " --http3"};
    const char *method = request->method;
    int has_body = body->bytes != NULL || request->parts != NULL || request->body_file != NULL || request->body_read != NULL;
    if (body->bytes != NULL && !is_word(body))
        printed(line, body->bytes, body->size);
    say(line, "curl -q -g --noproxy '*'");
    say(line, versions[request->http_version != 0 ? request->http_version : client->http_version]);
    if (method != NULL && strcmp(method, "HEAD") == 0)
        say(line, " -I");
    else if (method != NULL || request->body_read != NULL)
        option(line, "-X", method != NULL ? method : "POST");
    if (request->username != NULL && request->auth == STOOK_AUTH_DIGEST) {
        say(line, " --digest -u '");
        quoted(line, request->username, strlen(request->username));
        say(line, ":");
        quoted(line, line->secrets && request->password != NULL ? request->password : "",
               line->secrets && request->password != NULL ? strlen(request->password) : 0);
        say(line, line->secrets ? "'" : "REDACTED'");
    }
    peer_options(line, client, request);
    headers(line, client, request, has_body);
    body_options(line, request, body);
    word(line, request->url);
}

int64_t stook_request_to_curl(const stook_client *client, const struct stook_request *request, int64_t flags, char *buffer,
                              size_t size)
{
    struct stook_request mine;
    struct body body;
    const char *why;
    int64_t unused;
    if (client == NULL || request == NULL || (buffer == NULL && size > 0) || (flags & ~(int64_t)STOOK_CURL_SECRETS) != 0)
        return STOOK_EARG;
    int error = stook__input_struct(&mine, sizeof mine, request);
    if (error == 0 && (mine.url == NULL || mine.body_size < (mine.body != NULL ? STOOK_AUTO : 0) ||
                       stook__input_number(mine.http_version, 0, 0, STOOK_HTTP_3, &unused) != 0))
        error = STOOK_EARG;
    if (error == 0)
        error = stook__extra_judge(&client->policy, &mine, &why);
    if (error == 0)
        error = body_of(client->heap, &mine, &body);
    if (error != 0)
        return error;
    struct line line = {.at = buffer, .room = size, .secrets = (flags & STOOK_CURL_SECRETS) != 0};
    write_line(&line, &client->policy, &mine, &body);
    if (size > 0)
        *line.at = '\0';
    stook__free(client->heap, body.owned);
    return line.size;
}
