/* SPDX-License-Identifier: MIT */
/* A libcurl that was built without some of its options: a request that needs one says which, and all others work. */
#include <stdio.h>
#include <string.h>

#include <stook.h>

#include "support/life.h"
#include "support/raw_server.h"
#include "regress/spy.h"

enum { KINDS = 13, SET_MAX = 128 };

static CURLoption refused[4]; /* ended by 0 */
static CURLcode refusal;
static CURLoption set[SET_MAX]; /* each option that was set, once */
static size_t n_set;
static int makes_no_forms;

static CURLcode refuse(CURLoption option)
{
    size_t i = 0;
    while (i < n_set && set[i] != option)
        i++;
    if (i == n_set && n_set < SET_MAX)
        set[n_set++] = option;
    for (i = 0; refused[i] != 0; i++)
        if (option == refused[i])
            return refusal;
    return CURLE_OK;
}

curl_mime *curl_mime_init(CURL *easy)
{
    SPY_REAL(curl_mime_init);
    return makes_no_forms ? NULL : real(easy);
}

static int64_t read_nothing(stook_batch *batch, size_t index, void *buffer, size_t size, void *user)
{
    (void)batch, (void)index, (void)buffer, (void)size, (void)user;
    return 0;
}

static void hear(stook_batch *batch, const stook_result *result, const struct stook_progress *progress, void *user)
{
    (void)batch, (void)result, (void)progress, (void)user;
}

/* One of each kind of request that has options of its own. */
static void add_kinds(stook_batch *batch, const char *url)
{
    const struct stook_part *const parts[] = {&STOOK_PART(.name = "f", .value = "v", .value_size = STOOK_AUTO), NULL};
    static const char *const resolve[] = {"moved.invalid:80:127.0.0.1", NULL};
    static const char *const headers[] = {"X-One: 1", NULL};
    ADD(batch, url);
    ADD(batch, url, .headers = headers);
    ADD(batch, url, .method = "HEAD");
    ADD(batch, url, .method = "PATCH", .body = "hello", .body_size = 5);
    ADD(batch, url, .body_file = "/proc/self/exe");
    ADD(batch, url, .body_read = read_nothing);
    ADD(batch, url, .parts = parts, .on_progress = hear);
    ADD(batch, url, .ca_file = "/nowhere/ca.pem");
    ADD(batch, url, .ca_data = "nobody");
    ADD(batch, url, .client_cert = "/nowhere/cert.pem", .client_key = "/nowhere/key.pem", .key_password = "k",
        .pinned_key = "sha256//AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=");
    ADD(batch, url, .username = "user", .password = "secret", .auth = STOOK_AUTH_DIGEST);
    ADD(batch, url, .unix_socket = "/nowhere/socket");
    ADD(batch, "http://moved.invalid/", .resolve = resolve);
    CHECK_EQ_INT(stook_batch_count(batch), KINDS);
}

struct kinds {
    int errors[KINDS];
    char messages[KINDS][160];
};

static void ask_all(struct life *life, const char *url, struct kinds *ret_kinds)
{
    spy.refuse_option = refuse;
    life_open(life, &STOOK_CLIENT(.attempt_timeout_ms = 10000));
    stook_batch *batch = life_batch(life);
    add_kinds(batch, url);
    life_gather_ordered(life, batch, NULL);
    for (size_t i = 0; i < KINDS; i++) {
        const stook_result *result = stook_batch_result(batch, i);
        ret_kinds->errors[i] = stook_result_error(result);
        snprintf(ret_kinds->messages[i], sizeof ret_kinds->messages[i], "%s", stook_result_message(result));
    }
    stook_batch_free(batch);
    life_close(life);
    spy.refuse_option = NULL;
}

/* What nothing is lost without, or what is set when a request cannot be refused any more. */
static int may_lack(CURLoption option)
{
    return option == CURLOPT_PROXY || option == CURLOPT_NOPROXY || option == CURLOPT_CAPATH ||
           option == CURLOPT_RESOLVE || option == CURLOPT_DNS_CACHE_TIMEOUT || option == CURLOPT_VERBOSE;
}

static void refuse_each(struct life *life, CURLcode code, int error)
{
    struct raw_server *server = raw_server_start(NULL);
    const char *url = raw_url(server, "/ok");
    struct kinds usual, now;
    memset(refused, 0, sizeof refused);
    ask_all(life, url, &usual);
    CHECK_ERROR(usual.errors[0], 0);
    CHECK(n_set > 40 && n_set < SET_MAX);
    refusal = code;
    for (size_t nth = 0; nth < n_set; nth++) {
        const struct curl_easyoption *option = curl_easy_option_by_id(set[nth]);
        char name[64];
        int seen = 0;
        snprintf(name, sizeof name, "CURLOPT_%s", option->name);
        refused[0] = set[nth];
        ask_all(life, url, &now);
        for (size_t i = 0; i < KINDS; i++) {
            test_note("%s, kind %zu: %s", name, i, now.messages[i]);
            seen += now.errors[i] == error;
            if (now.errors[i] != usual.errors[i])
                CHECK_ERROR(now.errors[i], error);
            if (error == STOOK_EUNSUPPORTED && now.errors[i] == error)
                CHECK(strstr(now.messages[i], name) != NULL);
        }
        CHECK((seen > 0) != may_lack(set[nth]) || code == CURLE_OUT_OF_MEMORY);
    }
}

