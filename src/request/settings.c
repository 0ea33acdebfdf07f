/* SPDX-License-Identifier: MIT */
/* Settings of a client and of a request, checked and given their defaults; see settings.h. */
#include "request/settings.h"

#include "request/validate.h"

static const int64_t MS_MAX = (int64_t)1 << 53;
static const int64_t COST_MAX = INT64_C(1000000000000);
enum { RATIO_MAX = 1000000, REDIRECTS_MAX = 50, RETRIES_MAX = 50 };

int stook__settings_from(const struct stook_client_options *options,
                         struct stook__settings *ret_settings)
{
    struct stook__settings settings = {
        .ca_file = options->ca_file, .user_agent = "stook/" STOOK_VERSION, .cost = 1};
    const struct {
        int64_t value, inherited, max, *ret_value;
        int none;
    } numbers[] = {
        {options->queue_timeout_ms, STOOK_NONE, MS_MAX, &settings.queue_ms, 1},
        {options->attempt_timeout_ms, 30000, MS_MAX, &settings.attempt_ms, 1},
        {options->connect_timeout_ms, 10000, MS_MAX, &settings.connect_ms, 1},
        {options->timeout_ms, 120000, MS_MAX, &settings.total_ms, 1},
        {options->stall_timeout_ms, 30000, MS_MAX, &settings.stall_ms, 1},
        {options->max_body_bytes, 64 << 20, INT64_MAX, &settings.max_body_bytes, 1},
        {options->max_header_bytes, 65536, 16 << 20, &settings.max_header_bytes, 0},
        {options->max_header_count, 256, 100000, &settings.max_header_count, 0},
        {options->http_version, STOOK_HTTP_DEFAULT, STOOK_HTTP_3, &settings.http_version, 0},
        {options->decompress, 0, 1, &settings.decompress, 1},
        {options->strict, 0, 1, &settings.strict, 0},
        {options->max_decompress_ratio, 1000, RATIO_MAX, &settings.max_decompress_ratio, 1},
        {options->max_redirects, STOOK_NONE, REDIRECTS_MAX, &settings.max_redirects, 1},
        {options->cookies, STOOK_NONE, 1, &settings.cookies, 1},
        {options->public_only, STOOK_NONE, 1, &settings.public_only, 1},
        {options->max_retries, 0, RETRIES_MAX, &settings.max_retries, 1},
        {options->direct, 1, 1, &settings.direct, 1},
    };
    if (options->user_agent != NULL)
        settings.user_agent = *options->user_agent != '\0' ? options->user_agent : NULL;
    if (settings.user_agent != NULL && stook__validate_control(settings.user_agent))
        return STOOK_EARG;
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        if (stook__validate_number(numbers[i].value, numbers[i].inherited, numbers[i].none,
                                   numbers[i].max, numbers[i].ret_value) != 0)
            return STOOK_EARG;
    settings.unset = (options->attempt_timeout_ms == 0 ? STOOK__UNSET_ATTEMPT : 0) |
                     (options->timeout_ms == 0 ? STOOK__UNSET_TOTAL : 0) |
                     (options->max_body_bytes == 0 ? STOOK__UNSET_BODY_MAX : 0);
    *ret_settings = settings;
    return 0;
}

int stook__settings_streams_response(const struct stook_request *request)
{
    return request->on_body != NULL || request->output_file != NULL;
}

/* 1: the body of the request or of the response streams, so no timeout of an attempt or of the
   whole request applies by default. */
static int streams(const struct stook_request *request)
{
    return stook__settings_streams_response(request) || request->body_file != NULL ||
           request->parts != NULL || request->body_read != NULL;
}

/* A body that streams may take any time and have any length, unless the program sets a limit. The
   stall timeout still applies. */
static void relax(struct stook__settings *settings, const struct stook_request *request)
{
    if ((settings->unset & STOOK__UNSET_ATTEMPT) && request->attempt_timeout_ms == 0)
        settings->attempt_ms = STOOK_NONE;
    if ((settings->unset & STOOK__UNSET_TOTAL) && request->timeout_ms == 0)
        settings->total_ms = STOOK_NONE;
    if ((settings->unset & STOOK__UNSET_BODY_MAX) && request->max_body_bytes == 0 &&
        stook__settings_streams_response(request))
        settings->max_body_bytes = STOOK_NONE;
}

