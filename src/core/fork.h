/* SPDX-License-Identifier: MIT */
/* Tells a process from its forked children, which must not use what it has made. */
#ifndef STOOK_CORE_FORK_H
#define STOOK_CORE_FORK_H

/* Returns a number that differs between a process and its forked children. Thread: any. */
unsigned stook__fork_generation(void);
/* 1: what was made at that generation is of a parent process. Thread: any. */
int stook__is_forked(unsigned generation);

#endif
