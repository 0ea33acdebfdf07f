/* SPDX-License-Identifier: MIT */
/* What programs read of a result. Immutable, so any thread may. */
#include "turn/record.h"

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

const char *stook_result_message(const stook_result *result)
{
    return result != NULL && result->stage == STOOK__OVER ? result->message : "";
}

const char *stook_result_url(const stook_result *result)
{
    return result != NULL ? result->spec.url : "";
}

const char *stook_result_final_url(const stook_result *result)
{
    return stook_result_url(result); /* redirects are not followed yet */
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
    return result != NULL ? result->parcel.index : 0;
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

const stook_result *stook_result_keep(const stook_result *result)
{
    /* Of a result only the count ever changes, and the program never sees that. */
    if (result != NULL)
        atomic_fetch_add_explicit(&((stook_result *)result)->refs, 1, memory_order_relaxed);
    return result;
}

void stook_result_drop(const stook_result *result)
{
    stook__record_drop((stook_result *)result);
}
