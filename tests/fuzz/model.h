/* SPDX-License-Identifier: MIT */
/*
 * A model of the framing of responses, written from RFC 9112 alone: it knows nothing of the library. It has all bytes at
 * once, and is sure only of responses that keep the grammar, of prefixes of such ones, and of faults that RFC 9112 calls
 * unrecoverable.
 */
#ifndef STOOK_TEST_FUZZ_MODEL_H
#define STOOK_TEST_FUZZ_MODEL_H

#include <stddef.h>

enum model_answer {
    MODEL_UNSURE,   /* some leniency decides */
    MODEL_COMPLETE, /* one response, to its end or to that of the connection */
    MODEL_CUT_OFF,  /* the beginning of a response */
    MODEL_WRONG     /* no response, whatever follows */
};

struct model {
    enum model_answer answer;
    int status; /* of the last status line */
    int keeps;  /* the connection may carry another response, RFC 9112 9.3 */
    size_t used, fields, trailers; /* fields of all header sections */
    char *body;                    /* without chunks, as far as it has come */
    size_t body_size;
};

/* `line_max`: it is not sure of longer lines, their ends included. Frees nothing that the model had before. */
void model_read(const char *bytes, size_t size, int to_head, size_t line_max, struct model *ret_model);
void model_free(struct model *model);

#endif
