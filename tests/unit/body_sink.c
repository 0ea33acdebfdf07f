/* SPDX-License-Identifier: MIT */
/* The sink of a body, without a transfer. */
#include <string.h>

#include <stook.h>

#include "support/harness.h"
#include "support/memory.h"
#include "http/body_sink.h"

/* Header sections that follow each other in one attempt have one decoder, that of the last. No peer can cause it
   without a restart in between: receive.c takes each line behind a complete header section for a trailer, and
   resend.c restarts the sink. So the sink is called by hand. */
TEST(decoder_of_the_last_head)
{
    static char head[] = "Content-Encoding\0 gzip";
    static struct memory memory;
    static struct stook__defaults defaults;
    struct stook__settings settings = {.decompress = 1, .max_body_bytes = -1, .max_decompress_ratio = -1};
    struct stook__spec spec = {.optional = NULL};
    memory_begin(&memory);
    struct stook__attempt attempt = {.allocator = stook__allocator_new(&memory.allocator),
                                     .spec = &spec, .settings = &settings, .defaults = &defaults};
    attempt.answer.head = (struct stook__buffer){.data = head, .size = sizeof head};
    attempt.answer.status = 200;
    CHECK_ERROR(stook__body_sink_begin(&attempt), 0);
    size_t without = memory.blocks;
    CHECK_ERROR(stook__body_sink_head(&attempt), 0);
    CHECK_EQ_INT(attempt.flags, STOOK_FLAG_DECODED);
    size_t with = memory.blocks;
    CHECK(with > without);
    CHECK_ERROR(stook__body_sink_head(&attempt), 0);
    CHECK_EQ_SIZE(memory.blocks, with);
    stook__body_sink_restart(&attempt);
    CHECK_EQ_SIZE(memory.blocks, without);
    stook__body_sink_end(&attempt);
    stook__allocator_unref(attempt.allocator);
    memory_check_empty(&memory);
}
