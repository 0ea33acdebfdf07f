/* SPDX-License-Identifier: MIT */
/* Important options of libcurl: which are set on every handle, and which never. */
#include <stdio.h>
#include <string.h>

#include <stook.h>

#include "curl/quirks/quirks.h"
#include "support/certificates.h"
#include "support/life.h"
#include "support/process.h"
#include "support/raw_server.h"
#include "support/raw_tls.h"
#include "support/sockets.h"
#include "regress/spy.h"

/* A bit of everything. */
static void do_all(struct life *life)
{
    static const char *const fields[] = {"X-One: 1", "Authorization: Bearer x", NULL};
    static const char *const methods[] = {"GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"};
    struct raw_server *server = raw_server_start(NULL);
    life_open(life, &STOOK_CLIENT(.attempt_timeout_ms = 2000));
    stook_batch *batch = life_batch(life);
    for (size_t i = 0; i < sizeof methods / sizeof methods[0]; i++) {
        struct stook_request request = STOOK_REQUEST(raw_url(server, "/ok"), .method = methods[i]);
        CHECK_ERROR(stook_batch_add(batch, &request), 0);
        request.headers = fields;
        request.body = i > 1 ? "body" : NULL;
        request.body_size = i > 1 ? 4 : 0;
        CHECK_ERROR(stook_batch_add(batch, &request), 0);
    }
    add(batch, raw_url(server, "/redirect"));
    add(batch, raw_url(server, "/swallow"));
    add(batch, text("https://127.0.0.1:%d/", raw_port(server)));
    CHECK_ERROR(stook_batch_add(batch, &STOOK_REQUEST(text("https://127.0.0.1:%d/", raw_port(server)),
                                                      .http_version = STOOK_HTTP_2)), 0);
    life_gather(life, batch, &STOOK_GATHER(.limit = 5));
    stook_batch_free(batch);
}

#define NEVER(option_) {option_, #option_}

/* Each of these is a trap of its own; docs/internals/engine.md says which. */
TEST_BOTH(never_set)
{
    static const struct {
        CURLoption option;
        const char *name;
    } easy[] = {
        NEVER(CURLOPT_PIPEWAIT), NEVER(CURLOPT_TIMEOUT), NEVER(CURLOPT_TIMEOUT_MS), NEVER(CURLOPT_LOW_SPEED_LIMIT),
        NEVER(CURLOPT_LOW_SPEED_TIME), NEVER(CURLOPT_FOLLOWLOCATION), NEVER(CURLOPT_ACCEPT_ENCODING),
        NEVER(CURLOPT_COOKIEFILE), NEVER(CURLOPT_COOKIEJAR), NEVER(CURLOPT_COOKIELIST), NEVER(CURLOPT_NETRC),
        NEVER(CURLOPT_UPLOAD), NEVER(CURLOPT_READFUNCTION), NEVER(CURLOPT_SSL_VERIFYPEER), NEVER(CURLOPT_SSL_VERIFYHOST),
        NEVER(CURLOPT_ALTSVC), NEVER(CURLOPT_HSTS), NEVER(CURLOPT_UNIX_SOCKET_PATH), NEVER(CURLOPT_UNRESTRICTED_AUTH),
        NEVER(CURLOPT_HTTP09_ALLOWED), NEVER(CURLOPT_HTTPAUTH), NEVER(CURLOPT_USERPWD), NEVER(CURLOPT_MAX_RECV_SPEED_LARGE),
        NEVER(CURLOPT_STREAM_DEPENDS), NEVER(CURLOPT_CONNECT_ONLY),
    };
    static const struct {
        CURLMoption option;
        const char *name;
    } multi[] = {
        NEVER(CURLMOPT_MAX_TOTAL_CONNECTIONS), NEVER(CURLMOPT_MAX_HOST_CONNECTIONS), NEVER(CURLMOPT_PUSHFUNCTION),
        NEVER(CURLMOPT_PIPELINING),
    };
    do_all(life);
    for (size_t i = 0; i < sizeof easy / sizeof easy[0]; i++) {
        test_note("%s", easy[i].name);
        CHECK_EQ_INT(spy_easy(easy[i].option)->count, 0);
    }
    for (size_t i = 0; i < sizeof multi / sizeof multi[0]; i++) {
        test_note("%s", multi[i].name);
        CHECK_EQ_INT(spy_multi(multi[i].option)->count, 0);
    }
}

