/* SPDX-License-Identifier: MIT */
/* What few requests, and few clients, ask for. */
#ifndef STOOK_REQUEST_OPTIONAL_H
#define STOOK_REQUEST_OPTIONAL_H

#include "request/exchange.h"
#include "request/pack.h"

/* A whole message, so that nothing has to be put together. */
#define STOOK__ARG(why) "invalid argument: " why

/* Members of a client's options, or of a request. */
struct stook__peer_input {
    const char *ca_file;
    struct stook__peer peer; /* without `resolve` */
    const char *const *resolve;
};

/* 0, or STOOK_EARG with *ret_why set to static text. */
int stook__peer_check(const struct stook__peer_input *input, const char **ret_why);
/* 1: there is something in it. */
int stook__peer_given(const struct stook__peer_input *input);
/* A copy of what `input` says, or of what `usual` does where it says nothing; this may be NULL. */
void stook__peer_pack(struct stook__peer *peer, struct stook__pack *pack,
                      const struct stook__peer_input *input, const struct stook__peer *defaults);

/* What is wrong with these members of a request: 0, STOOK_EARG, or STOOK_EPOLICY. */
int stook__optional_judge(const struct stook__settings *client, const struct stook_request *request,
                          const char **ret_why);
int stook__optional_credentials(const struct stook_request *request, const char **ret_why);
int stook__parts_judge(const struct stook_request *request, const char **ret_why);
/* Bytes of the value of a part that was judged; 0 for a file. */
size_t stook__parts_value(const struct stook_part *part);
/* First into the block: they are structs. */
void stook__parts_pack(struct stook__optional *optional, struct stook__pack *pack,
                       const struct stook_request *request);
/* Whether `headers` have one of that name. */
int stook__optional_has_field(const struct stook_request *request, const char *name);
/* Set *ret_extra, to NULL if there is no need. 0 or STOOK_ENOMEM. */
int stook__optional_make(struct stook__allocator *allocator, const struct stook__settings *client,
                         const struct stook_request *request, struct stook__optional **ret_extra);

/* Header fields that members of their own stand for: strings one behind the other. */
void stook__optional_fields(struct stook__pack *pack, const struct stook_request *request);
/* Bytes of a body that the members `json` or `form` stand for. */
void stook__optional_body(struct stook__pack *pack, const struct stook_request *request);

#endif
