/* SPDX-License-Identifier: MIT */
/* How far an attempt has come. Asked for by people, so it may cost a system call; nothing is noted for it. */
#include "http/attempt_parts.h"
#include "http/stream.h"

static int has_sent_all(const struct stook__attempt *attempt)
{
    curl_off_t sent = 0;
    curl_easy_getinfo(stook__easy_curl(attempt->easy), CURLINFO_SIZE_UPLOAD_T, &sent);
    return (size_t)sent >= attempt->spec->body_size;
}

enum stook__phase stook__attempt_phase(const struct stook__attempt *attempt)
{
    if (attempt->easy == NULL)
        return STOOK__GATED; /* its files are opened */
    if (stook__attempt_paused(attempt, STOOK__PAUSE_PROGRAM))
        return STOOK__PAUSED;
    if (stook__attempt_paused(attempt, STOOK__PAUSE_BUFFER))
        return STOOK__PAUSED_BUFFER;
    if (attempt->head_bytes > 0)
        return STOOK__RECEIVING;
    if (attempt->connected)
        return has_sent_all(attempt) ? STOOK__ANSWERING : STOOK__SENDING;
    switch (stook__easy_connect_step(attempt->easy)) {
    case STOOK__STEP_WAITING:
        return STOOK__GATED;
    case STOOK__STEP_RESOLVING:
        return STOOK__RESOLVING;
    case STOOK__STEP_CONNECTED:
        return STOOK__SECURING;
    default:
        return STOOK__CONNECTING;
    }
}
