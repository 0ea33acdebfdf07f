/* SPDX-License-Identifier: MIT */
/* Members that few requests use; see optional.h. What is wrong here depends on data, not on the
   calling code, so it becomes the result of the request instead of an error of the add. */
#include "request/optional.h"

#include <string.h>

#include "request/body.h"
#include "request/headers.h"
#include "request/multipart.h"
#include "request/tls.h"
#include "request/validate.h"
#include "util/sha256.h"

enum {
    UNIX_PATH_MAX = 107, /* sun_path holds one byte more, for the NUL */
    RATE_KEY_MAX = 1024,
    IDEMPOTENCY_KEY_MAX = 1024
};

static void peer_of(const struct stook_request *request, struct stook__peer_input *ret_input)
{
    *ret_input = (struct stook__peer_input){
        .ca_file = request->ca_file,
        .peer = {.ca_data = request->ca_data,
                 .client_cert = request->client_cert,
                 .client_key = request->client_key,
                 .key_password = request->key_password,
                 .pinned_key = request->pinned_key,
                 .proxies = {request->proxy, request->proxy}},
        .resolve = request->resolve,
    };
}

static int validate_output(const struct stook_request *request, const char **ret_why)
{
    const char *why = NULL, *method = request->method;
    if (request->resume != 0 && request->output_file == NULL)
        why = STOOK__ARG("resume is given without output_file");
    else if (request->output_sync != 0 && request->output_file == NULL)
        why = STOOK__ARG("output_sync is given without output_file");
    else if (request->output_file == NULL)
        return 0;
    else if (*request->output_file == '\0')
        why = STOOK__ARG("output_file is empty");
    else if (request->on_body != NULL)
        why = STOOK__ARG("output_file and on_body are both given");
    else if (method != NULL && strcmp(method, "HEAD") == 0)
        why = STOOK__ARG("a HEAD request has no body for output_file");
    else if (request->resume == 0)
        return 0;
    else if ((method != NULL && strcmp(method, "GET") != 0) || stook__body_is_given(request))
        why = STOOK__ARG("resume is for GET without a body");
    else if (request->decompress == 1)
        why = STOOK__ARG("resume and decompress are both given");
    else if (stook__headers_contain(request, "Range") ||
             stook__headers_contain(request, "If-Range"))
        why = STOOK__ARG("a Range or If-Range header is given beside resume");
    return why != NULL ? stook__validate_refuse(why, ret_why) : 0;
}

static int validate_sha256(const struct stook_request *request, const char **ret_why)
{
    if (request->sha256 == NULL)
        return 0;
    if (!stook__sha256_is_text(request->sha256))
        return stook__validate_refuse(STOOK__ARG("sha256 is not 64 hexadecimal digits"), ret_why);
    if (request->method != NULL && strcmp(request->method, "HEAD") == 0)
        return stook__validate_refuse(STOOK__ARG("a HEAD request has no body for sha256"), ret_why);
    return 0;
}

static int validate_keys(const struct stook_request *request, const char **ret_why)
{
    const char *why = NULL, *key = request->idempotency_key;
    if (request->rate_key != NULL && strlen(request->rate_key) > RATE_KEY_MAX)
        why = STOOK__ARG("rate_key is longer than 1024 bytes");
    else if (key == NULL)
        return 0;
    else if (*key == '\0' || strlen(key) > IDEMPOTENCY_KEY_MAX || stook__validate_control(key))
        why = STOOK__ARG("idempotency_key is empty, longer than 1024 bytes, or has a control byte");
    else if (stook__headers_contain(request, "Idempotency-Key"))
        why = STOOK__ARG("an Idempotency-Key header is given beside idempotency_key");
    return why != NULL ? stook__validate_refuse(why, ret_why) : 0;
}

/* Whether a request has what no second attempt and no second request may share. */
static int is_of_one(const struct stook_request *request)
{
    return request->on_head != NULL || request->on_body != NULL || request->on_progress != NULL ||
           request->output_file != NULL || request->mirrors != NULL ||
           stook__body_is_given(request);
}

static int has_method(const struct stook_request *request, const char *const *methods)
{
    if (request->method == NULL)
        return 1;
    for (; *methods != NULL; methods++)
        if (strcmp(request->method, *methods) == 0)
            return 1;
    return 0;
}

static int is_hedged(const struct stook_request *request)
{
    return request->hedge_after_ms != 0 && request->hedge_after_ms != STOOK_NONE;
}

static int validate_sharing(const struct stook_request *request, const char **ret_why)
{
    static const char *const shared[] = {"GET", "HEAD", NULL}, *const hedged[] = {"GET", "HEAD",
                                                                                  "OPTIONS", NULL};
    const char *why = NULL;
    if (request->coalesce == 1 && (is_of_one(request) || !has_method(request, shared)))
        why = STOOK__ARG("coalesce is for GET and HEAD without a body, callbacks, output_file and "
                         "mirrors");
    else if (is_hedged(request) && (is_of_one(request) || !has_method(request, hedged)))
        why = STOOK__ARG("hedge_after_ms is for GET, HEAD and OPTIONS without a body, callbacks, "
                         "output_file and mirrors");
    else if (is_hedged(request) && request->coalesce == 1)
        why = STOOK__ARG("coalesce and hedge_after_ms are both given");
    return why != NULL ? stook__validate_refuse(why, ret_why) : 0;
}

