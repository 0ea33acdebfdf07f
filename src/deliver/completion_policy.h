/* SPDX-License-Identifier: MIT */
/*
 * The completion policy of an await, STOOK_POLICY_... of <stook/flow.h>: when it is satisfied, and
 * what a result means for the requests that are not finished. Pure: it counts results and knows no
 * request.
 */
#ifndef STOOK_DELIVER_COMPLETION_POLICY_H
#define STOOK_DELIVER_COMPLETION_POLICY_H

#include <stook.h>

struct stook__completion_policy {
    int64_t policy;
    size_t quorum;     /* how many results have to be ok */
    size_t ok, failed; /* results so far */
    int decided;       /* the policy has ended other requests: it does so once */
};

enum stook__completion_step {
    STOOK__CONTINUE,
    STOOK__START_NO_MORE, /* those that wait end; those in flight may finish */
    STOOK__END_THE_REST   /* all others end */
};

/* Sets the policy when the await begins. Results that were noted before count. */
enum stook__completion_step stook__completion_policy_open(
    struct stook__completion_policy *completion, int64_t policy, size_t quorum);
/* Counts a result. Returns a step other than STOOK__CONTINUE once at most. */
enum stook__completion_step stook__completion_policy_note(
    struct stook__completion_policy *completion, int ok);
/* Whether the policy is satisfied; `over`: no result is to come. */
int stook__completion_policy_satisfied(const struct stook__completion_policy *completion, int over);

#endif
