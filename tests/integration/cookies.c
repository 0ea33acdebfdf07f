/* SPDX-License-Identifier: MIT */
/*
 * Cookies as a program meets them: which requests have them, what goes where over redirects, how many are
 * kept. What a server may set is in tests/faults/set_cookie.c, files are in cookie_files.c.
 */
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <curl/curl.h>
#include <stook.h>

#include "support/certificates.h"
#include "support/life.h"
#include "support/process.h"
#include "support/raw_proxy.h"
#include "support/raw_server.h"
#include "support/raw_tls.h"

enum { MANY_HOSTS = 70 };

/* "/set?VALUE" sets it as a cookie; "/many?from=N&n=N" sets that many. */
static enum raw_then set(struct raw_call *call)
{
    raw_say(call, "HTTP/1.1 200 OK\r\nSet-Cookie: %s\r\nContent-Length: 0\r\n\r\n", call->query);
    return RAW_KEEP;
}

static enum raw_then many(struct raw_call *call)
{
    long from = raw_number(call, "from"), n = raw_number(call, "n");
    raw_say(call, "HTTP/1.1 200 OK\r\n");
    for (long i = from; i < from + n; i++)
        raw_say(call, "Set-Cookie: n%05ld=v; Path=/%s\r\n", i,
                raw_number(call, "long") ? "; Max-Age=2000000000000000000" : "");
    raw_say(call, "Content-Length: 0\r\n\r\n");
    return RAW_KEEP;
}

/* "/login?http://x/" sets a cookie and redirects. */
static enum raw_then login(struct raw_call *call)
{
    raw_say(call, "HTTP/1.1 302 Found\r\nSet-Cookie: session=hidden%u; Path=/\r\nLocation: %s\r\nContent-Length: 0\r\n\r\n",
            call->seen, call->query);
    return RAW_KEEP;
}

/* The Cookie fields, separated by " | ". */
static enum raw_then cookies(struct raw_call *call)
{
    char sent[16384] = "";
    for (const char *at = call->head; (at = strstr(at, "\nCookie: ")) != NULL; at++) {
        const char *value = at + strlen("\nCookie: ");
        size_t size = strlen(sent);
        snprintf(sent + size, sizeof sent - size, "%s%.*s", size > 0 ? " | " : "", (int)strcspn(value, "\r"), value);
    }
    return raw_answer(call, sent, strlen(sent));
}

static const struct raw_behaviour more[] = {
    {"/set", .answer = set}, {"/many", .answer = many}, {"/login", .answer = login}, {"/cookies", .answer = cookies}, {NULL}};

static struct raw_server *server;

/* Has the names lead to the server. */
static const char *const *resolved(void)
{
    static char texts[MANY_HOSTS + 2][64];
    static const char *list[MANY_HOSTS + 3];
    snprintf(texts[0], sizeof texts[0], "www.example.com:%d:127.0.0.1", raw_port(server));
    snprintf(texts[1], sizeof texts[1], "www.example.org:%d:127.0.0.1", raw_port(server));
    for (int i = 0; i < MANY_HOSTS; i++)
        snprintf(texts[i + 2], sizeof texts[i + 2], "h%d.example.net:%d:127.0.0.1", i, raw_port(server));
    for (int i = 0; i < MANY_HOSTS + 2; i++)
        list[i] = texts[i];
    return list;
}

static const char *com(const char *path)
{
    return text("http://www.example.com:%d%s", raw_port(server), path);
}

static const char *org(const char *path)
{
    return text("http://www.example.org:%d%s", raw_port(server), path);
}

static const char *host(int i, const char *path)
{
    return text("http://h%d.example.net:%d%s", i, raw_port(server), path);
}

static void begin(struct life *life, int64_t on)
{
    server = raw_server_start(more);
    life_open(life, &STOOK_CLIENT(.cookies = on, .max_redirects = 5, .resolve = resolved()));
}

