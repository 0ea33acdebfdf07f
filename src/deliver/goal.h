/* SPDX-License-Identifier: MIT */
/* What an await is after, and what a result means for the others: the STOOK_POLICY_ numbers of stook.h. */
#ifndef STOOK_DELIVER_GOAL_H
#define STOOK_DELIVER_GOAL_H

#include <stook.h>

struct stook__goal {
    int64_t policy;
    size_t quorum;     /* how many have to be ok */
    size_t ok, failed; /* until now */
    int decided;
};

enum stook__goal_step {
    STOOK__GO_ON,
    STOOK__START_NO_MORE, /* what runs may finish */
    STOOK__END_THE_REST
};

/* The await begins; results that were there before count. */
enum stook__goal_step stook__goal_open(struct stook__goal *goal, int64_t policy, size_t quorum);
/* One more result. What follows is said once. */
enum stook__goal_step stook__goal_note(struct stook__goal *goal, int ok);
/* Whether it is reached; `over`: no result is to come. */
int stook__goal_met(const struct stook__goal *goal, int over);

#endif