TEST_BOTH(always_set)
{
    static const CURLoption always[] = {
        CURLOPT_NOSIGNAL,        CURLOPT_OPENSOCKETFUNCTION, CURLOPT_CLOSESOCKETFUNCTION, CURLOPT_PREREQFUNCTION,
        CURLOPT_PROTOCOLS_STR,   CURLOPT_PROXY,              CURLOPT_NOPROXY,             CURLOPT_MAXAGE_CONN,
        CURLOPT_SHARE,           CURLOPT_SSLVERSION,         CURLOPT_CONNECTTIMEOUT_MS,   CURLOPT_HTTP_VERSION,
        CURLOPT_WRITEFUNCTION,   CURLOPT_HEADERFUNCTION,     CURLOPT_RESOLVER_START_FUNCTION,
    };
    memset(&spy, 0, sizeof spy);
    do_all(life);
    unsigned made = spy_easy(CURLOPT_PRIVATE)->count;
    CHECK(made > 5);
    for (size_t i = 0; i < sizeof always / sizeof always[0]; i++) {
        test_note("option %d", (int)always[i]);
        CHECK(spy_easy(always[i])->count >= made);
    }
    test_note("%s", "values");
    CHECK_EQ_INT(spy_easy(CURLOPT_NOSIGNAL)->number, 1);
    CHECK_EQ_INT(spy_easy(CURLOPT_MAXAGE_CONN)->number, 60);
    CHECK_EQ_INT(spy_easy(CURLOPT_MAXAGE_CONN)->count, made); /* once, so that it is the same on all */
    CHECK_EQ_INT(spy_easy(CURLOPT_MAXLIFETIME_CONN)->number, 3600);
    CHECK_EQ_INT(spy_easy(CURLOPT_MAXLIFETIME_CONN)->count, made);
    CHECK_EQ_INT(spy_easy(CURLOPT_SHARE)->count, made);       /* never on a handle in use */
    CHECK_EQ_INT(spy_easy(CURLOPT_SSLVERSION)->number, CURL_SSLVERSION_TLSv1_2);
    CHECK_EQ_INT(spy_easy(CURLOPT_CONNECTTIMEOUT_MS)->number, 10000);
    CHECK_STR(spy_easy(CURLOPT_PROTOCOLS_STR)->pointer, "http,https");
    CHECK_STR(spy_easy(CURLOPT_PROXY)->pointer, "");
    CHECK_STR(spy_easy(CURLOPT_NOPROXY)->pointer, "*");
    CHECK_EQ_INT(spy_multi(CURLMOPT_MAXCONNECTS)->count, spy.multis);
    CHECK(spy_multi(CURLMOPT_MAXCONNECTS)->number >= 1000);
    CHECK_EQ_INT(spy.share[CURL_LOCK_DATA_DNS].count, 1);
    CHECK_EQ_INT(spy.share[CURL_LOCK_DATA_SSL_SESSION].count, 1);
    CHECK_EQ_INT(spy.share[CURL_LOCK_DATA_CONNECT].count, 0);
    CHECK_EQ_INT(spy.share[CURL_LOCK_DATA_COOKIE].count, 0);
}

static long version_asked_for(struct life *life, unsigned version, int wanted)
{
    memset(&spy, 0, sizeof spy);
    spy.version = version;
    life_open(life, &STOOK_CLIENT(.attempt_timeout_ms = 2000, .http_version = wanted));
    stook_batch *batch = life_batch(life);
    add(batch, text("https://127.0.0.1:%d/", refusing_port()));
    CHECK_EQ_INT(life_gather(life, batch, NULL), 1);
    stook_batch_free(batch);
    life_close(life);
    return (long)spy_easy(CURLOPT_HTTP_VERSION)->number;
}

/* HTTP/2 with libcurl before 8.1 only on request. */
TEST_BOTH(weak_http_2)
{
    if (!(curl_version_info(CURLVERSION_NOW)->features & CURL_VERSION_HTTP2))
        test_skip("this libcurl speaks no HTTP/2");
    CHECK_EQ_INT(version_asked_for(life, 0x075801, STOOK_HTTP_DEFAULT), CURL_HTTP_VERSION_1_1);
    CHECK_EQ_INT(version_asked_for(life, 0x075801, STOOK_HTTP_2), CURL_HTTP_VERSION_2TLS);
    CHECK_EQ_INT(version_asked_for(life, 0x080500, STOOK_HTTP_DEFAULT), CURL_HTTP_VERSION_2TLS);
}

/* The directory of authorities is let go of where there is a file too: with it, libcurl reads the
   file anew for each connection. */
static int directory_set;

static int note_directory(CURL *easy, CURLoption option)
{
    (void)easy;
    directory_set += option == CURLOPT_CAPATH;
    return 1;
}

