/* SPDX-License-Identifier: MIT */
/* Bodies to a file: in PATH.part until they are complete, and resumed. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <stook.h>

#include "support/fail_nth.h"
#include "support/life.h"
#include "support/process.h"
#include "support/raw_server.h"

enum { WHOLE = 1000 };

/* ------------------------------------------------------------------- the peer */

static void field(struct raw_call *call, const char *name, char *value, size_t room)
{
    const char *at = strstr(call->head, name);
    value[0] = '\0';
    if (at)
        snprintf(value, room, "%.*s", (int)strcspn(at + strlen(name), "\r"), at + strlen(name));
}

static int is_busy(struct raw_call *call)
{
    if (!raw_number(call, text("busy%u", call->seen)))
        return 0;
    raw_say(call, "HTTP/1.1 503 Busy\r\nContent-Length: 4\r\n\r\nbusy");
    return 1;
}

/*
 * /thing?tag=a&cut=600&weak=1&dated=1&ignore=1&lie=1&total=1&short=1: a thousand bytes with an entity tag, of which only
 * `cut` are sent; with a weak tag, or a date instead; a server that ignores ranges, one that sends another
 * range than asked for, one that does not say how much there is, one that sends less of the rest. tag1, cut1 and so
 * on are of the first request for it, and busy2 is a 503 to the second.
 */
static enum raw_then thing(struct raw_call *call)
{
    char body[WHOLE], range[64], condition[64], tag[64] = "";
    long from = 0, cut = raw_number(call, "cut");
    const char *own = text("tag%u=", call->seen), *at = strstr(call->query, own);
    if (is_busy(call))
        return RAW_KEEP;
    if (raw_number(call, text("cut%u", call->seen)))
        cut = raw_number(call, text("cut%u", call->seen));
    for (int i = 0; i < WHOLE; i++)
        body[i] = (char)('0' + i % 10);
    if (at)
        sscanf(at + strlen(own), "%60[a-z]", tag);
    else if ((at = strstr(call->query, "tag=")))
        sscanf(at, "tag=%60[a-z]", tag);
    field(call, "\r\nRange: bytes=", range, sizeof range);
    field(call, "\r\nIf-Range: ", condition, sizeof condition);
    const char *current = raw_number(call, "dated") ? "Mon, 01 Jan 2024 00:00:00 GMT" : text("\"%s\"", tag);
    int part = range[0] && !raw_number(call, "ignore") && (!strcmp(condition, current) || !condition[0]);
    if (part)
        from = atol(range);
    if (part && from >= WHOLE) {
        raw_say(call, "HTTP/1.1 416 Range Not Satisfiable\r\nContent-Range: bytes */%d\r\nContent-Length: 0\r\n\r\n", WHOLE);
        return RAW_KEEP;
    }
    long last = raw_number(call, "short") && part ? from + 10 : WHOLE - 1;
    raw_say(call, part ? "HTTP/1.1 206 Partial Content\r\n" : "HTTP/1.1 200 OK\r\n");
    if (raw_number(call, "dated"))
        raw_say(call, "Last-Modified: %s\r\nDate: Mon, 01 Jan 2024 00:%02ld:00 GMT\r\n", current, raw_number(call, "dated"));
    else
        raw_say(call, "ETag: %s\"%s\"\r\n", raw_number(call, "weak") ? "W/" : "", tag);
    if (part)
        raw_say(call, "Content-Range: bytes %ld-%ld/%s\r\n", from + raw_number(call, "lie"), last,
                raw_number(call, "total") ? "*" : "1000");
    raw_say(call, "Content-Length: %ld\r\n\r\n", last + 1 - from);
    long size = last + 1 - from;
    if (cut > 0 && from + size > cut)
        size = cut - from;
    if (size > 0)
        raw_send(call, body + from, (size_t)size);
    return size == last + 1 - from ? RAW_KEEP : RAW_CLOSE;
}

