/* SPDX-License-Identifier: MIT */
/* Cookies that are saved to a file and loaded from one. */
#include <errno.h>
#include <libgen.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <stook.h>

#include "support/life.h"
#include "support/process.h"
#include "support/raw_server.h"

#define TITLE "# Netscape HTTP Cookie File\n"

/* "/set?VALUE" sets it as a cookie. */
static enum raw_then set(struct raw_call *call)
{
    raw_say(call, "HTTP/1.1 200 OK\r\nSet-Cookie: %s\r\nContent-Length: 0\r\n\r\n", call->query);
    return RAW_KEEP;
}

static enum raw_then cookies(struct raw_call *call)
{
    const char *at = strstr(call->head, "\nCookie: ");
    const char *value = at != NULL ? at + strlen("\nCookie: ") : "\r";
    return raw_answer(call, value, strcspn(value, "\r"));
}

static const struct raw_behaviour more[] = {{"/set", .answer = set}, {"/cookies", .answer = cookies}, {NULL}};

static struct raw_server *server;
static char place[256]; /* the file */

static void begin(struct life *life)
{
    server = raw_server_start(more);
    snprintf(place, sizeof place, "%s/cookies.txt", temporary_directory());
    life_open(life, &STOOK_CLIENT(.cookies = 1));
}

static const char *at(const char *host, const char *path)
{
    return text("http://%s:%d%s", host, raw_port(server), path);
}

/* Sends a request that must be ok, and returns the body; valid until the next call. */
static const char *ask(struct life *life, const char *url)
{
    static char body[8192];
    const char *const list[] = {text("www.example.com:%d:127.0.0.1", raw_port(server)), text("a.www.example.com:%d:127.0.0.1", raw_port(server)),
                                text("other.co.uk:%d:127.0.0.1", raw_port(server)), text("localhost:%d:127.0.0.1", raw_port(server)), NULL};
    stook_batch *batch = life_batch(life);
    ADD(batch, url, .resolve = list);
    int failed = life_gather(life, batch, NULL);
    if (failed != 0)
        FAIL("%s: %s", url, stook_result_message(stook_batch_result(batch, 0)));
    snprintf(body, sizeof body, "%s", (const char *)stook_result_body(stook_batch_result(batch, 0), NULL));
    stook_batch_free(batch);
    return body;
}

static const char *content(const char *path)
{
    static char bytes[65536];
    FILE *in = fopen(path, "r");
    CHECK(in != NULL);
    bytes[fread(bytes, 1, sizeof bytes - 1, in)] = '\0';
    fclose(in);
    return bytes;
}

/* ----------------------------------------------------------------------------------- both ways */

TEST_BOTH(there_and_back, valgrind)
{
    struct stat stat_;
    begin(life);
    ask(life, at("www.example.com", "/set?a=1;Path=/"));
    ask(life, at("www.example.com", "/set?d=2;Domain=example.com;Max-Age=1000;HttpOnly"));
    ask(life, at("localhost", "/set?s=3;Secure;Path=/cookies"));
    ask(life, at("localhost", "/set?e=;Path=/"));
    ask(life, at("127.0.0.1", "/set?gone=4;Path=/"));
    ask(life, at("127.0.0.1", "/set?gone=4;Path=/;Max-Age=0"));
    CHECK_ERROR(stook_client_cookies_save(life->client, place), 0);
    CHECK(stat(place, &stat_) == 0 && (stat_.st_mode & 07777) == 0600 && S_ISREG(stat_.st_mode));
    const char *saved = content(place);
    CHECK(strncmp(saved, TITLE, strlen(TITLE)) == 0);
    CHECK_CONTAINS(saved, "\nwww.example.com\tFALSE\t/\tFALSE\t0\ta\t1\n");
    CHECK_CONTAINS(saved, "\n#HttpOnly_.example.com\tTRUE\t/\tFALSE\t");
    CHECK_CONTAINS(saved, "\td\t2\n");
    CHECK_CONTAINS(saved, "\nlocalhost\tFALSE\t/cookies\tTRUE\t0\ts\t3\n");
    CHECK_CONTAINS(saved, "\nlocalhost\tFALSE\t/\tFALSE\t0\te\t\n");
    CHECK(strstr(saved, "gone") == NULL);
    life_close(life);
    life_open(life, &STOOK_CLIENT(.cookies = 1));
    CHECK_ERROR(stook_client_cookies_load(life->client, place), 0);
    CHECK_CONTAINS(ask(life, at("www.example.com", "/cookies")), "a=1");
    CHECK_STR(ask(life, at("a.www.example.com", "/cookies")), "d=2");
    CHECK_STR(ask(life, at("localhost", "/cookies")), "s=3; e=");
    CHECK_STR(ask(life, at("127.0.0.1", "/cookies")), "");
    CHECK_ERROR(stook_client_cookies_save(life->client, place), 0);
}

