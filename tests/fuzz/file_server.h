/* SPDX-License-Identifier: MIT */
/*
 * A server of one file, on the loop of the program, at a socket of the file system. It takes a request apart and
 * ends the process where one asks for a range otherwise than RFC 9110 13.1.5 and 14 allow; what it answers is
 * a plan's. It never lies where nobody could tell: what has the validator of a version is that version's.
 */
#ifndef STOOK_TEST_FILE_SERVER_H
#define STOOK_TEST_FILE_SERVER_H

#include <stddef.h>
#include <uv.h>

#define FILE_URL "http://files.test/file"

/* The file had four contents, told apart at every offset, and each of them in a coding is another one. */
enum { FILE_VERSIONS = 4, FILE_CODED = FILE_VERSIONS, FILE_ANSWERS = 6, FILE_SIZE_MAX = 140000 };
unsigned char file_byte(int content, size_t offset);

enum file_kind {
    FILE_HONEST,    /* by the book */
    FILE_WHOLE,     /* what is asked for does not matter */
    FILE_OTHER_TAG, /* these are answers to a range; without one, an honest answer */
    FILE_LATER,     /* than the first byte that was asked for */
    FILE_OTHER_TOTAL,
    FILE_NO_NUMBERS,
    FILE_JUNK,
    FILE_SHORT,
    FILE_LONG,
    FILE_MULTIPART,
    FILE_FROM_0,    /* a 206, asked for or not */
    FILE_NONE_LEFT, /* 416 */
    FILE_MISSING,   /* 404 */
    FILE_BUSY,      /* 503 */
    FILE_EMPTY,     /* 204 */
    FILE_NONSENSE,  /* no HTTP */
    FILE_KINDS
};
enum file_validator {
    FILE_STRONG,
    FILE_BOTH,
    FILE_DATE,
    FILE_WEAK,
    FILE_NO_VALIDATOR,
    FILE_YOUNG,
    FILE_DATELESS,
    FILE_TWO_TAGS,
    FILE_VALIDATORS
};
enum file_framing { FILE_LENGTH, FILE_CHUNKS, FILE_UNTIL_CLOSE, FILE_FRAMINGS };
enum file_cut { FILE_UNCUT, FILE_CUT_BODY, FILE_CUT_HEAD, FILE_CUTS };

struct file_plan {
    enum file_kind kind;
    enum file_validator validator;
    enum file_framing framing;
    enum file_cut cut;
    int version; /* that the file has from now on; -1: as before */
    int coded, interim, closes;
    unsigned cut_at, split_at; /* in 256ths */
};

/* What was answered. */
struct file_answer {
    int status; /* 0: no HTTP, or not all of the head */
    int content;
    int complete; /* a file of `size` bytes of `content` may come of it */
    size_t size;
    int until_close;
    int misfits; /* a 206 or 416 that is not the rest of any part */
    size_t first, sent; /* bytes of the content */
    char validator[64]; /* with which the part may be resumed; "": with none */
};

struct file_server {
    uv_pipe_t listener;
    int version;
    size_t sizes[FILE_VERSIONS];
    struct file_calls *calls; /* connections */
    unsigned given[FILE_VERSIONS]; /* in bits: the tag, the date */
    /* Of one attempt. */
    struct file_plan plans[2]; /* of the first two requests; others have an honest answer */
    char range[40], condition[64]; /* fields that the first request has to have; "": neither */
    int resumes, knows_total; /* `knows_total`: what is there of the file says how much it is a part of */
    struct file_answer answers[FILE_ANSWERS];
    size_t n_answers;
};

/* Its handles do not keep the loop alive. */
void file_server_open(struct file_server *server, uv_loop_t *loop, const char *path);
/* Connections end; those that nobody has taken yet, too. */
void file_server_drop(struct file_server *server);
void file_server_close(struct file_server *server);

/* The version that has this validator; -1: none has. */
int file_version_of(const char *validator);

#endif
