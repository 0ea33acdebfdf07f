/* SPDX-License-Identifier: MIT */
/* The head of a request on the direct way; see request_head.h. */
#include "http/request_head.h"

#include <string.h>

#include "http/attempt_state.h"
#include "http1/writer.h"

/* Finds the value of Host in the key of an origin: what follows the scheme, without the port if it
   is the default (RFC 9110 7.2), and without a Unix socket or address behind it. */
static const char *host_of(const struct stook__node *origin, int https, size_t *ret_size)
{
    const char *host = (const char *)memchr(origin->key, ':', origin->key_size) + 3;
    const char *port = https ? ":443" : ":80";
    size_t size = origin->key_size - (size_t)(host - origin->key), port_size = strlen(port);
    const char *end = memchr(host, ' ', size);
    if (end == NULL)
        end = memchr(host, '>', size);
    if (end != NULL)
        size = (size_t)(end - host);
    if (size > port_size && memcmp(host + size - port_size, port, port_size) == 0)
        size -= port_size;
    *ret_size = size;
    return host;
}

size_t stook__request_head_write(void *owner, char *room, size_t size, const char **ret_body,
                                 size_t *ret_body_size)
{
    const struct stook__attempt *attempt = owner;
    const struct stook__spec *spec = attempt->spec;
    const char *target = attempt->target != NULL ? attempt->target : attempt->plain_path;
    /* A POST always has a body, possibly an empty one (RFC 9110 8.6). */
    int has_body = stook__spec_has_body(spec) || strcmp(attempt->method, "POST") == 0;
    struct stook__http1_head head = {
        .method = attempt->method,
        .target = target,
        .target_size = strlen(target),
        .fields = attempt->headers != NULL ? attempt->headers : attempt->defaults->headers,
        .length = has_body ? (int64_t)spec->body_size : STOOK__HTTP1_NO_BODY};
    head.host = host_of(&attempt->origin->node, stook__attempt_is_https(attempt), &head.host_size);
    *ret_body = spec->body;
    *ret_body_size = spec->body_size;
    size_t written = stook__http1_write_head(&head, room, size);
    return written <= size ? written : 0;
}
