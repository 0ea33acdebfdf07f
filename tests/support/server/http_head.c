/* SPDX-License-Identifier: MIT */
/*
 * The head of an HTTP/1.1 request (RFC 9112), read line by line. Pure: it owns nothing and remembers
 * nothing. Asked again with more bytes it starts again from the first, which costs little because
 * heads are short, and makes it easy to test: cut the bytes anywhere and ask.
 *
 * It is strict where being lenient is how requests are smuggled: a line ends with CRLF, no space
 * stands before a colon, no line is folded, and one request has one length.
 */
#include "http_head.h"

#include <string.h>
#include <strings.h>

bool text_is(struct text text, const char *word)
{
    return text.size == strlen(word) && memcmp(text.at, word, text.size) == 0;
}

static bool text_is_nocase(struct text text, const char *word)
{
    return text.size == strlen(word) && strncasecmp(text.at, word, text.size) == 0;
}

/* The text before the first `mark`; `rest` becomes what stands behind it. Without one: all of it. */
static struct text text_cut(struct text *rest, char mark)
{
    struct text whole = *rest;
    const char *found = memchr(whole.at, mark, whole.size);
    size_t size = found != NULL ? (size_t)(found - whole.at) : whole.size;
    size_t skipped = found != NULL ? size + 1 : size;
    *rest = (struct text){whole.at + skipped, whole.size - skipped};
    return (struct text){whole.at, size};
}

static struct text text_trim(struct text text)
{
    while (text.size > 0 && (*text.at == ' ' || *text.at == '\t')) {
        text.at++;
        text.size--;
    }
    while (text.size > 0 && (text.at[text.size - 1] == ' ' || text.at[text.size - 1] == '\t'))
        text.size--;
    return text;
}

/* Digits only: no sign, no space, nothing that could overflow. */
static bool text_number(struct text text, uint64_t *ret_number)
{
    uint64_t number = 0;
    if (text.size == 0 || text.size > 18)
        return false;
    for (size_t i = 0; i < text.size; i++) {
        if (text.at[i] < '0' || text.at[i] > '9')
            return false;
        number = number * 10 + (uint64_t)(text.at[i] - '0');
    }
    *ret_number = number;
    return true;
}

/* A token (RFC 9110 5.6.2): what methods and field names are made of. */
static bool text_is_token(struct text text)
{
    static const char others[] = "!#$%&'*+-.^_`|~";
    for (size_t i = 0; i < text.size; i++) {
        char c = text.at[i];
        bool is_alnum = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
        if (!is_alnum && memchr(others, c, sizeof others - 1) == NULL)
            return false;
    }
    return text.size > 0;
}

static bool has_control_bytes(struct text text)
{
    for (size_t i = 0; i < text.size; i++) {
        unsigned char c = (unsigned char)text.at[i];
        if ((c < 0x20 && c != '\t') || c == 0x7f)
            return true;
    }
    return false;
}

/* 1: a line, `rest` stands behind it; 0: its end has not come yet; -400: not a line. */
static int next_line(struct text *rest, struct text *ret_line)
{
    const char *end = memchr(rest->at, '\n', rest->size);
    if (end == NULL)
        return 0;
    struct text line = text_cut(rest, '\n');
    if (line.size == 0 || line.at[line.size - 1] != '\r')
        return -400;
    line.size--;
    *ret_line = line;
    return has_control_bytes(line) ? -400 : 1;
}

/* Clients talk to proxies with the whole URL, and a server must understand it (RFC 9112 3.2.2). */
static struct text without_origin(struct text target)
{
    static const char scheme[] = "http://";
    if (target.size < sizeof scheme - 1 || strncasecmp(target.at, scheme, sizeof scheme - 1) != 0)
        return target;
    target.at += sizeof scheme - 1;
    target.size -= sizeof scheme - 1;
    const char *slash = memchr(target.at, '/', target.size);
    if (slash == NULL)
        return (struct text){"/", 1};
    return (struct text){slash, target.size - (size_t)(slash - target.at)};
}

