/* SPDX-License-Identifier: MIT */
/* A request mapped onto an easy handle. What is not set here has libcurl's default, looked at and found safe. */
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "transfer/fields.h"
#include "transfer/parts.h"
#include "transfer/url.h"

static int set_url(struct stook__attempt *attempt, struct stook__outcome *ret_outcome)
{
    const char *why = NULL;
    char scheme[16], text[80];
    attempt->url = curl_url();
    if (attempt->url == NULL)
        return STOOK_ENOMEM;
    int error = stook__url_parse(attempt->url, attempt->spec->url, &why, scheme);
    if (error == 0)
        return curl_easy_setopt(stook__slot_easy(attempt->slot), CURLOPT_CURLU, attempt->url) == CURLE_OK ? 0
                                                                                                      : STOOK_ENOMEM;
    if (scheme[0] != '\0') {
        snprintf(text, sizeof text, "the scheme is %s; %s", scheme, why);
        why = text;
    }
    stook__outcome_set(attempt->heap, ret_outcome, error, why);
    return error;
}

static int set_method(struct stook__attempt *attempt)
{
    CURL *easy = stook__slot_easy(attempt->slot);
    const struct stook__spec *spec = attempt->spec;
    const char *method = attempt->method;
    CURLcode code = CURLE_OK;
    /* HEAD has to be told as such, or libcurl waits for a body that never comes. */
    if (strcmp(method, "HEAD") == 0 && spec->body_size == 0)
        return curl_easy_setopt(easy, CURLOPT_NOBODY, 1L) == CURLE_OK ? 0 : STOOK_ENOMEM;
    if (spec->body_size > 0 || strcmp(method, "POST") == 0) {
        code = curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)spec->body_size);
        if (code == CURLE_OK)
            code = curl_easy_setopt(easy, CURLOPT_POSTFIELDS, spec->body != NULL ? spec->body : "");
    }
    int named = spec->body_size > 0 || strcmp(method, "POST") == 0 ? strcmp(method, "POST") == 0
                                                                     : strcmp(method, "GET") == 0;
    if (code == CURLE_OK && !named)
        code = curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, method);
    return code == CURLE_OK ? 0 : STOOK_ENOMEM;
}

static long http_version(int64_t wanted)
{
    const curl_version_info_data *info = curl_version_info(CURLVERSION_NOW);
    /* HTTP/2 of libcurl before 8.1 stalls and spins in several ways: only for those who ask. */
    if (wanted == STOOK_HTTP_DEFAULT)
        wanted = info->version_num >= 0x080100 ? STOOK_HTTP_2 : STOOK_HTTP_1_1;
    return wanted == STOOK_HTTP_2 ? CURL_HTTP_VERSION_2TLS : CURL_HTTP_VERSION_1_1;
}

static int set_policy(struct stook__attempt *attempt)
{
    CURL *easy = stook__slot_easy(attempt->slot);
    const struct stook__policy *policy = attempt->policy;
    CURLcode code = curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    /* An empty proxy: those of the environment are not asked. */
    if (code == CURLE_OK)
        code = curl_easy_setopt(easy, CURLOPT_PROXY, "");
    if (code == CURLE_OK && policy->user_agent != NULL)
        code = curl_easy_setopt(easy, CURLOPT_USERAGENT, policy->user_agent);
    if (code == CURLE_OK && policy->ca_file != NULL)
        code = curl_easy_setopt(easy, CURLOPT_CAINFO, policy->ca_file);
    /* A file of one's own means these authorities and no others. */
    if (code == CURLE_OK && policy->ca_file != NULL)
        code = curl_easy_setopt(easy, CURLOPT_CAPATH, NULL);
    curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, http_version(policy->http_version));
    /* libcurl shares its connect time out among the addresses of a name; the clock itself is sched's. */
    if (policy->connect_ms > 0)
        curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, policy->connect_ms < LONG_MAX / 1000 ? (long)policy->connect_ms
                                                                                               : LONG_MAX / 1000);
    return code == CURLE_OK ? 0 : STOOK_ENOMEM;
}

static int set_fields(struct stook__attempt *attempt, struct stook__outcome *ret_outcome)
{
    const char *why = NULL;
    int error = stook__method_check(attempt->method, &why);
    if (error == 0)
        error = stook__fields_list(attempt->spec, &attempt->headers, &why);
    if (error != 0) {
        stook__outcome_set(attempt->heap, ret_outcome, error, error != STOOK_ENOMEM ? why : NULL);
        return error;
    }
    curl_easy_setopt(stook__slot_easy(attempt->slot), CURLOPT_HTTPHEADER, attempt->headers);
    return 0;
}

int stook__options_set(struct stook__attempt *attempt, int fresh, struct stook__outcome *ret_outcome)
{
    int error = set_url(attempt, ret_outcome);
    if (error == 0)
        error = set_fields(attempt, ret_outcome);
    if (error == 0)
        error = set_method(attempt);
    if (error == 0)
        error = set_policy(attempt);
    if (fresh)
        curl_easy_setopt(stook__slot_easy(attempt->slot), CURLOPT_FRESH_CONNECT, 1L);
    return error;
}
