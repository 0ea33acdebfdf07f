/* SPDX-License-Identifier: MIT */
/* A request as a curl command: run by sh, it sends the same bytes. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <stook.h>

#include "support/life.h"
#include "support/nginx.h"
#include "support/process.h"
#include "support/raw_server.h"

struct bytes {
    char *data;
    size_t size;
};

static char script[64];

static char *command_of(struct life *life, const struct stook_request *request, int64_t flags)
{
    int64_t size = stook_request_to_curl(life->client, request, flags, NULL, 0);
    CHECK(size > 0);
    char *command = malloc((size_t)size + 8);
    memset(command, '#', (size_t)size + 8);
    CHECK_EQ_INT(stook_request_to_curl(life->client, request, flags, command, (size_t)size + 1), size);
    CHECK_EQ_SIZE(strlen(command), (size_t)size);
    return command;
}

static struct bytes run(const char *command)
{
    struct bytes out = {malloc(1 << 22), 0};
    char *line = malloc(strlen(command) + 32);
    sprintf(line, "%s -s --max-time 20", command);
    write_file(script, line); /* a line of sh may be longer than a word of a command */
    FILE *pipe = popen(text("sh %s", script), "r");
    CHECK(pipe != NULL);
    out.size = fread(out.data, 1, (1 << 22) - 1, pipe);
    out.data[out.size] = '\0';
    CHECK_EQ_INT(pclose(pipe), 0);
    free(line);
    return out;
}

static struct bytes sent_by_us(struct life *life, const struct stook_request *request)
{
    struct bytes out;
    stook_batch *batch = life_batch(life);
    CHECK_ERROR(stook_batch_add(batch, request), 0);
    CHECK_EQ_INT(life_gather(life, batch, NULL), 0);
    const void *body = stook_result_body(stook_batch_result(batch, 0), &out.size);
    out.data = malloc(out.size + 1);
    memcpy(out.data, body, out.size + 1);
    stook_batch_free(batch);
    return out;
}

/* The boundary of parts is drawn anew by each. */
static void blank_boundary(struct bytes *bytes)
{
    char *at = strstr(bytes->data, "boundary="), boundary[80];
    if (at == NULL)
        return;
    size_t size = strcspn(at + 9, "\r\n");
    CHECK(size < sizeof boundary);
    memcpy(boundary, at + 9, size);
    while ((at = memmem(bytes->data, bytes->size, boundary, size)) != NULL)
        memset(at, 'b', size);
}

static void check_same(struct life *life, const struct stook_request *request)
{
    char *command = command_of(life, request, STOOK_CURL_SECRETS);
    test_note("%.3000s", command);
    struct bytes ours = sent_by_us(life, request), theirs = run(command);
    blank_boundary(&ours);
    blank_boundary(&theirs);
    if (ours.size != theirs.size || memcmp(ours.data, theirs.data, ours.size) != 0)
        FAIL("ours: %.*s\ntheirs: %.*s", (int)ours.size, ours.data, (int)theirs.size, theirs.data);
    free(ours.data);
    free(theirs.data);
    free(command);
}

static void need_curl(void)
{
    snprintf(script, sizeof script, "%s/script", temporary_directory());
    if (system("command -v curl >/dev/null 2>&1") != 0)
        test_skip("curl is not installed");
}