int stook__settings_merge(const struct stook__settings *client, const struct stook_request *request,
                          struct stook__settings *ret_settings, const char **ret_why)
{
    struct stook__settings settings = *client;
    int64_t unused;
    const struct {
        int64_t value, inherited, max, *ret_value;
        int none;
        const char *why;
    } numbers[] = {
        {request->queue_timeout_ms, client->queue_ms, MS_MAX, &settings.queue_ms, 1,
         "queue_timeout_ms is not 0, STOOK_NONE or a number up to 2^53"},
        {request->attempt_timeout_ms, client->attempt_ms, MS_MAX, &settings.attempt_ms, 1,
         "attempt_timeout_ms is not 0, STOOK_NONE or a number up to 2^53"},
        {request->connect_timeout_ms, client->connect_ms, MS_MAX, &settings.connect_ms, 1,
         "connect_timeout_ms is not 0, STOOK_NONE or a number up to 2^53"},
        {request->timeout_ms, client->total_ms, MS_MAX, &settings.total_ms, 1,
         "timeout_ms is not 0, STOOK_NONE or a number up to 2^53"},
        {request->stall_timeout_ms, client->stall_ms, MS_MAX, &settings.stall_ms, 1,
         "stall_timeout_ms is not 0, STOOK_NONE or a number up to 2^53"},
        {request->max_body_bytes, client->max_body_bytes, INT64_MAX, &settings.max_body_bytes, 1,
         "max_body_bytes is not 0, STOOK_NONE or a positive number"},
        {request->http_version, client->http_version, STOOK_HTTP_3, &settings.http_version, 0,
         "http_version is not 0, STOOK_HTTP_1_1, STOOK_HTTP_2 or STOOK_HTTP_3"},
        {request->decompress, client->decompress, 1, &settings.decompress, 1,
         "decompress is not 0, 1 or STOOK_NONE"},
        {request->resume, 0, 1, &unused, 0, "resume is not 0 or 1"},
        {request->output_sync, 0, 1, &unused, 0, "output_sync is not 0 or 1"},
        {request->strict, client->strict, 1, &settings.strict, 0, "strict is not 0 or 1"},
        {request->max_decompress_ratio, client->max_decompress_ratio, RATIO_MAX,
         &settings.max_decompress_ratio, 1,
         "max_decompress_ratio is not 0, STOOK_NONE or a number up to 1000000"},
        {request->max_redirects, client->max_redirects, REDIRECTS_MAX, &settings.max_redirects, 1,
         "max_redirects is not 0, STOOK_NONE or a number up to 50"},
        {request->cookies, client->cookies, 1, &settings.cookies, 1,
         "cookies is not 0, 1 or STOOK_NONE"},
        {request->public_only, client->public_only, 1, &settings.public_only, 1,
         "public_only is not 0, 1 or STOOK_NONE"},
        {request->max_retries, client->max_retries, RETRIES_MAX, &settings.max_retries, 1,
         "max_retries is not 0, STOOK_NONE or a number up to 50"},
        {request->idempotent, 0, 1, &settings.idempotent, 1,
         "idempotent is not 0, 1 or STOOK_NONE"},
        {request->delay_ms, 0, MS_MAX, &settings.delay_ms, 1,
         "delay_ms is not 0, STOOK_NONE or a number up to 2^53"},
        {request->coalesce, 0, 1, &settings.coalesce, 1, "coalesce is not 0, 1 or STOOK_NONE"},
        {request->hedge_after_ms == STOOK_AUTO ? 0 : request->hedge_after_ms, 0, MS_MAX,
         &settings.hedge_after_ms, 1,
         "hedge_after_ms is not 0, STOOK_NONE, STOOK_AUTO or a number up to 2^53"},
        {request->cost, 1, COST_MAX, &settings.cost, 1,
         "cost is not 0, STOOK_NONE or a number up to 10^12"},
        {request->expect, 0, 1, &unused, 0, "expect is not 0 or 1"},
        {request->auth, 0, STOOK_AUTH_DIGEST, &unused, 0,
         "auth is not 0, STOOK_AUTH_BASIC or STOOK_AUTH_DIGEST"},
    };
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        if (stook__validate_number(numbers[i].value, numbers[i].inherited, numbers[i].none,
                                   numbers[i].max, numbers[i].ret_value) != 0)
            return stook__validate_refuse(numbers[i].why, ret_why);
    int64_t *const off_is_0[] = {&settings.idempotent, &settings.delay_ms, &settings.coalesce,
                                 &settings.hedge_after_ms};
    for (size_t i = 0; i < sizeof off_is_0 / sizeof *off_is_0; i++)
        if (*off_is_0[i] == STOOK_NONE)
            *off_is_0[i] = 0;
    if (request->ca_file != NULL || request->ca_data != NULL)
        settings.ca_file = request->ca_file;
    /* Part of a body in a content coding cannot be decoded by itself. */
    if (request->resume == 1 && request->decompress == 0)
        settings.decompress = STOOK_NONE;
    if (request->idempotency_key != NULL)
        settings.idempotent = 1;
    if (request->hedge_after_ms == STOOK_AUTO)
        settings.hedge_after_ms = STOOK_AUTO;
    if (streams(request))
        relax(&settings, request);
    *ret_settings = settings;
    return 0;
}
