/* SPDX-License-Identifier: MIT */
/*
 * What few requests ask for: judged, and copied into one block beside the record. What is wrong here
 * is data, not misuse, so it becomes the request's result.
 */
#include <string.h>
#include <strings.h>

#include "request/optional.h"
#include "request/validate.h"

enum { UNIX_PATH_MAX = 107 }; /* sun_path with its NUL */

int stook__validate_receives(const struct stook_request *request)
{
    return request->on_body != NULL || request->output_file != NULL;
}

int stook__validate_streams(const struct stook_request *request)
{
    return stook__validate_receives(request) || request->body_file != NULL ||
           request->parts != NULL || request->body_read != NULL;
}

static int refuse(int error, const char *why, const char **ret_why)
{
    *ret_why = why;
    return error;
}

static void peer_of(const struct stook_request *request, struct stook__peer_input *ret_input)
{
    *ret_input = (struct stook__peer_input){
        .ca_file = request->ca_file,
        .peer = {.ca_data = request->ca_data,
                 .client_cert = request->client_cert,
                 .client_key = request->client_key,
                 .key_password = request->key_password,
                 .pinned_key = request->pinned_key},
        .resolve = request->resolve,
    };
}

static int judge_bodies(const struct stook_request *request, const char **ret_why)
{
    size_t n = 0;
    if ((request->body != NULL) + (request->json != NULL) + (request->form != NULL) +
            (request->parts != NULL) + (request->body_file != NULL) + (request->body_read != NULL) >
        1)
        return refuse(STOOK_EARG, STOOK__ARG("more than one body is given"), ret_why);
    if (request->body != NULL && request->body_size == 0)
        return refuse(STOOK_EARG,
                      STOOK__ARG("body is given with a body_size of 0: STOOK_AUTO measures a "
                                 "string, STOOK_NONE is an empty body"),
                      ret_why);
    if (request->body_release != NULL && request->body == NULL)
        return refuse(STOOK_EARG, STOOK__ARG("body_release is given without a body"), ret_why);
    if (request->body_rewind != NULL && request->body_read == NULL)
        return refuse(STOOK_EARG, STOOK__ARG("body_rewind is given without body_read"), ret_why);
    if (request->json != NULL && *request->json == '\0')
        return refuse(STOOK_EARG, STOOK__ARG("json is empty"), ret_why);
    if (request->body_file != NULL && *request->body_file == '\0')
        return refuse(STOOK_EARG, STOOK__ARG("body_file is empty"), ret_why);
    while (request->form != NULL && request->form[n] != NULL)
        n++;
    return n % 2 != 0 ? refuse(STOOK_EARG, STOOK__ARG("a name in form has no value"), ret_why) : 0;
}

static int names(const char *const *headers, const char *name)
{
    size_t size = strlen(name);
    for (; headers != NULL && *headers != NULL; headers++)
        if (strncasecmp(*headers, name, size) == 0 && (*headers)[size] == ':')
            return 1;
    return 0;
}

static int judge_output(const struct stook_request *request, const char **ret_why)
{
    const char *why = NULL, *method = request->method;
    if (request->resume != 0 && request->output_file == NULL)
        why = STOOK__ARG("resume is given without output_file");
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
    else if (method != NULL && strcmp(method, "GET") != 0)
        why = STOOK__ARG("resume is for GET");
    else if (request->decompress == 1)
        why = STOOK__ARG("resume and decode are both given");
    else if (names(request->headers, "Range") || names(request->headers, "If-Range"))
        why = STOOK__ARG("Range and If-Range are the library's where resume is on");
    return why != NULL ? refuse(STOOK_EARG, why, ret_why) : 0;
}

static int judge_peer(const struct stook__settings *client, const struct stook_request *request,
                      const char **ret_why)
{
    struct stook__peer_input input;
    const char *pin = client->peer != NULL ? client->peer->pinned_key : NULL;
    peer_of(request, &input);
    if (pin != NULL && request->pinned_key != NULL && strcmp(pin, request->pinned_key) != 0)
        return refuse(STOOK_EPOLICY, "refused by policy: pinned_key is not the client's", ret_why);
    return stook__peer_check(&input, ret_why);
}

int stook__optional_judge(const struct stook__settings *client, const struct stook_request *request,
                          const char **ret_why)
{
    const char *path = request->unix_socket;
    int error = judge_bodies(request, ret_why);
    if (error == 0)
        error = stook__parts_judge(request, ret_why);
    if (error == 0)
        error = stook__optional_credentials(request, ret_why);
    if (error == 0)
        error = judge_output(request, ret_why);
    if (error == 0)
        error = judge_peer(client, request, ret_why);
    if (error == 0 && path != NULL && (*path == '\0' || strlen(path) > UNIX_PATH_MAX))
        error = refuse(STOOK_EARG, STOOK__ARG("unix_socket is empty or longer than 107 bytes"),
                       ret_why);
    return error;
}

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
    stook__parts_pack(optional, pack, request);
    optional->body_file = stook__pack_text(pack, request->body_file);
    optional->output_file = stook__pack_text(pack, request->output_file);
    optional->resume = request->resume == 1;
    if (stook__peer_given(input) || request->ca_file != NULL)
        stook__peer_pack(&optional->peer, pack, input, client->peer);
    optional->unix_socket = stook__pack_text(pack, request->unix_socket);
    if (request->auth == STOOK_AUTH_DIGEST) {
        optional->username = stook__pack_text(pack, request->username);
        optional->password =
            stook__pack_text(pack, request->password != NULL ? request->password : "");
    }
}

static int is_used(const struct stook_request *request)
{
    return request->on_head != NULL || request->on_body != NULL || request->on_progress != NULL ||
           request->body_release != NULL || request->body_read != NULL ||
           request->body_file != NULL || request->parts != NULL || request->output_file != NULL ||
           request->unix_socket != NULL || request->auth == STOOK_AUTH_DIGEST ||
           request->expect == 1;
}

int stook__optional_make(struct stook__allocator *allocator, const struct stook__settings *client,
                         const struct stook_request *request, struct stook__optional **ret_extra)
{
    struct stook__peer_input input;
    struct stook__pack pack = {NULL, 0};
    struct stook__optional optional;
    peer_of(request, &input);
    int own_peer = stook__peer_given(&input) || (request->ca_file != NULL && client->peer != NULL);
    *ret_extra = NULL;
    if (!own_peer && !is_used(request))
        return 0;
    fill(&optional, &pack, client, request, &input);
    *ret_extra = stook__alloc(allocator, sizeof optional + pack.size);
    if (*ret_extra == NULL)
        return STOOK_ENOMEM;
    pack.at = (char *)(*ret_extra + 1);
    fill(*ret_extra, &pack, client, request, &input);
    return 0;
}