static int parse_request_line(struct text line, struct http_head *head)
{
    head->method = text_cut(&line, ' ');
    struct text target = without_origin(text_cut(&line, ' '));
    if (!text_is_token(head->method) || target.size == 0 || target.at[0] != '/')
        return -400;
    head->path = text_cut(&target, '?');
    head->query = target;
    head->is_http_1_0 = text_is(line, "HTTP/1.0");
    head->keep_alive = !head->is_http_1_0;
    if (head->is_http_1_0 || text_is(line, "HTTP/1.1"))
        return 1;
    return line.size == 8 && memcmp(line.at, "HTTP/", 5) == 0 ? -505 : -400;
}

static void parse_connection(struct text value, struct http_head *head)
{
    while (value.size > 0) {
        struct text word = text_trim(text_cut(&value, ','));
        if (text_is_nocase(word, "close"))
            head->keep_alive = false;
        else if (text_is_nocase(word, "keep-alive") && head->is_http_1_0)
            head->keep_alive = true;
    }
}

/* Two lengths that differ are an attack or a fault; the same one twice is only clumsy. */
static int parse_content_length(struct text value, struct http_head *head)
{
    uint64_t number;
    if (!text_number(value, &number))
        return -400;
    if (head->has_content_length && head->content_length != number)
        return -400;
    head->has_content_length = true;
    head->content_length = number;
    return 1;
}

static int parse_field(struct text line, struct http_head *head)
{
    struct text value = line;
    struct text name = text_cut(&value, ':');
    if (name.size == line.size || !text_is_token(name))
        return -400;
    value = text_trim(value);
    if (text_is_nocase(name, "Content-Length"))
        return parse_content_length(value, head);
    if (text_is_nocase(name, "Transfer-Encoding"))
        return -501; /* chunked requests: not a thing that stook sends */
    if (text_is_nocase(name, "Connection"))
        parse_connection(value, head);
    else if (text_is_nocase(name, "Content-Type"))
        head->content_type = value;
    else if (text_is_nocase(name, "Cookie"))
        head->cookie = value;
    else if (text_is_nocase(name, "Authorization"))
        head->authorization = value;
    else if (text_is_nocase(name, "Expect"))
        head->expects_continue = text_is_nocase(value, "100-continue");
    else if (text_is_nocase(name, "Host"))
        head->has_host = true;
    return 1;
}

static int parse_lines(struct text *rest, struct http_head *head)
{
    struct text line;
    int found;
    do { /* an empty line before a request is forgiven (RFC 9112 2.2) */
        found = next_line(rest, &line);
    } while (found == 1 && line.size == 0);
    if (found == 1)
        found = parse_request_line(line, head);
    while (found == 1) {
        found = next_line(rest, &line);
        if (found != 1 || line.size == 0)
            break;
        found = parse_field(line, head);
    }
    return found;
}

int http_head_parse(const char *bytes, size_t size, struct http_head *ret_head)
{
    struct http_head head = {.content_type = {"", 0}, .cookie = {"", 0}, .authorization = {"", 0}};
    struct text rest = {bytes, size};
    int found = parse_lines(&rest, &head);
    head.size = size - rest.size;
    if (found >= 0 && head.size > HTTP_HEAD_MAX)
        return -431;
    if (found == 0)
        return size > HTTP_HEAD_MAX ? -431 : 0;
    if (found == 1 && !head.has_host && !head.is_http_1_0)
        return -400; /* RFC 9112 3.2 */
    if (found == 1)
        *ret_head = head;
    return found;
}

struct text query_value(struct text query, const char *name)
{
    while (query.size > 0) {
        struct text value = text_cut(&query, '&');
        if (text_is(text_cut(&value, '='), name))
            return value;
    }
    return (struct text){"", 0};
}

int64_t query_number(struct text query, const char *name, int64_t otherwise)
{
    uint64_t number;
    return text_number(query_value(query, name), &number) ? (int64_t)number : otherwise;
}
