/* SPDX-License-Identifier: MIT */
/* Few descriptors, for a while. */
#include "descriptors.h"

#include <fcntl.h>

#include "../support/harness.h"

/* Limits are about numbers, and there may be gaps. */
struct rlimit descriptors_squeeze(int more)
{
    struct rlimit before, less;
    int limit = 0;
    for (int room = 0; room < more || fcntl(limit, F_GETFD) >= 0; limit++)
        room += fcntl(limit, F_GETFD) < 0;
    CHECK_EQ_INT(getrlimit(RLIMIT_NOFILE, &before), 0);
    less = before;
    less.rlim_cur = (rlim_t)limit;
    CHECK_EQ_INT(setrlimit(RLIMIT_NOFILE, &less), 0);
    return before;
}

void descriptors_widen(const struct rlimit *before)
{
    CHECK_EQ_INT(setrlimit(RLIMIT_NOFILE, before), 0);
}
