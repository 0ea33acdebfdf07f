/* SPDX-License-Identifier: MIT */
#include "nginx.h"

#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <stook.h>

#include "../support/harness.h"
#include "certificates.h"
#include "process.h"
#include "raw_server.h"
#include "sockets.h"

struct nginx_peer {
    struct nginx nginx; /* first: what the test sees */
    struct process process;
    char *directory;
    char *ca, *other;
    int has_workers;
};

const struct way nginx_ways[nginx_ways_size] = {
    {"HTTP/1.1", 0, STOOK_HTTP_DEFAULT},
    {"HTTP/1.1", 1, STOOK_HTTP_1_1},
    {"HTTP/2", 1, STOOK_HTTP_2},
};

const char *nginx_program(void)
{
    static const char *const places[] = {"/usr/sbin/nginx", "/usr/bin/nginx",
                                         "/usr/local/sbin/nginx", "/usr/local/nginx/sbin/nginx"};
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++)
        if (access(places[i], X_OK) == 0)
            return places[i];
    test_skip("nginx is not installed");
}

/* ------------------------------------------------------------ configuration */

/* As the test's own user: one process unless it has workers, everything it writes below its directory. */
static const char configuration[] =
    "daemon off; %s pid nginx.pid; error_log error.log warn;\n"
    "events { worker_connections 512; }\n"
    "http {\n"
    "  access_log off; root files; default_type text/plain; keepalive_requests 100000;\n"
    "  client_body_temp_path b; proxy_temp_path p; fastcgi_temp_path f;\n"
    "  uwsgi_temp_path u; scgi_temp_path s; client_max_body_size 64m;\n"
    "  ssl_certificate leaf.pem; ssl_certificate_key leaf.key; ssl_protocols TLSv1.2 TLSv1.3;\n"
    "  server {\n"
    "    listen 127.0.0.1:%d; listen 127.0.0.1:%d ssl http2; listen unix:%s/nginx.sock;\n"
    "    listen 127.0.0.2:%d ssl;\n"
    "    location = /ok { return 200 ok; }\n"
    "    location ~ ^/moved/(.*)$ { return 302 /$1; }\n"
    "    location = /token { return 200 %ld; }\n"
    "    location ~ ^/number/(\\d+)$ { return 200 $1; }\n"
    "    location ~ ^/status/404$ { return 404; }\n"
    "    location ~ ^/status/503$ { return 503; }\n"
    "    location = /method { return 200 $request_method; }\n"
    "    location = /brief { keepalive_timeout 20ms; return 200 ok; }\n"
    "    location = /slow { limit_rate 1000; try_files /big =404; }\n"
    "    location = /pid { return 200 $pid; }\n"
    "    location = /active { stub_status; }\n"
    "    location = /header { return 200 $http_x_test; }\n"
    "    location = /length { return 200 $http_content_length; }\n"
    "    location = /taken { proxy_pass http://unix:%s/nginx.sock:/length; }\n"
    "    location = /host { return 200 $http_host; }\n"
    "  }\n"
    "  server {\n"
    "    listen 127.0.0.3:%d ssl http2; keepalive_requests 7;\n"
    "    location / { return 200 ok; }\n"
    "  }\n"
    "  server {\n"
    "    listen 127.0.0.4:%d ssl; ssl_client_certificate authority.pem; ssl_verify_client optional;\n"
    "    location / { return 200 $ssl_client_verify:$ssl_client_s_dn; }\n"
    "  }\n"
    "}\n";

static void write_files(const struct nginx_peer *peer)
{
    static char big[nginx_big_size + 1];
    const char *d = peer->directory;
    for (size_t i = 0; i < nginx_big_size; i++)
        big[i] = (char)('0' + i % 10);
    CHECK_EQ_INT(mkdir(text("%s/files", d), 0700), 0);
    write_file(text("%s/files/big", d), big);
}

/* ---------------------------------------------------------------- readiness */

/* 1 when our own nginx answers; 0 when it ended, because a port was taken. */
static int wait_until_ready(struct nginx_peer *peer, long token)
{
    char answer[4096];
    const char *expected = text("\r\n\r\n%ld", token);
    while (!process_ended(&peer->process)) {
        if (ask(peer->nginx.port, "/token", answer, sizeof answer) > 0 &&
            strstr(answer, expected))
            return 1;
        raw_pause(5); /* between two looks, not instead of one */
    }
    return 0;
}

static const char *processes(const struct nginx_peer *peer)
{
    if (!peer->has_workers)
        return "master_process off;";
    return geteuid() == 0 ? "worker_processes 2; user root;" : "worker_processes 2;";
}

