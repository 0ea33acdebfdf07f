/* SPDX-License-Identifier: MIT */
#include "peer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../support/harness.h"
#include "certificates.h"
#include "raw_server.h"
#include "sockets.h"

enum { WORDS = 24, TRIES = 20 };

/* How to start one. `argv` may point to text(). */
struct kind {
    const char *program;
    void (*configure)(struct peer *peer, int backend);
    void (*command)(const struct peer *peer, const char *program, const char *argv[WORDS]);
    int clear, tls; /* which ports it has */
    int is_proxy;   /* it is ready when it listens */
};

/* Where a program is; skips the test where it is not. */
static const char *find(const char *program)
{
    static const char *const places[] = {"/usr/sbin", "/usr/bin", "/usr/local/sbin", "/usr/local/bin"};
    static char path[128]; /* text() would be forgotten too soon */
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        snprintf(path, sizeof path, "%s/%s", places[i], program);
        if (access(path, X_OK) == 0)
            return path;
    }
    test_skip("%s is not installed", program);
}

static void write_files(const struct peer *peer)
{
    static char big[peer_big_size + 1];
    const char *d = peer->directory;
    for (size_t i = 0; i < peer_big_size; i++)
        big[i] = (char)('0' + i % 10);
    CHECK_EQ_INT(chmod(d, 0755), 0); /* apache reads them as nobody */
    CHECK_EQ_INT(mkdir(text("%s/files", d), 0755), 0);
    CHECK_EQ_INT(mkdir(text("%s/files/path", d), 0755), 0);
    write_file(text("%s/files/big", d), big);
    for (int i = 0; i < peer_paths; i++)
        write_file(text("%s/files/path/%d", d, i), text("/path/%d", i));
}

/* 1 when it answers, and no other does in its place; 0 when it ended, because a port was taken. */
static int wait_until_ready(struct peer *peer, int is_proxy)
{
    static char answer[4096];
    while (!process_ended(&peer->process)) {
        int fd = connect_to(peer->port ? peer->port : peer->tls_port);
        if (fd >= 0)
            close(fd);
        if (fd >= 0 && (is_proxy || !peer->port))
            return !process_ended(&peer->process);
        if (fd >= 0 && ask(peer->port, "/path/7", answer, sizeof answer) > 0)
            return !process_ended(&peer->process);
        raw_pause(10); /* between two looks */
    }
    return 0;
}

static void stop(void *arg)
{
    struct peer *peer = arg;
    process_stop(&peer->process);
    process_stop(&peer->before);
    free(peer);
}

static struct peer *start(const struct kind *kind, const char *program, int backend)
{
    struct peer *peer = calloc(1, sizeof *peer);
    CHECK(peer != NULL);
    snprintf(peer->directory, sizeof peer->directory, "%s", temporary_directory());
    snprintf(peer->ca, sizeof peer->ca, "%s/authority.pem", peer->directory);
    peer->process.in = peer->process.out = peer->before.in = peer->before.out = -1;
    test_defer(stop, peer);
    certificates_standard(peer->directory);
    write_files(peer);
    for (int tries = 0; tries < TRIES; tries++) {
        const char *argv[WORDS] = {NULL};
        peer->port = kind->clear ? random_port() : 0;
        peer->tls_port = kind->tls ? random_port() : 0;
        kind->configure(peer, backend);
        kind->command(peer, program, argv);
        process_start(&peer->process, argv, text("%s/log", peer->directory));
        if (wait_until_ready(peer, kind->is_proxy))
            return peer;
    }
    FAIL("%s does not start, see %s", kind->program, peer->directory);
}

const char *peer_url(const struct peer *peer, int tls, const char *path)
{
    return text("%s://127.0.0.1:%d%s", tls ? "https" : "http", tls ? peer->tls_port : peer->port, path);
}

/* ------------------------------------------------------------------- apache */

#define MODULE(name) "LoadModule " name "_module /usr/lib/apache2/modules/mod_" name ".so\n"

static void configure_apache(struct peer *peer, int backend)
{
    char content[4096];
    const char *d = peer->directory;
    (void)backend;
    CHECK(snprintf(content, sizeof content,
                   "ServerRoot %s\nDefaultRuntimeDir %s\nPidFile %s/pid\nErrorLog %s/error.log\n"
                   "ServerName localhost\nUser nobody\nGroup nogroup\n"
                   MODULE("mpm_event") MODULE("authz_core") MODULE("ssl") MODULE("http2")
                   "Listen 127.0.0.1:%d\nListen 127.0.0.1:%d https\n"
                   "DocumentRoot %s/files\nMaxKeepAliveRequests 7\nKeepAliveTimeout 5\n"
                   "<VirtualHost 127.0.0.1:%d>\nProtocols h2 http/1.1\nSSLEngine on\n"
                   "SSLCertificateFile %s/leaf.pem\nSSLCertificateKeyFile %s/leaf.key\n"
                   "</VirtualHost>\n",
                   d, d, d, d, peer->port, peer->tls_port, d, peer->tls_port, d, d) <
          (int)sizeof content);
    write_file(text("%s/apache.conf", d), content);
}

