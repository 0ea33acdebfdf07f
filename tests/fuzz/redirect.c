/* SPDX-License-Identifier: MIT */
/*
 * Redirects: the input is a base URL among a few, a status, what the request has, and a Location.
 *
 *   the next URL is one that a request may have, without a user name, and parsed and written again the same
 *   https never becomes http
 *   a Location without an authority stays with its origin
 *   to another origin no secret goes along, and a later hop back does not bring it back
 *   an error leaves the request as it was, and says why
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <curl/curl.h>
#include <stook.h>

#include "fuzz.h"
#include "http/redirect.h"
#include "request/url.h"
#include "util/metadata.h"

static const char *const bases[] = {"http://a.test/x/y?q", "https://a.test:8443/", "http://127.0.0.1:81/a%20b#there",
                                    "https://[::1]/", "http://A.test:80"};
static const int statuses[] = {301, 302, 303, 307, 308};
static const char fields[] = "POST\0Authorization: s3cret\0X-Key: s3cret\0Accept: x\0Content-Type: y\0";

static int is_same_origin(const char *a, const char *b)
{
    char one[STOOK__ORIGIN_KEY_MAX], two[STOOK__ORIGIN_KEY_MAX];
    size_t unused, size = stook__origin_key(a, one, &unused);
    return size > 0 && size == stook__origin_key(b, two, &unused) && memcmp(one, two, size) == 0;
}

static void check_url(const char *text)
{
    const char *why = NULL;
    char scheme[STOOK__SCHEME_MAX], *again = NULL;
    CURLU *url = curl_url();
    CHECK_ERROR(stook__url_parse(url, text, &why, scheme), 0);
    CHECK_EQ_INT(curl_url_get(url, CURLUPART_USER, &again, 0), CURLUE_NO_USER);
    CHECK_EQ_INT(curl_url_get(url, CURLUPART_URL, &again, 0), CURLUE_OK);
    /* A host may be written in either case, and a path may be missing. */
    if (strncasecmp(again, text, strlen(text)) != 0)
        FAIL("\"%s\" is written \"%s\"", text, again);
    curl_free(again);
    curl_url_cleanup(url);
}

static int has_secret(const struct stook__spec *spec)
{
    for (const char *field = stook__spec_headers(spec); *field != '\0'; field += strlen(field) + 1)
        if (strstr(field, "s3cret") != NULL)
            return 1;
    return 0;
}

/* One hop. Returns 0 if the redirect is not followed. */
static int follow(struct stook__allocator *allocator, struct stook__spec *spec, const struct stook__settings *settings,
                  const char *location, int status)
{
    struct stook__answer answer = {.status = (uint16_t)status};
    struct stook__metadata metadata = {.remote = ""};
    char why[STOOK__REDIRECT_WHY_MAX], before[4096];
    snprintf(before, sizeof before, "%s", spec->url);
    int had_secret = has_secret(spec);
    size_t count = spec->optional != NULL && spec->optional->hops != NULL ? spec->optional->hops->count : 0;
    CHECK_EQ_INT(stook__buffer_append(&answer.head, allocator, "Location", 9), 0);
    CHECK_EQ_INT(stook__buffer_append(&answer.head, allocator, location, strlen(location) + 1), 0);
    CHECK_EQ_INT(stook__metadata_put(&answer.head, allocator, &metadata), 0);
    int error = stook__redirect_follow(allocator, spec, settings, settings, &answer, why);
    stook__answer_free(&answer, allocator);
    if (error != 0) {
        CHECK(error == STOOK_EREDIRECT || error == STOOK_EPOLICY);
        CHECK(why[0] != '\0' && memchr(why, '\0', sizeof why) != NULL);
        CHECK(strncmp(spec->url, before, sizeof before - 1) == 0);
        CHECK_EQ_INT(has_secret(spec), had_secret);
        return 0;
    }
    test_note("%s to %s: %s", before, location, spec->url);
    check_url(spec->url);
    CHECK(strncasecmp(before, "https:", 6) != 0 || strncasecmp(spec->url, "https:", 6) == 0);
    CHECK_EQ_SIZE(spec->optional->hops->count, count + 1);
    int same = is_same_origin(before, spec->url);
    CHECK_EQ_INT(has_secret(spec), had_secret && same);
    if (location[0] == '/' && location[1] != '/' && location[1] != '\\')
        CHECK(same);
    if (location[0] == '?' || location[0] == '#')
        CHECK(same);
    return 1;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input input = {data, size};
    struct stook__allocator *allocator = stook__allocator_new(NULL);
    struct stook__settings settings = {.max_redirects = 3};
    const char *base = bases[fuzz_below(&input, sizeof bases / sizeof *bases)];
    struct stook__spec spec = {.url = base, .method_headers = fields};
    for (int hop = 0; hop < 4; hop++) {
        int status = statuses[fuzz_below(&input, 5)];
        const char *location = fuzz_text(&input, 2000);
        location += strspn(location, " \t"); /* as the reader gives it */
        if (*location == '\0' || !follow(allocator, &spec, &settings, location, status))
            break;
        if (spec.optional->hops->count > 3)
            FAIL("%zu hops", spec.optional->hops->count);
        /* And back, from another origin. */
        if (!is_same_origin(base, spec.url) && follow(allocator, &spec, &settings, base, 307))
            CHECK(!has_secret(&spec));
    }
    if (spec.optional != NULL)
        stook__hops_free(spec.optional->hops, allocator);
    stook__free(allocator, spec.optional);
    stook__allocator_unref(allocator);
    fuzz_texts_free();
    return 0;
}
