/* SPDX-License-Identifier: MIT */
/*
 * What the three sources of the reader share: the struct with its states and events, the move from
 * state to state, and the two ways to treat a violation. The functions are inline, because they run
 * for every response. reader.h says what the reader promises.
 */
#ifndef STOOK_HTTP1_READER_STATE_H
#define STOOK_HTTP1_READER_STATE_H

#include <assert.h>
#include <stddef.h>
#include <stdint.h>

#include <stook.h>

#include "util/trace.h"

/*
 * The state of the reader.
 *
 *   STATUS_LINE --> FIELDS --> STATUS_LINE                  informational (1xx): another follows
 *                      |-----> LENGTH ----------------> ENDED
 *                      |-----> CHUNKS --> TRAILERS ---> ENDED
 *                      |-----> UNTIL_CLOSE                  stook__reader_eof() ends it
 *                      '-----> ENDED                        a response without a body
 *   every state but ENDED ------> FAILED
 */
enum stook__reader_state {
    STOOK__READER_STATUS_LINE, /* The next line is a status line. */
    STOOK__READER_FIELDS,      /* Field lines of a header section are next. */
    STOOK__READER_LENGTH,      /* A body of known length is next. */
    STOOK__READER_CHUNKS,      /* A chunked body is next. */
    STOOK__READER_TRAILERS,    /* Field lines after the last chunk are next. */
    STOOK__READER_UNTIL_CLOSE, /* A body is next; the end of the connection ends it. */
    STOOK__READER_ENDED,       /* The message is complete. */
    STOOK__READER_FAILED       /* An error was found; `error` and `why` describe it. */
};

/* What a call found in the bytes that it consumed. */
enum stook__reader_event {
    STOOK__READER_NOTHING, /* The reader needs more bytes, or a larger block for a line. */
    STOOK__READER_STATUS,  /* A status line: `status` and `protocol` are known. */
    STOOK__READER_FIELD,   /* A field line: the item has its name and value. */
    STOOK__READER_FOLD,    /* obs-fold (RFC 9112 5.2): the value continues the one before. */
    STOOK__READER_ODD,     /* A line that is no field line; the reader skipped it. */
    STOOK__READER_HEAD,    /* The header section is complete. If `informational`, one follows. */
    STOOK__READER_BYTES,   /* Bytes of the body: the item has them as its value. */
    STOOK__READER_END,     /* The message is complete. */
    STOOK__READER_ERROR    /* `error` and `why` describe the error. */
};

/* Points into the bytes that were fed or into the block for lines. Valid until the next call. */
struct stook__reader_item {
    const char *name, *value;     /* `name` is NULL unless the event is a field line. */
    size_t name_size, value_size; /* The value follows the name and has no blanks around it. */
};

struct stook__reader_rules {
    int strict;  /* What would be lenient is an error. */
    int to_head; /* The request's method is HEAD: the response has no body. */
    int framed;  /* The status line may name HTTP/2 or HTTP/3: libcurl makes such lines up. */
};