/* In one process: a parent that is killed would leave its children behind. */
static void apache_command(const struct peer *peer, const char *program, const char *argv[WORDS])
{
    argv[0] = program;
    argv[1] = "-X";
    argv[2] = "-f";
    argv[3] = text("%s/apache.conf", peer->directory);
}

struct peer *apache_start(void)
{
    static const struct kind apache = {"apache2", configure_apache, apache_command, 1, 1, 0};
    return start(&apache, find("apache2"), 0);
}

/* -------------------------------------------------------------------- caddy */

static void configure_caddy(struct peer *peer, int backend)
{
    char content[2048];
    const char *d = peer->directory;
    (void)backend;
    CHECK(snprintf(content, sizeof content,
                   "{\n admin off\n auto_https off\n}\n"
                   "(files) {\n root * %s/files\n encode gzip\n file_server\n}\n"
                   "http://127.0.0.1:%d {\n bind 127.0.0.1\n import files\n}\n"
                   "https://127.0.0.1:%d {\n bind 127.0.0.1\n tls %s/leaf.pem %s/leaf.key\n import files\n}\n",
                   d, peer->port, peer->tls_port, d, d) < (int)sizeof content);
    write_file(text("%s/Caddyfile", d), content);
}

static void caddy_command(const struct peer *peer, const char *program, const char *argv[WORDS])
{
    const char *words[] = {"/usr/bin/env", text("HOME=%s", peer->directory),
                           text("XDG_DATA_HOME=%s", peer->directory),
                           text("XDG_CONFIG_HOME=%s", peer->directory), program, "run", "--config",
                           text("%s/Caddyfile", peer->directory), "--adapter", "caddyfile"};
    memcpy(argv, words, sizeof words);
}

struct peer *caddy_start(void)
{
    static const struct kind caddy = {"caddy", configure_caddy, caddy_command, 1, 1, 0};
    return start(&caddy, find("caddy"), 0);
}

/* ------------------------------------------------------------------ haproxy */

static void configure_haproxy(struct peer *peer, int backend)
{
    char content[2048];
    const char *d = peer->directory;
    static const char *const parts[] = {"leaf", NULL};
    certificates_join(d, "both", parts);
    FILE *both = fopen(text("%s/both.pem", d), "ae"), *key = fopen(text("%s/leaf.key", d), "re");
    CHECK(both != NULL && key != NULL);
    for (int c; (c = getc(key)) != EOF;)
        putc(c, both);
    fclose(key);
    CHECK_EQ_INT(fclose(both), 0);
    CHECK(snprintf(content, sizeof content,
                   "global\n maxconn 512\n hard-stop-after 10s\n"
                   "defaults\n mode http\n timeout connect 5s\n timeout client 30s\n timeout server 30s\n"
                   "frontend front\n bind 127.0.0.1:%d\n"
                   " bind 127.0.0.1:%d ssl crt %s/both.pem alpn h2,http/1.1\n default_backend back\n"
                   "backend back\n server nginx 127.0.0.1:%d\n",
                   peer->port, peer->tls_port, d, backend) < (int)sizeof content);
    write_file(text("%s/haproxy.cfg", d), content);
}

static void haproxy_command(const struct peer *peer, const char *program, const char *argv[WORDS])
{
    argv[0] = program;
    argv[1] = "-db";
    argv[2] = "-f";
    argv[3] = text("%s/haproxy.cfg", peer->directory);
}

struct peer *haproxy_start(int backend)
{
    static const struct kind haproxy = {"haproxy", configure_haproxy, haproxy_command, 1, 1, 0};
    return start(&haproxy, find("haproxy"), backend);
}

void haproxy_replace(struct peer *peer)
{
    peer->before = peer->process;
    const char *argv[] = {find("haproxy"), "-db", "-f", text("%s/haproxy.cfg", peer->directory), "-sf",
                          text("%d", (int)peer->before.pid), NULL};
    process_start(&peer->process, argv, text("%s/log", peer->directory));
}

int haproxy_has_left(struct peer *peer)
{
    return process_ended(&peer->before);
}

/* ------------------------------------------------------------------ nghttpd */

static void configure_nothing(struct peer *peer, int backend)
{
    (void)peer, (void)backend;
}

static void nghttpd_command(const struct peer *peer, const char *program, const char *argv[WORDS])
{
    const char *d = peer->directory;
    const char *words[] = {program, "-d", text("%s/files", d), "-a", "127.0.0.1", "-m", "1",
                           "--trailer=x-trailer: behind", "--echo-upload", text("%d", peer->tls_port),
                           text("%s/leaf.key", d), text("%s/leaf.pem", d)};
    memcpy(argv, words, sizeof words);
}