TEST_BOTH(same_bytes)
{
    static const char *const headers[] = {"X-Quotes: it's \"quoted\" $HOME `id` \\n %s !", "X-Empty:", "Accept: text/plain",
                                          "Cookie: a=b; c='d'", NULL};
    static const char *const agent[] = {"User-Agent: own's", NULL}, *const type[] = {"Content-Type: text/plain", NULL};
    static const char *const pairs[] = {"q", "it's 100%", "\n", "@file", NULL};
    static char bytes[1000], odd[] = "a'b\n\"$(id)`id`\\n%s\t\x80\xff\r\n'";
    need_curl();
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (char)i;
    char *lots = malloc(200001);
    memset(lots, '\'', 200000);
    lots[200000] = '\0';
    struct raw_server *server = raw_server_start(NULL);
    const char *directory = temporary_directory();
    char *file = strdup(text("%s/it's \"a\" file.txt", directory)), *url = strdup(raw_url(server, "/echo?q='$(id)'&[1-3]{a,b}"));
    write_file(file, "from\na file");
    const struct stook_part *const parts[] = {
        &STOOK_PART(.name = "a'b", .value = "it's \"x\";type=none \\ \n@", .value_size = STOOK_AUTO), &STOOK_PART(.name = "at", .value = "@/etc/passwd", .value_size = STOOK_AUTO),
        &STOOK_PART(.name = "less", .value = "<x", .value_size = STOOK_AUTO, .type = "text/x-own"), &STOOK_PART(.name = "file", .file = file),
        &STOOK_PART(.name = "named", .file = file, .filename = "n'a\"me", .type = "application/x-own"), NULL};
    const struct stook_request requests[] = {
        STOOK_REQUEST(url),
        STOOK_REQUEST(url, .headers = headers),
        STOOK_REQUEST(url, .headers = agent, .method = "DELETE"),
        STOOK_REQUEST(url, .method = "POST"),
        STOOK_REQUEST(url, .method = "PUT", .body = odd, .body_size = STOOK_AUTO),
        STOOK_REQUEST(url, .body = bytes, .body_size = sizeof bytes),
        STOOK_REQUEST(url, .body = "@/etc/passwd", .body_size = STOOK_AUTO, .headers = type),
        STOOK_REQUEST(url, .body = lots, .body_size = 200000),
        STOOK_REQUEST(url, .body = "x", .body_size = 1, .method = "GET"),
        STOOK_REQUEST(url, .json = "{\"it's\": \"\\n\"}", .username = "us'er", .password = "pass$word"),
        STOOK_REQUEST(url, .form = pairs, .bearer = "abc.def=="),
        STOOK_REQUEST(url, .body_file = file, .method = "PATCH"),
        STOOK_REQUEST(url, .parts = parts),
        STOOK_REQUEST(url, .decompress = 1),
        STOOK_REQUEST(url, .http_version = STOOK_HTTP_1_1),
    };
    for (int agents = 0; agents <= 1; agents++) {
        life_open(life, &STOOK_CLIENT(.user_agent = agents ? "" : NULL));
        for (size_t i = 0; i < sizeof requests / sizeof requests[0]; i++)
            check_same(life, &requests[i]);
        life_close(life);
    }
    free(file);
    free(url);
    free(lots);
}

/* Peers and names too; and what the program would give is piped in by whoever runs it. */
TEST_BOTH(same_peers, nginx)
{
    need_curl();
    struct nginx *nginx = nginx_start();
    nginx_make_client(nginx, "alice");
    char *cert = strdup(nginx_file(nginx, "alice.pem")), *key = strdup(nginx_file(nginx, "alice.key"));
    const char *const list[] = {text("service.example:%d:127.0.0.1", nginx->tls_port), NULL};
    life_open(life, &STOOK_CLIENT(.ca_file = nginx->ca));
    check_same(life, &STOOK_REQUEST(text("https://service.example:%d/host", nginx->tls_port), .resolve = list));
    check_same(life, &STOOK_REQUEST(text("https://127.0.0.4:%d/", nginx->tls_port), .client_cert = cert, .client_key = key));
    check_same(life, &STOOK_REQUEST("http://nowhere.invalid/host", .unix_socket = nginx_file(nginx, "nginx.sock")));
    free(cert);
    free(key);
}

static int64_t never(stook_batch *batch, size_t index, void *buffer, size_t size, void *user)
{
    (void)batch, (void)index, (void)buffer, (void)size, (void)user;
    return 0;
}

