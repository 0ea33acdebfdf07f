/* SPDX-License-Identifier: MIT */
/* Lowers the number of descriptors that the process may open. */
#ifndef STOOK_TEST_DESCRIPTORS_H
#define STOOK_TEST_DESCRIPTORS_H

#include <sys/resource.h>

/* Allows `more` beyond those that are open. Returns the limit before. */
struct rlimit descriptors_squeeze(int more);
void descriptors_widen(const struct rlimit *before);

#endif
