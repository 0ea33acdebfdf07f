/* SPDX-License-Identifier: MIT */
/*
 * URLs: what is accepted can be sent and means one thing. The input is a URL.
 *
 *   no part of an accepted one holds a control byte or a blank, nor a user name or password
 *   taken apart and put together, it is accepted again and is then the same
 *   its origin is that of libcurl's parts: scheme, host in lower case, port
 *   put in place part by part (stook__url_set_path), it is the same as parsed whole
 */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <curl/curl.h>
#include <stook.h>

#include "fuzz.h"
#include "request/url.h"

static char *part_of(CURLU *url, CURLUPart part, unsigned flags)
{
    char *text = NULL;
    CURLUcode code = curl_url_get(url, part, &text, flags);
    CHECK(code != CURLUE_OUT_OF_MEMORY);
    return code == CURLUE_OK ? text : NULL;
}

static void check_sendable(const char *text)
{
    for (const unsigned char *c = (const unsigned char *)text; *c != '\0'; c++)
        if (*c <= ' ' || *c == 0x7f)
            FAIL("a byte %d is in \"%s\"", *c, text);
}

static void check_origin(CURLU *url, const char *text)
{
    char key[STOOK__ORIGIN_KEY_MAX], expected[1024];
    size_t used, size = stook__origin_key(text, key, &used);
    char *scheme = part_of(url, CURLUPART_SCHEME, 0), *host = part_of(url, CURLUPART_HOST, 0);
    char *port = part_of(url, CURLUPART_PORT, CURLU_DEFAULT_PORT);
    CHECK(scheme != NULL && host != NULL && port != NULL && size > 0);
    /* libcurl decodes what is %-encoded in a host, and writes an IPv4 address anew: there the key is longer-winded. */
    if (strchr(text, '%') == NULL && isalpha((unsigned char)host[0])) {
        snprintf(expected, sizeof expected, "%s://%s:%s", scheme, host, port);
        for (char *c = expected; *c != '\0'; c++)
            *c = *c >= 'A' && *c <= 'Z' ? (char)(*c | 0x20) : *c;
        if (size != strlen(expected) || memcmp(key, expected, size) != 0)
            FAIL("\"%s\" has the origin \"%.*s\", not \"%s\"", text, (int)size, key, expected);
    }
    curl_free(scheme);
    curl_free(host);
    curl_free(port);
}

/* In the place of another of its origin. */
static void check_move(CURLU *url, const char *text)
{
    char key[STOOK__ORIGIN_KEY_MAX];
    size_t origin = 0;
    stook__origin_key(text, key, &origin);
    const char *why = NULL;
    char scheme[STOOK__SCHEME_MAX];
    CHECK(origin > 0 && origin <= strlen(text));
    char *other = malloc(origin + 8);
    CHECK(other != NULL);
    memcpy(other, text, origin);
    memcpy(other + origin, "/old?x", 7);
    CURLU *moved = curl_url();
    CHECK_ERROR(stook__url_parse(moved, other, &why, scheme), 0);
    if (stook__url_is_plain(text + origin)) {
        CHECK_EQ_INT(stook__url_set_path(moved, text + origin), 1);
        char *whole = part_of(url, CURLUPART_URL, 0), *same = part_of(moved, CURLUPART_URL, 0);
        CHECK_STR(same, whole);
        curl_free(whole);
        curl_free(same);
    }
    curl_url_cleanup(moved);
    free(other);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input input = {data, size};
    const char *text = fuzz_text(&input, 70000), *why = NULL;
    char scheme[STOOK__SCHEME_MAX], key[STOOK__ORIGIN_KEY_MAX];
    size_t used;
    CURLU *url = curl_url();
    int error = stook__url_parse(url, text, &why, scheme);
    CHECK(error == 0 || ((error == STOOK_EURL || error == STOOK_EPOLICY) && why != NULL && why[0] != '\0'));
    CHECK(memchr(scheme, '\0', sizeof scheme) != NULL);
    stook__origin_key(text, key, &used); /* asked at add, before it is known to be one */
    stook__url_is_plain(text + used);
    if (error == 0) {
        char *whole = part_of(url, CURLUPART_URL, 0), *user = part_of(url, CURLUPART_USER, 0);
        CHECK(whole != NULL && user == NULL);
        check_sendable(whole);
        check_origin(url, text);
        check_move(url, text);
        CURLU *again = curl_url();
        CHECK_ERROR(stook__url_parse(again, whole, &why, scheme), 0);
        char *same = part_of(again, CURLUPART_URL, 0);
        CHECK_STR(same, whole);
        curl_free(same);
        curl_free(whole);
        curl_url_cleanup(again);
    }
    curl_url_cleanup(url);
    fuzz_texts_free();
    return 0;
}