static const struct raw_behaviour more[] = {
    {"/thing", .answer = thing},
    {"/gone", "HTTP/1.1 404 Not Found\r\nContent-Length: 4\r\n\r\ngone", .then = RAW_KEEP},
    {"/nothing", "HTTP/1.1 204 No Content\r\n\r\n", .then = RAW_KEEP},
    {NULL}};

static struct raw_server *server;
static const char *path;

static void begin(struct life *life)
{
    server = raw_server_start(more);
    path = strdup(text("%s/out", temporary_directory()));
    life_open(life, NULL);
}

static void end(void)
{
    free((char *)path);
}

/* ----------------------------------------------------------------- the program */

static int64_t flags, got, status, attempts;
static char message[256];

static int fetch(struct life *life, const char *what, int64_t resume)
{
    stook_batch *batch = life_batch(life);
    ADD(batch, raw_url(server, "%s", what), .output_file = path, .resume = resume);
    life_gather(life, batch, NULL);
    const stook_result *result = stook_batch_result(batch, 0);
    size_t size;
    stook_result_body(result, &size);
    if (stook_result_status(result) < 300)
        CHECK_EQ_SIZE(size, 0);
    flags = stook_result_flags(result);
    got = stook_result_size(result, STOOK_SIZE_BODY);
    status = stook_result_status(result);
    attempts = stook_result_attempts(result);
    snprintf(message, sizeof message, "%s", stook_result_message(result));
    int error = stook_result_error(result);
    stook_batch_free(batch);
    return error;
}

/* Bytes of a file, each of which must be the last digit of its place; -1: there is none. */
static long bytes_of(const char *name)
{
    FILE *file = fopen(name, "rb");
    long n = 0;
    if (!file)
        return -1;
    for (int c; (c = fgetc(file)) != EOF; n++)
        CHECK_EQ_INT(c, '0' + n % 10);
    fclose(file);
    return n;
}

static void check_files(long out, long part, int tag)
{
    CHECK_EQ_INT(bytes_of(path), out);
    CHECK_EQ_INT(bytes_of(text("%s.part", path)), part);
    CHECK_EQ_INT(access(text("%s.part.tag", path), F_OK) == 0, tag);
}

TEST_BOTH(whole)
{
    begin(life);
    CHECK_ERROR(fetch(life, "/pour?n=3000000", 0), 0);
    CHECK_EQ_INT(got, 3000000);
    check_files(3000000, -1, 0);
    CHECK_ERROR(fetch(life, "/thing?tag=a", 0), 0); /* takes the place of the other */
    check_files(WHOLE, -1, 0);
    CHECK_ERROR(fetch(life, "/nothing", 0), 0);
    check_files(0, -1, 0);
    end();
}

TEST_BOTH(not_whole)
{
    begin(life);
    write_file(path, "0123");
    CHECK_ERROR(fetch(life, "/thing?tag=a&cut=600", 0), STOOK_ETRUNCATED);
    check_files(4, -1, 0); /* as it was */
    CHECK_ERROR(fetch(life, "/short-chunks", 0), STOOK_ETRUNCATED);
    CHECK_ERROR(fetch(life, "/rst-body", 0), STOOK_ERESET);
    CHECK_ERROR(fetch(life, "/rst", 0), STOOK_ERESET);
    check_files(4, -1, 0);
    end();
}

/* The body of another status goes to the result. */
TEST_BOTH(another_status)
{
    begin(life);
    stook_batch *batch = life_batch(life);
    ADD(batch, raw_url(server, "/gone"), .output_file = path);
    life_gather(life, batch, NULL);
    CHECK_STR(stook_result_body(stook_batch_result(batch, 0), NULL), "gone");
    check_files(-1, -1, 0);
    stook_batch_free(batch);
    end();
}

TEST_BOTH(resumed)
{
    begin(life);
    CHECK_ERROR(fetch(life, "/thing?tag=a&cut=600", 1), STOOK_ETRUNCATED);
    check_files(-1, 600, 1);
    life_close(life); /* nothing but the files is needed */
    life_open(life, NULL);
    CHECK_ERROR(fetch(life, "/gone", 1), 0); /* another URL, and it has nothing to say to it */
    CHECK_EQ_INT(status, 404);
    end();
}