/* A client that never had a request with cookies has none. */
TEST_BOTH(none)
{
    begin(life);
    CHECK_ERROR(stook_client_cookies_save(life->client, place), 0);
    CHECK_STR(content(place), TITLE "\n");
    CHECK_ERROR(stook_client_cookies_load(life->client, place), 0);
    life_close(life);
    life_open(life, NULL);
    CHECK_ERROR(stook_client_cookies_load(life->client, place), 0);
    CHECK_ERROR(stook_client_cookies_save(life->client, place), 0);
    CHECK_STR(content(place), TITLE "\n");
}

TEST_BOTH(arguments)
{
    begin(life);
    CHECK_ERROR(stook_client_cookies_load(NULL, place), STOOK_EARG);
    CHECK_ERROR(stook_client_cookies_load(life->client, NULL), STOOK_EARG);
    CHECK_ERROR(stook_client_cookies_load(life->client, ""), STOOK_EARG);
    CHECK_ERROR(stook_client_cookies_save(NULL, place), STOOK_EARG);
    CHECK_ERROR(stook_client_cookies_save(life->client, NULL), STOOK_EARG);
    CHECK_ERROR(stook_client_cookies_save(life->client, ""), STOOK_EARG);
}

/* A drain still allows it. */
TEST(while_it_drains)
{
    static struct life life;
    life_begin(&life, 1);
    begin(&life);
    ask(&life, at("127.0.0.1", "/set?a=1;Path=/"));
    CHECK_ERROR(stook_client_drain(life.client, STOOK_NONE, NULL, NULL), 0);
    CHECK_ERROR(stook_client_cookies_save(life.client, place), 0);
    CHECK_CONTAINS(content(place), "\ta\t1\n");
    life_end(&life);
}

/* A close does not. */
TEST(not_while_it_closes)
{
    static struct life life;
    life_begin(&life, 1);
    begin(&life);
    ask(&life, at("127.0.0.1", "/set?a=1;Path=/"));
    stook_client_close(life.client, NULL, NULL);
    CHECK_ERROR(stook_client_cookies_save(life.client, place), STOOK_ESTATE);
    CHECK_ERROR(stook_client_cookies_load(life.client, place), STOOK_ESTATE);
    CHECK(access(place, F_OK) != 0);
    CHECK_EQ_INT(uv_run(&life.loop, UV_RUN_DEFAULT), 0);
    life.client = NULL;
    life_end(&life);
}

/* ---------------------------------------------------------------------------------------- lines */

#define LINE(domain, subdomains, path, secure, expires, name, value) \
    domain "\t" subdomains "\t" path "\t" secure "\t" expires "\t" name "\t" value