TEST_BOTH(read_from_a_pipe)
{
    need_curl();
    struct raw_server *server = raw_server_start(NULL);
    life_open(life, NULL);
    for (int64_t size = 0; size <= 4; size += 4) {
        char *command = command_of(life, &STOOK_REQUEST(raw_url(server, "/echo"), .body_read = never, .body_size = size), 0);
        struct bytes out = run(text("printf piped | %s", command));
        CHECK(strncmp(out.data, "POST ", 5) == 0);
        CHECK_CONTAINS(out.data, "\r\n\r\npiped");
        CHECK_EQ_INT(strstr(out.data, "Transfer-Encoding: chunked") != NULL, size == 0);
        free(command);
        free(out.data);
    }
}

/* In a log nobody reads a secret, wherever it was given. */
TEST_BOTH(secrets)
{
    static const char *const headers[] = {"Authorization: Bearer s3cret", "authorization:s3cret", "Cookie: id=s3cret",
                                          "X-Api-Key: s3cret", "X-Auth-Token: s3cret", "X-Session-Id: s3cret",
                                          "X-Plain: shown", NULL};
    life_open(life, &STOOK_CLIENT(.client_cert = "c.pem", .key_password = "s3cret"));
    const char *url = "http://127.0.0.1/";
    const struct stook_request requests[] = {
        STOOK_REQUEST(url, .headers = headers), STOOK_REQUEST(url, .username = "user", .password = "s3cret"),
        STOOK_REQUEST(url, .username = "user", .password = "s3cret", .auth = STOOK_AUTH_DIGEST),
        STOOK_REQUEST(url, .bearer = "s3cret"), STOOK_REQUEST(url, .client_cert = "d.pem", .key_password = "s3cret")};
    for (size_t i = 0; i < sizeof requests / sizeof requests[0]; i++) {
        char *hidden = command_of(life, &requests[i], 0), *shown = command_of(life, &requests[i], STOOK_CURL_SECRETS);
        test_note("%s", hidden);
        CHECK(strstr(hidden, "s3cret") == NULL);
        CHECK(strstr(hidden, "czNjcmV0") == NULL); /* in base64 */
        CHECK_CONTAINS(hidden, "REDACTED");
        CHECK(strstr(shown, "REDACTED") == NULL);
        CHECK_CONTAINS(shown, "s3cret");
        if (i == 0)
            CHECK_CONTAINS(hidden, "-H 'X-Plain: shown'");
        if (i == 0 || i == 3)
            CHECK_CONTAINS(hidden, "-H 'Authorization: Bearer REDACTED'");
        free(hidden);
        free(shown);
    }
}

/* Texts that a shell or curl would take for something else: options, files, forms, ranges, commands. */
static const char *const evil[] = {
    "@/etc/hostname", "</etc/hostname", "-", "-K./evil.cfg", "--config", "-o", "@-", "%n%s", "\\", "\\'\\\"", "'; touch pwned; '",
    "$(touch pwned)", "`touch pwned`", "\"; touch pwned; \"", "x\";type=text/html;x=\"", "x;type=text/html", ";filename=evil.php",
    "a,b", "(a", ")", "{a,b}[1-3]", "~", "*", "?", "#", "& touch pwned &", "| cat", "!!", "a:b", "a\\:b", "pkcs11:x", "PKCS11:x",
    "  a  ", "\xc3\xa9\xff", "a&b+c%20", "--", "-d@/etc/hostname", "$HOME", "text/plain;charset=utf-8", "none"};
enum { EVILS = sizeof evil / sizeof evil[0] };