struct peer *nghttpd_start(void)
{
    static const struct kind nghttpd = {"nghttpd", configure_nothing, nghttpd_command, 0, 1, 0};
    return start(&nghttpd, find("nghttpd"), 0);
}

/* ------------------------------------------------------------------ proxies */

/* squid reads its files as another user when root has started it. */
static void configure_squid(struct peer *peer, int backend)
{
    const char *d = peer->directory;
    (void)backend;
    CHECK_EQ_INT(chmod(d, 0777), 0);
    process_run((const char *const[]){"sh", "-c", text("echo me:$(openssl passwd -apr1 pw) >%s/users && chmod 644 %s/users", d, d),
                                      NULL},
                text("%s/users.log", d));
    write_file(text("%s/squid.conf", d),
               text("http_port 127.0.0.1:%d\npid_filename %s/squid.pid\ncache_log %s/cache.log\naccess_log none\n"
                    "coredump_dir %s\nvisible_hostname localhost\npinger_enable off\nnetdb_filename none\ncache deny all\n"
                    "auth_param basic program /usr/lib/squid/basic_ncsa_auth %s/users\nauth_param basic realm test\n"
                    "acl known proxy_auth REQUIRED\nhttp_access allow known\nhttp_access deny all\n",
                    peer->port, d, d, d, d));
}

static void squid_command(const struct peer *peer, const char *program, const char *argv[WORDS])
{
    const char *words[] = {program, "-N", "-f", text("%s/squid.conf", peer->directory)};
    memcpy(argv, words, sizeof words);
}

struct peer *squid_start(void)
{
    static const struct kind squid = {"squid", configure_squid, squid_command, 1, 0, 1};
    return start(&squid, find("squid"), 0);
}

static void configure_tinyproxy(struct peer *peer, int backend)
{
    (void)backend;
    write_file(text("%s/tinyproxy.conf", peer->directory),
               text("Port %d\nListen 127.0.0.1\nTimeout 60\nAllow 127.0.0.1\nMaxClients 100\nLogLevel Info\n", peer->port));
}

static void tinyproxy_command(const struct peer *peer, const char *program, const char *argv[WORDS])
{
    const char *words[] = {program, "-d", "-c", text("%s/tinyproxy.conf", peer->directory)};
    memcpy(argv, words, sizeof words);
}

struct peer *tinyproxy_start(void)
{
    static const struct kind tinyproxy = {"tinyproxy", configure_tinyproxy, tinyproxy_command, 1, 0, 1};
    return start(&tinyproxy, find("tinyproxy"), 0);
}

static void configure_dante(struct peer *peer, int backend)
{
    (void)backend;
    write_file(text("%s/danted.conf", peer->directory),
               text("logoutput: stderr\ninternal: 127.0.0.1 port = %d\nexternal: lo\nclientmethod: none\nsocksmethod: none\n"
                    "client pass { from: 127.0.0.0/8 to: 0.0.0.0/0 }\nsocks pass { from: 127.0.0.0/8 to: 127.0.0.0/8 }\n",
                    peer->port));
}

static void dante_command(const struct peer *peer, const char *program, const char *argv[WORDS])
{
    const char *words[] = {program, "-N", "1", "-f", text("%s/danted.conf", peer->directory), "-p",
                           text("%s/danted.pid", peer->directory)};
    memcpy(argv, words, sizeof words);
}

struct peer *dante_start(void)
{
    static const struct kind dante = {"danted", configure_dante, dante_command, 1, 0, 1};
    return start(&dante, find("danted"), 0);
}

static char stunnel_certificate[300], stunnel_key[300];

static void configure_stunnel(struct peer *peer, int backend)
{
    write_file(text("%s/stunnel.conf", peer->directory),
               text("foreground = yes\npid =\n[proxy]\naccept = 127.0.0.1:%d\nconnect = 127.0.0.1:%d\ncert = %s\nkey = %s\n",
                    peer->tls_port, backend, stunnel_certificate, stunnel_key));
}

static void stunnel_command(const struct peer *peer, const char *program, const char *argv[WORDS])
{
    const char *words[] = {program, text("%s/stunnel.conf", peer->directory)};
    memcpy(argv, words, sizeof words);
}

struct peer *stunnel_start(int backend, const char *certificate, const char *key)
{
    static const struct kind stunnel = {"stunnel4", configure_stunnel, stunnel_command, 0, 1, 1};
    snprintf(stunnel_certificate, sizeof stunnel_certificate, "%s", certificate);
    snprintf(stunnel_key, sizeof stunnel_key, "%s", key);
    return start(&stunnel, find("stunnel4"), backend);
}