TEST_BOTH(good_lines)
{
    static const struct {
        const char *line, *host, *sent;
    } rows[] = {
        {LINE("www.example.com", "FALSE", "/", "FALSE", "0", "a", "1"), "www.example.com", "a=1"},
        {LINE("WWW.Example.Com", "FALSE", "/", "FALSE", "0", "a", "1"), "www.example.com", "a=1"},
        {LINE(".example.com", "TRUE", "/", "FALSE", "4102444800", "a", "1"), "www.example.com", "a=1"},
        {LINE("example.com", "TRUE", "/", "FALSE", "4102444800", "a", "1") "\r", "www.example.com", "a=1"},
        {LINE("#HttpOnly_www.example.com", "FALSE", "/", "FALSE", "0", "a", "1"), "www.example.com", "a=1"},
        {LINE("www.example.com", "FALSE", "/", "FALSE", "1", "a", "1"), "www.example.com", ""},
        {LINE("other.co.uk", "TRUE", "/", "FALSE", "0", "a", "1"), "other.co.uk", "a=1"},
        {LINE("other.co.uk", "FALSE", "/", "FALSE", "0", "a", "1") "\n" LINE("co.uk", "FALSE", "/", "FALSE", "0", "b", "1"), "other.co.uk", "a=1"},
        {LINE("www.example.com", "FALSE", "/", "FALSE", "0", "a", ""), "www.example.com", "a="},
        {LINE("www.example.com", "false", "/cookies", "false", "0", "a", "1=2 \xc3\xa9"), "www.example.com", "a=1=2 \xc3\xa9"},
        {LINE("www.example.com", "FALSE", "/", "TRUE", "0", "a", "1"), "www.example.com", ""},
        {LINE("localhost", "FALSE", "/", "TRUE", "0", "__Host-a", "1"), "localhost", "__Host-a=1"},
        {LINE("localhost", "FALSE", "/", "TRUE", "0", "__Secure-a", "1"), "localhost", "__Secure-a=1"},
        {LINE("127.0.0.1", "FALSE", "/", "FALSE", "0", "a", "1"), "127.0.0.1", "a=1"},
        {"# a comment\n\n#\n" LINE("127.0.0.1", "FALSE", "/", "FALSE", "0", "a", "1"), "127.0.0.1", "a=1"},
        {"", "127.0.0.1", ""},
    };
    begin(life);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        life_close(life);
        life_open(life, &STOOK_CLIENT(.cookies = 1));
        test_note("row %zu", i);
        write_file(place, text(i % 2 ? "%s\n" : "%s", rows[i].line));
        CHECK_ERROR(stook_client_cookies_load(life->client, place), 0);
        CHECK_STR(ask(life, at(rows[i].host, "/cookies")), rows[i].sent);
    }
}

/* A line that is not valid has the whole file refused. */
TEST_BOTH(bad_lines)
{
    static const char *const rows[] = {
        "www.example.com", "a=1", "Set-Cookie: a=1", "\t\t\t\t\t\t",
        "www.example.com\tFALSE\t/\tFALSE\t0\ta",
        LINE("www.example.com", "FALSE", "/", "FALSE", "0", "a", "1") "\tx",
        LINE("", "FALSE", "/", "FALSE", "0", "a", "1"),
        LINE(".", "TRUE", "/", "FALSE", "0", "a", "1"),
        LINE("..example.com", "TRUE", "/", "FALSE", "0", "a", "1"),
        LINE("example.com.", "TRUE", "/", "FALSE", "0", "a", "1"),
        LINE("example..com", "TRUE", "/", "FALSE", "0", "a", "1"),
        LINE("ex ample.com", "TRUE", "/", "FALSE", "0", "a", "1"),
        LINE("ex\xc3\xa4mple.com", "TRUE", "/", "FALSE", "0", "a", "1"),
        LINE("http://example.com", "FALSE", "/", "FALSE", "0", "a", "1"),
        LINE("com", "TRUE", "/", "FALSE", "0", "a", "1"),
        LINE(".com", "TRUE", "/", "FALSE", "0", "a", "1"),
        LINE("localhost", "TRUE", "/", "FALSE", "0", "a", "1"),
        LINE("127.0.0.1", "TRUE", "/", "FALSE", "0", "a", "1"),
        LINE("0.0.1", "TRUE", "/", "FALSE", "0", "a", "1"),
        LINE("2001:db8::1", "TRUE", "/", "FALSE", "0", "a", "1"),
        LINE("co.uk", "TRUE", "/", "FALSE", "0", "a", "1"),
        LINE(".CO.uk", "TRUE", "/", "FALSE", "0", "a", "1"),
        LINE("#HttpOnly_.github.io", "TRUE", "/", "FALSE", "0", "a", "1"),
        LINE("co.uk", "TRUE", "/", "FALSE", "1", "a", "expired"),
        LINE(".example.com", "TRUE", "/", "FALSE", "0", "a", "1") "\n" LINE("co.uk", "TRUE", "/", "FALSE", "0", "a", "1"),
        LINE("www.example.com", "YES", "/", "FALSE", "0", "a", "1"),
        LINE("www.example.com", "", "/", "FALSE", "0", "a", "1"),
        LINE("www.example.com", "FALSE", "", "FALSE", "0", "a", "1"),
        LINE("www.example.com", "FALSE", "x", "FALSE", "0", "a", "1"),
        LINE("www.example.com", "FALSE", "/;", "FALSE", "0", "a", "1"),
        LINE("www.example.com", "FALSE", "/", "0", "0", "a", "1"),
        LINE("www.example.com", "FALSE", "/", "FALSE", "", "a", "1"),
        LINE("www.example.com", "FALSE", "/", "FALSE", "-1", "a", "1"),
        LINE("www.example.com", "FALSE", "/", "FALSE", "1e9", "a", "1"),
        LINE("www.example.com", "FALSE", "/", "FALSE", "99999999999999999999", "a", "1"),
        LINE("www.example.com", "FALSE", "/", "FALSE", "0", "", "1"),
        LINE("www.example.com", "FALSE", "/", "FALSE", "0", "a=b", "1"),
        LINE("www.example.com", "FALSE", "/", "FALSE", "0", "a;b", "1"),
        LINE("www.example.com", "FALSE", "/", "FALSE", "0", "a", "1;2"),
        LINE("www.example.com", "FALSE", "/", "FALSE", "0", "a\x01", "1"),
        LINE("www.example.com", "FALSE", "/", "FALSE", "0", "a", "1\x7f"),
        LINE("www.example.com", "FALSE", "/", "FALSE", "0", "a", "1\r2"),
        LINE("www.example.com", "FALSE", "/", "FALSE", "0", "__Secure-a", "1"),
        LINE("www.example.com", "FALSE", "/", "FALSE", "0", "__Host-a", "1"),
        LINE("www.example.com", "FALSE", "/x", "TRUE", "0", "__Host-a", "1"),
        LINE("www.example.com", "TRUE", "/", "TRUE", "0", "__Host-a", "1"),
        "#HttpOnly_",
    };
    begin(life);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        test_note("row %zu: %s", i, rows[i]);
        write_file(place, text("%s\n%s\n", LINE("127.0.0.1", "FALSE", "/", "FALSE", "0", "first", "1"), rows[i]));
        errno = 0;
        CHECK_ERROR(stook_client_cookies_load(life->client, place), STOOK_EFILE);
        CHECK_EQ_INT(errno, EBADMSG);
    }
    CHECK_STR(ask(life, at("127.0.0.1", "/cookies")), "");
}

