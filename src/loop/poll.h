/* SPDX-License-Identifier: MIT */
/* A descriptor that the loop polls. curl/socket.c has one for each socket that libcurl watches. */
#ifndef STOOK_LOOP_POLL_H
#define STOOK_LOOP_POLL_H

struct stook__loop;
struct stook__poll;

enum { STOOK__IN = 1, STOOK__OUT = 2, STOOK__HANGUP = 4, STOOK__ERROR = 8 };

/* Creates a poll that is stopped. `event` gets a mask of STOOK__IN, OUT and HANGUP, or ERROR alone;
   after ERROR the poll is stopped. NULL: out of memory, or libuv cannot poll the descriptor. */
struct stook__poll *stook__poll_new(struct stook__loop *loop, int fd,
                                    void (*event)(void *owner, int events), void *owner);
/* Polls for a mask of IN, OUT and HANGUP from now on. 0 stops the poll at once. A call that changes
   nothing costs nothing. Returns libuv's status. */
int stook__poll_set(struct stook__poll *poll, int events);
/* Closes the poll. `event` is not called again, and the descriptor may be closed right away. */
void stook__poll_close(struct stook__poll *poll);
/* Closes all polls of a loop. */
void stook__polls_close(struct stook__loop *loop);

#endif
