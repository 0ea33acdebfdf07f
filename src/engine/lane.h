/* SPDX-License-Identifier: MIT */
/* A lane is one CURLM with its timer. When it breaks, only its own transfers fail, and it is made anew. */
#ifndef STOOK_ENGINE_LANE_H
#define STOOK_ENGINE_LANE_H

#include "engine/engine.h"

struct stook__lane {
    struct stook__engine *engine;
    CURLM *multi;             /* NULL: to be made */
    struct stook__link slots; /* all that are in `multi` */
    int64_t alarm;            /* when libcurl wants to be told; 0: not */
    int kick;                 /* libcurl wants to be told at once */
    CURLMcode broken;
};

struct stook__slot {
    struct stook__link link; /* in its lane, or, ended, among the engine's news */
    struct stook__engine *engine;
    struct stook__lane *lane; /* while in its CURLM */
    CURL *easy;
    const struct stook__attempt_events *events;
    void *owner; /* NULL: parked, nobody listens any more */
    CURLcode code;
    CURLMcode broken;
    int os_error;
    int resolving; /* a look-up is under way that removing the handle would wait for */
    int sends;     /* how often libcurl was about to send the request */
    int opened[8]; /* sockets made for this attempt */
    int n_opened;
    char error[CURL_ERROR_SIZE];
};

struct stook__lane *stook__lane_new(struct stook__engine *engine);
/* 0, STOOK_ENOMEM, STOOK_ERESET. */
int stook__lane_add(struct stook__lane *lane, struct stook__slot *slot);
/* Out of its CURLM; its place in a list stays. */
void stook__lane_remove(struct stook__slot *slot);
/* Tell libcurl about a socket. */
void stook__lane_action(struct stook__lane *lane, int fd, int events);
/* The kick. 1: not content after 4 rounds. */
int stook__lane_work(struct stook__lane *lane, int64_t now);
/* Move all ended slots to the engine's news. They stay in the CURLM until they are taken: removing a
   handle walks the messages that are left, and invalidates them. */
void stook__lane_drain(struct stook__lane *lane);
void stook__lane_free(struct stook__lane *lane);

/* engine/slot.c: an ended slot that nobody waits for goes. */
void stook__slot_destroy(struct stook__slot *slot);

#endif
