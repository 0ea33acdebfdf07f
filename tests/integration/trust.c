/* SPDX-License-Identifier: MIT */
/*
 * Requests with different trust share nothing: connections and TLS sessions are separate by authorities,
 * client certificate, key, its password, pin, proxy, the proxy's user, public_only and cookies, even where
 * libcurl takes them for equal.
 */
#include <ctype.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <string.h>

#include <curl/curl.h>
#include <stook.h>

#include "support/life.h"
#include "support/certificates.h"
#include "support/process.h"
#include "support/raw_h2.h"
#include "support/raw_proxy.h"
#include "support/raw_tls.h"

enum { TRUSTS = 19, OWN = 0 };

/* What a request says of its trust, and how it ends alone. */
struct trust {
    struct stook_request request;
    int error;
};

enum { ORIGIN, PROXY, OTHER_PROXY, SOCKS, DOORS };

static struct raw_door doors[DOORS];
static const struct raw_proxy http_proxy, socks_proxy = {.socks = 1};
static struct raw_server *server;

/* Valid until the test begins anew. */
static struct {
    char bytes[65536];
    size_t used;
} kept;

static char *keep(const char *text)
{
    size_t size = strlen(text) + 1;
    CHECK(size <= sizeof kept.bytes - kept.used);
    char *copy = memcpy(kept.bytes + kept.used, text, size);
    kept.used += size;
    return copy;
}

static const char *file(const char *directory, const char *name)
{
    return keep(text("%s/%s", directory, name));
}

static const char *content(const char *path)
{
    static char bytes[8192];
    FILE *in = fopen(path, "r");
    CHECK(in != NULL);
    bytes[fread(bytes, 1, sizeof bytes - 1, in)] = '\0';
    fclose(in);
    return keep(bytes);
}

static void shell(const char *directory, const char *line)
{
    process_run((const char *const[]){"sh", "-c", text("cd %s && %s", directory, line), NULL},
                text("%s/shell.log", directory));
}

/* The same pin with one letter in another case: of another key, or of none. */
static char *other_case(const char *pin)
{
    char *other = keep(pin);
    char *letter = other + sizeof "sha256//" - 1;
    while (!isalpha((unsigned char)*letter))
        letter++;
    *letter ^= 32;
    return other;
}

static void make_files(const char *d)
{
    certificates_standard(d);
    certificate_make(d, &(struct certificate){.name = "alice", .issuer = "authority", .usage = "clientAuth"});
    certificate_make(d, &(struct certificate){.name = "bob", .issuer = "authority", .usage = "clientAuth"});
    shell(d, "openssl pkey -aes128 -passout 'pass:open sesame' -in alice.key -out locked.key");
    shell(d, "cp authority.pem copy.pem");
    shell(d, "openssl pkey -in leaf.key -pubout -outform der | openssl dgst -sha256 -binary | openssl base64 -A >pin");
}

static const char *proxy(const char *scheme, const char *user, int which)
{
    return keep(text("%s://%s127.0.0.1:%d", scheme, user, doors[which].port));
}

static void make_trusts(const char *d, struct trust trusts[TRUSTS])
{
    const char *alice = file(d, "alice.pem"), *alice_key = file(d, "alice.key"), *locked = file(d, "locked.key");
    const char *pin = keep(text("sha256//%s", content(text("%s/pin", d))));
    const struct trust all[TRUSTS] = {
        [OWN] = {STOOK_REQUEST(NULL), 0},
        {STOOK_REQUEST(NULL, .ca_file = file(d, "copy.pem")), 0},
        {STOOK_REQUEST(NULL, .ca_data = content(text("%s/authority.pem", d))), 0},
        {STOOK_REQUEST(NULL, .ca_file = file(d, "stranger.pem")), STOOK_ECERT},
        {STOOK_REQUEST(NULL, .pinned_key = pin), 0},
        {STOOK_REQUEST(NULL, .pinned_key = other_case(pin)), STOOK_ECERT},
        {STOOK_REQUEST(NULL, .client_cert = alice, .client_key = alice_key), 0},
        {STOOK_REQUEST(NULL, .client_cert = alice, .client_key = file(d, "bob.key")), STOOK_ECERT},
        {STOOK_REQUEST(NULL, .client_cert = alice, .client_key = locked, .key_password = "open sesame"), 0},
        {STOOK_REQUEST(NULL, .client_cert = alice, .client_key = locked, .key_password = "Open Sesame"), STOOK_ECERT},
        {STOOK_REQUEST(NULL, .client_cert = alice, .client_key = locked), STOOK_ECERT},
        {STOOK_REQUEST(NULL, .proxy = proxy("http", "", PROXY)), 0},
        {STOOK_REQUEST(NULL, .proxy = proxy("http", "me:sesame@", PROXY)), 0},
        {STOOK_REQUEST(NULL, .proxy = proxy("http", "me:Sesame@", PROXY)), 0},
        {STOOK_REQUEST(NULL, .proxy = proxy("http", "", OTHER_PROXY)), 0},
        {STOOK_REQUEST(NULL, .proxy = proxy("socks5", "", SOCKS)), 0},
        {STOOK_REQUEST(NULL, .proxy = proxy("socks5h", "", SOCKS)), 0},
        {STOOK_REQUEST(NULL, .public_only = 1), 0},
        {STOOK_REQUEST(NULL, .cookies = 1), 0},
    };
    memcpy(trusts, all, sizeof all);
}