TEST_BOTH(unknown_options, slow)
{
    refuse_each(life, CURLE_UNKNOWN_OPTION, STOOK_EUNSUPPORTED);
}

TEST_BOTH(left_out_options, slow)
{
    refuse_each(life, CURLE_NOT_BUILT_IN, STOOK_EUNSUPPORTED);
}

TEST_BOTH(no_memory_for_options, slow)
{
    refuse_each(life, CURLE_OUT_OF_MEMORY, STOOK_ENOMEM);
}

static const char *ask_one(struct life *life, const struct stook_request *request, int error)
{
    static char message[160];
    life_open(life, NULL);
    stook_batch *batch = life_batch(life);
    CHECK_ERROR(stook_batch_add(batch, request), 0);
    life_gather(life, batch, NULL);
    const stook_result *result = stook_batch_result(batch, 0);
    snprintf(message, sizeof message, "%s", stook_result_message(result));
    test_note("%s", message);
    CHECK_ERROR(stook_result_error(result), error);
    stook_batch_free(batch);
    life_close(life);
    return message;
}

/* A value beyond libcurl's bounds is an error of the program. */
TEST_BOTH(bad_values)
{
    struct raw_server *server = raw_server_start(NULL);
    memset(refused, 0, sizeof refused);
    refused[0] = CURLOPT_USERNAME;
    refusal = CURLE_BAD_FUNCTION_ARGUMENT;
    spy.refuse_option = refuse;
    const char *message = ask_one(life, &STOOK_REQUEST(raw_url(server, "/ok"), .username = "user", .password = "secret",
                                                       .auth = STOOK_AUTH_DIGEST), STOOK_EARG);
    CHECK(strstr(message, "CURLOPT_USERNAME") != NULL);
    spy.refuse_option = NULL;
}

/* Such a libcurl makes no form, like one without memory. */
TEST_BOTH(no_forms)
{
    const struct stook_part *const parts[] = {&STOOK_PART(.name = "f", .value = "v", .value_size = STOOK_AUTO), NULL};
    struct raw_server *server = raw_server_start(NULL);
    memset(refused, 0, sizeof refused);
    refused[0] = CURLOPT_MIMEPOST;
    refusal = CURLE_UNKNOWN_OPTION;
    spy.refuse_option = refuse;
    makes_no_forms = 1;
    const char *message = ask_one(life, &STOOK_REQUEST(raw_url(server, "/ok"), .parts = parts), STOOK_EUNSUPPORTED);
    CHECK(strstr(message, "CURLOPT_MIMEPOST") != NULL);
    spy.refuse_option = NULL;
    ask_one(life, &STOOK_REQUEST(raw_url(server, "/ok"), .parts = parts), STOOK_ENOMEM);
    makes_no_forms = 0;
}

/* A libcurl without proxies works: no proxy is wanted. */
TEST_BOTH(no_proxies)
{
    struct raw_server *server = raw_server_start(NULL);
    memset(refused, 0, sizeof refused);
    refused[0] = CURLOPT_PROXY;
    refused[1] = CURLOPT_NOPROXY;
    refusal = CURLE_UNKNOWN_OPTION;
    spy.refuse_option = refuse;
    ask_one(life, &STOOK_REQUEST(raw_url(server, "/ok")), 0);
    spy.refuse_option = NULL;
}

/* Without TLS in libcurl, http still works. */
TEST_BOTH(no_tls)
{
    struct raw_server *server = raw_server_start(NULL);
    memset(refused, 0, sizeof refused);
    refused[0] = CURLOPT_SSLVERSION;
    refused[1] = CURLOPT_CAPATH;
    refusal = CURLE_NOT_BUILT_IN;
    spy.refuse_option = refuse;
    spy.lacks = CURL_VERSION_SSL;
    ask_one(life, &STOOK_REQUEST(raw_url(server, "/ok")), 0);
    CHECK_STR(spy_easy(CURLOPT_PROTOCOLS_STR)->pointer, "http");
    CHECK(strstr(ask_one(life, &STOOK_REQUEST("https://127.0.0.1/"), STOOK_EUNSUPPORTED), "TLS") != NULL);
    spy.lacks = 0;
    spy.refuse_option = NULL;
}
