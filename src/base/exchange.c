/* SPDX-License-Identifier: MIT */
/* What is asked and what is answered; see exchange.h. */
#include "base/exchange.h"

void stook__answer_free(struct stook__answer *answer, struct stook__heap *heap)
{
    stook__buffer_free(&answer->head, heap);
    stook__buffer_free(&answer->body, heap);
}