static const char *begin(struct trust trusts[TRUSTS], struct raw_tls *tls)
{
    const char *d = temporary_directory();
    kept.used = 0;
    make_files(d);
    tls->directory = d;
    tls->certificate = "leaf";
    tls->asks_for_certificate = 1;
    memset(doors, 0, sizeof doors);
    doors[ORIGIN] = (struct raw_door){.serve = raw_tls_serve, .arg = tls};
    doors[PROXY] = doors[OTHER_PROXY] = (struct raw_door){.serve = raw_proxy_serve, .arg = &http_proxy};
    doors[SOCKS] = (struct raw_door){.serve = raw_proxy_serve, .arg = &socks_proxy};
    server = raw_server_open(NULL, doors, DOORS);
    make_trusts(d, trusts);
    return d;
}

/* What public_only allows here. */
static const char *const loopback[] = {"127.0.0.0/8", NULL};

/* Ask with that trust; 1: over a connection that was there. */
static int ask(struct life *life, const struct trust *trust, const char *path, int version)
{
    stook_batch *batch = life_batch(life);
    struct stook_request request = trust->request;
    char url[128];
    snprintf(url, sizeof url, "https://127.0.0.1:%d%s", doors[ORIGIN].port, path);
    request.url = url;
    request.http_version = version;
    CHECK_ERROR(stook_batch_add(batch, &request), 0);
    life_gather(life, batch, NULL);
    const stook_result *result = stook_batch_result(batch, 0);
    if (stook_result_error(result) == STOOK_EUNSUPPORTED && trust->request.ca_data != NULL)
        test_skip("this libcurl takes no authorities as bytes");
    CHECK_ERROR(stook_result_error(result), trust->error);
    CHECK(strstr(stook_result_message(result), "sesame") == NULL);
    int reused = stook_result_reused(result);
    stook_batch_free(batch);
    return reused;
}

/* Each trust after each other one: it gets the result that it has alone, over a connection of its own. */
static void check_pairs(struct life *life, const char *alpn, void (*inside)(struct raw_call *call), int version)
{
    static struct raw_tls tls;
    struct trust trusts[TRUSTS];
    tls = (struct raw_tls){.alpn = alpn, .inside = inside};
    const char *ca = file(begin(trusts, &tls), "authority.pem");
    for (size_t i = 0; i < TRUSTS; i++) {
        for (size_t k = 0; k < TRUSTS; k++) {
            if (i == k)
                continue;
            test_note("trust %zu, then %zu", i, k);
            life_open(life, &STOOK_CLIENT(.ca_file = ca, .allow_addresses = loopback));
            CHECK_EQ_INT(ask(life, &trusts[i], "/path/1", version), 0);
            CHECK_EQ_INT(ask(life, &trusts[k], "/path/2", version), 0);
            CHECK_EQ_INT(ask(life, &trusts[i], "/path/3", version), trusts[i].error == 0);
            CHECK_EQ_INT(ask(life, &trusts[k], "/path/4", version), trusts[k].error == 0);
            life_close(life);
        }
    }
}

TEST_BOTH(apart_over_http_1_1, slow)
{
    check_pairs(life, NULL, NULL, STOOK_HTTP_1_1);
}