/* Each in turn as one member of a request. */
static void check_evil(struct life *life, const char *url, const char *text_)
{
    char header[64], file[64];
    snprintf(header, sizeof header, "X-Evil: %s", text_);
    snprintf(file, sizeof file, "%.60s", text_);
    for (char *slash = file; *slash != '\0'; slash++)
        if (*slash == '/')
            *slash = '_'; /* in the folder of the test */
    write_file(file, "of a file");
    const char *const headers[] = {header, NULL};
    const struct stook_part *const value[] = {&STOOK_PART(.name = "n", .value = text_, .value_size = STOOK_AUTO), NULL};
    const struct stook_part *const typed[] = {&STOOK_PART(.name = "n", .value = text_, .value_size = STOOK_AUTO, .type = text_), NULL};
    const struct stook_part *const named[] = {&STOOK_PART(.name = "n", .value = text_, .value_size = STOOK_AUTO, .filename = text_), NULL};
    const struct stook_part *const files[] = {&STOOK_PART(.name = text_, .file = file), &STOOK_PART(.name = "n", .file = file, .filename = text_, .type = text_), NULL};
    const struct stook_request requests[] = {
        STOOK_REQUEST(url, .headers = headers),
        STOOK_REQUEST(url, .body = text_, .body_size = STOOK_AUTO),
        STOOK_REQUEST(url, .body = text_, .body_size = (int64_t)strlen(text_) + 1),
        STOOK_REQUEST(url, .json = text_),
        STOOK_REQUEST(url, .body_file = file),
        STOOK_REQUEST(url, .parts = value),
        STOOK_REQUEST(url, .parts = typed),
        STOOK_REQUEST(url, .parts = named),
        STOOK_REQUEST(url, .parts = files),
        STOOK_REQUEST(url, .username = "u", .password = text_),
    };
    for (size_t i = 0; i < sizeof requests / sizeof requests[0]; i++) {
        int no_name = i == 8 && strchr(text_, '=') != NULL, no_type = (i == 6 || i == 8) && text_[0] == ' ';
        if (no_name || no_type)
            CHECK_ERROR((int)stook_request_to_curl(life->client, &requests[i], 0, NULL, 0), STOOK_EUNSUPPORTED);
        else
            check_same(life, &requests[i]);
    }
}

TEST_BOTH(evil_texts)
{
    need_curl();
    CHECK(chdir(temporary_directory()) == 0);
    struct raw_server *server = raw_server_start(NULL);
    char *url = strdup(raw_url(server, "/echo"));
    life_open(life, NULL);
    for (size_t i = (size_t)life->borrowed; i < EVILS; i += 2) { /* a curl for each takes its time: half in each life */
        check_evil(life, url, evil[i]);
        CHECK(access("pwned", F_OK) != 0);
    }
    free(url);
}

/* In a URL, in a token of a length that no buffer has, and where a name is to be found. */
TEST_BOTH(evil_urls)
{
    static const char *const queries[] = {"/echo?{a,b}[1-3]", "/echo?$(touch%20pwned)`'\"", "/echo?\xc3\xa9", "/echo/../echo?./..", "/echo?a#b",
                                          "/echo?-K", "/echo?@a", "/echo?", "/echo?a|b<c>^"};
    need_curl();
    struct raw_server *server = raw_server_start(NULL);
    life_open(life, NULL);
    for (size_t i = 0; i < sizeof queries / sizeof queries[0]; i++)
        check_same(life, &STOOK_REQUEST(raw_url(server, "%s", queries[i])));
    for (int64_t version = STOOK_HTTP_1_1; version <= STOOK_HTTP_2; version++)
        check_same(life, &STOOK_REQUEST(raw_url(server, "/echo"), .http_version = version));
    check_same(life, &STOOK_REQUEST(raw_url(server, "/echo"), .method = "-X"));
    char *bearer = malloc(20001);
    memset(bearer, 'a', 20000);
    bearer[20000] = '\0';
    check_same(life, &STOOK_REQUEST(raw_url(server, "/echo"), .bearer = bearer));
    free(bearer);
    /* The first entry counts, and no host of an entry is an option. */
    const char *const list[] = {text("-service.example:%d:127.0.0.1", raw_port(server)), text("service.example:%d:127.0.0.1", raw_port(server)),
                                text("service.example:%d:127.0.0.9", raw_port(server)), text("+x.example:%d:127.0.0.1", raw_port(server)),
                                "*:80:127.0.0.1", NULL};
    check_same(life, &STOOK_REQUEST(text("http://service.example:%d/echo", raw_port(server)), .resolve = list));
    check_same(life, &STOOK_REQUEST(text("http://x.example:%d/echo", raw_port(server)), .resolve = (const char *const[]){list[0], text("X.example:%d:127.0.0.1", raw_port(server)), NULL}));
}

