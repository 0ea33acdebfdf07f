/* SPDX-License-Identifier: MIT */
/* Reads a result: its response, the fields and the metadata of that. A result does not change,
   so any thread may call this. core/record.h makes results. */
#ifndef STOOK_CORE_RESULT_H
#define STOOK_CORE_RESULT_H

#include "core/record.h"
#include "util/metadata.h"

/* The response; an empty one if the record is neither FINISHED nor a SNAPSHOT, or NULL. */
const struct stook__answer *stook__result_answer(const stook_result *result);
/* The redirects that were followed; NULL: none. */
const struct stook__hops *stook__result_hops(const stook_result *result);
/* The metadata of the response; zeroed if there is none. */
struct stook__metadata stook__result_metadata(const stook_result *result);

/* Of the header fields of a response, or, with `trailers`, of its trailer fields: the value of
   the first with that name, their number, the value of the i-th with its name in *ret_name,
   which may be NULL. NULL: there is none. `result` and `name` may be NULL. */
const char *stook__result_field(const stook_result *result, int trailers, const char *name);
size_t stook__result_field_count(const stook_result *result, int trailers);
const char *stook__result_field_at(const stook_result *result, int trailers, size_t i,
                                   const char **ret_name);

/* Fills *ret_attempt with what the i-th attempt came to. 0: there is no such attempt. */
int stook__result_attempt(const stook_result *result, size_t i, struct stook_attempt *ret_attempt);

#endif
