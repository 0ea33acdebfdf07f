/* SPDX-License-Identifier: MIT */
/* A hundred requests through a bad line between client and server: what a result is follows from what the line does. */
#include <stdlib.h>
#include <string.h>

#include <stook.h>

#include "support/ledger.h"
#include "support/process.h"
#include "support/raw_relay.h"
#include "support/raw_server.h"

enum { COUNT = 100, LIMIT = 25, SIZE = 3000 };

struct line {
    const char *name;
    struct raw_relay relay;
    size_t size;               /* of each body; 0: SIZE */
    const char *path;          /* instead of a pattern: its body ends with the connection */
    int expected[3];           /* STOOK_E values; none: all are OK */
    size_t least_ok, most_ok;  /* of a hundred, where errors are expected */
    int clock_ms;              /* of an attempt; 0: the default */
};

static const struct line lines[] = {
    {"latency", .relay = {.latency_ms = 10}},
    {"jitter", .relay = {.latency_ms = 2, .jitter_ms = 15}},
    {"slicer, a byte at a time", .relay = {.slice = 1}, .size = 300},
    {"slicer, 1 to 7 bytes", .relay = {.slice = 7}, .size = 1000},
    {"slicer, 1 to 100 bytes, and jitter", .relay = {.slice = 100, .jitter_ms = 2}, .size = 1000},
    {"bandwidth, 100 KB a second", .relay = {.slice = 1000, .bytes_per_ms = 100}},
    {"slow close", .relay = {.slow_close_ms = 15}, .path = "/close-after"},
    {"slow close of a body that ends with it", .relay = {.slow_close_ms = 15}, .path = "/until-close"},
    {"sliced, and the body ends with the connection", .relay = {.slice = 3}, .path = "/until-close"},
    {"down, by a close", .relay = {.refuses = 1, .then = RAW_CLOSE}, .expected = {STOOK_ERESET}},
    {"down, by a reset", .relay = {.refuses = 1, .then = RAW_RESET}, .expected = {STOOK_ERESET, STOOK_ECONNECT}},
    {"silent", .relay = {.refuses = 1, .then = RAW_HOLD}, .expected = {STOOK_ETIMEOUT_ATTEMPT}, .clock_ms = 50},
    /* The header section of a pattern is longer than 20 bytes, and shorter than a hundred. */
    {"close in the head", .relay = {.limit = 20, .then = RAW_CLOSE}, .expected = {STOOK_ETRUNCATED}},
    {"reset in the head", .relay = {.limit = 20, .then = RAW_RESET}, .expected = {STOOK_ERESET}},
    {"silent in the head", .relay = {.limit = 20, .then = RAW_HOLD}, .expected = {STOOK_ETIMEOUT_ATTEMPT}, .clock_ms = 50},
    {"close in the body", .relay = {.limit = 1000, .then = RAW_CLOSE}, .expected = {STOOK_ETRUNCATED}},
    {"reset in the body", .relay = {.limit = 1000, .then = RAW_RESET}, .expected = {STOOK_ERESET}},
    {"silent in the body", .relay = {.limit = 1000, .then = RAW_HOLD}, .expected = {STOOK_ETIMEOUT_ATTEMPT}, .clock_ms = 50},
    {"sliced, and a close in the body", .relay = {.slice = 50, .limit = 1000, .then = RAW_CLOSE}, .expected = {STOOK_ETRUNCATED}},
    /* A connection lives for two responses and a half. If the reset overtakes the third one, its request is repeated. */
    {"close in the third response", .relay = {.limit = 7500, .then = RAW_CLOSE}, .expected = {STOOK_ETRUNCATED}, .least_ok = 60, .most_ok = 90},
    {"reset in the third response", .relay = {.limit = 7500, .then = RAW_RESET}, .expected = {STOOK_ERESET}, .least_ok = 60, .most_ok = COUNT},
};

static void look(struct ledger *ledger, const stook_result *result)
{
    const struct line *line = ledger->user;
    if (!line->path)
        ledger_check_pattern(result);
    else
        CHECK_STR(stook_result_body(result, NULL), strcmp(line->path, "/until-close") == 0 ? "until" : "ok");
}

static void run_line(struct life *life, const struct line *line, int port, int ordered)
{
    char at[64];
    strcpy(at, text("http://127.0.0.1:%d", port));
    struct ledger ledger = {.ordered = ordered, .streamed = life->borrowed, .look = look};
    memcpy(ledger.expected, line->expected, sizeof line->expected);
    memcpy(&ledger.user, &line, sizeof line); /* it is only looked at */
    life_open(life, &STOOK_CLIENT(.attempt_timeout_ms = line->clock_ms));
    stook_batch *batch = life_batch(life);
    for (size_t i = 0; i < COUNT; i++)
        ADD(batch, .url = line->path ? text("%s%s", at, line->path) : ledger_pattern(at, i, line->size ? line->size : SIZE));
    ledger_await(&ledger, life, batch, &STOOK_GATHER(.limit = LIMIT));
    test_note("%s: %s", line->name, ledger_text(&ledger));
    if (line->expected[0])
        CHECK(ledger.ok >= line->least_ok && ledger.ok <= line->most_ok);
    stook_batch_free(batch);
    life_close(life);
}

static void run_lines(struct life *life, int ordered)
{
    enum { LINES = sizeof lines / sizeof lines[0] };
    static struct raw_door doors[LINES];
    memset(doors, 0, sizeof doors);
    for (size_t i = 0; i < LINES; i++)
        doors[i] = (struct raw_door){.serve = raw_relay_serve, .arg = &lines[i].relay};
    struct raw_server *server = raw_server_start(NULL);
    raw_relay_port = raw_port(server);
    raw_server_open(NULL, doors, LINES);
    for (size_t i = 0; i < LINES; i++)
        run_line(life, &lines[i], doors[i].port, ordered);
}

TEST_BOTH(bad_lines)
{
    run_lines(life, life->borrowed);
}
