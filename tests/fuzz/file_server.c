/* SPDX-License-Identifier: MIT */
#include "file_server.h"

#include <poll.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../support/sockets.h"
#include "fuzz.h"

enum { HEAD_MAX = 4096, BODY_MAX = FILE_SIZE_MAX + 1024, CHUNK = 5000, EXTRA = 5 };
enum { TAG_GIVEN = 1, DATE_GIVEN = 2 };

struct file_calls {
    uv_pipe_t pipe;
    struct file_server *server;
    struct file_calls *next;
    char head[HEAD_MAX + 1];
    size_t size;
    uv_write_t write;
    char *answer; /* that is being sent, or NULL */
    size_t sent, split, end;
    int closes;
};

unsigned char file_byte(int content, size_t offset)
{
    return (unsigned char)(content * 32 + (int)(offset * 7 + (offset >> 8) * 3));
}

static const char *tag_of(int version)
{
    static const char *const tags[FILE_VERSIONS] = {"\"v0\"", "\"v1\"", "\"v2\"", "\"v3\""};
    return tags[version];
}

static const char *date_of(int version)
{
    static const char *const dates[FILE_VERSIONS] = {"Mon, 01 Jan 2024 00:00:00 GMT", "Mon, 01 Jan 2024 00:00:01 GMT",
                                                     "Mon, 01 Jan 2024 00:00:02 GMT", "Mon, 01 Jan 2024 00:00:03 GMT"};
    return dates[version];
}

int file_version_of(const char *validator)
{
    for (int version = 0; version < FILE_VERSIONS; version++)
        if (strcmp(validator, tag_of(version)) == 0 || strcmp(validator, date_of(version)) == 0)
            return version;
    return -1;
}

/* -------------------------------------------------------------------- the request */

/* The value of a field, "" if there is none; not twice. */
static void find_field(const char *head, const char *name, char *value, size_t room)
{
    size_t length = strlen(name);
    int found = 0;
    value[0] = '\0';
    for (const char *line = strstr(head, "\r\n"); line != NULL; line = strstr(line + 2, "\r\n"))
        if (strncasecmp(line + 2, name, length) == 0 && line[2 + length] == ':') {
            const char *from = line + 2 + length + 1 + (line[2 + length + 1] == ' ');
            size_t size = strcspn(from, "\r");
            CHECK(!found && size < room);
            found = 1;
            memcpy(value, from, size);
            value[size] = '\0';
        }
}

struct asked {
    size_t first; /* 0: for all of it */
    int version;  /* of which that is the rest */
    int gzip;
};

static struct asked check_request(const struct file_server *server, const char *head)
{
    char range[40], condition[64], field[200];
    struct asked asked = {.version = -1};
    CHECK(strncmp(head, "GET /file HTTP/1.1\r\n", 20) == 0);
    find_field(head, "Host", field, sizeof field);
    CHECK_STR(field, "files.test");
    find_field(head, "Range", range, sizeof range);
    find_field(head, "If-Range", condition, sizeof condition);
    CHECK_EQ_INT(range[0] != '\0', condition[0] != '\0');
    if (server->n_answers == 0 || range[0] != '\0') {
        CHECK_STR(range, server->range);
        CHECK_STR(condition, server->condition);
    }
    find_field(head, "Accept-Encoding", field, sizeof field);
    CHECK(!server->resumes || field[0] == '\0');
    asked.gzip = strstr(field, "gzip") != NULL;
    if (range[0] == '\0')
        return asked;
    CHECK(server->resumes && sscanf(range, "bytes=%zu-", &asked.first) == 1 && asked.first > 0);
    asked.version = file_version_of(condition);
    CHECK(asked.version >= 0);
    CHECK(server->given[asked.version] & (condition[0] == '"' ? TAG_GIVEN : DATE_GIVEN));
    CHECK(asked.first <= server->sizes[asked.version]);
    return asked;
}

/* --------------------------------------------------------------------- the answer */

