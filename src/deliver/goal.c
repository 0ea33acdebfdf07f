/* SPDX-License-Identifier: MIT */
/* When an await has what it is after; see goal.h. */
#include "deliver/goal.h"

static enum stook__goal_step judge(struct stook__goal *goal)
{
    int bad = goal->failed > 0, enough = goal->quorum > 0 && goal->ok >= goal->quorum;
    if (goal->decided)
        return STOOK__GO_ON;
    switch (goal->policy) {
    case STOOK_POLICY_FAIL_FAST:
        goal->decided = bad;
        return bad ? STOOK__END_THE_REST : STOOK__GO_ON;
    case STOOK_POLICY_STOP:
        goal->decided = bad;
        return bad ? STOOK__START_NO_MORE : STOOK__GO_ON;
    case STOOK_POLICY_FIRST_OK:
    case STOOK_POLICY_QUORUM:
        goal->decided = enough;
        return enough ? STOOK__END_THE_REST : STOOK__GO_ON;
    default:
        return STOOK__GO_ON;
    }
}

enum stook__goal_step stook__goal_open(struct stook__goal *goal, int64_t policy, size_t quorum)
{
    goal->policy = policy;
    goal->quorum = policy == STOOK_POLICY_FIRST_OK ? 1 : quorum;
    return judge(goal);
}

enum stook__goal_step stook__goal_note(struct stook__goal *goal, int ok)
{
    goal->ok += ok != 0;
    goal->failed += ok == 0;
    return judge(goal);
}

int stook__goal_met(const struct stook__goal *goal, int over)
{
    if (goal->policy == STOOK_POLICY_FIRST_OK || goal->policy == STOOK_POLICY_QUORUM)
        return goal->ok >= goal->quorum;
    return over && goal->failed == 0;
}
