/* SPDX-License-Identifier: MIT */
/* on_easy; see easy_hook.h and stook/curl.h. */
#include "http/easy_hook.h"

#include <stdint.h>

/* What we leave at libcurl's default, because a pooled handle has it. A libcurl without one of them
   refuses it, which is as good. */
static void set_back(CURL *curl)
{
    static const CURLoption zeros[] = {
        CURLOPT_PORT,
        CURLOPT_PROXYTYPE,
        CURLOPT_NOBODY,
        CURLOPT_UPLOAD,
        CURLOPT_FOLLOWLOCATION,
        CURLOPT_CONNECT_ONLY,
        CURLOPT_HEADER,
        CURLOPT_FAILONERROR,
        CURLOPT_TRANSFER_ENCODING,
        CURLOPT_HTTP09_ALLOWED,
        CURLOPT_IGNORE_CONTENT_LENGTH,
        CURLOPT_TIMECONDITION,
        CURLOPT_TIMEOUT_MS,
        CURLOPT_CONNECTTIMEOUT_MS,
        CURLOPT_LOW_SPEED_LIMIT,
        CURLOPT_LOW_SPEED_TIME,
        CURLOPT_FRESH_CONNECT,
        CURLOPT_FORBID_REUSE,
        CURLOPT_HTTPPROXYTUNNEL,
        CURLOPT_HAPROXYPROTOCOL,
        CURLOPT_PIPEWAIT,
        CURLOPT_KEEP_SENDING_ON_ERROR,
    };
    static const CURLoption texts[] = {
        CURLOPT_CUSTOMREQUEST,
        CURLOPT_POSTFIELDS,
        CURLOPT_MIMEPOST,
        CURLOPT_REQUEST_TARGET,
        CURLOPT_RANGE,
        CURLOPT_ACCEPT_ENCODING,
        CURLOPT_COOKIE,
        CURLOPT_REFERER,
        CURLOPT_USERAGENT,
        CURLOPT_RESOLVE,
        CURLOPT_CONNECT_TO,
        CURLOPT_DOH_URL,
        CURLOPT_UNIX_SOCKET_PATH,
        CURLOPT_ABSTRACT_UNIX_SOCKET,
        CURLOPT_PRE_PROXY,
        CURLOPT_READFUNCTION,
        CURLOPT_SEEKFUNCTION,
        CURLOPT_TRAILERFUNCTION,
    };
    for (size_t i = 0; i < sizeof zeros / sizeof *zeros; i++)
        curl_easy_setopt(curl, zeros[i], 0L);
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        curl_easy_setopt(curl, texts[i], NULL);
    curl_easy_setopt(curl, CURLOPT_MAXFILESIZE_LARGE, (curl_off_t)0);
    curl_easy_setopt(curl, CURLOPT_RESUME_FROM_LARGE, (curl_off_t)0);
    curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)-1);
    curl_easy_setopt(curl, CURLOPT_HEADEROPT, (long)CURLHEADER_SEPARATE);
    curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 1L);
    curl_easy_setopt(curl, CURLOPT_HTTPGET, 1L);
}

int stook__easy_hook(struct stook__attempt *attempt, struct stook__outcome *ret_outcome)
{
    const struct stook__defaults *defaults = attempt->defaults;
    CURL *curl = stook__easy_curl(attempt->easy);
    if (defaults->call_easy == NULL)
        return 0;
    if (defaults->call_easy(defaults->client, attempt->owner, curl, attempt->spec->url) != 0) {
        stook__outcome_set(attempt->allocator, ret_outcome, STOOK_ECALLBACK,
                           "on_easy refused the request");
        return STOOK_ECALLBACK;
    }
    set_back(curl);
    return 0;
}
