/* SPDX-License-Identifier: MIT */
/*
 * Decides whether libcurl may send a request again within one attempt; see resend.h. All other
 * repeats are refused: the scheduler decides about them. Each sending is counted.
 */
#include "http/resend.h"

#include <string.h>

#include "http/body_sink.h"
#include "http/easy_options.h"
#include "http/request_fields.h"
#include "http/upload.h"

/* A server that calls every nonce stale would otherwise get requests forever. */
enum { RESENDS = 2 };

/* libcurl sends a request with credentials first without its body, because it expects a 401. A
   server that asks for no credentials takes that for the complete request. It is sent again, with
   its body, if its method is idempotent; otherwise the attempt fails. */
static int may_follow_success(struct stook__attempt *attempt, int status)
{
    if (status < 200 || status > 299 || attempt->resends > 0 ||
        !stook__spec_has_body(attempt->spec))
        return 0;
    if (stook__method_idempotent(attempt->method))
        return 1;
    attempt->error = STOOK_EPROTOCOL;
    attempt->why = "the server accepted the request without its body and asked for no Digest";
    return 0;
}

/* Returns 1 for a challenge that only libcurl may know how to answer, by an option of on_easy. */
static int is_challenge_for_hook(const struct stook__attempt *attempt)
{
    int status = attempt->answer.status;
    return attempt->defaults->call_easy != NULL && (status == 401 || status == 407);
}

/* Returns 1 for 417, Expectation Failed, in response to Expect: 100-continue. */
static int expectation_failed(const struct stook__attempt *attempt)
{
    return stook__spec_expects(attempt->spec) && attempt->answer.status == 417;
}

int stook__resend_allowed(void *owner)
{
    struct stook__attempt *attempt = owner;
    const struct stook__optional *optional = attempt->spec->optional;
    int status = attempt->answer.status, has_user = optional != NULL && optional->username != NULL;
    if (attempt->state != STOOK__ATTEMPT_BODY || attempt->error != 0)
        return 0;
    if ((has_user && status == 401) || expectation_failed(attempt) ||
        is_challenge_for_hook(attempt)) {
        /* At the limit the response that is there becomes the result. */
        attempt->resends_exhausted = attempt->resends == RESENDS;
        return attempt->resends < RESENDS;
    }
    return has_user && may_follow_success(attempt, status);
}

/* After a 417 libcurl skips the body and sends the request again over the same connection. The
   server may still read a body (RFC 9110 10.1.1), and would take the second request for it. So the
   connection is closed. */
void stook__resend_after_head(struct stook__attempt *attempt)
{
    if (expectation_failed(attempt) && attempt->answer.protocol < 20)
        stook__options_last(attempt, 1);
}

/* Sets the Expect field to "100-continue", or removes its value, which removes the field. libcurl
   waits for 100 only if it sends a body, but sends the field in any case. */
static void set_expect(const struct stook__attempt *attempt, int on)
{
    static const char line[] = "Expect: 100-continue";
    const size_t name = sizeof "Expect:" - 1;
    for (struct curl_slist *field = attempt->headers; field != NULL; field = field->next)
        if (strncmp(field->data, line, name) == 0)
            field->data[name] = on ? line[name] : '\0';
}

/* A request without content must not expect 100-continue (RFC 9110 10.1.1). The first sending of a
   request with credentials has none. */
void stook__resend_init(struct stook__attempt *attempt)
{
    if (stook__spec_expects(attempt->spec) &&
        (attempt->spec->optional->username != NULL || stook__upload_is_empty(attempt)))
        set_expect(attempt, 0);
}

void stook__resend_begin(void *owner)
{
    struct stook__attempt *attempt = owner;
    attempt->resends++;
    stook__attempt_move(attempt, STOOK__ATTEMPT_SENDING, "libcurl sends it again");
    stook__attempt_expect(attempt);
    attempt->answer.head.size = attempt->answer.body.size = 0;
    attempt->head_fields = attempt->head_bytes = 0;
    attempt->wire = 0;
    attempt->trailers_at = 0;
    attempt->flags = 0;
    if (attempt->stream != NULL)
        attempt->stream->head_due = 0;
    if (attempt->sink != NULL)
        stook__body_sink_restart(attempt);
    if (stook__spec_expects(attempt->spec)) {
        set_expect(attempt, attempt->answer.status != 417 && !stook__upload_is_empty(attempt));
        stook__options_last(attempt, 0);
    }
}

int stook__resend_may_follow(const struct stook__attempt *attempt)
{
    const struct stook__optional *optional = attempt->spec->optional;
    int status = attempt->answer.status;
    if (attempt->resends >= RESENDS)
        return 0;
    if (expectation_failed(attempt) || is_challenge_for_hook(attempt))
        return 1;
    /* A 2xx too; see may_follow_success(). */
    return optional != NULL && optional->username != NULL &&
           (status == 401 || (status >= 200 && status <= 299 && attempt->resends == 0 &&
                              stook__spec_has_body(attempt->spec)));
}