static int try_to_start(struct nginx_peer *peer)
{
    char content[4096];
    const char *d = peer->directory;
    long token = (long)getpid() * 32768 + random_port();
    snprintf(content, sizeof content, configuration, processes(peer), peer->nginx.port,
             peer->nginx.tls_port, d, peer->nginx.tls_port, token, d, peer->nginx.tls_port,
             peer->nginx.tls_port);
    write_file(text("%s/nginx.conf", d), content);
    const char *argv[] = {"unshare", "--pid", "--fork", "--kill-child", "--", nginx_program(), "-p", text("%s/", d),
                          "-c", "nginx.conf", "-e", "error.log", NULL};
    unlink(text("%s/nginx.sock", d)); /* of a try that met a taken port */
    process_start(&peer->process, argv + (peer->has_workers ? 0 : 5), text("%s/nginx.log", d));
    return wait_until_ready(peer, token);
}

static int try_ports(struct nginx_peer *peer)
{
    peer->nginx.port = random_port();
    peer->nginx.tls_port = random_port();
    return try_to_start(peer);
}

static void stop(void *arg)
{
    struct nginx_peer *peer = arg;
    process_stop(&peer->process);
    free(peer->directory);
    free(peer->ca);
    free(peer->other);
    free(peer);
}

static struct nginx *start(int has_workers)
{
    nginx_program();
    const char *directory = temporary_directory();
    struct nginx_peer *peer = calloc(1, sizeof *peer);
    CHECK(peer != NULL);
    peer->directory = strdup(directory);
    peer->has_workers = has_workers;
    peer->nginx.ca = peer->ca = strdup(text("%s/authority.pem", directory));
    peer->nginx.other = peer->other = strdup(text("%s/stranger.pem", directory));
    peer->process.in = peer->process.out = -1;
    test_defer(stop, peer);
    certificates_standard(directory);
    write_files(peer);
    for (int tries = 0; !try_ports(peer); tries++)
        if (tries == 20)
            FAIL("nginx does not start, see %s", directory);
    return &peer->nginx;
}

struct nginx *nginx_start(void)
{
    return start(0);
}

struct nginx *nginx_start_with_workers(void)
{
    pid_t pid = fork();
    CHECK(pid >= 0);
    if (pid == 0)
        _exit(unshare(CLONE_NEWPID) == 0 && access("/usr/bin/unshare", X_OK) == 0 ? 0 : 1);
    int status;
    CHECK_EQ_INT(waitpid(pid, &status, 0), pid);
    if (status != 0)
        test_skip("no process namespace of our own");
    return start(1);
}

/* The master is the only child of unshare(1). */
static pid_t pid_of(const struct nginx_peer *peer)
{
    char line[32] = "";
    if (!peer->has_workers)
        return peer->process.pid;
    FILE *file = fopen(text("/proc/%d/task/%d/children", peer->process.pid, peer->process.pid), "re");
    if (!file)
        test_skip("this kernel does not name the children of a process");
    CHECK(fgets(line, sizeof line, file) != NULL);
    fclose(file);
    CHECK(atoi(line) > 1);
    return atoi(line);
}

void nginx_signal(const struct nginx *nginx, int number)
{
    CHECK_EQ_INT(kill(pid_of((const struct nginx_peer *)nginx), number), 0);
}

void nginx_kill(struct nginx *nginx)
{
    process_stop(&((struct nginx_peer *)nginx)->process);
}

void nginx_revive(struct nginx *nginx)
{
    CHECK(try_to_start((struct nginx_peer *)nginx));
}

/* nginx counts the one that asks. */
void nginx_wait_until_alone(const struct nginx *nginx)
{
    char answer[4096];
    for (;;) {
        CHECK(ask(nginx->port, "/active", answer, sizeof answer) > 0);
        CHECK_CONTAINS(answer, "Active connections: ");
        if (strstr(answer, "Active connections: 1 "))
            return;
        raw_pause(2); /* between two looks */
    }
}

const char *nginx_file(const struct nginx *nginx, const char *name)
{
    return text("%s/%s", ((const struct nginx_peer *)nginx)->directory, name);
}

void nginx_make_client(const struct nginx *nginx, const char *name)
{
    const struct nginx_peer *peer = (const struct nginx_peer *)nginx;
    certificate_make(peer->directory, &(struct certificate){.name = name, .issuer = "authority",
                                                            .usage = "clientAuth", .alt_names = ""});
}

const char *nginx_url(const struct nginx *nginx, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    const char *url = url_of("http", nginx->port, format, args);
    va_end(args);
    return url;
}

const char *nginx_tls_url(const struct nginx *nginx, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    const char *url = url_of("https", nginx->tls_port, format, args);
    va_end(args);
    return url;
}

void nginx_serve_files(const struct nginx *nginx, int count)
{
    const char *d = ((const struct nginx_peer *)nginx)->directory;
    CHECK_EQ_INT(mkdir(text("%s/files/path", d), 0700), 0);
    for (int i = 0; i < count; i++)
        write_file(text("%s/files/path/%d", d, i), text("/path/%d", i));
}