/* Sends a request that must be ok, and returns the body; valid until the next call. */
static const char *ask(struct life *life, struct stook_request request)
{
    static char body[16384];
    stook_batch *batch = life_batch(life);
    CHECK_ERROR(stook_batch_add(batch, &request), 0);
    int failed = life_gather(life, batch, NULL);
    const stook_result *result = stook_batch_result(batch, 0);
    if (failed != 0)
        FAIL("%s: %s", request.url, stook_result_message(result));
    snprintf(body, sizeof body, "%s", (const char *)stook_result_body(result, NULL));
    stook_batch_free(batch);
    return body;
}

#define ASK(...) ask(life, STOOK_REQUEST(__VA_ARGS__))

/* -------------------------------------------------------------------------------- who has some */

TEST_BOTH(off_by_default)
{
    begin(life, 0);
    ASK(com("/set?a=1"));
    CHECK_STR(ASK(com("/cookies")), "");
    ASK(com("/set?a=1"), .cookies = STOOK_NONE);
    CHECK_STR(ASK(com("/cookies")), "");
}

TEST_BOTH(of_the_client)
{
    begin(life, 1);
    ASK(com("/set?a=1"));
    CHECK_STR(ASK(com("/cookies")), "a=1");
    CHECK_STR(ASK(com("/cookies"), .cookies = 1), "a=1");
    CHECK_STR(ASK(com("/cookies"), .cookies = STOOK_NONE), "");
    CHECK_STR(ASK(org("/cookies")), "");
    ASK(com("/set?a=2"), .cookies = STOOK_NONE);
    CHECK_STR(ASK(com("/cookies")), "a=1");
}

TEST_BOTH(of_some_requests)
{
    begin(life, STOOK_NONE);
    ASK(com("/set?a=1"), .cookies = 1);
    CHECK_STR(ASK(com("/cookies"), .cookies = 1), "a=1");
    CHECK_STR(ASK(com("/cookies")), "");
}

/* Handles are pooled, and one that once had cookies would send them for ever: 40 of each kind in turn, one
   after the other and at once. */
TEST_BOTH(kept_apart_in_the_pools, valgrind)
{
    enum { TURNS = 40 };
    begin(life, 0);
    ASK(com("/set?a=1"), .cookies = 1);
    for (int i = 0; i < TURNS; i++) {
        int64_t on = i % 2 ? 1 : i % 4 ? STOOK_NONE : 0;
        CHECK_STR(ASK(com("/cookies"), .cookies = on), on == 1 ? "a=1" : "");
        if (on != 1)
            ASK(com("/set?b=2"));
    }
    stook_batch *batch = life_batch(life);
    for (int i = 0; i < TURNS; i++)
        ADD(batch, com("/cookies"), .cookies = i % 2);
    CHECK_EQ_INT(life_gather(life, batch, NULL), 0);
    for (size_t i = 0; i < TURNS; i++)
        CHECK_STR(stook_result_body(stook_batch_result_by_index(batch, i), NULL), i % 2 ? "a=1" : "");
    stook_batch_free(batch);
}

/* Two clients share nothing. */
TEST_BOTH(of_one_client)
{
    static struct life other;
    begin(life, 1);
    ASK(com("/set?a=1"));
    life_begin(&other, 0);
    life_open(&other, &STOOK_CLIENT(.cookies = 1, .resolve = resolved()));
    CHECK_STR(ask(&other, STOOK_REQUEST(com("/cookies"))), "");
    life_end(&other);
    CHECK_STR(ASK(com("/cookies")), "a=1");
}

