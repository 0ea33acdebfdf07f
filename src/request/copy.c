/* SPDX-License-Identifier: MIT */
/*
 * Options and requests, checked and copied. The body is a block of its own, because it is freed
 * when the request is finished, long before the rest.
 */
#include "request/copy.h"

#include <string.h>

#include "request/optional.h"
#include "request/validate.h"

static const int64_t MS_MAX = (int64_t)1 << 53;
enum { HEADERS_MAX = 65536, HEADER_FIELDS_MAX = 256 };

int stook__settings_from(const struct stook_client_options *options,
                         struct stook__settings *ret_policy)
{
    struct stook__settings policy = {.ca_file = options->ca_file,
                                     .user_agent = "stook/" STOOK_VERSION};
    if (options->user_agent != NULL)
        policy.user_agent = *options->user_agent != '\0' ? options->user_agent : NULL;
    if (policy.user_agent != NULL && stook__validate_control(policy.user_agent))
        return STOOK_EARG;
    if (stook__validate_number(options->queue_timeout_ms, STOOK_NONE, 1, MS_MAX,
                               &policy.queue_ms) != 0 ||
        stook__validate_number(options->attempt_timeout_ms, 30000, 1, MS_MAX, &policy.attempt_ms) !=
            0 ||
        stook__validate_number(options->connect_timeout_ms, 10000, 1, MS_MAX, &policy.connect_ms) !=
            0 ||
        stook__validate_number(options->timeout_ms, 120000, 1, MS_MAX, &policy.total_ms) != 0 ||
        stook__validate_number(options->stall_timeout_ms, 30000, 1, MS_MAX, &policy.stall_ms) !=
            0 ||
        stook__validate_number(options->max_body_bytes, 64 << 20, 1, INT64_MAX,
                               &policy.max_body_bytes) != 0 ||
        stook__validate_number(options->max_header_bytes, 65536, 0, 16 << 20,
                               &policy.max_header_bytes) != 0 ||
        stook__validate_number(options->max_header_count, 256, 0, 100000,
                               &policy.max_header_count) != 0 ||
        stook__validate_number(options->http_version, STOOK_HTTP_DEFAULT, 0, STOOK_HTTP_3,
                               &policy.http_version) != 0 ||
        stook__validate_number(options->decompress, 0, 1, 1, &policy.decompress) != 0 ||
        stook__validate_number(options->strict, 0, 0, 1, &policy.strict) != 0 ||
        stook__validate_number(options->max_decompress_ratio, 1000, 1, 1000000,
                               &policy.max_decompress_ratio) != 0)
        return STOOK_EARG;
    policy.unset = (options->attempt_timeout_ms == 0 ? STOOK__UNSET_ATTEMPT : 0) |
                   (options->timeout_ms == 0 ? STOOK__UNSET_TOTAL : 0) |
                   (options->max_body_bytes == 0 ? STOOK__UNSET_BODY_MAX : 0);
    *ret_policy = policy;
    return 0;
}

/* A stream takes as long as it takes, and is as long as it is. */
static void relax(struct stook__settings *policy, const struct stook_request *request)
{
    if ((policy->unset & STOOK__UNSET_ATTEMPT) && request->attempt_timeout_ms == 0)
        policy->attempt_ms = STOOK_NONE;
    if ((policy->unset & STOOK__UNSET_TOTAL) && request->timeout_ms == 0)
        policy->total_ms = STOOK_NONE;
    if ((policy->unset & STOOK__UNSET_BODY_MAX) && request->max_body_bytes == 0 &&
        stook__validate_receives(request))
        policy->max_body_bytes = STOOK_NONE;
}

