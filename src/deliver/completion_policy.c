/* SPDX-License-Identifier: MIT */
/* When an await has enough; see completion_policy.h. */
#include "deliver/completion_policy.h"

static enum stook__completion_step next_step(struct stook__completion_policy *completion)
{
    int bad = completion->failed > 0,
        enough = completion->quorum > 0 && completion->ok >= completion->quorum;
    if (completion->decided)
        return STOOK__CONTINUE;
    switch (completion->policy) {
    case STOOK_POLICY_FAIL_FAST:
        completion->decided = bad;
        return bad ? STOOK__END_THE_REST : STOOK__CONTINUE;
    case STOOK_POLICY_STOP:
        completion->decided = bad;
        return bad ? STOOK__START_NO_MORE : STOOK__CONTINUE;
    case STOOK_POLICY_FIRST_OK:
    case STOOK_POLICY_QUORUM:
        completion->decided = enough;
        return enough ? STOOK__END_THE_REST : STOOK__CONTINUE;
    default:
        return STOOK__CONTINUE;
    }
}

enum stook__completion_step stook__completion_policy_open(
    struct stook__completion_policy *completion, int64_t policy, size_t quorum)
{
    completion->policy = policy;
    completion->quorum = policy == STOOK_POLICY_FIRST_OK ? 1 : quorum;
    return next_step(completion);
}

enum stook__completion_step stook__completion_policy_note(
    struct stook__completion_policy *completion, int ok)
{
    completion->ok += ok != 0;
    completion->failed += ok == 0;
    return next_step(completion);
}

int stook__completion_policy_satisfied(const struct stook__completion_policy *completion, int over)
{
    if (completion->policy == STOOK_POLICY_FIRST_OK || completion->policy == STOOK_POLICY_QUORUM)
        return completion->ok >= completion->quorum;
    return over && completion->failed == 0;
}
