/* SPDX-License-Identifier: MIT */
/*
 * One response for many equal requests: `coalesce` ("single flight").
 *
 *     sender     the request that is sent
 *     follower   an equal one, which waits for that result. Its job is DELAYED without end
 *     share      a sender with its followers. It is registered by the text of the request, and by
 *                its batch as long as the sender waits: only requests of that batch join it then
 *
 *              the sender starts           the sender has its result
 *     WAITING ------------------> FLYING ------------------------------> SERVING, then freed
 *
 * A sender that starts while an equal one is FLYING becomes a follower of that, with its followers.
 * If a sender ends for a reason of its own, such as a cancel, its followers go back to their queues
 * and one of them is the next sender. Each follower gets a copy of the result, a few in each turn;
 * the body is not copied, but kept with the sender's record as long as one of them has it.
 */
#ifndef STOOK_CORE_SHARE_H
#define STOOK_CORE_SHARE_H

#include <stook.h>

struct stook_result;

/* Lets a request that was just added, and has `coalesce`, follow an equal one or be sent. Without
   memory it does neither, and is sent. */
void stook__share_added(stook_client *client, stook_batch *batch, struct stook_result *record);
/* Notes that a request starts, which is ADMITTED. Returns 1 if it follows another one instead: it
   waits again. */
int stook__share_starts(stook_client *client, struct stook_result *record);
/* Notes that a request is about to be FINISHED with `error`. */
void stook__share_ends(stook_client *client, struct stook_result *record, int error);
/* Takes the next follower whose sender has its result. NULL: there is none. *ret_sender is valid
   until the next call. */
struct stook_result *stook__share_next(stook_client *client, struct stook_result **ret_sender);
/* Whether followers wait to be served. */
int stook__share_is_due(const stook_client *client);
/* Takes a request out of its share that never ends: its batch is destroyed. */
void stook__share_leave(struct stook_result *record);
/* Forgets the table. Batches that the program still has keep their requests. */
void stook__share_close(stook_client *client);

#endif
