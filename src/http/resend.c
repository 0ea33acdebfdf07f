/* SPDX-License-Identifier: MIT */
/*
 * The two answers after which libcurl sends a request again within one attempt, and may: 401 where it
 * has credentials for the Digest that is asked for (RFC 7616), and 417 where the body waited for leave
 * (RFC 9110 10.1.1). Their heads have been received whole then, and say that nothing was done.
 */
#include <string.h>

#include "http/body_sink.h"
#include "http/header_list.h"
#include "http/upload.h"

enum { RESENDS = 2 }; /* a server that finds every nonce stale would be asked for ever */

/* With a body that has yet to be asked for credentials libcurl first sends the request without it.
   A server that wants none takes that for the whole; then it is sent again as it was meant. */
static int was_taken(struct stook__attempt *attempt, int status)
{
    if (status < 200 || status > 299 || attempt->resends > 0 ||
        !stook__spec_has_body(attempt->spec))
        return 0;
    if (stook__method_idempotent(attempt->method))
        return 1;
    attempt->error = STOOK_EPROTOCOL;
    attempt->why = "the server took the request without a body, and asked for no Digest";
    return 0;
}

/* 417, Expectation Failed: the server does not give the leave that was asked for. */
static int expectation_failed(const struct stook__attempt *attempt)
{
    return stook__spec_expects(attempt->spec) && attempt->answer.status == 417;
}

int stook__resend_allowed(void *owner)
{
    struct stook__attempt *attempt = owner;
    const struct stook__optional *optional = attempt->spec->optional;
    if (optional == NULL || (optional->username == NULL && !optional->expect) ||
        !attempt->head_done || attempt->error != 0)
        return 0;
    int status = attempt->answer.status;
    if ((optional->username != NULL && status == 401) || expectation_failed(attempt)) {
        /* The answer that is there is the result then. */
        attempt->turned_down = attempt->resends == RESENDS;
        return attempt->resends < RESENDS;
    }
    return optional->username != NULL && was_taken(attempt, status);
}

/* Behind a 417 libcurl leaves the body out and sends the request again over the same connection. Where the
   server goes on to read the body, as it may (RFC 9110 10.1.1), it would take that request for it. */
void stook__resend_answered(struct stook__attempt *attempt)
{
    if (expectation_failed(attempt) && attempt->answer.protocol < 20)
        stook__options_last(attempt, 1);
}

/* The field that asks for leave, with or without what makes it ask. libcurl knows by itself whether there is
   anything to wait for, but sends the field as it is. */
static void set_expect(const struct stook__attempt *attempt, int on)
{
    static const char asks[] = "Expect: 100-continue";
    const size_t name = sizeof "Expect:" - 1;
    for (struct curl_slist *field = attempt->headers; field != NULL; field = field->next)
        if (strncmp(field->data, asks, name) == 0)
            field->data[name] = on ? asks[name] : '\0';
}

/* RFC 9110 10.1.1: not in a request without content, as one is that is to be asked for credentials. */
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
    attempt->head_done = 0;
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
    if (optional == NULL || attempt->resends >= RESENDS)
        return 0;
    if (expectation_failed(attempt))
        return 1;
    /* As was_taken() says, a 2xx too. */
    return optional->username != NULL &&
           (status == 401 || (status >= 200 && status <= 299 && attempt->resends == 0 &&
                              stook__spec_has_body(attempt->spec)));
}
