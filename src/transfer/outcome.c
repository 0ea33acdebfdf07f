/* SPDX-License-Identifier: MIT */
/* What became of an attempt: libcurl's codes put into our classes, with a line for people. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "engine/sockets.h"
#include "transfer/feed.h"
#include "transfer/fields.h"
#include "transfer/intake.h"

enum { CODE_TOO_LARGE = 100 }; /* CURLE_TOO_LARGE, of libcurl 8.6 and later */

void stook__outcome_set(struct stook__heap *heap, struct stook__outcome *outcome, int error, const char *why)
{
    const char *text = stook_strerror(error);
    *outcome = (struct stook__outcome){.error = error, .message = text};
    if (why == NULL || *why == '\0')
        return;
    char *line = stook__format(heap, "%s: %s", text, why);
    if (line == NULL)
        return;
    outcome->message = line;
    outcome->message_owned = 1;
}

static int class_of(CURLcode code)
{
    switch (code) {
    case CURLE_OK:
        return 0;
    case CURLE_URL_MALFORMAT:
        return STOOK_EURL;
    case CURLE_UNSUPPORTED_PROTOCOL:
        return STOOK_EPROTOCOL; /* of the answer: the URL's was checked */
    case CURLE_COULDNT_RESOLVE_HOST:
        return STOOK_EDNS;
    case CURLE_COULDNT_CONNECT:
        return STOOK_ECONNECT;
    case CURLE_COULDNT_RESOLVE_PROXY:
    case CURLE_PROXY:
        return STOOK_EPROXY;
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_SSL_CIPHER:
    case CURLE_SSL_ENGINE_NOTFOUND:
    case CURLE_SSL_ENGINE_SETFAILED:
    case CURLE_SSL_ENGINE_INITFAILED:
    case CURLE_SSL_SHUTDOWN_FAILED:
    case CURLE_SSL_CLIENTCERT:
        return STOOK_ETLS;
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_CRL_BADFILE:
    case CURLE_SSL_ISSUER_ERROR:
    case CURLE_SSL_INVALIDCERTSTATUS:
    case CURLE_SSL_PINNEDPUBKEYNOTMATCH:
        return STOOK_ECERT;
    case CURLE_OPERATION_TIMEDOUT:
        return STOOK_ETIMEOUT_ATTEMPT; /* of libcurl's clocks only the one for connecting is set */
    case CURLE_PARTIAL_FILE:
        return STOOK_ETRUNCATED;
    case CURLE_BAD_CONTENT_ENCODING: /* libcurl decodes no content: a transfer coding that nobody asked for */
        return STOOK_EPROTOCOL;
    case CURLE_TOO_MANY_REDIRECTS:
        return STOOK_EREDIRECT;
    case CURLE_OUT_OF_MEMORY:
        return STOOK_ENOMEM;
    case CURLE_FILESIZE_EXCEEDED:
        return STOOK_ETOOLARGE;
    case CURLE_GOT_NOTHING:
    case CURLE_SEND_ERROR:
    case CURLE_RECV_ERROR:
    case CURLE_SEND_FAIL_REWIND:
    case CURLE_HTTP2_STREAM:
    case CURLE_HTTP2:
    case CURLE_HTTP3:
    case CURLE_QUIC_CONNECT_ERROR:
        return STOOK_ERESET;
    default:
        return STOOK_EPROTOCOL;
    }
}

static int got_bytes(const struct stook__attempt *attempt)
{
    return attempt->rounds > 0 || attempt->head_bytes > 0 || attempt->answer.body.size > 0;
}

/* Codes that say something else than what happened, seen by what else is known. */
static int corrected(const struct stook__attempt *attempt, const struct stook__slot_facts *facts)
{
    int os_error = attempt->answer.os_error;
    if (facts->os_error == EMFILE || facts->os_error == ENFILE || os_error == EMFILE || os_error == ENFILE)
        return STOOK_ENOFD;
    /* Said when it could not make the pair of descriptors for its resolver. */
    if (facts->code == CURLE_COULDNT_RESOLVE_HOST && stook__sockets_exhausted())
        return STOOK_ENOFD;
    /* Said of a file that it could not open. */
    if (facts->starved && facts->code != CURLE_PEER_FAILED_VERIFICATION && class_of(facts->code) == STOOK_ECERT)
        return STOOK_ENOFD;
    if (facts->os_error == ENOMEM || facts->os_error == ENOBUFS)
        return STOOK_ENOMEM;
    /* 7.88 says so of a header line over 100 KB. */
    if (facts->code == CURLE_OUT_OF_MEMORY && attempt->answer.time_us[STOOK_TIME_FIRST_BYTE] > 0 &&
        !attempt->head_done)
        return STOOK_ETOOLARGE;
    /* The connection ended inside the head, and libcurl makes do with what it has. */
    if (facts->code == CURLE_OK && !attempt->head_done)
        return STOOK_ETRUNCATED;
    /* The connection is fine, what came over it is not. */
    if (facts->code == CURLE_RECV_ERROR && strstr(facts->text, "chunk") != NULL)
        return STOOK_EPROTOCOL;
    /* Others than 7.88 on OpenSSL have another code for a key that they cannot use. */
    if (strstr(facts->text, "key file") != NULL || strstr(facts->text, "key or certificate file") != NULL)
        return STOOK_ECERT;
    if (facts->code == CURLE_HTTP2_STREAM && strstr(facts->text, "PROTOCOL_ERROR") != NULL)
        return STOOK_EPROTOCOL;
    if ((int)facts->code == CODE_TOO_LARGE)
        return STOOK_ETOOLARGE;
    return class_of(facts->code);
}

