/* SPDX-License-Identifier: MIT */
/*
 * Descriptors 0, 1 and 2. A program may have closed them, as daemons do. Then the next file that is
 * opened gets such a number: the epoll of a loop, a socket of libcurl, a file. What the program
 * prints would go there, and libuv aborts when it finds its own descriptors among these.
 *
 * So from the first client to the last, descriptors that can be neither read nor written occupy the
 * numbers that are free. To the program they fail as closed ones do.
 */
#ifndef STOOK_LOOP_STANDARD_FDS_H
#define STOOK_LOOP_STANDARD_FDS_H

/* Counts one client more, from any thread. The first one occupies the free numbers. 0 or
   STOOK_ENOFD. */
int stook__standard_fds_hold(void);
/* Counts one client less. The last one closes the descriptors. */
void stook__standard_fds_release(void);

#endif