/* The client's policy with what the request says instead. */
static int merge(const struct stook__settings *client, const struct stook_request *request,
                 struct stook__settings *ret_policy, const char **ret_why)
{
    struct stook__settings policy = *client;
    int64_t unused;
    const struct {
        int64_t value, inherited, max, *ret_value;
        int none;
        const char *why;
    } numbers[] = {
        {request->queue_timeout_ms, client->queue_ms, MS_MAX, &policy.queue_ms, 1,
         "queue_timeout_ms is not 0, STOOK_NONE or a number up to 2^53"},
        {request->attempt_timeout_ms, client->attempt_ms, MS_MAX, &policy.attempt_ms, 1,
         "attempt_timeout_ms is not 0, STOOK_NONE or a number up to 2^53"},
        {request->connect_timeout_ms, client->connect_ms, MS_MAX, &policy.connect_ms, 1,
         "connect_timeout_ms is not 0, STOOK_NONE or a number up to 2^53"},
        {request->timeout_ms, client->total_ms, MS_MAX, &policy.total_ms, 1,
         "timeout_ms is not 0, STOOK_NONE or a number up to 2^53"},
        {request->stall_timeout_ms, client->stall_ms, MS_MAX, &policy.stall_ms, 1,
         "stall_timeout_ms is not 0, STOOK_NONE or a number up to 2^53"},
        {request->max_body_bytes, client->max_body_bytes, INT64_MAX, &policy.max_body_bytes, 1,
         "max_body_bytes is not 0, STOOK_NONE or a positive number"},
        {request->http_version, client->http_version, STOOK_HTTP_3, &policy.http_version, 0,
         "http_version is not 0, STOOK_HTTP_1_1, STOOK_HTTP_2 or STOOK_HTTP_3"},
        {request->decompress, client->decompress, 1, &policy.decompress, 1,
         "decompress is not 0, 1 or STOOK_NONE"},
        {request->resume, 0, 1, &unused, 0, "resume is not 0 or 1"},
        {request->strict, client->strict, 1, &policy.strict, 0, "strict is not 0 or 1"},
        {request->max_decompress_ratio, client->max_decompress_ratio, 1000000,
         &policy.max_decompress_ratio, 1,
         "max_decompress_ratio is not 0, STOOK_NONE or a number up to 1000000"},
        {request->expect, 0, 1, &unused, 0, "expect is not 0 or 1"},
        {request->auth, 0, STOOK_AUTH_DIGEST, &unused, 0,
         "auth is not 0, STOOK_AUTH_BASIC or STOOK_AUTH_DIGEST"},
    };
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        if (stook__validate_number(numbers[i].value, numbers[i].inherited, numbers[i].none,
                                   numbers[i].max, numbers[i].ret_value) != 0) {
            *ret_why = numbers[i].why;
            return STOOK_EARG;
        }
    if (request->ca_file != NULL || request->ca_data != NULL)
        policy.ca_file = request->ca_file;
    if (request->resume == 1 && request->decompress == 0)
        policy.decompress = STOOK_NONE; /* the rest of an encoded body is nothing by itself */
    if (stook__validate_streams(request))
        relax(&policy, request);
    *ret_policy = policy;
    return 0;
}

static int same_policy(const struct stook__settings *a, const struct stook__settings *b)
{
    return memcmp(a, b, sizeof *a) == 0; /* members of eight bytes each: no padding */
}

/* Bytes of the header strings with their NULs; SIZE_MAX: more than is allowed. */
static size_t headers_size(const struct stook_request *request)
{
    const char *const *headers = request->headers;
    struct stook__pack fields = {NULL, 0};
    stook__optional_fields(&fields, request);
    size_t size = fields.size;
    for (size_t i = 0; headers != NULL && headers[i] != NULL; i++) {
        size_t length = strlen(headers[i]);
        if (i >= HEADER_FIELDS_MAX || length > HEADERS_MAX || size + length + 1 > HEADERS_MAX)
            return SIZE_MAX;
        size += length + 1;
    }
    return size;
}

static char *put(char **at, const char *text)
{
    size_t size = strlen(text) + 1;
    char *copy = memcpy(*at, text, size);
    *at += size;
    return copy;
}

static void put_headers(char **at, const struct stook_request *request, int all)
{
    const char *const *headers = all ? request->headers : NULL;
    for (size_t i = 0; headers != NULL && headers[i] != NULL; i++) {
        if (headers[i][0] == '\0')
            put(at, ":"); /* an empty string would end the list; this is refused by name */
        else
            put(at, headers[i]);
    }
    struct stook__pack fields = {*at, 0};
    if (all)
        stook__optional_fields(&fields, request);
    *at = fields.at;
    *(*at)++ = '\0';
}

/* The body that another member stands for. */
static int compose_body(struct stook__allocator *allocator, struct stook__copied *copied,
                        const struct stook_request *request)
{
    struct stook__pack pack = {NULL, 0};
    stook__optional_body(&pack, request);
    if (pack.size == 0)
        return 0;
    copied->spec.body = pack.at = stook__resize(allocator, NULL, pack.size);
    copied->spec.body_size = pack.size;
    if (pack.at == NULL)
        return STOOK_ENOMEM;
    stook__optional_body(&pack, request);
    return 0;
}

static int copy_body(struct stook__allocator *allocator, struct stook__copied *copied,
                     const struct stook_request *request, size_t size)
{
    if (request->body == NULL)
        return compose_body(allocator, copied, request);
    if (request->body_release != NULL) {
        copied->spec.body = (char *)request->body;
        copied->spec.body_size = size;
        return 0;
    }
    if (size == 0)
        return 0;
    copied->spec.body = stook__resize(allocator, NULL, size);
    if (copied->spec.body == NULL)
        return STOOK_ENOMEM;
    memcpy(copied->spec.body, request->body, size);
    copied->spec.body_size = size;
    return 0;
}

static int body_size(const struct stook_request *request, size_t *ret_size, const char **ret_why)
{
    *ret_size = 0;
    *ret_why = "body_size is out of range, or there is no body";
    if (request->body != NULL && request->body_size == STOOK_AUTO)
        *ret_size = strlen(request->body);
    else if (request->body != NULL && request->body_size == STOOK_NONE)
        *ret_size = 0;
    else if (request->body_size < 0 ||
             (request->body_size > 0 && request->body == NULL && request->body_read == NULL) ||
             (uint64_t)request->body_size > PTRDIFF_MAX)
        return STOOK_EARG;
    else
        *ret_size = (size_t)request->body_size;
    return 0;
}

