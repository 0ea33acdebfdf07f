/* SPDX-License-Identifier: MIT */
/*
 * Which server a request reaches, and how it identifies itself: authorities, certificates, pinned keys,
 * Unix sockets, names.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <curl/curl.h>
#include <stook.h>

#include "support/life.h"
#include "support/nginx.h"
#include "support/process.h"
#include "support/raw_server.h"

/* One request alone; what it answered, or "" and its error. */
static const char *ask(struct life *life, const struct stook_request *request, int error)
{
    static char answer[1024];
    stook_batch *batch = life_batch(life);
    CHECK_ERROR(stook_batch_add(batch, request), 0);
    int failed = life_gather(life, batch, NULL);
    const stook_result *result = stook_batch_result(batch, 0);
    test_note("%s", stook_result_message(result));
    CHECK_ERROR(stook_result_error(result), error);
    CHECK_EQ_INT(failed, error != 0);
    CHECK_EQ_INT(stook_result_attempts(result), error != STOOK_EUNSUPPORTED);
    CHECK(strstr(stook_result_message(result), "open sesame") == NULL);
    snprintf(answer, sizeof answer, "%s", (const char *)stook_result_body(result, NULL));
    stook_batch_free(batch);
    return answer;
}

static char *read_all(const char *path)
{
    static char content[65536];
    FILE *file = fopen(path, "r");
    CHECK(file != NULL);
    content[fread(content, 1, sizeof content - 1, file)] = '\0';
    fclose(file);
    return content;
}

/* Authorities as bytes: these and no others, on either level. */
/* libcurl on GnuTLS cannot, in 7.88. */
static int takes_authorities_from_memory(void)
{
    struct curl_blob blob = {.data = (void *)(uintptr_t)"", .len = 1, .flags = CURL_BLOB_COPY};
    CURL *easy = curl_easy_init();
    CURLcode code = curl_easy_setopt(easy, CURLOPT_CAINFO_BLOB, &blob);
    curl_easy_cleanup(easy);
    return code == CURLE_OK;
}

