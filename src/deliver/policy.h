/* SPDX-License-Identifier: MIT */
/* What an await is after, and what a result means for the others: the STOOK_POLICY_ numbers of stook.h. */
#ifndef STOOK_DELIVER_POLICY_H
#define STOOK_DELIVER_POLICY_H

#include <stook.h>

struct stook__completion_policy {
    int64_t policy;
    size_t quorum;     /* how many have to be ok */
    size_t ok, failed; /* until now */
    int decided;
};

enum stook__completion_step {
    STOOK__CONTINUE,
    STOOK__START_NO_MORE, /* what runs may finish */
    STOOK__END_THE_REST
};

/* The await begins; results that were there before count. */
enum stook__completion_step stook__completion_policy_open(
    struct stook__completion_policy *completion, int64_t policy, size_t quorum);
/* One more result. What follows is said once. */
enum stook__completion_step stook__completion_policy_note(
    struct stook__completion_policy *completion, int ok);
/* Whether it is reached; `over`: no result is to come. */
int stook__completion_policy_satisfied(const struct stook__completion_policy *completion, int over);

#endif