/* What curl was given: arguments with their NULs, behind each other. */
static struct bytes arguments(const char *command)
{
    struct bytes out = run(command);
    CHECK(out.size > 0 && out.data[out.size - 1] == '\0');
    return out;
}

/* That one of the arguments is an option, and the next its value; NULL: that there is no such option. */
static void check_argument(const struct bytes *all, const char *option, const char *value)
{
    for (const char *at = all->data, *end = at + all->size; at < end; at += strlen(at) + 1) {
        if (strcmp(at, option) != 0 || value == NULL) {
            CHECK(value != NULL || strcmp(at, option) != 0);
            continue;
        }
        at += strlen(at) + 1;
        if (at < end && strcmp(at, value) == 0)
            return;
    }
    if (value != NULL)
        FAIL("there is no %s %s", option, value);
}

/* Values for files, keys and credentials reach curl as one word each, none of which it takes apart. */
static void check_words(struct life *life, const char *text_)
{
    char expected[128], escaped[64], *to = escaped;
    const char *dot = text_[0] == '-' || strncasecmp(text_, "pkcs11:", 7) == 0 ? "./" : "";
    for (const char *c = text_; *c != '\0'; c++) {
        if (*c == ':' || *c == '\\')
            *to++ = '\\';
        *to++ = *c;
    }
    *to = '\0';
    const struct stook_request request =
        STOOK_REQUEST("https://127.0.0.1/", .client_cert = text_, .client_key = text_, .key_password = text_, .ca_file = text_, .pinned_key = text_,
                      .unix_socket = text_, .username = "u", .password = text_, .auth = STOOK_AUTH_DIGEST);
    char *command = command_of(life, &request, STOOK_CURL_SECRETS);
    test_note("%s", command);
    struct bytes all = arguments(command);
    check_argument(&all, "--cert", strcat(strcpy(expected, dot), escaped));
    strcat(strcpy(expected, dot), text_);
    check_argument(&all, "--key", expected);
    check_argument(&all, "--cacert", expected);
    check_argument(&all, "--pinnedpubkey", expected);
    check_argument(&all, "--unix-socket", text_);
    check_argument(&all, "--pass", text_);
    check_argument(&all, "-u", strcat(strcpy(expected, "u:"), text_));
    free(all.data);
    free(command);
}

TEST_BOTH(evil_words)
{
    const char *directory = temporary_directory();
    snprintf(script, sizeof script, "%s/script", directory);
    write_file(text("%s/curl", directory), "#!/bin/sh\nfor word; do printf '%s\\0' \"$word\"; done\n");
    CHECK(chmod(text("%s/curl", directory), 0700) == 0);
    char *path = strdup(text("%s:%s", directory, getenv("PATH")));
    setenv("PATH", path, 1);
    free(path);
    CHECK(chdir(directory) == 0);
    life_open(life, NULL);
    for (size_t i = 0; i < EVILS; i++)
        check_words(life, evil[i]);
    CHECK(access("pwned", F_OK) != 0);
}