TEST_BOTH(ca_data, nginx)
{
    struct nginx *nginx = nginx_start();
    char *ca = strdup(read_all(nginx->ca)), *other = strdup(read_all(nginx->other));
    const char *url = nginx_tls_url(nginx, "/ok");
    life_open(life, NULL);
    if (!takes_authorities_from_memory()) {
        ask(life, &STOOK_REQUEST(url, .ca_data = ca), STOOK_EUNSUPPORTED);
        free(ca);
        free(other);
        return;
    }
    CHECK_STR(ask(life, &STOOK_REQUEST(url, .ca_data = ca), 0), "ok");
    ask(life, &STOOK_REQUEST(url, .ca_data = other), STOOK_ECERT);
    ask(life, &STOOK_REQUEST(url), STOOK_ECERT);
    ask(life, &STOOK_REQUEST(url, .ca_data = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"), STOOK_ECERT);
    life_close(life);
    life_open(life, &STOOK_CLIENT(.ca_data = ca));
    for (int i = 0; i < 3; i++)
        CHECK_STR(ask(life, &STOOK_REQUEST(url), 0), "ok");
    ask(life, &STOOK_REQUEST(url, .ca_data = other), STOOK_ECERT);
    ask(life, &STOOK_REQUEST(url, .ca_file = nginx->other), STOOK_ECERT);
    life_close(life);
    life_open(life, &STOOK_CLIENT(.ca_file = nginx->other));
    CHECK_STR(ask(life, &STOOK_REQUEST(url, .ca_data = ca), 0), "ok");
    free(ca);
    free(other);
}

static const char *who_url(const struct nginx *nginx)
{
    return text("https://127.0.0.4:%d/", nginx->tls_port);
}

/* Who we are belongs to a connection: nobody uses one that was made as somebody else. */
TEST_BOTH(client_certificates, nginx)
{
    struct nginx *nginx = nginx_start();
    nginx_make_client(nginx, "alice");
    nginx_make_client(nginx, "bob");
    const char *url = who_url(nginx);
    life_open(life, &STOOK_CLIENT(.ca_file = nginx->ca));
    for (int i = 0; i < 2; i++) {
        CHECK_STR(ask(life, &STOOK_REQUEST(url), 0), "NONE:");
        CHECK_STR(ask(life, &STOOK_REQUEST(url, .client_cert = nginx_file(nginx, "alice.pem"),
                                           .client_key = nginx_file(nginx, "alice.key")), 0), "SUCCESS:CN=alice");
        CHECK_STR(ask(life, &STOOK_REQUEST(url, .client_cert = nginx_file(nginx, "bob.pem"),
                                           .client_key = nginx_file(nginx, "bob.key")), 0), "SUCCESS:CN=bob");
    }
    life_close(life);
    life_open(life, &STOOK_CLIENT(.ca_file = nginx->ca, .client_cert = nginx_file(nginx, "alice.pem"),
                                  .client_key = nginx_file(nginx, "alice.key")));
    CHECK_STR(ask(life, &STOOK_REQUEST(url), 0), "SUCCESS:CN=alice");
    CHECK_STR(ask(life, &STOOK_REQUEST(url), 0), "SUCCESS:CN=alice");
    CHECK_STR(ask(life, &STOOK_REQUEST(url, .client_cert = nginx_file(nginx, "bob.pem"),
                                       .client_key = nginx_file(nginx, "bob.key")), 0), "SUCCESS:CN=bob");
}

/* What is wrong with them is an error that never names the password, and nobody is asked for one. */
TEST_BOTH(client_certificates_that_fail, nginx)
{
    struct nginx *nginx = nginx_start();
    nginx_make_client(nginx, "alice");
    nginx_make_client(nginx, "bob");
    const char *log = text("%s", nginx_file(nginx, "openssl.log"));
    process_run((const char *const[]){"openssl", "ec", "-aes128", "-passout", "pass:open sesame", "-in",
                                      nginx_file(nginx, "alice.key"), "-out", nginx_file(nginx, "locked.key"), NULL}, log);
    const char *url = who_url(nginx), *cert = nginx_file(nginx, "alice.pem"), *key = nginx_file(nginx, "locked.key");
    life_open(life, &STOOK_CLIENT(.ca_file = nginx->ca));
    ask(life, &STOOK_REQUEST(url, .client_cert = cert, .client_key = key), STOOK_ECERT);
    ask(life, &STOOK_REQUEST(url, .client_cert = cert, .client_key = key, .key_password = "not open sesame"), STOOK_ECERT);
    ask(life, &STOOK_REQUEST(url, .client_cert = "/nonexistent.pem"), STOOK_EFILE);
    ask(life, &STOOK_REQUEST(url, .client_cert = cert), STOOK_ECERT); /* has no key in it */
    ask(life, &STOOK_REQUEST(url, .client_cert = cert, .client_key = nginx_file(nginx, "bob.key")), STOOK_ECERT);
    CHECK_STR(ask(life, &STOOK_REQUEST(url, .client_cert = cert, .client_key = key, .key_password = "open sesame"), 0),
              "SUCCESS:CN=alice");
}

static const char *pin_of(const struct nginx *nginx, const char *name)
{
    const char *pin = nginx_file(nginx, "pin");
    process_run((const char *const[]){"sh", "-c",
                                      text("openssl pkey -in %s -pubout -outform der | openssl dgst -sha256 -binary | "
                                           "openssl base64 -out %s", nginx_file(nginx, name), pin), NULL},
                nginx_file(nginx, "openssl.log"));
    char *digits = read_all(pin);
    digits[strcspn(digits, "\n")] = '\0';
    return text("sha256//%s", digits);
}

TEST_BOTH(pinned_keys, nginx)
{
    struct nginx *nginx = nginx_start();
    nginx_make_client(nginx, "other");
    const char *url = nginx_tls_url(nginx, "/ok"), *right = pin_of(nginx, "leaf.key"), *wrong = pin_of(nginx, "other.key");
    process_run((const char *const[]){"openssl", "pkey", "-in", nginx_file(nginx, "leaf.key"), "-pubout", "-out",
                                      nginx_file(nginx, "leaf.pub"), NULL}, nginx_file(nginx, "openssl.log"));
    life_open(life, &STOOK_CLIENT(.ca_file = nginx->ca));
    CHECK_STR(ask(life, &STOOK_REQUEST(url), 0), "ok");
    ask(life, &STOOK_REQUEST(url, .pinned_key = wrong), STOOK_ECERT); /* not by the connection that is there */
    CHECK_STR(ask(life, &STOOK_REQUEST(url, .pinned_key = right), 0), "ok");
    CHECK_STR(ask(life, &STOOK_REQUEST(url, .pinned_key = text("%s;%s", wrong, right)), 0), "ok");
    CHECK_STR(ask(life, &STOOK_REQUEST(url, .pinned_key = nginx_file(nginx, "leaf.pub")), 0), "ok");
    ask(life, &STOOK_REQUEST(url, .pinned_key = "/nonexistent.pub"), STOOK_EFILE);
    life_close(life);
    /* The client's cannot be loosened by a request. */
    life_open(life, &STOOK_CLIENT(.ca_file = nginx->ca, .pinned_key = wrong));
    ask(life, &STOOK_REQUEST(url), STOOK_ECERT);
    stook_batch *batch = life_batch(life);
    ADD(batch, url, .pinned_key = right);
    ADD(batch, url, .pinned_key = wrong);
    CHECK_EQ_INT(life_gather_ordered(life, batch, NULL), 2);
    CHECK_STR(stook_result_message(stook_batch_result(batch, 0)), "refused by policy: pinned_key is not the client's");
    CHECK_ERROR(stook_result_error(stook_batch_result(batch, 1)), STOOK_ECERT);
    stook_batch_free(batch);
}

/* The URL says what is asked of whom, the path only where to connect. */
TEST_BOTH(unix_sockets, nginx)
{
    struct nginx *nginx = nginx_start();
    const char *path = nginx_file(nginx, "nginx.sock");
    life_open(life, &STOOK_CLIENT(.connect_timeout_ms = 5000));
    for (int i = 0; i < 3; i++) {
        CHECK_STR(ask(life, &STOOK_REQUEST("http://nowhere.invalid/host", .unix_socket = path), 0), "nowhere.invalid");
        CHECK_STR(ask(life, &STOOK_REQUEST("http://elsewhere.invalid/host", .unix_socket = path), 0), "elsewhere.invalid");
    }
    /* Neither takes the connection of the other. */
    const char *url = nginx_url(nginx, "/host");
    CHECK_CONTAINS(ask(life, &STOOK_REQUEST(url), 0), "127.0.0.1");
    ask(life, &STOOK_REQUEST(url, .unix_socket = nginx_file(nginx, "nothing.sock")), STOOK_ECONNECT);
    ask(life, &STOOK_REQUEST("http://nowhere.invalid/host"), STOOK_EDNS);
}

/* Many over one socket, with bodies; dead connections among them are not mistaken. */
TEST_BOTH(unix_sockets_in_numbers, nginx)
{
    struct nginx *nginx = nginx_start();
    char *path = strdup(nginx_file(nginx, "nginx.sock"));
    life_open(life, NULL);
    for (int round = 0; round < 3; round++) {
        stook_batch *batch = life_batch(life);
        for (int i = 0; i < 60; i++)
            ADD(batch, text("http://service/%s", i % 3 == 0 ? "brief" : "ok"), .unix_socket = path);
        CHECK_EQ_INT(life_gather(life, batch, &STOOK_GATHER(.limit = 20)), 0);
        stook_batch_free(batch);
    }
    free(path);
}

/* A name without a name server; the certificate is that of the name. */
TEST_BOTH(resolved, nginx)
{
    struct nginx *nginx = nginx_start();
    const char *entry = text("Service.Example:%d:127.0.0.1", nginx->tls_port);
    const char *const list[] = {"unrelated.example:80:192.0.2.1", entry, NULL};
    const char *url = text("https://service.example:%d/host", nginx->tls_port);
    const char *host = text("service.example:%d", nginx->tls_port);
    life_open(life, &STOOK_CLIENT(.ca_file = nginx->ca));
    CHECK_STR(ask(life, &STOOK_REQUEST(url, .resolve = list), 0), host);
    CHECK_STR(ask(life, &STOOK_REQUEST(url, .resolve = list, .http_version = STOOK_HTTP_2), 0), host);
    ask(life, &STOOK_REQUEST(url), STOOK_EDNS); /* it is known to nobody else */
    life_close(life);

    life_open(life, &STOOK_CLIENT(.ca_file = nginx->ca, .resolve = list));
    for (int i = 0; i < 3; i++)
        CHECK_STR(ask(life, &STOOK_REQUEST(url), 0), host);
    /* The request's are asked first: 127.0.0.4 is another server. */
    const char *const nearer[] = {text("service.example:%d:127.0.0.4", nginx->tls_port), NULL};
    CHECK_STR(ask(life, &STOOK_REQUEST(url, .resolve = nearer), 0), "NONE:");
    CHECK_STR(ask(life, &STOOK_REQUEST(url), 0), host);
    /* A number may be somewhere else too, an IPv6 address in brackets or not. */
    const char *const numbers[] = {"[2001:db8::1]:80:[::2]", text("[2001:db8::1]:%d:127.0.0.1", nginx->port), NULL};
    CHECK_STR(ask(life, &STOOK_REQUEST(text("http://[2001:db8::1]:%d/ok", nginx->port), .resolve = numbers), 0), "ok");
}

/* HTTP/3 is asked for where there is one, and missed aloud where there is none. */
TEST_BOTH(http_3, nginx)
{
    struct nginx *nginx = nginx_start();
    int has_3 = (curl_version_info(CURLVERSION_NOW)->features & CURL_VERSION_HTTP3) != 0;
    life_open(life, &STOOK_CLIENT(.ca_file = nginx->ca));
    const char *url = nginx_tls_url(nginx, "/ok");
    stook_batch *batch = life_batch(life);
    ADD(batch, url, .http_version = STOOK_HTTP_3);
    ADD(batch, url);
    life_gather_ordered(life, batch, NULL);
    const stook_result *result = stook_batch_result(batch, 0);
    if (has_3) {
        CHECK_STR(stook_result_body(result, NULL), "ok"); /* nginx speaks none: HTTP/2 then */
    } else {
        CHECK_ERROR(stook_result_error(result), STOOK_EUNSUPPORTED);
        CHECK_CONTAINS(stook_result_message(result), "HTTP/3");
        CHECK_EQ_INT(stook_result_attempts(result), 0);
    }
    CHECK_EQ_INT(stook_result_ok(stook_batch_result(batch, 1)), 1);
    stook_batch_free(batch);
}