/* What is wrong but is data, not misuse: it becomes the request's result. */
static void judge(struct stook__copied *copied, const struct stook__settings *client,
                  const struct stook__settings *policy, const struct stook_request *request,
                  size_t headers)
{
    int unbound = stook__validate_receives(request) && (client->unset & STOOK__UNSET_BODY_MAX);
    int64_t max = unbound ? STOOK_NONE : client->max_body_bytes;
    const char *why = NULL;
    int error = stook__optional_judge(client, request, &why);
    if (error != 0) {
        copied->error = error;
        copied->message = why;
    } else if (headers == SIZE_MAX) {
        copied->error = STOOK_EARG;
        copied->message = "invalid argument: the headers are more than 64 KiB or 256 fields";
    } else if (max >= 0 && (policy->max_body_bytes < 0 || policy->max_body_bytes > max)) {
        copied->error = STOOK_EPOLICY;
        copied->message = "refused by policy: max_body_bytes is above the client's";
    } else if (client->max_decompress_ratio >= 0 &&
               (policy->max_decompress_ratio < 0 ||
                policy->max_decompress_ratio > client->max_decompress_ratio)) {
        copied->error = STOOK_EPOLICY;
        copied->message = "refused by policy: max_decompress_ratio is above the client's";
    }
}

static int has_words(const struct stook_request *request, size_t headers)
{
    return request->method != NULL || (headers > 0 && headers != SIZE_MAX);
}

static void put_strings(struct stook__copied *copied, char *at, const struct stook_request *request,
                        size_t headers)
{
    copied->spec.url = put(&at, request->url);
    if (!has_words(request, headers))
        return;
    /* An empty method is one that is refused, not none. */
    copied->spec.method_headers = put(&at, request->method == NULL      ? ""
                                           : request->method[0] == '\0' ? " "
                                                                        : request->method);
    put_headers(&at, request, headers != SIZE_MAX);
}

/* Counts one byte more per header string: an empty one is copied as ":". */
static size_t strings_size(const struct stook_request *request, size_t headers)
{
    size_t size = strlen(request->url) + 1;
    if (!has_words(request, headers))
        return size;
    size += request->method != NULL && request->method[0] != '\0' ? strlen(request->method) + 2 : 3;
    return size + (headers != SIZE_MAX && headers > 0 ? headers + HEADER_FIELDS_MAX : 0);
}

/* One block: the caller's head, a policy of its own if it differs from the client's, the strings. */
static int make(struct stook__allocator *allocator, size_t head,
                const struct stook__settings *client, const struct stook_request *request,
                const struct stook__settings *policy, size_t headers, struct stook__copied *copied)
{
    int own_policy = policy != client && !same_policy(policy, client);
    size_t ca_size = own_policy && request->ca_file != NULL ? strlen(request->ca_file) + 1 : 0;
    size_t policy_size = own_policy ? sizeof *policy : 0;
    copied->block =
        stook__alloc(allocator, head + policy_size + ca_size + strings_size(request, headers));
    if (copied->block == NULL)
        return STOOK_ENOMEM;
    char *at = (char *)copied->block + head;
    copied->settings = client;
    if (own_policy) {
        struct stook__settings *mine = memcpy(at, policy, sizeof *policy);
        at += sizeof *policy;
        if (ca_size > 0)
            mine->ca_file = put(&at, request->ca_file);
        copied->settings = mine;
    }
    put_strings(copied, at, request, headers);
    return 0;
}

/* Whether it says no more than method, URL, headers and a body with its size, as most do. */
static int is_plain(const struct stook_request *request)
{
    static const char zero[sizeof *request - offsetof(struct stook_request, body_release)];
    if (request->body != NULL && request->body_size == 0)
        return 0;
    return memcmp(&request->body_release, zero, sizeof zero) == 0;
}

int stook__request_copy(struct stook__allocator *allocator, size_t head,
                        const struct stook__settings *client, const struct stook_request *request,
                        struct stook__copied *ret_copied, const char **ret_why)
{
    const struct stook__settings *policy = client;
    struct stook__settings own;
    struct stook__copied copied = {0};
    struct stook__optional *optional = NULL;
    int plain = is_plain(request);
    size_t size = 0, headers = headers_size(request);
    int error = body_size(request, &size, ret_why);
    if (error == 0 && !plain) {
        error = merge(client, request, &own, ret_why);
        policy = &own;
    }
    if (error != 0)
        return error;
    *ret_why = NULL;
    if (!plain && stook__optional_make(allocator, client, request, &optional) != 0)
        return STOOK_ENOMEM;
    if (optional != NULL && optional->peer.resolve != NULL)
        own.peer = &optional->peer;
    error = make(allocator, head, client, request, policy, headers, &copied);
    copied.spec.optional = optional;
    if (error == 0 && (!plain || headers == SIZE_MAX))
        judge(&copied, client, policy, request, headers);
    if (error == 0)
        error = copy_body(allocator, &copied, request, size);
    if (error != 0) {
        stook__free(allocator, optional);
        stook__free(allocator, copied.block);
        return error;
    }
    *ret_copied = copied;
    return 0;
}
