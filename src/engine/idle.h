/* SPDX-License-Identifier: MIT */
/* What an idle connection says, and what is to be done about it. */
#ifndef STOOK_ENGINE_IDLE_H
#define STOOK_ENGINE_IDLE_H

/* Returns what to watch the descriptor for from now on. */
int stook__idle_event(int fd, int events);

#endif