/* Skips a test of the directory where libcurl has none, or keeps it in any case. */
static void need_directory(void)
{
    char *file = NULL, *directory = NULL;
    CURL *easy = curl_easy_init();
    curl_easy_getinfo(easy, CURLINFO_CAINFO, &file);
    curl_easy_getinfo(easy, CURLINFO_CAPATH, &directory);
    int both = file && directory && file[0] && directory[0];
    curl_easy_cleanup(easy);
    if (!both)
        test_skip("this libcurl has not both a file and a directory of authorities");
    if (curl_version_info(CURLVERSION_NOW)->version_num >= 0x081500)
        test_skip("this libcurl does not let go of its directory");
}

TEST_BOTH(authorities_are_kept)
{
    need_directory();
    directory_set = 0;
    spy.keep_option = note_directory;
    life_open(life, NULL);
    stook_batch *batch = life_batch(life);
    add(batch, text("https://127.0.0.1:%d/", refusing_port()));
    CHECK_EQ_INT(life_gather(life, batch, NULL), 1);
    stook_batch_free(batch);
    spy.keep_option = NULL;
    CHECK_EQ_INT(directory_set, 1);
    CHECK(spy_easy(CURLOPT_CAPATH)->pointer == NULL);
}

static struct raw_tls known, unknown;
static char authority[512];

/* Puts another file in the place of libcurl's file of authorities. */
static int replace_authorities(CURL *easy, CURLoption option)
{
    if (option == CURLOPT_HEADERFUNCTION)
        CHECK_EQ_INT(curl_easy_setopt(easy, CURLOPT_CAINFO, authority), CURLE_OK);
    return 1;
}

/* Asks for a Digest over a connection that ends. Those after it have a certificate of somebody else. */
static enum raw_then challenge_as_another(struct raw_call *call)
{
    raw_tls_become(call, &unknown);
    raw_say(call, "HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Digest realm=\"r\", nonce=\"n\", qop=\"auth\"\r\n"
                  "Connection: close\r\nContent-Length: 0\r\n\r\n");
    return RAW_CLOSE;
}

static const struct raw_behaviour changing[] = {{"/challenge", .answer = challenge_as_another}, {NULL}};

/* The directory is only tried before there was a response: a transfer that starts again after one would take the
   next header section for trailers of the first. */
TEST_BOTH(directory_is_not_tried_after_a_response)
{
    static struct raw_door doors[1];
    need_directory();
    const char *folder = temporary_directory();
    certificates_standard(folder);
    certificate_make(folder, &(struct certificate){.name = "strange", .issuer = "stranger"});
    snprintf(authority, sizeof authority, "%s/authority.pem", folder);
    known = (struct raw_tls){.directory = folder, .certificate = "leaf"};
    unknown = (struct raw_tls){.directory = folder, .certificate = "strange"};
    doors[0] = (struct raw_door){.serve = raw_tls_serve, .arg = &known};
    struct raw_server *server = raw_server_open(changing, doors, 1);
    spy.keep_option = replace_authorities;
    life_open(life, &STOOK_CLIENT(.http_version = STOOK_HTTP_1_1));
    stook_batch *batch = life_batch(life);
    ADD(batch, text("https://127.0.0.1:%d/challenge", doors[0].port), .username = "user", .password = "secret",
        .auth = STOOK_AUTH_DIGEST);
    CHECK_EQ_INT(life_gather(life, batch, NULL), 1);
    test_note("%s", stook_result_message(stook_batch_result(batch, 0)));
    CHECK_ERROR(stook_result_error(stook_batch_result(batch, 0)), STOOK_ECERT);
    CHECK_EQ_INT(raw_seen(server, "/challenge"), 1);
    CHECK_EQ_INT(raw_connections(server), 2);
    stook_batch_free(batch);
    life_close(life);
    spy.keep_option = NULL;
}

/* Each transfer that ends walks all cached names, unless they are set never to expire. */
TEST_BOTH(names_are_walked_seldom)
{
    if (stook__quirks_of(curl_version_info(CURLVERSION_NOW)->version_num) & STOOK__QUIRK_DROPS_DNS_ENTRIES)
        test_skip("this libcurl would drop names that never grow old");
    struct raw_server *server = raw_server_start(NULL);
    life_open(life, NULL);
    stook_batch *batch = life_batch(life);
    for (int i = 0; i < 100; i++)
        add(batch, raw_url(server, "/ok"));
    CHECK_EQ_INT(life_gather(life, batch, &STOOK_GATHER(.limit = 20)), 0);
    stook_batch_free(batch);
    CHECK(spy_easy(CURLOPT_DNS_CACHE_TIMEOUT)->count >= 10); /* of 20 handles most are told so */
    CHECK_EQ_INT(spy_easy(CURLOPT_DNS_CACHE_TIMEOUT)->number, -1);
}