/* The same URL has to be asked for: what the server does the second time depends on how often it was. */
static void cut_then(struct life *life, const char *query, int *ret_error)
{
    CHECK_ERROR(fetch(life, query, 1), STOOK_ETRUNCATED);
    *ret_error = fetch(life, query, 1);
}

TEST_BOTH(the_rest)
{
    begin(life);
    int error;
    const char *url = "/thing?tag=a&cut=600";
    cut_then(life, url, &error); /* it has 600, and is cut at 600 again */
    CHECK_ERROR(error, STOOK_ETRUNCATED);
    CHECK_EQ_INT(got, 0);
    CHECK_EQ_INT(flags, STOOK_FLAG_RESUMED);
    check_files(-1, 600, 1);
    end();
}

/* The part and its tag as an earlier run has left them. */
static void leave(const char *what, const char *validator, long size, long total)
{
    FILE *file = fopen(text("%s.part", path), "wb");
    for (long i = 0; i < size; i++)
        fputc('0' + (int)(i % 10), file);
    fclose(file);
    struct stat part;
    CHECK_EQ_INT(stat(text("%s.part", path), &part), 0);
    write_file(text("%s.part.tag", path), text("stook 1\n%s\n%s\n%ld\n%llu\n", validator, raw_url(server, "%s", what),
                                               total, (unsigned long long)part.st_ino));
}

TEST_BOTH(rests)
{
    static const struct {
        const char *what, *validator;
        long size, got;
        int error, flags;
    } rows[] = {
        {"/thing?tag=a", "\"a\"", 600, 400, 0, STOOK_FLAG_RESUMED},
        {"/thing?tag=a&total=1", "\"a\"", 600, 1000, 0, 0}, /* nobody says how long it is */
        {"/thing?tag=b", "\"a\"", 600, 1000, 0, 0},          /* it has changed */
        {"/thing?tag=a&ignore=1", "\"a\"", 600, 1000, 0, 0}, /* a server that knows no ranges */
        {"/thing?dated=2", "Mon, 01 Jan 2024 00:00:00 GMT", 999, 1, 0, STOOK_FLAG_RESUMED},
        {"/thing?tag=a", "\"a\"", 1000, 1000, 0, 0}, /* 416: the whole is asked for */
        {"/thing?tag=a", "\"a\"", 1500, 1000, 0, 0},
        {"/thing?tag=a&lie=1", "\"a\"", 600, 1000, 0, 0}, /* what does not fit is not taken, the whole is asked for */
        {"/thing?tag=a&short=1", "\"a\"", 600, 11, STOOK_ETRUNCATED, STOOK_FLAG_RESUMED},
        {"/thing?tag=a", "", 600, 1000, 0, 0}, /* a tag that is none */
        {"/thing?tag=a", "\"a\"\r\nX-Evil: 1", 600, 1000, 0, 0},
    };
    begin(life);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        test_note("%s with %ld of %s", rows[i].what, rows[i].size, rows[i].validator);
        unlink(path);
        leave(rows[i].what, rows[i].validator, rows[i].size, -1);
        CHECK_ERROR(fetch(life, rows[i].what, 1), rows[i].error);
        CHECK_EQ_INT(got, rows[i].got);
        CHECK_EQ_INT(flags & STOOK_FLAG_RESUMED, rows[i].flags);
        if (rows[i].error == 0)
            check_files(WHOLE, -1, 0);
    }
    /* Of another URL, or without resume: from the beginning. */
    leave("/thing?tag=b", "\"a\"", 600, -1);
    CHECK_ERROR(fetch(life, "/thing?tag=a", 1), 0);
    CHECK_EQ_INT(got, WHOLE);
    leave("/thing?tag=a", "\"a\"", 600, -1);
    CHECK_ERROR(fetch(life, "/thing?tag=a", 0), 0);
    CHECK_EQ_INT(got, WHOLE);
    end();
}

