/* SPDX-License-Identifier: MIT */
/* Few descriptors, for a while. */
#ifndef STOOK_TEST_DESCRIPTORS_H
#define STOOK_TEST_DESCRIPTORS_H

#include <sys/resource.h>

/* Leave room for so many more. Returns what was allowed before. */
struct rlimit descriptors_squeeze(int more);
void descriptors_widen(const struct rlimit *before);

#endif
