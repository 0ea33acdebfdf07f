/* SPDX-License-Identifier: MIT */
/*
 * What the example server answers to what: no sockets here.
 */
#ifndef STOOK_SERVER_REPLY_H
#define STOOK_SERVER_REPLY_H

#include "http_head.h"

struct counters {
    int64_t requests;       /* answered, whatever the status; never those for /stats */
    int64_t overloaded;     /* came when all slots were taken */
    int64_t in_flight;      /* read and not yet answered */
    int64_t most_in_flight; /* the highest that in_flight has been */
    int64_t opened;         /* connections */
    int64_t open;           /* connections now */
};

struct reply {
    int status;
    struct text type;
    struct text location; /* of a 302; points into the request, or is constant */
    const char *fields;   /* further header fields, each with its CRLF; at most 300 bytes */
    bool logs_in;         /* sets the cookie of a session */
    struct text body;     /* points into `json`, or into the request */
    char json[256];
};

#define REPLY_HEAD_MAX 1024

/** Write the head of a reply into `head`, REPLY_HEAD_MAX bytes. Returns how long it is. */
size_t reply_head(const struct reply *reply, bool is_last, char *head);

void reply_json(struct reply *reply, int status, const char *json);

/** The reply to a whole request; `bytes` is where its head begins. */
void reply_to(struct reply *reply, const struct http_head *head, const char *bytes);

/** The reply to /stats; ?reset=1 starts counting from 0 after it. */
void reply_stats(struct reply *reply, const struct http_head *head, struct counters *count);

#endif
