/* SPDX-License-Identifier: MIT */
/*
 * Descriptors 0, 1 and 2. A program may have closed them, as daemons do, and whoever opens something
 * next gets their numbers: the epoll of a loop, a socket of libcurl's, a file. What the program then
 * prints would go there, and libuv aborts when it finds its own descriptors among these. So from the
 * first client on to the last those that are closed are held by descriptors that can be neither read
 * nor written: to the program they fail as before.
 */
#ifndef STOOK_LOOP_STANDARD_FDS_H
#define STOOK_LOOP_STANDARD_FDS_H

/* Counted over all clients of the process, from any thread. 0 or STOOK_ENOFD. */
int stook__standard_fds_hold(void);
void stook__standard_fds_release(void);

#endif
