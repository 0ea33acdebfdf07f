/* SPDX-License-Identifier: MIT */
/* What an idle connection says, and what is to be done about it. */
#ifndef STOOK_CURL_IDLE_H
#define STOOK_CURL_IDLE_H

enum stook__idle_kind {
    STOOK__IDLE_PLAIN,  /* HTTP/1.1 in the clear */
    STOOK__IDLE_TLS,    /* HTTP/1.1 over TLS */
    STOOK__IDLE_SHARED, /* HTTP/2 over TLS, or not known */
};

/* Returns what to watch the descriptor for from now on; 0: it was shut. */
int stook__idle_event(int fd, int events, enum stook__idle_kind kind);

#endif
