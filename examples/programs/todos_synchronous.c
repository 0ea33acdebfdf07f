/* SPDX-License-Identifier: MIT */
/*
 * libcurl's easy interface alone, one request after the other. One handle, and with it one
 * connection, serves all requests.
 */
#include "todos.h"

#include <curl/curl.h>
#include <stdlib.h>
#include <string.h>

struct body {
    char *bytes; /* a string, once there is one */
    size_t size;
};

static size_t on_body(char *bytes, size_t one, size_t size, void *user)
{
    struct body *body = user;
    char *grown = realloc(body->bytes, body->size + size + 1);
    if (grown == NULL)
        return 0; /* libcurl takes that as a failure */
    body->bytes = grown;
    memcpy(body->bytes + body->size, bytes, size);
    body->size += size;
    body->bytes[body->size] = '\0';
    return size * one;
}

/* The HTTP status, or a STOOK_E value where there was no complete answer, so that all variants
   speak one language. The body is the caller's to free. */
static int get(CURL *easy, const char *url, struct body *ret_body)
{
    long status = 0;
    *ret_body = (struct body){NULL, 0};
    curl_easy_setopt(easy, CURLOPT_URL, url);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, ret_body);
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    CURLcode code = curl_easy_perform(easy);
    if (code != CURLE_OK)
        return code == CURLE_OPERATION_TIMEDOUT ? STOOK_ETIMEOUT_ATTEMPT : STOOK_ECONNECT;
    curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
    return (int)status;
}

bool todos_synchronous(struct todos_run *run)
{
    CURL *easy = curl_easy_init();
    if (easy == NULL)
        return false;
    curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)run->plan->attempt_timeout_ms);
    for (int64_t id = 1; id <= run->plan->count; id++) {
        char url[TODOS_URL_MAX];
        struct body body;
        todos_url(run->plan, id, url);
        int answer = get(easy, url, &body);
        todos_take(run, answer, body.bytes != NULL ? body.bytes : "");
        free(body.bytes);
    }
    curl_easy_cleanup(easy);
    return true;
}

int64_t todos_most_in_flight(const char *base_url)
{
    static const char key[] = "\"most_in_flight\":";
    char url[TODOS_URL_MAX];
    struct body body;
    int64_t most = -1;
    CURL *easy = curl_easy_init();
    if (easy == NULL)
        return -1;
    snprintf(url, sizeof url, "%s/stats?reset=1", base_url);
    int answer = get(easy, url, &body);
    const char *found = body.bytes != NULL ? strstr(body.bytes, key) : NULL;
    if (answer == 200 && found != NULL)
        most = strtoll(found + sizeof key - 1, NULL, 10);
    free(body.bytes);
    curl_easy_cleanup(easy);
    return most;
}
