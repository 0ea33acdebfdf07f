/* SPDX-License-Identifier: MIT */
/* What is asked and what is answered; see exchange.h. */
#include "request/exchange.h"

void stook__answer_free(struct stook__answer *answer, struct stook__allocator *allocator)
{
    stook__buffer_free(&answer->head, allocator);
    stook__buffer_free(&answer->body, allocator);
}
