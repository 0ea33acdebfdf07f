/* SPDX-License-Identifier: MIT */
/* What the files of this room share: the attempt, and who reads or writes which part of it. */
#ifndef STOOK_HTTP_ATTEMPT_PARTS_H
#define STOOK_HTTP_ATTEMPT_PARTS_H

#include "curl/easy.h"
#include "deliver/flow_control.h"
#include "http/attempt.h"
#include "http/defaults.h"
#include "http/response_parser.h"
#include "util/map.h"
#include "util/metadata.h"

struct stook__defaults {
    struct stook__allocator *allocator;
    struct stook__engine *engine;
    const struct stook__settings *policy;
    struct stook__trust *trust;   /* of the policy */
    char *agent;                  /* the line of the User-Agent, or NULL */
    struct curl_slist *headers;   /* with it; NULL: none */
    size_t head_size;             /* of the last head */
    struct stook__link downloads; /* all that are not closed */
    size_t n_downloads;
    struct stook__link files_ready;  /* attempts, of whose files an operation is over */
    size_t n_to_program;             /* attempts under way whose body goes there */
    int has_tls;                     /* libcurl was built with it */
    const char *no_password;         /* for a key without one; NULL: none is told */
    long versions[STOOK_HTTP_3 + 1]; /* by STOOK_HTTP_...: what libcurl is told; 0: it cannot */
};

struct stook__attempt {
    struct stook__allocator *allocator;
    struct stook__engine *engine;
    struct stook__easy *easy;
    const struct stook__spec *spec;
    const struct stook__node *origin; /* as limits know it, with its hash */
    const struct stook__settings *policy;
    struct stook__answer answer;
    const char *method;
    void *owner;
    struct stook__defaults *defaults; /* easy handles of requests that are like it may rest */
    struct curl_slist *headers;       /* of its own; NULL: it has the usual ones */
    const int64_t *clock;             /* the engine's, while libcurl runs */
    int64_t moved_at;
    int64_t sent;                           /* bytes of the body, when last asked */
    int64_t head_bytes;                     /* of all heads and trailers */
    int64_t head_fields;                    /* the same, in fields */
    int64_t wire;                           /* bytes of the body, as they came */
    int64_t received;                       /* the same, decoded; of bodies that have an intake */
    struct stook__response_parser response; /* `line` is ours to free */
    size_t trailers_at; /* where in the head's fields those of the trailers begin */
    int anew;           /* what was asked for cannot be had, but the whole can */
    int flags;          /* STOOK_FLAG_... */
    int head_done;      /* the final head is complete */
    int connected;
    int reused;      /* its connection was used before */
    int resends;     /* sendings beside the first; see resend.c */
    int turned_down; /* libcurl wanted one more than there may be */
    int fresh;       /* not on a connection that was used before */
    int error;       /* why a callback ended the transfer; 0: none did */
    const char *why; /* the same in words, or NULL */
    int os_error;    /* of a callback; 0: none */
    char *owned_why; /* `why`, if it is not static */
    struct stook__outcome
        refusal;  /* of one that could not be sent, in more words; .error 0: there is none */
    int started;  /* it was given to the engine; before, its files are opened */
    int settling; /* it is over, but for its file */
    struct stook__link files_ready;      /* among the usual's */
    struct stook__upload_source *source; /* NULL: the program is not asked for it */
    struct stook__upload *upload;        /* NULL: the body is in memory, or there is none */
    struct stook__body_sink *sink;       /* NULL: the body goes to memory as it comes */
    struct stook__stream *stream;        /* NULL: the turn hears only of its end */
    struct stook__body_flow flow;        /* its body: what pauses it, and how much is buffered */
};

/* Beside an attempt that the turn works for while it is under way: it talks with the program, or has an intake. */
struct stook__stream {
    struct stook__link ready_owners; /* among the engine's */
    struct stook__attempt *attempt;
    int64_t sent;  /* bytes of the request's body, as last told */
    int head_due;  /* on_head was not called yet */
    int head_told; /* it was: this answer is the result's */
    int moved;     /* on_progress was not called since bytes moved */
    int woken; /* stook_batch_resume_request() was called, maybe from inside the very callback that pauses */
    int over; /* libcurl is done with it, the program is not */
};