/* What the library would not send is no command either, and for the same reason. */
TEST_BOTH(refused_as_by_the_library)
{
    static const char *const at[] = {"@/etc/hostname", NULL}, *const blank[] = {"Authorization Basic s3cret", NULL};
    static const char *const two[] = {"X: a\r\nY: b", NULL}, *const length[] = {"Content-Length: 5", NULL}, *const none[] = {"", NULL};
    static const char *const coding[] = {"Accept-Encoding: br", NULL}, *const range[] = {"Range: bytes=1-", NULL};
    static const char *const form[] = {"a", NULL}, *const resolve[] = {"-x:80", NULL};
    static char lots[70000], scheme[80000];
    const struct stook_part *const empty[] = {NULL};
    const struct stook_part *const lines[] = {&STOOK_PART(.name = "a\r\nb", .value = "v", .value_size = STOOK_AUTO), NULL};
    const struct stook_part *const both[] = {&STOOK_PART(.name = "a", .value = "v", .value_size = STOOK_AUTO, .file = "f"), NULL};
    const struct stook_part *const forgotten[] = {&STOOK_PART(.name = "a", .value = "v"), NULL};
    memset(lots, 'a', sizeof lots - 1);
    memcpy(lots, "X: ", 3);
    memset(scheme, 'a', sizeof scheme - 1);
    memcpy(scheme, "http://a/", 9);
    const char *const long_field[] = {lots, NULL}, *url = "http://127.0.0.1:9/";
    const struct stook_request requests[] = {
        STOOK_REQUEST(""), STOOK_REQUEST("-K./evil.cfg"), STOOK_REQUEST("--config"), STOOK_REQUEST("file:///etc/hostname"),
        STOOK_REQUEST("ftp://127.0.0.1/"), STOOK_REQUEST("127.0.0.1"), STOOK_REQUEST("http://u:p@127.0.0.1/"), STOOK_REQUEST("http://127.0.0.1/a b"),
        STOOK_REQUEST("http://127.0.0.1/\r\nX: y"), STOOK_REQUEST("http://127.0.0.1:0/"), STOOK_REQUEST("http://[::1/"), STOOK_REQUEST(scheme),
        STOOK_REQUEST(url, .method = ""), STOOK_REQUEST(url, .method = "GET / HTTP/1.1\r\nX: y\r\n\r\n"), STOOK_REQUEST(url, .method = "a b"),
        STOOK_REQUEST(url, .method = "CONNECT"), STOOK_REQUEST(url, .method = "TRACE"), STOOK_REQUEST(url, .method = "HEAD", .body = "x", .body_size = 1),
        STOOK_REQUEST(url, .headers = at), STOOK_REQUEST(url, .headers = blank), STOOK_REQUEST(url, .headers = two), STOOK_REQUEST(url, .headers = length),
        STOOK_REQUEST(url, .headers = none), STOOK_REQUEST(url, .headers = long_field), STOOK_REQUEST(url, .headers = coding, .decompress = 1),
        STOOK_REQUEST(url, .headers = range, .output_file = "f", .resume = 1),
        STOOK_REQUEST(url, .body = "x"), STOOK_REQUEST(url, .body_size = 3), STOOK_REQUEST(url, .body = "x", .body_size = -7),
        STOOK_REQUEST(url, .body = "x", .body_size = 1, .json = "1"), STOOK_REQUEST(url, .json = ""), STOOK_REQUEST(url, .form = form),
        STOOK_REQUEST(url, .parts = empty), STOOK_REQUEST(url, .parts = lines), STOOK_REQUEST(url, .parts = both), STOOK_REQUEST(url, .parts = forgotten),
        STOOK_REQUEST(url, .username = "a:b"), STOOK_REQUEST(url, .username = "a\nb"), STOOK_REQUEST(url, .password = "x"),
        STOOK_REQUEST(url, .bearer = "a b"), STOOK_REQUEST(url, .bearer = "a", .username = "b"),
        STOOK_REQUEST(url, .http_version = 4), STOOK_REQUEST(url, .decompress = 2), STOOK_REQUEST(url, .timeout_ms = -5), STOOK_REQUEST(url, .priority = 8),
        STOOK_REQUEST(url, .expect = 2), STOOK_REQUEST(url, .max_body_bytes = (int64_t)1 << 40), STOOK_REQUEST(url, .max_decompress_ratio = STOOK_NONE),
        STOOK_REQUEST(url, .client_key = "k"), STOOK_REQUEST(url, .pinned_key = "sha256//x"), STOOK_REQUEST(url, .resolve = resolve),
        STOOK_REQUEST(url, .unix_socket = ""), STOOK_REQUEST(url, .public_only = 2), STOOK_REQUEST(url, .public_only = 1, .unix_socket = "/s"),
        STOOK_REQUEST(url, .public_only = 1, .proxy = "http://127.0.0.1:9"), STOOK_REQUEST("http://[fe80::1%25lo]/", .public_only = 1),
    };
    life_open(life, NULL);
    for (size_t i = 0; i < sizeof requests / sizeof requests[0]; i++) {
        char buffer[64] = "untouched";
        test_note("request %zu", i);
        stook_batch *batch = life_batch(life);
        int error = stook_batch_add(batch, &requests[i]);
        if (error == 0) {
            CHECK_EQ_INT(life_gather(life, batch, NULL), 1);
            error = stook_result_error(stook_batch_result(batch, 0));
        }
        CHECK(error == STOOK_EARG || error == STOOK_EURL || error == STOOK_EPOLICY);
        CHECK_ERROR((int)stook_request_to_curl(life->client, &requests[i], 0, buffer, sizeof buffer), error);
        CHECK(strcmp(buffer, "untouched") == 0);
        stook_batch_free(batch);
    }
}

