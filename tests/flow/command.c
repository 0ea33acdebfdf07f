/* SPDX-License-Identifier: MIT */
/* A request as a curl command: run by sh it sends the same bytes. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <stook.h>

#include "harness/life.h"
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
        STOOK_REQUEST(url, .decode = 1),
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
TEST_BOTH(same_peers)
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