static int validate_peer(const struct stook__settings *client, const struct stook_request *request,
                         const char **ret_why)
{
    struct stook__peer_input input;
    const char *pin = client->peer != NULL ? client->peer->pinned_key : NULL;
    peer_of(request, &input);
    if (pin != NULL && request->pinned_key != NULL && strcmp(pin, request->pinned_key) != 0) {
        *ret_why = "refused by policy: pinned_key is not the client's";
        return STOOK_EPOLICY;
    }
    return stook__peer_validate(&input, ret_why);
}

int stook__optional_validate(const struct stook__settings *client,
                             const struct stook_request *request, const char **ret_why)
{
    const char *path = request->unix_socket;
    int error = stook__body_validate(request, ret_why);
    if (error == 0)
        error = stook__parts_validate(request, ret_why);
    if (error == 0)
        error = stook__credentials_validate(request, ret_why);
    if (error == 0)
        error = stook__redirect_headers_validate(request->redirect_headers, ret_why);
    if (error == 0)
        error = validate_output(request, ret_why);
    if (error == 0)
        error = validate_sha256(request, ret_why);
    if (error == 0)
        error = stook__mirrors_validate(request, ret_why);
    if (error == 0)
        error = validate_keys(request, ret_why);
    if (error == 0)
        error = validate_sharing(request, ret_why);
    if (error == 0)
        error = validate_peer(client, request, ret_why);
    if (error == 0 && path != NULL && (*path == '\0' || strlen(path) > UNIX_PATH_MAX))
        error = stook__validate_refuse(STOOK__ARG("unix_socket is empty or longer than 107 bytes"),
                                       ret_why);
    if (error == 0 && path != NULL && request->proxy != NULL && *request->proxy != '\0')
        error = stook__validate_refuse(STOOK__ARG("unix_socket and proxy are both given"), ret_why);
    return error;
}

/* Runs twice: to measure, with a struct that is thrown away, and to copy. Its structs come first,
   so that they are aligned; a request has mirrors or parts, not both. */
static void fill(struct stook__optional *optional, struct stook__pack *pack,
                 const struct stook__settings *client, const struct stook_request *request,
                 const struct stook__peer_input *input)
{
    *optional = (struct stook__optional){
        .on_head = request->on_head,
        .on_body = request->on_body,
        .on_progress = request->on_progress,
        .body_read = request->body_read,
        .body_rewind = request->body_rewind,
        .read_size = request->body_size > 0 ? request->body_size : -1,
        .body_release = request->body_release,
        .body = (void *)request->body,
        .user = request->user,
        .expect = request->expect == 1,
    };
    optional->mirrors = stook__mirrors_pack(pack, request);
    stook__parts_pack(optional, pack, request);
    optional->body_file = stook__pack_text(pack, request->body_file);
    optional->output_file = stook__pack_text(pack, request->output_file);
    optional->resume = request->resume == 1;
    optional->output_sync = request->output_sync == 1;
    optional->sha256 = stook__pack_text(pack, request->sha256);
    optional->redirect_headers = stook__redirect_headers_pack(pack, request->redirect_headers);
    if (stook__peer_is_given(input) || request->ca_file != NULL)
        stook__peer_pack(&optional->peer, pack, input, client->peer);
    optional->unix_socket = stook__pack_text(pack, request->unix_socket);
    optional->rate_key = stook__pack_text(pack, request->rate_key);
    if (request->auth == STOOK_AUTH_DIGEST) {
        optional->username = stook__pack_text(pack, request->username);
        optional->password =
            stook__pack_text(pack, request->password != NULL ? request->password : "");
    }
}

/* 1: a member other than the peer's is set. */
static int is_used(const struct stook_request *request)
{
    return request->on_head != NULL || request->on_body != NULL || request->on_progress != NULL ||
           request->body_release != NULL || request->body_read != NULL ||
           request->body_file != NULL || request->parts != NULL || request->output_file != NULL ||
           request->mirrors != NULL || request->sha256 != NULL || request->unix_socket != NULL ||
           request->rate_key != NULL || request->coalesce == 1 || is_hedged(request) ||
           request->redirect_headers != NULL || request->auth == STOOK_AUTH_DIGEST ||
           request->expect == 1;
}

int stook__optional_new(struct stook__allocator *allocator, const struct stook__settings *client,
                        const struct stook_request *request, struct stook__optional **ret_optional)
{
    struct stook__peer_input input;
    struct stook__pack pack = {NULL, 0};
    struct stook__optional optional;
    peer_of(request, &input);
    /* A ca_file alone is in the settings, but it replaces the ca_data of the client's peer. */
    int own_peer =
        stook__peer_is_given(&input) || (request->ca_file != NULL && client->peer != NULL);
    *ret_optional = NULL;
    if (!own_peer && !is_used(request))
        return 0;
    fill(&optional, &pack, client, request, &input);
    *ret_optional = stook__alloc(allocator, sizeof optional + pack.size);
    if (*ret_optional == NULL)
        return STOOK_ENOMEM;
    pack.at = (char *)(*ret_optional + 1);
    fill(*ret_optional, &pack, client, request, &input);
    return 0;
}