/* A retry goes on where the attempt before it ended, if `resume` allows it; otherwise it begins anew. Whatever comes in
   between, the file is of one body. */
TEST_BOTH(retried)
{
    static const struct {
        const char *what;
        int resume, attempts;
        long got;
        int flags;
    } rows[] = {
        {"/thing/1?tag=a&cut1=300", 0, 2, 1000, 0},
        {"/thing/2?tag=a&cut1=300", 1, 2, 700, STOOK_FLAG_RESUMED},
        {"/thing/3?tag=a&cut1=300&cut2=600", 0, 3, 1000, 0},
        {"/thing/4?tag=a&cut1=300&cut2=600", 1, 3, 400, STOOK_FLAG_RESUMED},
        {"/thing/5?tag=a&cut1=300&busy2=1", 0, 3, 1000, 0},
        {"/thing/6?tag=a&cut1=300&busy2=1", 1, 3, 700, STOOK_FLAG_RESUMED},
        {"/thing/7?tag=b&tag1=a&cut1=300", 1, 2, 1000, 0}, /* it changes meanwhile */
        {"/thing/8?tag=a&cut1=300&ignore=1", 1, 2, 1000, 0},
        {"/thing/9?tag=a&weak=1&cut1=300", 1, 2, 1000, 0},
        {"/thing/10?tag=a&busy1=1", 1, 2, 1000, 0},
    };
    begin(life);
    life_close(life);
    life_open(life, &STOOK_CLIENT(.max_retries = 3, .retry_delay_ms = 1, .retry_budget = STOOK_NONE));
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        test_note("%s", rows[i].what);
        unlink(path);
        CHECK_ERROR(fetch(life, rows[i].what, rows[i].resume), 0);
        CHECK_EQ_INT(attempts, rows[i].attempts);
        CHECK_EQ_INT(got, rows[i].got);
        CHECK_EQ_INT(flags & STOOK_FLAG_RESUMED, rows[i].flags);
        check_files(WHOLE, -1, 0);
    }
    unlink(path);
    CHECK_ERROR(fetch(life, "/thing/11?tag=a&cut=300", 0), STOOK_ETRUNCATED); /* in the end there is nothing left of it */
    check_files(-1, -1, 0);
    CHECK_EQ_INT(attempts, 4);
    CHECK_ERROR(fetch(life, "/thing/12?tag=a&cut=300", 1), STOOK_ETRUNCATED);
    check_files(-1, 300, 1);
    CHECK_EQ_INT(attempts, 4);
    end();
}

/* Without a strong validator nothing is kept. */
TEST_BOTH(nothing_to_go_by)
{
    begin(life);
    CHECK_ERROR(fetch(life, "/thing?tag=a&cut=600&weak=1", 1), STOOK_ETRUNCATED);
    check_files(-1, -1, 0);
    CHECK_ERROR(fetch(life, "/short", 1), STOOK_ETRUNCATED);
    check_files(-1, -1, 0);
    CHECK_ERROR(fetch(life, "/thing?dated=2&cut=600", 1), STOOK_ETRUNCATED);
    check_files(-1, 600, 1);
    end();
}

/* Two requests for one file at the same time. */
TEST_BOTH(one_writer)
{
    begin(life);
    stook_batch *batch = life_batch(life);
    ADD(batch, raw_url(server, "/drip?n=5&ms=20"), .output_file = path);
    ADD(batch, raw_url(server, "/thing?tag=a"), .output_file = path);
    CHECK_EQ_INT(life_gather_ordered(life, batch, NULL), 1);
    CHECK_ERROR(stook_result_error(stook_batch_result(batch, 1)), STOOK_EFILE);
    CHECK_CONTAINS(stook_result_message(stook_batch_result(batch, 1)), text("%s.part: another request", path));
    CHECK_EQ_INT(access(path, F_OK), 0);
    stook_batch_free(batch);
    end();
}

