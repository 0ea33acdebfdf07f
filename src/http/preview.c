/* SPDX-License-Identifier: MIT */
/* What a request would send; see preview.h. The checks are those of an attempt: a preview makes an
   attempt without an easy handle. */
#include "http/preview.h"

#include <string.h>

#include "http/attempt.h"
#include "http/easy_options.h"
#include "http/peer.h"
#include "origin/origin.h"
#include "request/url.h"

/* Appends a string with its NUL. */
static int put(const struct stook__attempt *attempt, struct stook__buffer *strings,
               const char *text)
{
    return stook__buffer_append(strings, attempt->allocator, text, strlen(text) + 1);
}

/* Bytes that are not ASCII are percent-encoded here: the parser of an attempt encodes them, but a
   program that passes the text to libcurl would not. */
static int put_url(const struct stook__attempt *attempt, CURLU *url, struct stook__buffer *strings)
{
    char *encoded = NULL, scheme[STOOK__SCHEME_MAX];
    const char *why, *text = attempt->spec->url;
    int error = stook__url_parse(url, text, &why, scheme);
    if (error == 0 && !stook__url_is_ascii(text) &&
        curl_url_get(url, CURLUPART_URL, &encoded, 0) != CURLUE_OK)
        error = STOOK_ENOMEM;
    if (error == 0)
        error = put(attempt, strings, encoded != NULL ? encoded : text);
    curl_free(encoded);
    return error;
}

static int put_all(const struct stook__attempt *attempt, CURLU *url, struct stook__buffer *strings)
{
    char target[STOOK__CONNECT_TO_MAX];
    const struct curl_slist *line =
        attempt->headers != NULL ? attempt->headers : attempt->defaults->headers;
    int error = put_url(attempt, url, strings);
    if (error == 0)
        error = put(attempt, strings, stook__peer_connect_to(attempt, url, target) ? target : "");
    if (error == 0)
        error = put(attempt, strings, attempt->proxy != NULL ? attempt->proxy : "");
    for (; error == 0 && line != NULL; line = line->next)
        error = put(attempt, strings, line->data);
    return error == 0 ? put(attempt, strings, "") : error;
}

int stook__preview(struct stook__defaults *defaults, const struct stook__spec *spec,
                   const struct stook__settings *settings, struct stook__buffer *ret_strings)
{
    char key[STOOK__ORIGIN_KEY_MAX];
    size_t written;
    struct stook__origin origin = {
        .node = {.key = key, .key_size = stook__origin_key(spec->url, key, &written)}};
    struct stook__outcome outcome = {0};
    struct stook__attempt attempt = {.allocator = defaults->allocator,
                                     .defaults = defaults,
                                     .spec = spec,
                                     .settings = settings,
                                     .origin = &origin,
                                     .method = stook__spec_effective_method(spec)};
    int secret = 0, error = stook__options_check(&attempt, &secret, &outcome);
    CURLU *url = curl_url();
    if (error == 0)
        error = url != NULL ? put_all(&attempt, url, ret_strings) : STOOK_ENOMEM;
    curl_url_cleanup(url);
    curl_slist_free_all(attempt.headers);
    if (outcome.message_owned)
        stook__free(attempt.allocator, (char *)outcome.message);
    return error;
}