TEST_BOTH(apart_over_http_2, slow)
{
    if (!(curl_version_info(CURLVERSION_NOW)->features & CURL_VERSION_HTTP2))
        test_skip("this libcurl speaks no HTTP/2");
    check_pairs(life, "h2", raw_h2_serve, STOOK_HTTP_2);
}

/* A session is resumed by who has its trust, which shows that they are counted, and by nobody else. */
static void check_sessions(struct life *life, int max)
{
    static struct raw_tls tls;
    struct trust trusts[TRUSTS];
    tls = (struct raw_tls){.max = max};
    const char *ca = file(begin(trusts, &tls), "authority.pem");
    for (size_t i = 0; i < TRUSTS; i++) {
        if (trusts[i].error != 0)
            continue;
        unsigned before = raw_seen(server, "/resumed");
        /* Handles with cookies share no sessions. Up to 8.11 each has its own, and here each serves one request. */
        unsigned own = trusts[i].request.cookies != 1 || curl_version_info(CURLVERSION_NOW)->version_num >= 0x080c00;
        life_open(life, &STOOK_CLIENT(.ca_file = ca, .allow_addresses = loopback));
        test_note("trust %zu, its session", i);
        ask(life, &trusts[i], "/close-after", STOOK_HTTP_1_1);
        ask(life, &trusts[i], "/close-after", STOOK_HTTP_1_1);
        if (own == 1 && raw_seen(server, "/resumed") == before && strstr(curl_version_info(CURLVERSION_NOW)->ssl_version, "GnuTLS"))
            test_skip("libcurl on GnuTLS does not resume a session here");
        CHECK_EQ_INT(raw_seen(server, "/resumed"), before + own);
        for (size_t k = 0; k < TRUSTS; k++) {
            test_note("trust %zu, its session met by %zu", i, k);
            if (k != i)
                ask(life, &trusts[k], "/close-after", STOOK_HTTP_1_1);
        }
        CHECK_EQ_INT(raw_seen(server, "/resumed"), before + own);
        life_close(life);
    }
}

TEST_BOTH(sessions, slow)
{
    check_sessions(life, TLS1_2_VERSION);
    check_sessions(life, TLS1_3_VERSION);
}

/* The same trust said by other means of the program is the same: connections are kept. */
TEST_BOTH(said_anew)
{
    static struct raw_tls tls;
    struct trust trusts[TRUSTS];
    tls = (struct raw_tls){0};
    const char *ca = file(begin(trusts, &tls), "authority.pem");
    life_open(life, &STOOK_CLIENT(.ca_file = ca));
    struct trust same = {STOOK_REQUEST(NULL, .ca_file = file(tls.directory, "authority.pem")), 0};
    CHECK_EQ_INT(ask(life, &trusts[OWN], "/path/1", STOOK_HTTP_1_1), 0);
    CHECK_EQ_INT(ask(life, &same, "/path/2", STOOK_HTTP_1_1), 1);
    CHECK_EQ_INT(ask(life, &trusts[OWN], "/path/3", STOOK_HTTP_1_1), 1);
}

/* Many trusts, one after the other: those that nobody uses go, with their connections. */
TEST_BOTH(many)
{
    enum { MANY = 150 };
    static struct raw_tls tls;
    struct trust trusts[TRUSTS];
    tls = (struct raw_tls){0};
    const char *ca = file(begin(trusts, &tls), "authority.pem");
    const char *pem = content(ca);
    char data[8192];
    life_open(life, &STOOK_CLIENT(.ca_file = ca));
    size_t descriptors = 0;
    for (int i = 0; i < MANY; i++) {
        snprintf(data, sizeof data, "%s\n# %d\n", pem, i);
        struct trust one = {STOOK_REQUEST(NULL, .ca_data = data), 0};
        CHECK_EQ_INT(ask(life, &one, "/path/1", STOOK_HTTP_1_1), 0);
        CHECK_EQ_INT(ask(life, &one, "/path/2", STOOK_HTTP_1_1), 1);
        if (i == MANY / 2)
            descriptors = test_count_fds();
    }
    CHECK(test_count_fds() <= descriptors);
    CHECK_EQ_INT(ask(life, &trusts[OWN], "/path/3", STOOK_HTTP_1_1), 0);
}
