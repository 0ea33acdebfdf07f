/* SPDX-License-Identifier: MIT */
/* When a response is complete. stook decides that, not libcurl. Deviations are flagged, and `strict` refuses them. */
#include <stdio.h>
#include <string.h>

#include <stook.h>

#include "support/life.h"
#include "support/raw_server.h"

#define OK_200 "HTTP/1.1 200 OK\r\n"
#define GZIP_TE OK_200 "Transfer-Encoding: gzip, chunked\r\n\r\na\r\n\x1f\x8b\x08\0\0\0\0\0\0\x03\r\n0\r\n\r\n"
#define CHUNKS "3\r\nabc\r\n0\r\n\r\n"

/* The result of each response, by default and with `strict`. */
static const struct row {
    struct raw_behaviour peer;
    int flags, error; /* by default */
    int strict;       /* the error */
    const char *why;  /* part of that */
} rows[] = {
    {{"/good", OK_200 "Content-Length: 3\r\n\r\nabc", .then = RAW_KEEP}, 0, 0, 0, "OK"},
    {{"/chunks", OK_200 "Transfer-Encoding: chunked\r\n\r\n" CHUNKS, .then = RAW_KEEP}, 0, 0, 0, "OK"},
    {{"/big-letters", OK_200 "TRANSFER-ENCODING:CHUNKED\r\n\r\n" CHUNKS, .then = RAW_KEEP}, 0, 0, 0, "OK"},
    {{"/no-content", "HTTP/1.1 204 No Content\r\n\r\n", .then = RAW_KEEP}, 0, 0, 0, "OK"},
    {{"/not-modified", "HTTP/1.1 304 Not Modified\r\n\r\n", .then = RAW_KEEP}, 0, 0, 0, "HTTP 304"},
    {{"/interim", "HTTP/1.1 103 Early Hints\r\n\r\n" OK_200 "Content-Length: 3\r\n\r\nabc", .then = RAW_KEEP}, 0, 0, 0, "OK"},
    {{"/until-close", OK_200 "\r\nabc", .then = RAW_CLOSE}, STOOK_FLAG_UNTIL_CLOSE, 0, STOOK_ETRUNCATED, "no length"},
    {{"/until-close-1.0", "HTTP/1.0 200 OK\r\n\r\nabc", .then = RAW_CLOSE}, STOOK_FLAG_UNTIL_CLOSE, 0, STOOK_ETRUNCATED, "no length"},
    {{"/nothing-until-close", OK_200 "\r\n", .then = RAW_CLOSE}, STOOK_FLAG_UNTIL_CLOSE, 0, STOOK_ETRUNCATED, "no length"},
    {{"/both", OK_200 "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n" CHUNKS, .then = RAW_CLOSE},
     0, STOOK_EPROTOCOL, STOOK_EPROTOCOL, "both"},
    /* libcurl ignores a length beside any Transfer-Encoding. */
    {{"/identity-and-length", OK_200 "Transfer-Encoding: identity\r\nContent-Length: 3\r\n\r\nabcdef", .then = RAW_CLOSE},
     0, STOOK_EPROTOCOL, STOOK_EPROTOCOL, ""},
    {{"/nothing-and-length", OK_200 "Content-Length: 3\r\nTransfer-Encoding: \r\n\r\nabcdef", .then = RAW_CLOSE},
     0, STOOK_EPROTOCOL, STOOK_EPROTOCOL, ""},
    {{"/length-twice", OK_200 "Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc", .then = RAW_KEEP}, STOOK_FLAG_LENIENT, 0,
     STOOK_EPROTOCOL, "twice"},
    {{"/chunked-twice", OK_200 "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n" CHUNKS, .then = RAW_CLOSE},
     STOOK_FLAG_LENIENT, 0, STOOK_EPROTOCOL, "twice"},
    {{"/comma", OK_200 "Transfer-Encoding: , chunked\r\n\r\n" CHUNKS, .then = RAW_CLOSE}, STOOK_FLAG_LENIENT, 0,
     STOOK_EPROTOCOL, "empty member"},
    {{"/chunks-1.0", "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" CHUNKS, .then = RAW_CLOSE},
     STOOK_FLAG_LENIENT, 0, STOOK_EPROTOCOL, "version"},
    {{"/line-feeds", "HTTP/1.1 200 OK\nContent-Length: 3\n\nabc", .then = RAW_KEEP}, STOOK_FLAG_LENIENT, 0, STOOK_EPROTOCOL,
     "without a CR"},
    {{"/blank", OK_200 "X-Odd : 1\r\nContent-Length: 3\r\n\r\nabc", .then = RAW_KEEP}, STOOK_FLAG_LENIENT, 0, STOOK_EPROTOCOL,
     "blank"},
    {{"/fold", OK_200 "X-Long: a\r\n  b \r\n\tc\r\nContent-Length: 3\r\n\r\nabc", .then = RAW_KEEP}, STOOK_FLAG_LENIENT, 0,
     STOOK_EPROTOCOL, "folded"},
    {{"/blank-length", OK_200 "Content-Length : 3\r\n\r\nabc", .then = RAW_KEEP}, 0, STOOK_EPROTOCOL, STOOK_EPROTOCOL, "blank"},
    {{"/blank-chunked", OK_200 "Transfer-Encoding\t: chunked\r\n\r\n" CHUNKS, .then = RAW_KEEP}, 0, STOOK_EPROTOCOL,
     STOOK_EPROTOCOL, "blank"},
    {{"/fold-length", OK_200 "Content-Length: 3\r\n 0\r\n\r\nabc", .then = RAW_KEEP}, 0, STOOK_EPROTOCOL, STOOK_EPROTOCOL,
     ""},
    /* The beginning of a gzip stream, and no more: a success for libcurl, if it is let. */
    {{"/gzip-te", GZIP_TE, sizeof GZIP_TE - 1, .then = RAW_CLOSE}, 0, STOOK_EPROTOCOL, STOOK_EPROTOCOL, ""},
    {{"/switch", "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\nabc", .then = RAW_HOLD}, 0, STOOK_EPROTOCOL,
     STOOK_EPROTOCOL, "101"},
    {{"/half-head", OK_200 "Content-Le", .then = RAW_CLOSE}, 0, STOOK_ETRUNCATED, STOOK_ETRUNCATED, ""},
    {{"/half-body", OK_200 "Content-Length: 4\r\n\r\nabc", .then = RAW_CLOSE}, 0, STOOK_ETRUNCATED, STOOK_ETRUNCATED, ""},
    {{"/half-chunks", OK_200 "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n", .then = RAW_CLOSE}, 0, STOOK_ETRUNCATED,
     STOOK_ETRUNCATED, ""},
};