struct message {
    char bytes[HEAD_MAX + 2 * BODY_MAX];
    size_t size, head;  /* `head`: its size */
    size_t body;        /* where the bytes of the content are, unless in chunks */
};

static void say(struct message *message, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void say(struct message *message, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int size = vsnprintf(message->bytes + message->size, sizeof message->bytes - message->size, format, args);
    va_end(args);
    CHECK(size >= 0 && message->size + (size_t)size < sizeof message->bytes);
    message->size += (size_t)size;
}

static void say_bytes(struct message *message, const unsigned char *bytes, size_t size)
{
    CHECK(message->size + size < sizeof message->bytes);
    memcpy(message->bytes + message->size, bytes, size);
    message->size += size;
}

static void say_validators(struct message *message, struct file_server *server, struct file_answer *answer, enum file_validator kind,
                           int version, int keeps)
{
    int tag = kind == FILE_STRONG || kind == FILE_BOTH, date = kind == FILE_DATE;
    if (tag)
        say(message, "ETag: %s\r\n", tag_of(version));
    if (kind == FILE_WEAK || kind == FILE_TWO_TAGS)
        say(message, "ETag: W/%s\r\n", tag_of(version));
    if (kind == FILE_TWO_TAGS)
        say(message, "ETag: %s\r\n", tag_of(version));
    if (date || kind == FILE_BOTH || kind == FILE_YOUNG || kind == FILE_DATELESS)
        say(message, "Last-Modified: %s\r\n", date_of(version));
    if (kind != FILE_DATELESS)
        say(message, "Date: Mon, 01 Jan 2024 00:%s GMT\r\n", kind == FILE_YOUNG ? "00:30" : "10:00");
    if (keeps && (tag || date))
        snprintf(answer->validator, sizeof answer->validator, "%s", tag ? tag_of(version) : date_of(version));
    if (keeps)
        server->given[version] |= (tag ? TAG_GIVEN : 0u) | (date ? DATE_GIVEN : 0u);
}

/* The framing, the end of the head, and the body. 1: its end is told by the connection's. */
static int say_body(struct message *message, const struct file_plan *plan, const unsigned char *body, size_t size)
{
    enum file_framing framing = plan->framing;
    if (framing == FILE_LENGTH)
        say(message, "Content-Length: %zu\r\n", size);
    if (framing == FILE_CHUNKS)
        say(message, "Transfer-Encoding: chunked\r\n");
    say(message, "\r\n");
    message->head = message->size;
    for (size_t at = 0; framing == FILE_CHUNKS && at < size; at += CHUNK) {
        size_t part = size - at < CHUNK ? size - at : CHUNK;
        say(message, "%zx\r\n", part);
        say_bytes(message, body + at, part);
        say(message, "\r\n");
    }
    if (framing == FILE_CHUNKS)
        say(message, "0\r\n\r\n");
    else
        say_bytes(message, body, size);
    return framing == FILE_UNTIL_CLOSE;
}

/* How many bytes of a body are in what is sent of the message. */
static size_t bytes_before(const struct message *message, const struct file_plan *plan, size_t size, size_t end)
{
    size_t at = message->head, count = 0;
    if (end <= at)
        return 0;
    if (plan->framing != FILE_CHUNKS)
        return end - at;
    while (count < size) {
        char line[16];
        size_t part = size - count < CHUNK ? size - count : CHUNK;
        at += (size_t)snprintf(line, sizeof line, "%zx\r\n", part);
        if (end <= at)
            return count;
        if (end - at < part)
            return count + end - at;
        count += part;
        at += part + 2;
    }
    return count;
}

static unsigned crc_of(const unsigned char *bytes, size_t size)
{
    unsigned crc = ~0u;
    for (size_t i = 0; i < size; i++) {
        crc ^= bytes[i];
        for (int bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ (crc & 1 ? 0xedb88320u : 0);
    }
    return ~crc;
}

/* Blocks that are stored (RFC 1951 3.2.4) in a member (RFC 1952 2.3). The size that it has then. */
static size_t gzip(unsigned char *to, const unsigned char *body, size_t size)
{
    static const unsigned char begin[10] = {0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3};
    unsigned char *at = to;
    memcpy(at, begin, sizeof begin);
    at += sizeof begin;
    for (size_t done = 0, part = 1; part > 0 && (done < size || done == 0); done += part) {
        part = size - done < 65535 ? size - done : 65535;
        unsigned char lengths[5] = {done + part == size, part & 0xff, (unsigned char)(part >> 8), ~part & 0xff,
                                    (unsigned char)(~part >> 8)};
        memcpy(at, lengths, sizeof lengths);
        memcpy(at + sizeof lengths, body + done, part);
        at += sizeof lengths + part;
    }
    for (unsigned i = 0, crc = crc_of(body, size); i < 4; i++)
        *at++ = (unsigned char)(crc >> 8 * i);
    for (unsigned i = 0; i < 4; i++)
        *at++ = (unsigned char)(size >> 8 * i);
    return (size_t)(at - to);
}

static void say_part(struct message *message, struct file_server *server, struct file_answer *answer, const struct file_plan *plan,
                     const struct asked *asked)
{
    size_t size = server->sizes[answer->content], first = plan->kind == FILE_FROM_0 ? 0 : asked->first, end = size;
    first += plan->kind == FILE_LATER && first + 1 < size;
    if (plan->kind == FILE_SHORT)
        end = first + (size - first + 1) / 2;
    answer->status = 206;
    answer->first = first;
    answer->size = size;
    answer->sent = end - first;
    say(message, "HTTP/1.1 206 Partial Content\r\n");
    say_validators(message, server, answer, plan->validator, answer->content, 0);
    if (plan->coded)
        say(message, "Content-Encoding: odd\r\n");
    if (plan->kind == FILE_MULTIPART)
        say(message, "Content-Type: multipart/byteranges; boundary=x\r\n");
    if (plan->kind == FILE_NO_NUMBERS)
        say(message, "Content-Range: bytes */%zu\r\n", size);
    else if (plan->kind == FILE_JUNK)
        say(message, "Content-Range: bytes %zu-%zu/%zux\r\n", first, end - 1, size);
    else
        say(message, "Content-Range: bytes %zu-%zu/%zu\r\n", first, end - 1, size + (plan->kind == FILE_OTHER_TOTAL));
    answer->misfits = first != asked->first || asked->version != answer->content || plan->coded || plan->kind == FILE_NO_NUMBERS ||
                      plan->kind == FILE_JUNK || plan->kind == FILE_MULTIPART ||
                      (plan->kind == FILE_OTHER_TOTAL && server->knows_total);
    answer->complete = !answer->misfits && end == size && plan->kind != FILE_OTHER_TOTAL;
}

static void say_whole(struct message *message, struct file_server *server, struct file_answer *answer, const struct file_plan *plan,
                      int gzips)
{
    int version = answer->content;
    answer->status = 200;
    answer->complete = 1;
    answer->size = answer->sent = server->sizes[version];
    say(message, "HTTP/1.1 200 OK\r\n");
    say_validators(message, server, answer, plan->validator, version, !plan->coded);
    if (plan->coded)
        say(message, "Content-Encoding: %s\r\n", gzips ? "gzip" : "odd");
    if (plan->coded && !gzips)
        answer->content += FILE_CODED;
}

/* Head and body; *ret_size is what is to be seen of the body. 1: it ends with the connection. */
static int compose(struct message *message, struct file_server *server, struct file_answer *answer, struct file_plan *plan,
                   const struct asked *asked, size_t *ret_size)
{
    static unsigned char body[BODY_MAX], coded[BODY_MAX];
    int gzips = plan->coded && asked->gzip;
    int for_range = plan->kind >= FILE_OTHER_TAG && plan->kind <= FILE_MULTIPART;
    answer->content = server->version;
    if (plan->kind == FILE_OTHER_TAG)
        answer->content = (server->version + 1) % FILE_VERSIONS;
    size_t size = server->sizes[answer->content];
    int fits = asked->first > 0 && (for_range || asked->version == server->version) && plan->kind != FILE_WHOLE;
    if (plan->interim)
        say(message, "HTTP/1.1 103 Early Hints\r\nETag: \"early\"\r\n\r\n");
    if (plan->kind == FILE_NONE_LEFT || (fits && asked->first >= size)) {
        answer->status = 416;
        answer->misfits = 1;
        say(message, "HTTP/1.1 416 Range Not Satisfiable\r\nContent-Range: bytes */%zu\r\n", size);
    } else if (plan->kind == FILE_MISSING || plan->kind == FILE_BUSY) {
        answer->status = plan->kind == FILE_MISSING ? 404 : 503;
        answer->sent = size;
        say(message, "HTTP/1.1 %d No\r\nETag: %s\r\n", answer->status, tag_of(server->version));
    } else if (plan->kind == FILE_EMPTY) {
        answer->status = 204;
        answer->complete = 1;
        say(message, "HTTP/1.1 204 No Content\r\n\r\n");
        message->head = message->size;
        return 0;
    } else if ((fits && plan->kind < FILE_FROM_0) || (plan->kind == FILE_FROM_0 && size > 0)) {
        say_part(message, server, answer, plan, asked);
    } else {
        say_whole(message, server, answer, plan, gzips);
    }
    *ret_size = answer->sent;
    if (plan->kind == FILE_LONG && answer->status == 206) {
        *ret_size += EXTRA;
        answer->complete = 0;
    }
    for (size_t i = 0; i < *ret_size; i++)
        body[i] = file_byte(answer->content, answer->first + i);
    if (gzips && answer->status == 200) {
        *ret_size = gzip(coded, body, *ret_size);
        return say_body(message, plan, coded, *ret_size);
    }
    return say_body(message, plan, body, *ret_size);
}

/* What is to be sent of it. */
static size_t cut(struct message *message, struct file_answer *answer, const struct file_plan *plan, int gzips, size_t size)
{
    size_t end = message->size;
    if (plan->cut == FILE_CUT_HEAD) {
        end = message->head * plan->cut_at / 256;
        answer->status = answer->complete = 0;
    } else if (plan->cut == FILE_CUT_BODY) {
        end = message->head + (message->size - message->head) * plan->cut_at / 256;
    }
    if (end == message->size)
        return end;
    answer->sent = bytes_before(message, plan, size, end);
    if (answer->until_close && answer->status == 200 && !gzips)
        answer->size = answer->sent; /* nobody can tell */
    else
        answer->complete = 0;
    return end;
}

/* ----------------------------------------------------------------- the connections */

static void on_closed(uv_handle_t *handle)
{
    struct file_calls *call = handle->data;
    free(call->answer);
    free(call);
}

static void end_call(struct file_calls *call)
{
    struct file_calls **link = &call->server->calls;
    for (; *link != NULL; link = &(*link)->next)
        if (*link == call) {
            *link = call->next;
            uv_close((uv_handle_t *)&call->pipe, on_closed);
            return;
        }
}

static void send_next(struct file_calls *call);

static void on_written(uv_write_t *write, int status)
{
    struct file_calls *call = write->data;
    if (status == UV_ECANCELED)
        return; /* it is closed already */
    if (status != 0)
        end_call(call);
    else
        send_next(call);
}

/* In two pieces, the first of which ends at `split`. */
static void send_next(struct file_calls *call)
{
    size_t from = call->sent;
    if (from == call->end) {
        free(call->answer);
        call->answer = NULL;
        if (call->closes)
            end_call(call);
        return;
    }
    call->sent = from < call->split && call->split < call->end ? call->split : call->end;
    uv_buf_t buffer = uv_buf_init(call->answer + from, (unsigned)(call->sent - from));
    call->write.data = call;
    CHECK_EQ_INT(uv_write(&call->write, (uv_stream_t *)&call->pipe, &buffer, 1, on_written), 0);
}

static void answer(struct file_calls *call)
{
    static struct message message;
    struct file_server *server = call->server;
    struct file_plan plan = {.kind = FILE_HONEST, .version = -1};
    CHECK(server->n_answers < FILE_ANSWERS);
    struct asked asked = check_request(server, call->head);
    struct file_answer *answer = &server->answers[server->n_answers];
    if (server->n_answers < 2)
        plan = server->plans[server->n_answers];
    server->n_answers++;
    if (plan.version >= 0)
        server->version = plan.version;
    *answer = (struct file_answer){0};
    message.size = message.head = 0;
    if (plan.kind == FILE_NONSENSE) {
        say(&message, "the bytes of another protocol\r\n\r\n");
        call->end = message.size;
        call->closes = 1;
    } else {
        size_t size = 0;
        int until_close = compose(&message, server, answer, &plan, &asked, &size);
        answer->until_close = until_close;
        call->end = cut(&message, answer, &plan, plan.coded && asked.gzip, size);
        call->closes = plan.closes || until_close || call->end < message.size;
    }
    call->size = call->sent = 0;
    call->split = message.size * plan.split_at / 256;
    call->answer = malloc(message.size);
    CHECK(call->answer != NULL);
    memcpy(call->answer, message.bytes, message.size);
    send_next(call);
}

static void on_room(uv_handle_t *handle, size_t suggested, uv_buf_t *ret_room)
{
    struct file_calls *call = handle->data;
    (void)suggested;
    *ret_room = uv_buf_init(call->head + call->size, (unsigned)(HEAD_MAX - call->size));
}

static void on_read(uv_stream_t *stream, ssize_t size, const uv_buf_t *bytes)
{
    struct file_calls *call = stream->data;
    (void)bytes;
    if (size <= 0) {
        if (size < 0)
            end_call(call);
        return;
    }
    CHECK(call->answer == NULL); /* no request before the last one has its answer */
    call->size += (size_t)size;
    call->head[call->size] = '\0';
    const char *end = strstr(call->head, "\r\n\r\n");
    CHECK(end == NULL ? call->size < HEAD_MAX : end + 4 == call->head + call->size);
    if (end != NULL)
        answer(call);
}

static void on_connection(uv_stream_t *listener, int status)
{
    struct file_server *server = listener->data;
    struct file_calls *call = calloc(1, sizeof *call);
    CHECK(status == 0 && call != NULL);
    call->server = server;
    call->pipe.data = call;
    call->next = server->calls;
    server->calls = call;
    CHECK_EQ_INT(uv_pipe_init(listener->loop, &call->pipe, 0), 0);
    CHECK_EQ_INT(uv_accept(listener, (uv_stream_t *)&call->pipe), 0);
    CHECK_EQ_INT(uv_read_start((uv_stream_t *)&call->pipe, on_room, on_read), 0);
    uv_unref((uv_handle_t *)&call->pipe);
}

/* -------------------------------------------------------------------------- its life */

void file_server_open(struct file_server *server, uv_loop_t *loop, const char *path)
{
    unlink(path);
    CHECK_EQ_INT(uv_pipe_init(loop, &server->listener, 0), 0);
    CHECK_EQ_INT(uv_pipe_open(&server->listener, listen_unix(path)), 0);
    CHECK_EQ_INT(uv_listen((uv_stream_t *)&server->listener, 64, on_connection), 0);
    server->listener.data = server;
    uv_unref((uv_handle_t *)&server->listener);
}

void file_server_drop(struct file_server *server)
{
    uv_os_fd_t fd;
    CHECK_EQ_INT(uv_fileno((uv_handle_t *)&server->listener, &fd), 0);
    for (struct pollfd waiting = {.fd = fd, .events = POLLIN}; poll(&waiting, 1, 0) > 0;) {
        int connection = accept(fd, NULL, NULL);
        CHECK(connection >= 0);
        close(connection);
    }
    while (server->calls != NULL)
        end_call(server->calls);
    uv_run(server->listener.loop, UV_RUN_NOWAIT);
}

void file_server_close(struct file_server *server)
{
    file_server_drop(server);
    uv_close((uv_handle_t *)&server->listener, NULL);
}
