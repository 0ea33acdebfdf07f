/* SPDX-License-Identifier: MIT */
/* Which way an attempt goes; see route.h. */
#include "http/route.h"

#include <stdio.h>
#include <string.h>

#include "http/easy_options.h"
#include "http/peer.h"
#include "http/request_head.h"
#include "request/url.h"

enum { HEAD_MAX = 48 << 10 }; /* a larger head does not fit into the block that it is written to */

/* Whether an origin's host can be sent in Host as its key has it: no zone of IPv6, and no byte that
   libcurl would convert for IDN. */
static int is_plain_host(const struct stook__node *origin)
{
    for (size_t i = 0; i < origin->key_size && origin->key[i] != ' '; i++)
        if ((unsigned char)origin->key[i] > 0x7e || origin->key[i] == '%')
            return 0;
    return origin->key_size > 0;
}

/* Bytes of the head, but for what every head has. */
static size_t head_size(const struct stook__attempt *attempt)
{
    size_t size = strlen(attempt->spec->url);
    for (const struct curl_slist *line = attempt->headers; line != NULL; line = line->next)
        size += strlen(line->data) + 2;
    return size;
}

/* Whether libcurl may have to speak HTTP/2 or HTTP/3: unless 1.1 is asked for, the first request of
   an origin tells. */
static int may_be_http_2(const struct stook__attempt *attempt)
{
    int h2 = stook__options_may_be_h2(attempt);
    struct stook__trust *trust = h2 != 0 ? stook__peer_trust(attempt) : NULL;
    return h2 != 0 && (trust == NULL || !stook__easy_speaks_http_1(trust, attempt->origin, h2));
}

static const char *resolve_of(const struct stook__settings *settings)
{
    return settings->peer != NULL ? settings->peer->resolve : NULL;
}

const char *stook__route_to_libcurl(const struct stook__attempt *attempt)
{
    const struct stook__settings *settings = attempt->settings, *own = attempt->defaults->settings;
    const struct stook__optional *optional = attempt->spec->optional;
    if (settings->direct != 1)
        return "the option `direct` is off";
    if (may_be_http_2(attempt))
        return "HTTP/2 may be agreed on";
    if (attempt->defaults->call_easy != NULL)
        return "on_easy sets options of a transfer";
    if (settings->cookies == 1)
        return "the cookies are libcurl's";
    if (stook__peer_is_relayed(attempt))
        return "the proxy gets the request itself";
    if (resolve_of(settings) != resolve_of(own))
        return "the request has addresses of its own";
    if (stook__spec_has_source(attempt->spec))
        return "the body does not come from memory";
    if (optional != NULL && optional->username != NULL)
        return "Digest is libcurl's";
    if (stook__spec_expects(attempt->spec))
        return "Expect is libcurl's";
    if (!is_plain_host(&attempt->origin->node))
        return "libcurl converts the host";
    if (attempt->spec->method_headers != NULL && head_size(attempt) > HEAD_MAX)
        return "the head is large";
    if (attempt->spec->method_headers == NULL && strlen(attempt->spec->url) > HEAD_MAX)
        return "the head is large";
    return NULL;
}

/* Sets the target of a URL whose path is not plain. */
static int make_target(struct stook__attempt *attempt, struct stook__outcome *ret_outcome)
{
    const char *why = NULL;
    char scheme[STOOK__SCHEME_MAX], *path = NULL, *query = NULL;
    CURLU *url = curl_url();
    int error =
        url == NULL ? STOOK_ENOMEM : stook__url_parse(url, attempt->spec->url, &why, scheme);
    if (error == 0 && curl_url_get(url, CURLUPART_PATH, &path, 0) != CURLUE_OK)
        error = STOOK_ENOMEM;
    if (error == 0) {
        (void)curl_url_get(url, CURLUPART_QUERY, &query, 0); /* there may be none */
        attempt->target = stook__format(attempt->allocator, "%s%s%s", path,
                                        query != NULL ? "?" : "", query != NULL ? query : "");
        error = attempt->target != NULL ? 0 : STOOK_ENOMEM;
    }
    curl_free(path);
    curl_free(query);
    curl_url_cleanup(url);
    if (error != 0 && error != STOOK_ENOMEM)
        stook__outcome_set(attempt->allocator, ret_outcome, error, why);
    return error;
}

int stook__route_choose(struct stook__attempt *attempt, struct stook__outcome *ret_outcome)
{
    attempt->direct = 0; /* a second start asks anew */
    attempt->direct = stook__route_to_libcurl(attempt) == NULL;
    if (!attempt->direct)
        return 0;
    attempt->response.rules.framed = 0;
    attempt->response.line_max = (size_t)attempt->settings->max_header_bytes;
    return attempt->plain_path != NULL || attempt->target != NULL
               ? 0
               : make_target(attempt, ret_outcome);
}