/* Of the longest that is valid, one byte more is not; nor is a NUL. */
TEST_BOTH(long_lines)
{
    static char line[8192], value[4200];
    begin(life);
    memset(value, 'v', sizeof value - 1);
    for (int size = 4095; size <= 4096; size++) {
        snprintf(line, sizeof line, LINE("127.0.0.1", "FALSE", "/", "FALSE", "0", "a", "%.*s") "\n", size, value);
        write_file(place, line);
        CHECK_ERROR(stook_client_cookies_load(life->client, place), size == 4095 ? 0 : STOOK_EFILE);
    }
    CHECK_EQ_SIZE(strlen(ask(life, at("127.0.0.1", "/cookies"))), 2 + 4095);
    FILE *out = fopen(place, "w");
    fwrite("127.0.0.1\tFALSE\t/\tFALSE\t0\ta\t1\0002\n", 1, 33, out);
    fclose(out);
    CHECK_ERROR(stook_client_cookies_load(life->client, place), STOOK_EFILE);
}

/* More than may be kept: of each domain those that stand last. */
TEST_BOTH(more_than_are_kept)
{
    begin(life);
    FILE *out = fopen(place, "w");
    for (int i = 0; i < 60; i++)
        fprintf(out, LINE("127.0.0.1", "FALSE", "/", "FALSE", "0", "n%02d", "v") "\n", i);
    fclose(out);
    CHECK_ERROR(stook_client_cookies_load(life->client, place), 0);
    const char *sent = ask(life, at("127.0.0.1", "/cookies"));
    CHECK_EQ_SIZE(strlen(sent), 50 * strlen("n00=v; ") - 2);
    CHECK(strstr(sent, "n09=") == NULL);
    CHECK_CONTAINS(sent, "n10=");
}

