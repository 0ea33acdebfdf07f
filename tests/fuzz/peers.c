/* SPDX-License-Identifier: MIT */
#include "peers.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <stook.h>

#include "../support/harness.h"
#include "../support/certificates.h"
#include "../support/process.h"
#include "../support/raw_h2.h"
#include "../support/raw_tls.h"
#include "../support/sockets.h"

enum { PLAIN, OTHER, SOCKET, TLS, TLS_H2, REFUSING };

static struct raw_door doors[REFUSING];
static char bases[FUZZ_PEERS][64], socket_path[108], authority[256];

/* For HTTP/1.1, of raw_behaviours.c; the answers of HTTP/2 below have some of these names. */
static const char *const paths[] = {
    "/ok",         "/echo",        "/set-cookie",    "/big?n=100000", "/chunked",         "/until-close", "/close-after",
    "/rst-after",  "/swallow?n=1", "/rst",       "/short",        "/short-chunk",     "/garbage",     "/drip?n=4&ms=1",
    "/trailers?n=3", "/1xx?n=2",   "/bad-chunk", "/too-early",    "/status?code=503", "/no-content",  "/redirect",
    "/stall",      "/stall-head",  "/stall-body", "/rst-head",    "/rst-body",        "/http10",      "/bad-length",
    "/two-lengths", "/short-head", "/swallow",   "/pour?n=300000&kb=16"};

static void h2_reset(struct h2 *h2)
{
    h2_number(h2, H2_RST_STREAM, h2->stream, H2_INTERNAL_ERROR);
}

static void h2_refuse(struct h2 *h2)
{
    h2_number(h2, H2_RST_STREAM, h2->stream, H2_REFUSED_STREAM);
}

static void h2_leave(struct h2 *h2)
{
    h2_goaway(h2, h2->stream, H2_NO_ERROR);
    h2_ok(h2, "left");
    h2->done = 1;
}

static void h2_vanish(struct h2 *h2)
{
    h2_head(h2, H2_END_HEADERS, 200, "content-length", "10", NULL);
    h2_data(h2, H2_NONE, "abc");
    h2->done = 1;
}

static void h2_early(struct h2 *h2)
{
    h2_head(h2, H2_NONE, 103, "link", "</s.css>", NULL);
    h2_ok(h2, "early");
}

static void h2_trailers(struct h2 *h2)
{
    h2_head(h2, H2_NONE, 200, NULL);
    h2_data(h2, H2_NONE, "abc");
    h2_head(h2, H2_END_STREAM, 0, "x-trailer", "v", NULL);
}

static void h2_silent(struct h2 *h2)
{
    (void)h2;
}

static const struct h2_answer answers[] = {
    {"/rst", h2_reset, NULL},       {"/swallow", h2_refuse, NULL},  {"/close-after", h2_leave, NULL}, {"/short", h2_vanish, NULL},
    {"/1xx", h2_early, NULL},       {"/trailers", h2_trailers, NULL}, {"/stall", h2_silent, NULL},    {NULL, NULL, NULL}};

void fuzz_peers_start(void)
{
    static struct raw_tls tls, tls_h2;
    const char *directory = temporary_directory();
    certificates_standard(directory);
    snprintf(authority, sizeof authority, "%s/authority.pem", directory);
    snprintf(socket_path, sizeof socket_path, "%s/socket", directory);
    tls = tls_h2 = (struct raw_tls){.directory = strdup(directory), .certificate = "leaf"};
    tls_h2.alpn = "h2";
    tls_h2.inside = raw_h2_serve;
    raw_h2_answers = answers;
    doors[SOCKET].unix_path = socket_path;
    doors[TLS] = (struct raw_door){.serve = raw_tls_serve, .arg = &tls};
    doors[TLS_H2] = (struct raw_door){.serve = raw_tls_serve, .arg = &tls_h2};
    raw_server_open(NULL, doors, REFUSING);
    for (int i = 0; i < FUZZ_PEERS; i++)
        snprintf(bases[i], sizeof bases[i], "http%s://127.0.0.1:%d", i == TLS || i == TLS_H2 ? "s" : "",
                 i == REFUSING ? refusing_port() : i == SOCKET ? 80 : doors[i].port);
}

struct fuzz_peer fuzz_peer(unsigned number)
{
    return (struct fuzz_peer){.base = bases[number],
                              .unix_socket = number == SOCKET ? socket_path : NULL,
                              .http_version = number == TLS_H2 ? STOOK_HTTP_2 : STOOK_HTTP_DEFAULT};
}

const char *fuzz_path(unsigned number)
{
    return paths[number % (sizeof paths / sizeof *paths)];
}

const char *fuzz_peers_authority(void)
{
    return authority;
}