enum { ROWS = sizeof rows / sizeof *rows };

static int take(stook_batch *batch, const stook_result *result, const void *data, size_t size, void *user)
{
    (void)batch, (void)result, (void)data;
    *(size_t *)user += size;
    return 0;
}

/* To memory and to the program, for one request and for the client. */
static void gather_row(struct life *life, struct raw_server *server, const struct row *row, int strict, int stream)
{
    size_t bytes = 0;
    stook_batch *batch = life_batch(life);
    int error = strict ? row->strict : row->error, flags = row->flags;
    test_note("%s%s%s", row->peer.path, strict ? ", strict" : "", stream ? ", streamed" : "");
    ADD(batch, raw_url(server, "%s", row->peer.path), .strict = strict > 0, .on_body = stream ? take : NULL, .user = &bytes);
    life_gather(life, batch, NULL);
    const stook_result *result = stook_batch_result(batch, 0);
    /* The newest libcurls unfold it before anybody sees it. */
    int mended = strcmp(row->peer.path, "/fold") == 0 && stook_result_flags(result) == 0 && stook_result_ok(result);
    if (mended)
        error = flags = 0;
    CHECK_ERROR(stook_result_error(result), error);
    if (strict && !mended)
        CHECK_CONTAINS(stook_result_message(result), row->why);
    if (error == 0)
        CHECK_EQ_INT(stook_result_flags(result), flags);
    if (strcmp(row->peer.path, "/fold") == 0 && error == 0)
        CHECK_STR(stook_result_header(result, "X-Long"), "a b c");
    stook_batch_free(batch);
}

TEST_BOTH(table)
{
    struct raw_behaviour peers[ROWS + 1] = {{NULL}};
    for (size_t i = 0; i < ROWS; i++)
        peers[i] = rows[i].peer;
    struct raw_server *server = raw_server_start(peers);
    life_open(life, NULL);
    for (size_t i = 0; i < ROWS; i++)
        for (int way = 0; way < 4; way++)
            gather_row(life, server, &rows[i], way & 1, way & 2);
    life_close(life);
    life_open(life, &STOOK_CLIENT(.strict = 1));
    for (size_t i = 0; i < ROWS; i++)
        gather_row(life, server, &rows[i], -1, 0);
}

/* A body that is too large and then breaks, in one read. The message names what is first, wherever the body goes. */
TEST_BOTH(the_first_fault_of_a_body)
{
    struct raw_server *server = raw_server_start(
        (struct raw_behaviour[]){{"/broken", OK_200 "Transfer-Encoding: chunked\r\n\r\n6\r\nabcdefXY", .then = RAW_CLOSE}, {NULL}});
    size_t bytes = 0;
    life_open(life, NULL);
    for (int stream = 0; stream < 2; stream++) {
        stook_batch *batch = life_batch(life);
        ADD(batch, raw_url(server, "/broken"), .max_body_bytes = 5, .on_body = stream ? take : NULL, .user = &bytes);
        life_gather(life, batch, NULL);
        test_note("%s", stream ? "streamed" : "in memory");
        CHECK_ERROR(stook_result_error(stook_batch_result(batch, 0)), STOOK_ETOOLARGE);
        stook_batch_free(batch);
    }
    CHECK_EQ_SIZE(bytes, 0);
}

TEST_BOTH(strict_is_not_loosened)
{
    struct raw_server *server = raw_server_start(NULL);
    stook_client *client = NULL;
    CHECK_ERROR(stook_client_new(NULL, &STOOK_CLIENT(.strict = 2), &client), STOOK_EARG);
    CHECK_ERROR(stook_client_new(NULL, &STOOK_CLIENT(.strict = STOOK_NONE), &client), STOOK_EARG);
    life_open(life, NULL);
    stook_batch *batch = life_batch(life);
    CHECK_ERROR(stook_batch_add(batch, &STOOK_REQUEST(raw_url(server, "/ok"), .strict = STOOK_NONE)), STOOK_EARG);
    CHECK_CONTAINS(stook_batch_message(batch), "strict");
    stook_batch_free(batch);
}

TEST_BOTH(of_head)
{
    struct raw_server *server = raw_server_start((const struct raw_behaviour[]){
        {"/no-length", OK_200 "X: 1\r\n\r\n", .then = RAW_KEEP}, {NULL}});
    life_open(life, &STOOK_CLIENT(.strict = 1));
    stook_batch *batch = life_batch(life);
    ADD(batch, raw_url(server, "/no-length"), .method = "HEAD");
    CHECK_EQ_INT(life_gather(life, batch, NULL), 0);
    CHECK_EQ_INT(stook_result_flags(stook_batch_result(batch, 0)), 0);
    stook_batch_free(batch);
}