/* All there can be, so that none has to be stored with its result. */
#define ONE(hundreds, tens, ones) "HTTP " #hundreds #tens #ones,
#define TEN(h, t) ONE(h, t, 0) ONE(h, t, 1) ONE(h, t, 2) ONE(h, t, 3) ONE(h, t, 4) \
                  ONE(h, t, 5) ONE(h, t, 6) ONE(h, t, 7) ONE(h, t, 8) ONE(h, t, 9)
#define HUNDRED(h) TEN(h, 0) TEN(h, 1) TEN(h, 2) TEN(h, 3) TEN(h, 4) \
                   TEN(h, 5) TEN(h, 6) TEN(h, 7) TEN(h, 8) TEN(h, 9)
static const char status_lines[][9] = {HUNDRED(1) HUNDRED(2) HUNDRED(3) HUNDRED(4) HUNDRED(5)
                                       HUNDRED(6) HUNDRED(7) HUNDRED(8) HUNDRED(9)};

static const char *status_message(unsigned status)
{
    if (status >= 200 && status <= 299)
        return stook_strerror(0);
    return status >= 100 && status <= 999 ? status_lines[status - 100] : "HTTP";
}

/* Said on a connection that was used before, it may be about the time before this request: it says
   that the server had given up waiting for one (RFC 9110 15.5.9). */
static int was_given_up(const struct stook__attempt *attempt, const struct stook__slot_facts *facts)
{
    return attempt->answer.status == 408 && facts->reused && stook__method_idempotent(attempt->method);
}

void stook__outcome_judge(struct stook__attempt *attempt, struct stook__outcome *ret_outcome)
{
    struct stook__slot_facts facts;
    stook__slot_facts(attempt->slot, &facts);
    int error = attempt->error;
    const char *why = attempt->why;
    char within[64];
    if (error == 0 && attempt->turned_down) {
        why = NULL;
    } else if (error == 0 && facts.broken != CURLM_OK) {
        error = facts.broken == CURLM_OUT_OF_MEMORY ? STOOK_ENOMEM : STOOK_ERESET;
        why = curl_multi_strerror(facts.broken);
    } else if (error == 0 && facts.resent) {
        error = STOOK_ERESET;
        why = "a kept-alive connection was closed before an answer";
    } else if (error == 0) {
        error = corrected(attempt, &facts);
        why = facts.text[0] != '\0' ? facts.text : curl_easy_strerror(facts.code);
        if (error == 0 && attempt->intake != NULL)
            error = stook__intake_verdict(attempt, &why);
        if (error == 0 && attempt->intake != NULL)
            error = stook__intake_finish(attempt, &why);
        if (facts.code == CURLE_OK) /* as corrected() says */
            why = "the connection ended inside the head";
        if (error == STOOK_ETIMEOUT_ATTEMPT) { /* libcurl's clock was first: what sched would say */
            snprintf(within, sizeof within, "not connected within %" PRId64 " ms", attempt->policy->connect_ms);
            why = within;
        }
    }
    int given_up = error == 0 && was_given_up(attempt, &facts);
    if (given_up) {
        error = STOOK_ERESET;
        why = "the server had given up the kept-alive connection";
    }
    if (error == 0) {
        *ret_outcome = (struct stook__outcome){.message = status_message(attempt->answer.status)};
        return;
    }
    stook__outcome_set(attempt->heap, ret_outcome, error, why);
    ret_outcome->starved = error == STOOK_ENOFD || (error == STOOK_ECONNECT && attempt->answer.os_error == EADDRNOTAVAIL);
    ret_outcome->idempotent = stook__method_idempotent(attempt->method);
    ret_outcome->lost = attempt->anew || given_up || (error == STOOK_ERESET && !got_bytes(attempt) && (facts.resent || facts.reused));
    ret_outcome->lost = ret_outcome->lost && stook__feed_may_repeat(attempt);
}