TEST_BOTH(cancelled)
{
    begin(life);
    stook_batch *batch = life_batch(life);
    ADD(batch, raw_url(server, "/stall-body"), .output_file = path, .stall_timeout_ms = 50);
    CHECK_EQ_INT(life_gather(life, batch, NULL), 1);
    stook_batch_free(batch);
    life_close(life); /* the disk is not waited for before that */
    check_files(-1, -1, 0);
    end();
}

TEST_BOTH(bad_inputs)
{
    const char *const range[] = {"range: bytes=1-", NULL};
    begin(life);
    const struct stook_request requests[] = {
        STOOK_REQUEST(raw_url(server, "/ok"), .output_file = ""),
        STOOK_REQUEST(raw_url(server, "/ok"), .output_file = path, .method = "HEAD"),
        STOOK_REQUEST(raw_url(server, "/ok"), .output_file = path, .resume = 1, .method = "PUT"),
        STOOK_REQUEST(raw_url(server, "/ok"), .output_file = path, .resume = 1, .json = "[1]"),
        STOOK_REQUEST(raw_url(server, "/ok"), .output_file = path, .resume = 1, .method = "GET", .json = "[1]"),
        STOOK_REQUEST(raw_url(server, "/ok"), .output_file = path, .resume = 1, .decompress = 1),
        STOOK_REQUEST(raw_url(server, "/ok"), .output_file = path, .resume = 1, .headers = range),
        STOOK_REQUEST(raw_url(server, "/ok"), .resume = 1),
        STOOK_REQUEST(raw_url(server, "/ok"), .output_file = "/proc/nowhere/out"),
        STOOK_REQUEST(raw_url(server, "/ok"), .output_file = text("%.*s", (int)strlen(path) - 4, path)),
    };
    size_t count = sizeof requests / sizeof *requests;
    stook_batch *batch = life_batch(life);
    for (size_t i = 0; i < count; i++)
        CHECK_ERROR(stook_batch_add(batch, &requests[i]), 0);
    CHECK_ERROR(stook_batch_add(batch, &STOOK_REQUEST(raw_url(server, "/ok"), .output_file = path)), 0);
    CHECK_EQ_INT(life_gather_ordered(life, batch, NULL), (int)count);
    for (size_t i = 0; i < count; i++) {
        test_note("row %zu: %s", i, stook_result_message(stook_batch_result(batch, i)));
        CHECK_ERROR(stook_result_error(stook_batch_result(batch, i)), i < 8 ? STOOK_EARG : STOOK_EFILE);
    }
    CHECK_CONTAINS(stook_result_message(stook_batch_result(batch, 8)), "/proc/nowhere/out");
    CHECK_EQ_INT(stook_result_os_error(stook_batch_result(batch, 8)), ENOENT);
    stook_batch_free(batch);
    end();
}

/* A symbolic link that somebody has put beside it is not followed. */
TEST_BOTH(planted_links)
{
    begin(life);
    write_file(text("%s.else", path), "0123");
    CHECK_EQ_INT(symlink(text("%s.else", path), text("%s.part", path)), 0);
    CHECK_ERROR(fetch(life, "/thing?tag=a", 0), STOOK_EFILE);
    CHECK_EQ_INT(bytes_of(text("%s.else", path)), 4);
    end();
}

static void download_flow(struct life *life)
{
    struct story story;
    story_begin(&story, life);
    for (int i = 0; i < 2 && story.batch; i++) {
        if (i == 1)
            leave("/thing?tag=a", "\"a\"", 600, -1);
        story_add_request(&story, &STOOK_REQUEST(raw_url(server, "/thing?tag=a"), .resume = i,
                                                 .output_file = i == 0 ? text("%s.other", path) : path));
    }
    story_start(&story, 0, NULL);
    story_end(&story);
}

TEST(nomem, slow)
{
    server = raw_server_start(more);
    path = strdup(text("%s/out", temporary_directory()));
    fail_nth(download_flow);
    end();
}
