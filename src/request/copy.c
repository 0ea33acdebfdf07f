/* SPDX-License-Identifier: MIT */
/* A request checked and copied; see copy.h. Every add runs this, so most requests take a short
   way. */
#include "request/copy.h"

#include <string.h>

#include "request/body.h"
#include "request/headers.h"
#include "request/optional.h"

/* Checks what depends on data. The first error becomes the result of the request. */
static void validate(struct stook__copied *copied, const struct stook__settings *client,
                     const struct stook__settings *settings, const struct stook_request *request,
                     size_t headers)
{
    int unlimited =
        stook__settings_streams_response(request) && (client->unset & STOOK__UNSET_BODY_MAX);
    int64_t max = unlimited ? STOOK_NONE : client->max_body_bytes;
    const char *why = NULL;
    int error = stook__optional_validate(client, request, &why);
    if (error != 0) {
        copied->error = error;
        copied->message = why;
    } else if (headers == SIZE_MAX) {
        copied->error = STOOK_EARG;
        copied->message = "invalid argument: the headers are more than 64 KiB or 256 fields";
    } else if (max >= 0 && (settings->max_body_bytes < 0 || settings->max_body_bytes > max)) {
        copied->error = STOOK_EPOLICY;
        copied->message = "refused by policy: max_body_bytes is above the client's";
    } else if (client->max_decompress_ratio >= 0 &&
               (settings->max_decompress_ratio < 0 ||
                settings->max_decompress_ratio > client->max_decompress_ratio)) {
        copied->error = STOOK_EPOLICY;
        copied->message = "refused by policy: max_decompress_ratio is above the client's";
    } else if (client->public_only == 1 && settings->public_only != 1) {
        copied->error = STOOK_EPOLICY;
        copied->message = "refused by policy: the client has public_only";
    } else if (settings->public_only == 1 && request->unix_socket != NULL) {
        copied->error = STOOK_EPOLICY;
        copied->message = "refused by policy: public_only excludes a unix_socket";
    }
}

static int has_method_or_headers(const struct stook_request *request, size_t headers)
{
    return request->method != NULL || (headers > 0 && headers != SIZE_MAX);
}

/* An empty method is copied as " ", which is refused when the request starts; "" is the default. */
static const char *method_copy(const char *method)
{
    if (method == NULL)
        return "";
    return *method != '\0' ? method : " ";
}

static void pack_strings(struct stook__spec *spec, struct stook__pack *pack,
                         const struct stook_request *request, size_t headers)
{
    spec->url = stook__pack_text(pack, request->url);
    if (!has_method_or_headers(request, headers))
        return;
    spec->method_headers = stook__pack_text(pack, method_copy(request->method));
    if (headers != SIZE_MAX)
        stook__headers_pack(pack, request);
    stook__pack_text(pack, "");
}

/* Bytes that pack_strings() needs. The headers were measured already. */
static size_t strings_size(const struct stook_request *request, size_t headers)
{
    size_t size = strlen(request->url) + 1;
    if (!has_method_or_headers(request, headers))
        return size;
    size += strlen(method_copy(request->method)) + 2;
    return size + (headers != SIZE_MAX ? headers : 0);
}

/* Makes the block: the caller's prefix, the settings if they differ from the client's, the
   strings. */
static int make_block(struct stook__allocator *allocator, size_t prefix,
                      const struct stook__settings *client, const struct stook_request *request,
                      const struct stook__settings *settings, size_t headers,
                      struct stook__copied *copied)
{
    int own = settings != client && memcmp(settings, client, sizeof *settings) != 0;
    size_t ca_size = own && request->ca_file != NULL ? strlen(request->ca_file) + 1 : 0;
    size_t settings_size = own ? sizeof *settings : 0;
    copied->block =
        stook__alloc(allocator, prefix + settings_size + ca_size + strings_size(request, headers));
    if (copied->block == NULL)
        return STOOK_ENOMEM;
    struct stook__pack pack = {(char *)copied->block + prefix, 0};
    copied->settings = client;
    if (own) {
        struct stook__settings *mine = (void *)stook__pack_bytes(&pack, settings, sizeof *settings);
        if (ca_size > 0)
            mine->ca_file = stook__pack_text(&pack, request->ca_file);
        copied->settings = mine;
    }
    pack_strings(&copied->spec, &pack, request, headers);
    return 0;
}

/* 1: only the method, the URL, the headers and a body with its size are set, as in most
   requests. */
static int is_plain(const struct stook_request *request)
{
    static const char zero[sizeof *request - offsetof(struct stook_request, body_release)];
    if (request->body != NULL && request->body_size == 0)
        return 0;
    return memcmp(&request->body_release, zero, sizeof zero) == 0;
}

/* Notes what the request was added with. */
static void keep_for_mirrors(const struct stook__spec *spec)
{
    const struct stook__optional *optional = spec->optional;
    struct stook__mirrors *mirrors = optional->mirrors;
    mirrors->url = spec->url;
    mirrors->method_headers = spec->method_headers;
    mirrors->username = optional->username;
    mirrors->password = optional->password;
    mirrors->peer = optional->peer;
}

int stook__request_copy(struct stook__allocator *allocator, size_t prefix,
                        const struct stook__settings *client, const struct stook_request *request,
                        struct stook__copied *ret_copied, const char **ret_why)
{
    const struct stook__settings *settings = client;
    struct stook__settings own;
    struct stook__copied copied = {0};
    struct stook__optional *optional = NULL;
    int plain = is_plain(request);
    size_t size = 0, headers = stook__headers_size(request);
    int error = stook__body_size(request, &size, ret_why);
    if (error == 0 && !plain) {
        error = stook__settings_merge(client, request, &own, ret_why);
        settings = &own;
    }
    if (error != 0)
        return error;
    *ret_why = NULL;
    if (!plain && stook__optional_new(allocator, client, request, &optional) != 0)
        return STOOK_ENOMEM;
    if (optional != NULL && optional->peer.resolve != NULL) /* set whenever the peer is */
        own.peer = &optional->peer;
    error = make_block(allocator, prefix, client, request, settings, headers, &copied);
    copied.spec.optional = optional;
    if (error == 0 && optional != NULL && optional->mirrors != NULL)
        keep_for_mirrors(&copied.spec);
    if (error == 0 && (!plain || headers == SIZE_MAX))
        validate(&copied, client, settings, request, headers);
    if (error == 0)
        error = stook__body_copy(allocator, &copied.spec, request, size);
    if (error != 0) {
        stook__free(allocator, optional);
        stook__free(allocator, copied.block);
        return error;
    }
    *ret_copied = copied;
    return 0;
}
