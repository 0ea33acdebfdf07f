/* SPDX-License-Identifier: MIT */
/* The states of an attempt: which may follow which, and what is known after the transfer. */
#include <stook.h>

#include "support/harness.h"
#include "http/attempt_state.h"

enum { N_STATES = STOOK__ATTEMPT_COMPLETED + 1 };

static int may(unsigned from, unsigned to)
{
    return (stook__attempt_moves[from] >> to & 1) != 0;
}

/* Every state can be reached, and from every state but the last an attempt can complete at once. */
TEST(all_are_reached_and_left)
{
    unsigned reached = 1u << STOOK__ATTEMPT_OPENING;
    for (unsigned round = 0; round < N_STATES; round++)
        for (unsigned state = 0; state < N_STATES; state++)
            if (reached >> state & 1)
                reached |= stook__attempt_moves[state];
    CHECK_EQ_INT(reached, (1u << N_STATES) - 1);
    for (unsigned state = 0; state < STOOK__ATTEMPT_COMPLETED; state++)
        CHECK(may(state, STOOK__ATTEMPT_COMPLETED));
    CHECK_EQ_INT(stook__attempt_moves[STOOK__ATTEMPT_COMPLETED], 0);
}

/* Nothing leads back to the transfer, and a complete header section is never without its lines. */
TEST(order_of_the_transfer)
{
    for (unsigned state = STOOK__ATTEMPT_DELIVERING; state < N_STATES; state++)
        for (unsigned next = 0; next <= STOOK__ATTEMPT_BODY; next++)
            CHECK(!may(state, next));
    for (unsigned state = 0; state < N_STATES; state++) {
        CHECK(!may(state, STOOK__ATTEMPT_OPENING));
        CHECK_EQ_INT(may(state, STOOK__ATTEMPT_HEAD), state == STOOK__ATTEMPT_SENDING);
        CHECK_EQ_INT(may(state, STOOK__ATTEMPT_BODY), state == STOOK__ATTEMPT_HEAD);
    }
}

/* What the transfer has reached outlives it; a request that is sent again begins before its response. */
TEST(what_was_reached_stays)
{
    static struct stook__origin origin = {.node = {.key = "http://127.0.0.1:80", .key_size = 19}};
    struct stook__attempt attempt = {.origin = &origin};
    static const enum stook__attempt_state way[] = {
        STOOK__ATTEMPT_CONNECTING, STOOK__ATTEMPT_SENDING, STOOK__ATTEMPT_HEAD, STOOK__ATTEMPT_BODY,
        STOOK__ATTEMPT_SENDING,    STOOK__ATTEMPT_HEAD,    STOOK__ATTEMPT_BODY, STOOK__ATTEMPT_DELIVERING,
        STOOK__ATTEMPT_SETTLING,   STOOK__ATTEMPT_COMPLETED};
    for (size_t i = 0; i < sizeof way / sizeof *way; i++) {
        stook__attempt_move(&attempt, way[i], "test");
        CHECK_EQ_INT(attempt.state, way[i]);
        CHECK_EQ_INT(stook__attempt_head_done(&attempt), way[i] >= STOOK__ATTEMPT_BODY);
    }
}
