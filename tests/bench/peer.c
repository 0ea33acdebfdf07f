/* SPDX-License-Identifier: MIT */
#include "peer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support/harness.h"
#include "support/nginx.h"
#include "support/plain.h"
#include "support/process.h"
#include "support/raw_server.h"
#include "support/sockets.h"

struct peer {
    struct process process, holder;
    char *directory, *ca;
    int port, tls_port, holder_port;
};

/* The paths are of one length: each byte costs. 1000003 is the first todo of 74 bytes. */
static const char configuration[] =
    "daemon off; master_process off; pid nginx.pid; error_log error.log warn;\n"
    "events { worker_connections 16384; }\n"
    "http {\n"
    "  access_log off; default_type application/json;\n"
    "  keepalive_requests 100000000; keepalive_timeout 3600s;\n"
    "  client_body_temp_path b; proxy_temp_path p; fastcgi_temp_path f;\n"
    "  uwsgi_temp_path u; scgi_temp_path s;\n"
    "  ssl_certificate peer.pem; ssl_certificate_key peer.key; ssl_protocols TLSv1.2 TLSv1.3;\n"
    "  proxy_http_version 1.1; proxy_set_header Connection '';\n"
    "  upstream todos { server %s; keepalive 10000; keepalive_requests 100000000; }\n"
    "  upstream holder { server 127.0.0.1:%d; keepalive 10000; keepalive_requests 100000000; }\n"
    "  server {\n"
    "    listen 0.0.0.0:%d backlog=4096; listen 127.0.0.1:%d ssl backlog=4096;\n"
    "    location = /todos/1 {\n"
    "      return 200 '{\"userId\":50001,\"id\":1000003,\"title\":\"stook the barley\",\"completed\":false}';\n"
    "    }\n"
    "    location = /todos/2 { proxy_pass http://todos/todos/1000003?delay_ms=3; }\n"
    "    location = /todos/3 { proxy_pass http://holder; }\n"
    "    location = /todos/4 {\n"
    "      keepalive_timeout 0;\n"
    "      return 200 '{\"userId\":50001,\"id\":1000003,\"title\":\"stook the barley\",\"completed\":false}';\n"
    "    }\n"
    "    location = /todos/5 { return 302 /todos/3; }\n"
    "    location /large/ { root .; sendfile on; }\n"
    "    location = /token { return 200 %ld; }\n"
    "  }\n"
    "}\n";

/* One certificate that vouches for itself. */
static void make_certificate(const struct peer *peer)
{
    const char *argv[] = {"openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                          "ec_paramgen_curve:P-256", "-nodes", "-sha256", "-days", "2", "-subj",
                          "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout",
                          text("%s/peer.key", peer->directory), "-out", peer->ca, NULL};
    process_run(argv, text("%s/openssl.log", peer->directory));
}

/* Thousands of connections, and as many to the server behind nginx. */
static void allow_descriptors(void)
{
    struct rlimit limit;
    CHECK_EQ_INT(getrlimit(RLIMIT_NOFILE, &limit), 0);
    limit.rlim_cur = limit.rlim_max;
    CHECK_EQ_INT(setrlimit(RLIMIT_NOFILE, &limit), 0);
    if (limit.rlim_max < 12000)
        test_skip("no more than %ld descriptors are allowed", (long)limit.rlim_max);
}

/* 1 when our own nginx answers; 0 when it ended, because a port was taken. */
static int wait_until_ready(struct peer *peer, long token)
{
    char answer[4096];
    const char *expected = text("\r\n\r\n%ld", token);
    while (!process_ended(&peer->process)) {
        if (ask(peer->port, "/token", answer, sizeof answer) > 0 && strstr(answer, expected))
            return 1;
        raw_pause(5); /* between two looks, not instead of one */
    }
    return 0;
}

static int try_ports(struct peer *peer, const char *path, const char *behind)
{
    char content[4096];
    long token = (long)getpid() * 32768 + random_port();
    peer->port = random_port();
    peer->tls_port = random_port();
    snprintf(content, sizeof content, configuration, behind, peer->holder_port, peer->port, peer->tls_port, token);
    write_file(text("%s/nginx.conf", peer->directory), content);
    const char *argv[] = {path, "-p", text("%s/", peer->directory), "-c", "nginx.conf", "-e", "error.log",
                          NULL};
    process_start(&peer->process, argv, text("%s/nginx.log", peer->directory));
    return wait_until_ready(peer, token);
}

static void stop(void *arg)
{
    struct peer *peer = arg;
    process_stop(&peer->process);
    process_stop(&peer->holder);
    free(peer->directory);
    free(peer->ca);
    free(peer);
}

/* It says its port in its first line. */
static void start_holder(struct peer *peer)
{
    char line[16];
    size_t size = 0;
    const char *argv[] = {COST_HOLDER, NULL};
    process_start(&peer->holder, argv, NULL);
    while (size < sizeof line - 1 && read(peer->holder.out, line + size, 1) == 1 && line[size] != '\n')
        size++;
    line[size] = '\0';
    peer->holder_port = atoi(line);
    CHECK(peer->holder_port > 0);
}

struct peer *peer_start(void)
{
    const char *path = nginx_program();
    allow_descriptors();
    struct plain *plain = plain_start();
    const char *behind = plain_url(plain, "%s", "") + strlen("http://");
    struct peer *peer = calloc(1, sizeof *peer);
    CHECK(peer != NULL);
    peer->directory = strdup(temporary_directory());
    peer->ca = strdup(text("%s/peer.pem", peer->directory));
    peer->process.in = peer->process.out = -1;
    peer->holder = peer->process;
    test_defer(stop, peer);
    start_holder(peer);
    make_certificate(peer);
    for (int tries = 0; !try_ports(peer, path, behind); tries++)
        if (tries == 20)
            FAIL("nginx does not start, see %s", peer->directory);
    return peer;
}

const char *peer_url(const struct peer *peer, int tls, enum peer_answers answers)
{
    return text("%s://127.0.0.1:%d/todos/%d", tls ? "https" : "http", tls ? peer->tls_port : peer->port,
                (int)answers);
}

const char *peer_url_once(const struct peer *peer)
{
    return text("https://127.0.0.1:%d/todos/4", peer->tls_port);
}

const char *peer_url_large(const struct peer *peer, int tls, const char *size)
{
    const char *directory = text("%s/large", peer->directory), *path = text("%s/%s", directory, size);
    CHECK_EQ_INT(mkdir(directory, 0755), 0);
    write_file(path, "");
    CHECK_EQ_INT(truncate(path, strtoll(size, NULL, 10)), 0);
    return text("%s://127.0.0.1:%d/large/%s", tls ? "https" : "http", tls ? peer->tls_port : peer->port, size);
}

clockid_t peer_clock(const struct peer *peer)
{
    clockid_t id;
    CHECK_EQ_INT(clock_getcpuclockid(peer->process.pid, &id), 0);
    return id;
}

void peer_hold(const struct peer *peer, size_t waiting)
{
    char answer[4096];
    CHECK(ask(peer->holder_port, text("/hold/%zu", waiting), answer, sizeof answer) > 0);
}

const char *peer_ca(const struct peer *peer)
{
    return peer->ca;
}