/* stream.c: 0 or STOOK_ENOMEM. */
int stook__stream_begin(struct stook__attempt *attempt);
void stook__stream_end(struct stook__attempt *attempt);
/* stream.c, inside libcurl: the final head is complete; bytes of a body have moved. */
void stook__stream_head(struct stook__attempt *attempt);
void stook__stream_moved(struct stook__attempt *attempt);
/* stream.c: no other answer follows the one whose head is there. */
int stook__stream_head_is_final(const struct stook__attempt *attempt);
/* stream.c, inside libcurl: no more is taken until the program has had what is there. */
int stook__stream_pause(struct stook__attempt *attempt);
/* stream.c: it has ended, but the program has not heard all of it; it is told again then. */
int stook__stream_defers(struct stook__attempt *attempt);
/* attempt.c, inside libcurl: it is to end with that error, unless there was one before. STOOK__EASY_END. */
int stook__attempt_stop(struct stook__attempt *attempt, int error, const char *why);
/* attempt.c: another response is expected. */
void stook__attempt_expect(struct stook__attempt *attempt);
/* attempt.c: put what is known so far into the answer. */
void stook__attempt_fill_answer(struct stook__attempt *attempt);

/* receive.c */
extern const struct stook__attempt_events stook__receive_events;
/* attempt.c: the method, which may go without saying. */
const char *stook__attempt_method(const struct stook__spec *spec);
/* easy_options.c: method and header fields, and what this libcurl can do; sets the attempt's headers. Errors as below. */
int stook__options_check(struct stook__attempt *attempt, int *ret_secret,
                         struct stook__outcome *ret_outcome);
/* easy_options.c: a easy handle, with all options set. 0, STOOK_EARG, STOOK_EPOLICY, STOOK_EURL, STOOK_EUNSUPPORTED,
   STOOK_ENOMEM; the outcome is set if there is more to say. */
int stook__options_set(struct stook__attempt *attempt, int fresh,
                       struct stook__outcome *ret_outcome);
/* easy_options.c, also inside libcurl: whether its connection ends with this request. */
void stook__options_last(struct stook__attempt *attempt, int last);
/* easy_options.c: whether the connection may come to speak HTTP/2, which is agreed in TLS: 1; or even HTTP/3: 2. */
int stook__options_may_be_h2(const struct stook__attempt *attempt);
/* Authorities of one's own are these and no others. */
static inline int stook__peer_own_authorities(const struct stook__settings *policy)
{
    return policy->ca_file != NULL || (policy->peer != NULL && policy->peer->ca_data != NULL);
}

/* tls.c: the trust of a policy; NULL: no memory. */
struct stook__trust *stook__peer_trust(const struct stook__defaults *defaults,
                                       const struct stook__settings *policy);
enum { STOOK__PLACE_MAX = 80 };
/* tls.c: where `resolve` says the host of the URL is, for CURLOPT_CONNECT_TO. 0: it says nothing. */
int stook__peer_place(const struct stook__attempt *attempt, CURLU *url,
                      char text[STOOK__PLACE_MAX]);
/* tls.c: the easy handle's origin: 0 or STOOK_ENOMEM; and the options that say where it is and who. */
int stook__peer_join(struct stook__attempt *attempt, int h2, int may_rest);
void stook__peer_set(struct stook__attempt *attempt);
/* peer_files.c: which of the files that say whom to trust could not be used, and why, in words of the heap; also
   sets the answer's errno. NULL: none, or no memory. `code` is libcurl's, of an attempt that failed in TLS. */
char *stook__peer_file_fault(struct stook__attempt *attempt, CURLcode code);
/* resend.c, inside libcurl: as attempt_events. */
int stook__resend_allowed(void *owner);
void stook__resend_begin(void *owner);
/* resend.c: its header fields are made, for the first time it is sent. */
void stook__resend_init(struct stook__attempt *attempt);
/* resend.c, inside libcurl: the final head is complete. */
void stook__resend_answered(struct stook__attempt *attempt);
/* resend.c: libcurl may yet send it again behind the answer whose head is there. */
int stook__resend_may_follow(const struct stook__attempt *attempt);
/* error_map.c */
void stook__error_map(struct stook__attempt *attempt, const struct stook__easy_info *facts,
                      struct stook__outcome *ret_outcome);
/* error_map.c: the answer says no more than that the connection was given up: another is waited for. */
int stook__error_map_given_up(const struct stook__attempt *attempt);
/* error_map.c: "text: why", or only the text if there is no memory or no why. */
void stook__outcome_set(struct stook__allocator *allocator, struct stook__outcome *outcome,
                        int error, const char *why);

#endif