/* What curl has no words for is refused, and not said wrongly. */
TEST_BOTH(beyond_words)
{
    static char lots[100002];
    const char *url = "http://127.0.0.1/";
    memset(lots, 'a', sizeof lots - 1);
    const struct stook_part parts[] = {
        STOOK_PART(.name = "a=@/etc/hostname;x", .value = "v", .value_size = STOOK_AUTO), STOOK_PART(.name = "=", .file = "f"),
        STOOK_PART(.name = "", .value = "v", .value_size = STOOK_AUTO), STOOK_PART(.name = "a", .value = "x\0y", .value_size = 3),
        STOOK_PART(.name = "a", .value = lots, .value_size = STOOK_AUTO), STOOK_PART(.name = "a", .file = "f", .type = "")};
    life_open(life, NULL);
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
        CHECK_ERROR((int)stook_request_to_curl(life->client, &STOOK_REQUEST(url, .parts = (const struct stook_part *const[]){&parts[i], NULL}), 0, NULL, 0),
                    STOOK_EUNSUPPORTED);
    CHECK_ERROR((int)stook_request_to_curl(life->client, &STOOK_REQUEST(url, .username = "a:b", .password = "p", .auth = STOOK_AUTH_DIGEST), 0, NULL, 0),
                STOOK_EUNSUPPORTED);
}

TEST_BOTH(buffers)
{
    char buffer[512], whole[512];
    life_open(life, NULL);
    const struct stook_request request = STOOK_REQUEST("http://127.0.0.1/it's", .json = "[]");
    int64_t size = stook_request_to_curl(life->client, &request, 0, whole, sizeof whole);
    CHECK(size > 0 && size < (int64_t)sizeof whole);
    for (size_t room = 1; room <= (size_t)size + 1; room++) {
        memset(buffer, '#', sizeof buffer);
        CHECK_EQ_INT(stook_request_to_curl(life->client, &request, 0, buffer, room), size);
        CHECK_EQ_SIZE(strlen(buffer), room - 1);
        CHECK(memcmp(buffer, whole, room - 1) == 0);
        CHECK_EQ_INT(buffer[room], '#');
    }
    CHECK_ERROR((int)stook_request_to_curl(NULL, &request, 0, buffer, 1), STOOK_EARG);
    CHECK_ERROR((int)stook_request_to_curl(life->client, NULL, 0, buffer, 1), STOOK_EARG);
    CHECK_ERROR((int)stook_request_to_curl(life->client, &request, 0, NULL, 1), STOOK_EARG);
    CHECK_ERROR((int)stook_request_to_curl(life->client, &request, 2, buffer, 1), STOOK_EARG);
    CHECK_ERROR((int)stook_request_to_curl(life->client, &STOOK_REQUEST(NULL), 0, NULL, 0), STOOK_EARG);
    CHECK_ERROR((int)stook_request_to_curl(life->client, &STOOK_REQUEST("x", .http_version = 4), 0, NULL, 0), STOOK_EARG);
    CHECK_ERROR((int)stook_request_to_curl(life->client, &STOOK_REQUEST("x", .body = "", .body_size = -7), 0, NULL, 0), STOOK_EARG);
    CHECK_ERROR((int)stook_request_to_curl(life->client, &STOOK_REQUEST("x", .json = ""), 0, NULL, 0), STOOK_EARG);
}