TEST_BOTH(refused)
{
    static const char *const cookie[] = {"cookie: a=1", NULL}, *const mine[] = {"Cookie: a=1", NULL};
    static const char *const fields[] = {"Host: www.example.com", NULL};
    begin(life, 0);
    const struct {
        struct stook_request request;
        int error;
        const char *why;
    } rows[] = {
        {STOOK_REQUEST(org("/cookies"), .cookies = 2), STOOK_EARG, "cookies is not"},
        {STOOK_REQUEST(org("/cookies"), .cookies = -2), STOOK_EARG, "cookies is not"},
        {STOOK_REQUEST(org("/cookies"), .cookies = 1, .headers = cookie), STOOK_EARG, "a Cookie header is given beside cookies"},
        {STOOK_REQUEST(org("/cookies"), .cookies = 1, .headers = fields), STOOK_EPOLICY, "Host"},
        {STOOK_REQUEST(org("/cookies"), .headers = fields), STOOK_EPOLICY, "Host"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        stook_batch *batch = life_batch(life);
        test_note("row %zu", i);
        int error = stook_batch_add(batch, &rows[i].request);
        if (error != 0) {
            CHECK_ERROR(error, rows[i].error);
            CHECK_CONTAINS(stook_batch_message(batch), rows[i].why);
        } else {
            CHECK_EQ_INT(life_gather(life, batch, NULL), 1);
            CHECK_ERROR(stook_result_error(stook_batch_result(batch, 0)), rows[i].error);
            CHECK_CONTAINS(stook_result_message(stook_batch_result(batch, 0)), rows[i].why);
        }
        stook_batch_free(batch);
    }
    CHECK_STR(ASK(com("/cookies"), .headers = mine), "a=1");
    CHECK_EQ_INT((int)raw_seen(server, "/cookies"), 1);
}

TEST_BOTH(refused_options)
{
    CHECK_ERROR(life_try_open(life, &STOOK_CLIENT(.cookies = 2)), STOOK_EARG);
    CHECK_ERROR(life_try_open(life, &STOOK_CLIENT(.cookies = -2)), STOOK_EARG);
}

/* A Host field of one request would select the cookies of its handle from then on, up to libcurl 8.19. */
TEST_BOTH(a_refused_host_leaves_nothing)
{
    static const char *const fields[] = {"Host: www.example.com", NULL};
    begin(life, 1);
    ASK(com("/set?a=1"));
    stook_batch *batch = life_batch(life);
    ADD(batch, org("/cookies"), .headers = fields);
    CHECK_EQ_INT(life_gather(life, batch, NULL), 1);
    stook_batch_free(batch);
    CHECK_STR(ASK(org("/cookies")), "");
    CHECK_STR(ASK(org("/cookies")), "");
    CHECK_STR(ASK(com("/cookies")), "a=1");
}

/* ------------------------------------------------------------------------------------ redirects */

TEST_BOTH(over_a_redirect)
{
    begin(life, 1);
    CHECK_STR(ASK(com("/login?/cookies")), "session=hidden1");
}

/* Each hop is sent what its host has set, and nothing else; also the way back. */
TEST_BOTH(over_redirects_to_others)
{
    begin(life, 1);
    ASK(org("/set?o=1;Path=/"));
    CHECK_STR(ASK(text("%s?%s", com("/login"), org("/cookies"))), "o=1");
    CHECK_STR(ASK(text("%s?%s?%s", org("/login"), com("/login"), org("/cookies"))), "session=hidden2; o=1");
    CHECK_STR(ASK(com("/cookies")), "session=hidden3");
}

/* Without cookies a redirect that sets some is followed without them. */
TEST_BOTH(over_a_redirect_without)
{
    begin(life, 0);
    CHECK_STR(ASK(com("/login?/cookies")), "");
}

/* What is sent to the first request is kept though the response is none that is shown. */
TEST_BOTH(of_any_status)
{
    static const struct raw_behaviour others[] = {
        {"/missing", "HTTP/1.1 404 Not Found\r\nSet-Cookie: a=404; Path=/\r\nContent-Length: 0\r\n\r\n", .then = RAW_KEEP},
        {"/broken", "HTTP/1.1 500 No\r\nSet-Cookie: b=500; Path=/\r\nContent-Length: 0\r\n\r\n", .then = RAW_KEEP},
        {"/cut", "HTTP/1.1 200 OK\r\nSet-Cookie: c=cut; Path=/\r\nContent-Length: 9\r\n\r\nshort", .then = RAW_CLOSE},
        {"/cookies", .answer = cookies},
        {NULL}};
    server = raw_server_start(others);
    life_open(life, &STOOK_CLIENT(.cookies = 1));
    stook_batch *batch = life_batch(life);
    add(batch, raw_url(server, "/missing"));
    add(batch, raw_url(server, "/broken"));
    add(batch, raw_url(server, "/cut"));
    CHECK_EQ_INT(life_gather(life, batch, NULL), 3);
    stook_batch_free(batch);
    const char *sent = ASK(raw_url(server, "/cookies"));
    CHECK_CONTAINS(sent, "a=404");
    CHECK_CONTAINS(sent, "b=500");
    CHECK_CONTAINS(sent, "c=cut");
}

/* ------------------------------------------------------------------------------------------ TLS */

static struct raw_door doors[2];

static const char *begin_tls(struct life *life, struct raw_tls *tls)
{
    const char *d = temporary_directory();
    certificates_standard(d);
    *tls = (struct raw_tls){.directory = d, .certificate = "leaf"};
    memset(doors, 0, sizeof doors);
    doors[1] = (struct raw_door){.serve = raw_tls_serve, .arg = tls};
    server = raw_server_open(more, doors, 2);
    const char *ca = text("%s/authority.pem", d);
    const char *list[] = {text("www.example.com:%d:127.0.0.1", doors[0].port), text("127.0.0.1:%d:127.0.0.1", doors[1].port), NULL};
    life_open(life, &STOOK_CLIENT(.ca_file = ca, .resolve = list));
    return ca;
}

/* What was set over TLS as Secure is not sent without, and cannot be replaced from there. */
TEST_BOTH(secure_cookies)
{
    static struct raw_tls tls;
    const char *d = temporary_directory();
    certificates_standard(d);
    certificate_make(d, &(struct certificate){.name = "www", .issuer = "authority", .alt_names = "DNS:www.example.com"});
    tls = (struct raw_tls){.directory = d, .certificate = "www"};
    memset(doors, 0, sizeof doors);
    doors[1] = (struct raw_door){.serve = raw_tls_serve, .arg = &tls};
    server = raw_server_open(more, doors, 2);
    const char *list[] = {text("www.example.com:%d:127.0.0.1", doors[0].port), text("www.example.com:%d:127.0.0.1", doors[1].port), NULL};
    life_open(life, &STOOK_CLIENT(.cookies = 1, .ca_file = text("%s/authority.pem", d), .resolve = list));
    const char *over_tls = text("https://www.example.com:%d", doors[1].port), *plain = text("http://www.example.com:%d", doors[0].port);
    ASK(text("%s/set?a=1;Secure;Path=/", over_tls));
    ASK(text("%s/set?__Host-b=2;Secure;Path=/", over_tls));
    CHECK_STR(ASK(text("%s/cookies", plain)), "");
    ASK(text("%s/set?a=evil;Path=/", plain));
    ASK(text("%s/set?a=evil;Path=/cookies", plain));
    ASK(text("%s/set?__Host-b=evil;Secure;Path=/", plain));
    CHECK_STR(ASK(text("%s/cookies", plain)), "");
    CHECK_STR(ASK(text("%s/cookies", over_tls)), "__Host-b=2; a=1");
    /* Up to 8.20 one of the domain above is kept beside it. */
    ASK(text("%s/set?a=evil;Domain=example.com;Path=/", plain));
    int is_kept = curl_version_info(CURLVERSION_NOW)->version_num < 0x081500;
    CHECK_STR(ASK(text("%s/cookies", plain)), is_kept ? "a=evil" : "");
}

static const char *tls_url(const char *path)
{
    return text("https://127.0.0.1:%d%s", doors[1].port, path);
}

/* The cookies of a client are the same for all that it trusts; connections and sessions are not. */
TEST_BOTH(one_jar_for_all_trusts)
{
    static struct raw_tls tls;
    char copy[256];
    snprintf(copy, sizeof copy, "%s", begin_tls(life, &tls));
    process_run((const char *const[]){"cp", copy, text("%s/copy.pem", tls.directory), NULL}, text("%s/log", tls.directory));
    const char *other = text("%s/copy.pem", tls.directory);
    ASK(tls_url("/set?a=1;Secure"), .cookies = 1);
    unsigned connections = raw_connections(server);
    CHECK_STR(ASK(tls_url("/cookies"), .cookies = 1), "a=1");
    CHECK_EQ_INT((int)raw_connections(server), (int)connections);
    CHECK_STR(ASK(tls_url("/cookies"), .cookies = 1, .ca_file = other), "a=1");
    CHECK_EQ_INT((int)raw_connections(server), (int)connections + 1);
    CHECK_STR(ASK(tls_url("/cookies")), "");
    CHECK_EQ_INT((int)raw_connections(server), (int)connections + 2);
    CHECK_STR(ASK(tls_url("/cookies"), .ca_file = other), "");
    CHECK_EQ_INT((int)raw_connections(server), (int)connections + 3);
}

/* No session of one trust is resumed by another, though their handles share one CURLSH. */
TEST_BOTH(sessions_apart)
{
    static struct raw_tls tls;
    char copy[256];
    snprintf(copy, sizeof copy, "%s", begin_tls(life, &tls));
    process_run((const char *const[]){"cp", copy, text("%s/copy.pem", tls.directory), NULL}, text("%s/log", tls.directory));
    const char *other = text("%s/copy.pem", tls.directory);
    ASK(tls_url("/close-after"), .cookies = 1);
    ASK(tls_url("/close-after"), .cookies = 1, .ca_file = other);
    ASK(tls_url("/close-after"));
    ASK(tls_url("/close-after"), .ca_file = other);
    CHECK_EQ_INT((int)raw_seen(server, "/resumed"), 0);
}

/* -------------------------------------------------------------------------------------- proxies */

/* Through a proxy cookies are those of the origin, and one proxy's are the other's. What a proxy sets in its
   own name, in its answer to CONNECT, is nobody's. */
TEST_BOTH(through_proxies)
{
    static struct raw_proxy plain, refusing;
    plain = (struct raw_proxy){0};
    refusing = (struct raw_proxy){.reply = "HTTP/1.1 502 No\r\nSet-Cookie: evil=hidden; Path=/\r\nContent-Length: 0\r\n\r\n"};
    struct raw_door with_proxies[] = {{0}, {.serve = raw_proxy_serve, .arg = &plain}, {.serve = raw_proxy_serve, .arg = &refusing}};
    server = raw_server_open(more, with_proxies, 3);
    const char *one = text("http://127.0.0.1:%d", with_proxies[1].port), *other = text("http://127.0.0.1:%d", with_proxies[2].port);
    life_open(life, &STOOK_CLIENT(.cookies = 1, .max_redirects = 3, .resolve = resolved()));
    CHECK_STR(ASK("http://www.example.com/login?/cookies", .proxy = one), "session=hidden1");
    stook_batch *batch = life_batch(life);
    ADD(batch, "https://www.example.com/cookies", .proxy = other);
    CHECK_EQ_INT(life_gather(life, batch, NULL), 1);
    CHECK_ERROR(stook_result_error(stook_batch_result(batch, 0)), STOOK_EPROXY);
    CHECK(strstr(stook_result_message(stook_batch_result(batch, 0)), "hidden") == NULL);
    stook_batch_free(batch);
    CHECK_STR(ASK("http://www.example.com/cookies", .proxy = one), "session=hidden1");
    CHECK_STR(ASK("http://www.example.com/cookies", .proxy = one, .cookies = STOOK_NONE), "");
    CHECK_STR(ASK(com("/cookies")), "session=hidden1");
}

/* --------------------------------------------------------------------------------------- limits */

/* 50 of a domain: those set last. */
TEST_BOTH(of_a_domain)
{
    begin(life, 1);
    ASK(com("/many?from=0&n=30"));
    ASK(com("/many?from=30&n=25"));
    const char *sent = ASK(com("/cookies"));
    CHECK_EQ_SIZE(strlen(sent), 50 * strlen("n00000=v; ") - 2);
    for (int i = 0; i < 55; i++) {
        test_note("cookie %d", i);
        CHECK_EQ_INT(strstr(sent, text("n%05d=", i)) != NULL, i >= 5);
    }
    /* One that is set anew is as old as before (RFC 6265 5.3). */
    ASK(com("/many?from=5&n=1"));
    ASK(com("/many?from=55&n=1"));
    sent = ASK(com("/cookies"));
    CHECK(strstr(sent, "n00005=") == NULL);
    CHECK_CONTAINS(sent, "n00006=");
    CHECK_CONTAINS(sent, "n00055=");
}

/* A server cannot get around it by an expiry date that has many digits. */
TEST_BOTH(of_a_domain_for_ever)
{
    begin(life, 1);
    for (int i = 0; i < 10; i++)
        ASK(com(text("/many?long=1&from=%d&n=30", 30 * i)));
    const char *sent = ASK(com("/cookies"));
    CHECK_EQ_SIZE(strlen(sent), 50 * strlen("n00000=v; ") - 2);
}

/* 3000 in all, and up to 300 until they are looked at: 70 hosts set 50 each, and the first hosts lose theirs. */
TEST_BOTH(in_all)
{
    begin(life, 1);
    for (int i = 0; i < MANY_HOSTS; i++)
        ASK(host(i, "/many?from=0&n=50"));
    for (int i = 0; i < MANY_HOSTS; i++) {
        const char *sent = ASK(host(i, "/cookies"));
        test_note("host %d", i);
        if (i < MANY_HOSTS - 66)
            CHECK_STR(sent, "");
        if (i > MANY_HOSTS - 60)
            CHECK_EQ_SIZE(strlen(sent), 50 * strlen("n00000=v; ") - 2);
    }
}

/* ------------------------------------------------------------------------------------- secrets */

/* The value is in no message, no dump and no command. */
TEST_BOTH(kept_secret)
{
    char dump[65536], line[4096];
    begin(life, 1);
    ASK(com("/set?secret=hidden;Path=/"));
    stook_batch *batch = life_batch(life);
    struct stook_request request = STOOK_REQUEST(com("/cookies"), .attempt_timeout_ms = 5000);
    CHECK_ERROR(stook_batch_add(batch, &request), 0);
    ADD(batch, com("/reset"));
    ADD(batch, com("/cut"));
    ADD(batch, com("/login?ftp://x/"));
    life_gather(life, batch, NULL);
    for (size_t i = 0; i < stook_batch_count(batch); i++)
        CHECK(strstr(stook_result_message(stook_batch_result(batch, i)), "hidden") == NULL);
    FILE *out = fmemopen(dump, sizeof dump, "w");
    CHECK_ERROR(stook_client_dump(life->client, out), 0);
    fclose(out);
    CHECK(strstr(dump, "hidden") == NULL);
    CHECK(stook_request_to_curl(life->client, &request, STOOK_CURL_SECRETS, line, sizeof line) > 0);
    CHECK(strstr(line, "hidden") == NULL);
    stook_batch_free(batch);
}

/* ---------------------------------------------------------------------------------------- ends */

static int errors[2];

static void save_inside(stook_batch *batch, const stook_result *result, void *user)
{
    (void)batch, (void)result;
    errors[0] = stook_client_cookies_load(user, "/dev/null");
    errors[1] = stook_client_cookies_save(user, "/dev/null");
}

TEST_BOTH(not_in_callbacks_and_children)
{
    int status;
    begin(life, 1);
    stook_batch *batch = life_batch(life);
    add(batch, com("/set?a=1"));
    life_gather(life, batch, &STOOK_GATHER(.on_result = save_inside, .user = life->client));
    stook_batch_free(batch);
    CHECK_ERROR(errors[0], STOOK_ESTATE);
    CHECK_ERROR(errors[1], STOOK_ESTATE);
    pid_t child = fork();
    if (child == 0) {
        CHECK_ERROR(stook_client_cookies_load(life->client, "/dev/null"), STOOK_ESTATE);
        CHECK_ERROR(stook_client_cookies_save(life->client, "/dev/null"), STOOK_ESTATE);
        test_exit_child();
    }
    CHECK(waitpid(child, &status, 0) == child);
    CHECK_EQ_INT(status, 0);
}

/* Closed and drained while requests with cookies run. */
TEST_BOTH(closed_in_flight)
{
    begin(life, 1);
    ASK(com("/set?a=1;Path=/"));
    stook_batch *batch = life_batch(life);
    struct done done = {0};
    for (int i = 0; i < 10; i++)
        add(batch, com("/swallow"));
    CHECK_ERROR(stook_gather_start(batch, NULL, count_done, &done), 0);
    CHECK_STR(ASK(com("/cookies")), "a=1");
    life_close(life);
    CHECK_EQ_INT(done.calls, 1);
    CHECK_EQ_INT(done.failed, 10);
    stook_batch_free(batch);
}
