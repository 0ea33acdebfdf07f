/* SPDX-License-Identifier: MIT */
/* Public functions of stook/result.h. A result does not change, so any thread may read it. */
#include "core/result.h"
#include "request/validate.h"

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
    return stook__result_answer(result)->status;
}

unsigned stook_result_attempts(const stook_result *result)
{
    return stook__result_answer(result)->attempts;
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
    const struct stook__hops *hops = stook__result_hops(result);
    return hops != NULL ? hops->first_url : stook_result_final_url(result);
}

const char *stook_result_final_url(const stook_result *result)
{
    return result != NULL ? result->spec.url : "";
}

size_t stook_result_hop_count(const stook_result *result)
{
    const struct stook__hops *hops = stook__result_hops(result);
    return hops != NULL ? hops->count : 0;
}

const char *stook_result_hop_at(const stook_result *result, size_t i, int *ret_status)
{
    if (i >= stook_result_hop_count(result))
        return NULL;
    const struct stook__hops *hops = stook__result_hops(result);
    if (ret_status != NULL)
        *ret_status = hops->list[i].status;
    return stook__hops_from(hops, i);
}

const void *stook_result_body(const stook_result *result, size_t *ret_size)
{
    const struct stook__buffer *body = &stook__result_answer(result)->body;
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
    switch (stook__result_answer(result)->protocol) {
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
    return stook__result_answer(result)->curl_code;
}

int stook_result_os_error(const stook_result *result)
{
    return stook__result_answer(result)->os_error;
}

int64_t stook_result_time_us(const stook_result *result, int which)
{
    if (which < STOOK_TIME_QUEUED || which > STOOK_TIME_TOTAL)
        return 0;
    return stook__result_answer(result)->time_us[which];
}

/* ------------------------------------------------- header and trailer fields */

const char *stook_result_header(const stook_result *result, const char *name)
{
    return stook__result_field(result, 0, name);
}

size_t stook_result_header_count(const stook_result *result)
{
    return stook__result_field_count(result, 0);
}

const char *stook_result_header_at(const stook_result *result, size_t i, const char **ret_name)
{
    return stook__result_field_at(result, 0, i, ret_name);
}

const char *stook_result_trailer(const stook_result *result, const char *name)
{
    return stook__result_field(result, 1, name);
}

size_t stook_result_trailer_count(const stook_result *result)
{
    return stook__result_field_count(result, 1);
}

const char *stook_result_trailer_at(const stook_result *result, size_t i, const char **ret_name)
{
    return stook__result_field_at(result, 1, i, ret_name);
}

int stook_result_flags(const stook_result *result)
{
    return (int)stook__result_metadata(result).number[STOOK__METADATA_FLAGS];
}

int stook_result_reused(const stook_result *result)
{
    return stook__result_metadata(result).number[STOOK__METADATA_REUSED] != 0;
}

const char *stook_result_remote_address(const stook_result *result)
{
    return stook__result_metadata(result).remote;
}

int64_t stook_result_size(const stook_result *result, int which)
{
    static const enum stook__metadata_number numbers[] = {
        STOOK__METADATA_BODY, STOOK__METADATA_WIRE, STOOK__METADATA_HEAD, STOOK__METADATA_SENT,
        STOOK__METADATA_RESUMED};
    if (which < STOOK_SIZE_BODY || which > STOOK_SIZE_RESUMED)
        return 0;
    return (int64_t)stook__result_metadata(result).number[numbers[which]];
}

/* ------------------------------------------------------------- references */

const stook_result *stook_result_ref(const stook_result *result)
{
    /* The count of references is the only member that changes, and no accessor returns it. */
    if (result != NULL)
        stook__record_ref((stook_result *)result);
    return result;
}

void stook_result_unref(const stook_result *result)
{
    stook__record_drop((stook_result *)result);
}

int stook_result_attempt_at(const stook_result *result, size_t i, struct stook_attempt *ret_attempt)
{
    struct stook_attempt mine;
    if (result == NULL || ret_attempt == NULL || !stook__validate_size(ret_attempt))
        return STOOK_EARG;
    if (!stook__result_attempt(result, i, &mine))
        return STOOK_ESTATE;
    stook__fill_struct(ret_attempt, &mine, sizeof mine);
    return 0;
}
