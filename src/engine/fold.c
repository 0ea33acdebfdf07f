/* SPDX-License-Identifier: MIT */
/* No fold in front of the first field; see fold.h. */
#include "engine/fold.h"

#include "engine/quirks.h"

static int is_wanted(const struct stook__slot *slot)
{
    return (slot->engine->quirks & STOOK__QUIRK_FOLDS_INTO_FREED) != 0;
}

static int is_blank(char byte)
{
    return byte == ' ' || byte == '\t';
}

/* libcurl refuses a line with a NUL in front, and does not look behind it. */
static int on_trace(CURL *easy, curl_infotype type, char *data, size_t size, void *user)
{
    (void)easy;
    (void)user;
    if (type == CURLINFO_HEADER_IN && size > 0 && is_blank(data[0]))
        data[0] = '\0';
    return 0;
}

static void trace(struct stook__slot *slot, int on)
{
    if (slot->traced != on)
        curl_easy_setopt(slot->easy, CURLOPT_VERBOSE, (long)on);
    slot->traced = on;
}

void stook__fold_init(struct stook__slot *slot)
{
    if (is_wanted(slot))
        stook__slot_set(slot, CURLOPT_DEBUGFUNCTION, on_trace);
}

void stook__fold_begin(struct stook__slot *slot)
{
    trace(slot, 0);
    slot->folds = is_wanted(slot) ? STOOK__STATUS_IS_NEXT : STOOK__FOLDS_ARE_GOOD;
}

void stook__fold_line(struct stook__slot *slot, const char *line, size_t size)
{
    int is_empty = size == 0 || line[0] == '\r' || line[0] == '\n';
    if (slot->folds == STOOK__STATUS_IS_NEXT) {
        slot->folds = STOOK__FIELD_IS_NEXT;
        trace(slot, 1);
    } else if (is_empty) { /* of an interim head without a field */
        slot->folds = STOOK__STATUS_IS_NEXT;
    } else {
        slot->folds = STOOK__FOLDS_ARE_GOOD;
        trace(slot, 0);
    }
}
