/* SPDX-License-Identifier: MIT */
/* What the end of an attempt says of the server, for all that learns from it: limits that adapt,
   and circuits. */
#ifndef STOOK_SCHED_HEALTH_H
#define STOOK_SCHED_HEALTH_H

enum stook__health {
    STOOK__HEALTH_NONE, /* nothing: it was cancelled, the response is a 4xx other than 429 or a 5xx
                           other than 502 to 504, or the error is the program's own */
    STOOK__HEALTH_OK,   /* the server answered, and is not overloaded */
    STOOK__HEALTH_DROP  /* it is overloaded, or the request or its response was lost */
};

#endif
