/* SPDX-License-Identifier: MIT */
/* The URLs of a request that has mirrors; see mirrors.h. */
#include "request/mirrors.h"

#include <string.h>

#include <curl/curl.h>

#include "request/body.h"
#include "request/url.h"
#include "request/validate.h"

enum { MIRRORS_MAX = 50 };

static size_t count_of(const char *const *mirrors)
{
    size_t count = 0;
    while (mirrors != NULL && mirrors[count] != NULL)
        count++;
    return count;
}

/* Their URLs are checked now: a try with one comes late, and maybe never. */
static int validate_urls(const char *const *mirrors, const char **ret_why)
{
    char scheme[STOOK__SCHEME_MAX];
    const char *reason;
    CURLU *url = curl_url();
    int error = url != NULL ? 0 : STOOK_ENOMEM;
    for (; error == 0 && *mirrors != NULL; mirrors++)
        error = stook__url_parse(url, *mirrors, &reason, scheme);
    curl_url_cleanup(url);
    if (error == STOOK_EURL)
        *ret_why = "not a valid URL: one of mirrors";
    else if (error == STOOK_EPOLICY)
        *ret_why = "refused by policy: the URL of one of mirrors";
    else if (error == STOOK_ENOMEM)
        *ret_why = "out of memory";
    return error;
}

int stook__mirrors_validate(const struct stook_request *request, const char **ret_why)
{
    const char *why = NULL, *method = request->method;
    size_t count = count_of(request->mirrors);
    if (count == 0)
        return 0;
    if (count > MIRRORS_MAX)
        why = STOOK__ARG("mirrors has more than 50 URLs");
    else if (stook__body_is_given(request) ||
             (method != NULL && strcmp(method, "GET") != 0 && strcmp(method, "HEAD") != 0))
        why = STOOK__ARG("mirrors is for GET and HEAD without a body");
    else if (request->unix_socket != NULL)
        why = STOOK__ARG("mirrors and unix_socket are both given");
    return why != NULL ? stook__validate_refuse(why, ret_why)
                       : validate_urls(request->mirrors, ret_why);
}

struct stook__mirrors *stook__mirrors_pack(struct stook__pack *pack,
                                           const struct stook_request *request)
{
    size_t count = count_of(request->mirrors);
    if (count == 0)
        return NULL;
    struct stook__mirrors *mirrors = stook__pack_reserve(pack, sizeof *mirrors);
    const char *urls = pack->at;
    for (size_t i = 0; i < count; i++)
        stook__pack_text(pack, request->mirrors[i]);
    if (mirrors != NULL)
        *mirrors = (struct stook__mirrors){.urls = urls, .count = count + 1};
    return mirrors;
}

const char *stook__mirrors_url(const struct stook__mirrors *mirrors, size_t i)
{
    const char *url = i == 0 ? mirrors->url : mirrors->urls;
    while (i-- > 1)
        url += strlen(url) + 1;
    return url;
}