/* A file with as many cookies as it may have, of which 3000 are kept. */
TEST(full)
{
    static struct life life;
    char bytes[512];
    int kept = 0;
    life_begin(&life, 0);
    begin(&life);
    for (int n = 10000; n <= 10001; n++) {
        FILE *out = fopen(place, "w");
        for (int i = 0; i < n; i++)
            fprintf(out, LINE("h%d.example.com", "FALSE", "/", "FALSE", "0", "n%05d", "v") "\n", i / 40, i);
        fclose(out);
        CHECK_ERROR(stook_client_cookies_load(life.client, place), n == 10000 ? 0 : STOOK_EFILE);
    }
    CHECK_EQ_INT(errno, EFBIG);
    CHECK_ERROR(stook_client_cookies_save(life.client, place), 0);
    FILE *in = fopen(place, "r");
    while (fgets(bytes, sizeof bytes, in) != NULL)
        kept += *bytes == 'h';
    fclose(in);
    CHECK_EQ_INT(kept, 3000);
    CHECK_ERROR(stook_client_cookies_load(life.client, place), 0);
    life_end(&life);
}

/* ---------------------------------------------------------------------------------------- files */

/* What is no regular file is neither read nor replaced. */
TEST_BOTH(no_files)
{
    begin(life);
    const char *d = temporary_directory();
    const char *link_ = text("%s/link", d), *fifo = text("%s/fifo", d), *target = text("%s/target", d), *absent = text("%s/no/file", d);
    write_file(target, "mine");
    CHECK(symlink("target", link_) == 0 && mkfifo(fifo, 0600) == 0);
    const struct {
        const char *path;
        int to_load, to_save;
    } rows[] = {{d, EISDIR, EISDIR}, {fifo, ENOTSUP, ENOTSUP}, {absent, ENOENT, ENOENT}, {link_, EBADMSG, ELOOP}, {"/dev/null", ENOTSUP, ENOTSUP}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        test_note("%s", rows[i].path);
        errno = 0;
        CHECK_ERROR(stook_client_cookies_load(life->client, rows[i].path), STOOK_EFILE);
        CHECK_EQ_INT(errno, rows[i].to_load);
        errno = 0;
        CHECK_ERROR(stook_client_cookies_save(life->client, rows[i].path), STOOK_EFILE);
        CHECK_EQ_INT(errno, rows[i].to_save);
    }
    CHECK_STR(content(target), "mine");
    process_run((const char *const[]){"sh", "-c", text("test \"$(ls %s | tr '\\n' ' ')\" = 'fifo link target '", d), NULL}, text("%s.log", d));
    unlink(text("%s.log", d));
}

/* An older file, with other rights, is replaced by one that only the owner reads. What was open stays whole. */
TEST_BOTH(replaced)
{
    struct stat before, after;
    begin(life);
    write_file(place, TITLE);
    CHECK(chmod(place, 0666) == 0 && stat(place, &before) == 0);
    umask(0);
    CHECK_ERROR(stook_client_cookies_save(life->client, place), 0);
    CHECK(stat(place, &after) == 0);
    CHECK(before.st_ino != after.st_ino);
    CHECK_EQ_INT(after.st_mode & 07777, 0600);
}

TEST_BOTH(too_large)
{
    begin(life);
    write_file(place, TITLE);
    CHECK(truncate(place, (16 << 20) + 1) == 0);
    CHECK_ERROR(stook_client_cookies_load(life->client, place), STOOK_EFILE);
    CHECK_EQ_INT(errno, EFBIG);
}

/* A disk that takes no more leaves the old file, and nothing beside it. */
TEST_BOTH(full_disk)
{
    struct rlimit before, none = {0};
    begin(life);
    ask(life, at("127.0.0.1", "/set?a=1;Path=/"));
    write_file(place, TITLE);
    CHECK(signal(SIGXFSZ, SIG_IGN) != SIG_ERR && getrlimit(RLIMIT_FSIZE, &before) == 0);
    none.rlim_max = before.rlim_max;
    CHECK(setrlimit(RLIMIT_FSIZE, &none) == 0);
    int error = stook_client_cookies_save(life->client, place), why = errno;
    CHECK(setrlimit(RLIMIT_FSIZE, &before) == 0);
    CHECK_ERROR(error, STOOK_EFILE);
    CHECK_EQ_INT(why, EFBIG);
    CHECK_STR(content(place), TITLE);
    CHECK(rmdir(dirname((char *)text("%s", place))) != 0 && unlink(place) == 0 && rmdir(dirname((char *)text("%s", place))) == 0);
    CHECK(mkdir(dirname((char *)text("%s", place)), 0700) == 0);
}
