/* SPDX-License-Identifier: MIT */
/* The head of a request on the direct way: what of the attempt http1/writer.h gets. */
#ifndef STOOK_HTTP_REQUEST_HEAD_H
#define STOOK_HTTP_REQUEST_HEAD_H

#include <stddef.h>

/* `write` of struct stook__attempt_events. */
size_t stook__request_head_write(void *owner, char *room, size_t size, const char **ret_body,
                                 size_t *ret_body_size);

#endif