struct stook__reader {
    struct stook__reader_rules rules;
    enum stook__reader_state state; /* Only stook__reader_move() sets it. */
    int error;                      /* STOOK_E...: the first error; 0 while there is none. */
    const char *why;                /* The first error as static text. */
    const char *lenient;            /* The first tolerated violation, static text, or NULL. */
    int64_t length;                 /* Content-Length; -1: none. */
    uint64_t trailer_bytes;         /* Bytes of the trailer section so far. */
    uint64_t trailer_max;           /* Its bound, which the caller may set; else there is none. */
    int coded;                      /* There is a Transfer-Encoding, whatever its value. */
    int chunked;                    /* How often Transfer-Encoding names chunked. */
    int other_coding;               /* Transfer-Encoding names a coding other than chunked. */
    uint16_t status;
    uint8_t protocol;          /* 10, 11, 20 or 30 */
    uint8_t informational;     /* The status is 1xx. */
    uint8_t close, keep_alive; /* Options of Connection in the last header section. */
    uint8_t by_chunks;         /* The body is chunked, or was. */
    uint8_t last_field;        /* enum last_field of reader_fields.c */
    uint8_t any_field;         /* This section has a field line; a fold may follow. */
    uint8_t chunk;             /* enum chunk_state of reader_chunks.c */
    uint8_t chunk_digits;      /* Digits of the chunk size so far. */
    uint32_t extension_bytes;  /* Bytes of chunk extensions in the whole message. */
    uint64_t remaining;        /* Bytes that the chunk or the body of known length still has. */
    char *line;                /* The caller's block for a line that arrives in pieces, or NULL. */
    size_t line_capacity;      /* Bytes of the block; the caller may enlarge it between calls. */
    size_t line_wanted;        /* Bytes that it must have, when stook__reader_feed() says so. */
    size_t line_size;          /* Bytes of the line so far, in the block. */
    size_t line_max;           /* The longest line, and so the largest block. */
};

#define STOOK__BIT(state) (1u << STOOK__READER_##state)

/* Whether the picture above allows the move. Only an assert asks. */
static inline int stook__reader_may_move(enum stook__reader_state from, enum stook__reader_state to)
{
    static const unsigned allowed[] = {
        [STOOK__READER_STATUS_LINE] = STOOK__BIT(FIELDS) | STOOK__BIT(FAILED),
        [STOOK__READER_FIELDS] = STOOK__BIT(STATUS_LINE) | STOOK__BIT(LENGTH) | STOOK__BIT(CHUNKS) |
                                 STOOK__BIT(UNTIL_CLOSE) | STOOK__BIT(ENDED) | STOOK__BIT(FAILED),
        [STOOK__READER_LENGTH] = STOOK__BIT(ENDED),
        [STOOK__READER_CHUNKS] = STOOK__BIT(TRAILERS) | STOOK__BIT(FAILED),
        [STOOK__READER_TRAILERS] = STOOK__BIT(ENDED) | STOOK__BIT(FAILED),
        [STOOK__READER_FAILED] = STOOK__BIT(FAILED),
    };
    return (allowed[from] >> to & 1) != 0;
}

#undef STOOK__BIT

/* Moves the reader. A release build has neither the assert nor the trace: this is a store. */
static inline void stook__reader_move(struct stook__reader *reader, enum stook__reader_state state)
{
    assert(stook__reader_may_move(reader->state, state));
#ifdef STOOK_TRACE
    static const char *const names[] = {"status line", "fields",      "length", "chunks",
                                        "trailers",    "until close", "ended",  "failed"};
    STOOK__TRACE("http1", "response %p: %s -> %s", (void *)reader, names[reader->state],
                 names[state]);
#endif
    reader->state = state;
}

/* Fails the response. The first error counts. */
static inline enum stook__reader_event stook__reader_fail(struct stook__reader *reader, int error,
                                                          const char *why)
{
    if (reader->error == 0) {
        reader->error = error;
        reader->why = why;
    }
    stook__reader_move(reader, STOOK__READER_FAILED);
    return STOOK__READER_ERROR;
}

/*
 * Notes a violation that can be read in one way only. 0; -1 if `strict` made it fail the response.
 */
static inline int stook__reader_tolerate(struct stook__reader *reader, const char *why)
{
    if (reader->lenient == NULL)
        reader->lenient = why;
    if (!reader->rules.strict)
        return 0;
    stook__reader_fail(reader, STOOK_EPROTOCOL, why);
    return -1;
}

/* Whether the message is complete: what follows on the connection does not belong to it. Asked only
   if the body goes through the reader. */
static inline int stook__reader_is_over(const struct stook__reader *reader)
{
    return reader->state == STOOK__READER_ENDED ||
           (reader->state == STOOK__READER_LENGTH && reader->remaining == 0);
}

static inline int stook__is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static inline int stook__is_digit(char c)
{
    return c >= '0' && c <= '9';
}

#endif
