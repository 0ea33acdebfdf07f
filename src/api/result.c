/* SPDX-License-Identifier: MIT */
/* Public functions of stook/result.h. A result does not change, so any thread may read it. */
#include <string.h>
#include <strings.h>

#include "core/record.h"
#include "util/metadata.h"

static const struct stook__answer *answer_of(const stook_result *result)
{
    static const struct stook__answer nothing;
    return result != NULL ? stook__record_answer(result) : &nothing;
}

int stook_result_ok(const stook_result *result)
{
    return result != NULL && stook__record_ok(result);
}

int stook_result_error(const stook_result *result)
{
    return result != NULL ? result->error : 0;
}

int stook_result_status(const stook_result *result)
{
    return answer_of(result)->status;
}

unsigned stook_result_attempts(const stook_result *result)
{
    return answer_of(result)->attempts;
}

int stook_result_may_have_been_sent(const stook_result *result)
{
    return result != NULL && result->sent;
}

const char *stook_result_message(const stook_result *result)
{
    return result != NULL && result->state == STOOK__REQUEST_FINISHED ? result->message : "";
}

const char *stook_result_url(const stook_result *result)
{
    return result != NULL ? result->spec.url : "";
}

const char *stook_result_final_url(const stook_result *result)
{
    return stook_result_url(result); /* no redirect is followed */
}

const void *stook_result_body(const stook_result *result, size_t *ret_size)
{
    const struct stook__buffer *body = &answer_of(result)->body;
    if (ret_size != NULL)
        *ret_size = body->size;
    if (result == NULL)
        return NULL;
    return body->data != NULL ? body->data : "";
}

size_t stook_result_index(const stook_result *result)
{
    return result != NULL ? result->entry.index : 0;
}

void *stook_result_user(const stook_result *result)
{
    return result != NULL ? result->user : NULL;
}

const char *stook_result_protocol(const stook_result *result)
{
    switch (answer_of(result)->protocol) {
    case 10:
        return "HTTP/1.0";
    case 11:
        return "HTTP/1.1";
    case 20:
        return "HTTP/2";
    case 30:
        return "HTTP/3";
    default:
        return "";
    }
}

int stook_result_curl_code(const stook_result *result)
{
    return answer_of(result)->curl_code;
}

int stook_result_os_error(const stook_result *result)
{
    return answer_of(result)->os_error;
}

int64_t stook_result_time_us(const stook_result *result, int which)
{
    if (which < STOOK_TIME_QUEUED || which > STOOK_TIME_TOTAL)
        return 0;
    return answer_of(result)->time_us[which];
}

/* ------------------------------------------------- header and trailer fields */

/* Consecutive fields of a head. */
struct range {
    const char *at, *end;
};

static struct range range_of(const stook_result *result, int trailers)
{
    size_t size = 0, trailer_size = 0;
    const char *first = result != NULL ? stook__record_fields(result, &size, &trailer_size) : NULL;
    if (first == NULL)
        return (struct range){NULL, NULL};
    const char *middle = first + size - trailer_size;
    return trailers ? (struct range){middle, middle + trailer_size} : (struct range){first, middle};
}

/* Moves to the next field. Returns its value; NULL after the last. */
static const char *next(struct range *range, const char **ret_name)
{
    if (range->at == range->end)
        return NULL;
    *ret_name = range->at;
    const char *value = stook__field_value(range->at);
    range->at = value + strlen(value) + 1;
    return value;
}

static const char *find(struct range range, const char *wanted)
{
    const char *name, *value;
    while (wanted != NULL && (value = next(&range, &name)) != NULL)
        if (strcasecmp(name, wanted) == 0)
            return value;
    return NULL;
}

static size_t count(struct range range)
{
    const char *name;
    size_t n = 0;
    while (next(&range, &name) != NULL)
        n++;
    return n;
}

static const char *nth(struct range range, size_t i, const char **ret_name)
{
    const char *name, *value;
    for (size_t n = 0; (value = next(&range, &name)) != NULL; n++) {
        if (n != i)
            continue;
        if (ret_name != NULL)
            *ret_name = name;
        return value;
    }
    return NULL;
}

const char *stook_result_header(const stook_result *result, const char *name)
{
    return find(range_of(result, 0), name);
}

size_t stook_result_header_count(const stook_result *result)
{
    return count(range_of(result, 0));
}

const char *stook_result_header_at(const stook_result *result, size_t i, const char **ret_name)
{
    return nth(range_of(result, 0), i, ret_name);
}

const char *stook_result_trailer(const stook_result *result, const char *name)
{
    return find(range_of(result, 1), name);
}

size_t stook_result_trailer_count(const stook_result *result)
{
    return count(range_of(result, 1));
}

const char *stook_result_trailer_at(const stook_result *result, size_t i, const char **ret_name)
{
    return nth(range_of(result, 1), i, ret_name);
}

static struct stook__metadata metadata_of(const stook_result *result)
{
    static const struct stook__buffer nothing;
    struct stook__metadata metadata;
    stook__metadata_get(result != NULL ? &stook__record_answer(result)->head : &nothing, &metadata);
    return metadata;
}

int stook_result_flags(const stook_result *result)
{
    return (int)metadata_of(result).number[STOOK__METADATA_FLAGS];
}

int stook_result_reused(const stook_result *result)
{
    return metadata_of(result).number[STOOK__METADATA_REUSED] != 0;
}

const char *stook_result_remote_address(const stook_result *result)
{
    return metadata_of(result).remote;
}

int64_t stook_result_size(const stook_result *result, int which)
{
    static const enum stook__metadata_number numbers[] = {
        STOOK__METADATA_BODY, STOOK__METADATA_WIRE, STOOK__METADATA_HEAD, STOOK__METADATA_SENT};
    if (which < STOOK_SIZE_BODY || which > STOOK_SIZE_SENT)
        return 0;
    return (int64_t)metadata_of(result).number[numbers[which]];
}

/* ------------------------------------------------------------- references */

const stook_result *stook_result_ref(const stook_result *result)
{
    /* The count of references is the only member that changes, and no accessor returns it. */
    if (result != NULL)
        atomic_fetch_add_explicit(&((stook_result *)result)->refs, 1, memory_order_relaxed);
    return result;
}

void stook_result_unref(const stook_result *result)
{
    stook__record_drop((stook_result *)result);
}
