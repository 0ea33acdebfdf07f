/* SPDX-License-Identifier: MIT */
/*
 * What a response of HTTP/1 says: status line, field lines, chunks, lengths, trailers (RFC 9112).
 *
 * Pure: fed bytes, in pieces of any size, with the same outcome however they are cut. It knows no
 * attempt and no libcurl, calls nobody, and allocates nothing; a line that comes in pieces is put
 * together in a block that it is given, and none may be longer than that. What has two readings is an
 * error; what breaks a rule and has one reading is `lenient`, which `strict` makes an error of.
 * docs/internals/response-parser.md has the table.
 *
 *   STATUS_LINE -> FIELDS -> STATUS_LINE        a 1xx, another response follows
 *                        \-> LENGTH --------\
 *                        \-> CHUNKS -> TRAILERS --> ENDED
 *                        \-> UNTIL_CLOSE    the end is that of the connection
 *
 * Two ways in: stook__response_feed() takes the whole stream; where libcurl has taken it apart
 * already, its lines go to stook__response_line() and the bytes behind the header section to
 * stook__response_body().
 */
#ifndef STOOK_HTTP_RESPONSE_PARSER_H
#define STOOK_HTTP_RESPONSE_PARSER_H

#include <stddef.h>
#include <stdint.h>

enum stook__response_state {
    STOOK__RESPONSE_STATUS_LINE, /* a status line is next */
    STOOK__RESPONSE_FIELDS,      /* field lines of a header section */
    STOOK__RESPONSE_LENGTH,      /* a body of a known length */
    STOOK__RESPONSE_CHUNKS,
    STOOK__RESPONSE_TRAILERS,    /* field lines behind the last chunk */
    STOOK__RESPONSE_UNTIL_CLOSE, /* a body that ends with the connection */
    STOOK__RESPONSE_ENDED,
    STOOK__RESPONSE_FAILED
};

/* What was found in the bytes that were used up by a call. */
enum stook__response_event {
    STOOK__RESPONSE_NOTHING, /* all were used up, and more are needed */
    STOOK__RESPONSE_STATUS,  /* `status` and `protocol` are known */
    STOOK__RESPONSE_FIELD,   /* a field line: name and value of the item */
    STOOK__RESPONSE_FOLD,    /* a line that continues the value before it (RFC 9112 5.2): value */
    STOOK__RESPONSE_ODD,     /* a line that is no field, and was passed over */
    STOOK__RESPONSE_HEAD,  /* the header section is complete; if `informational`, another follows */
    STOOK__RESPONSE_BYTES, /* bytes of the body: value */
    STOOK__RESPONSE_END,   /* the message is complete */
    STOOK__RESPONSE_ERROR  /* `error` and `why` */
};

/* Points into the bytes that were fed, or into the block for lines; valid until the next call. */
struct stook__response_item {
    const char *name, *value;     /* name: of a field line, NULL otherwise */
    size_t name_size, value_size; /* a value has no blanks around it, and stands behind its name */
};

struct stook__response_rules {
    int strict;  /* nothing lenient */
    int to_head; /* it answers HEAD: there is no body */
    int framed;  /* libcurl makes up the status lines of HTTP/2 and HTTP/3 */
};

struct stook__response_parser {
    struct stook__response_rules rules;
    enum stook__response_state state;
    int error;              /* STOOK_E...: the first that was found */
    const char *why;        /* static text */
    const char *lenient;    /* the first broken rule that was overlooked; NULL: none */
    int64_t length;         /* Content-Length; -1: none */
    uint64_t trailer_bytes; /* of the trailer section, so far */
    int coded;              /* there is a Transfer-Encoding, whatever it says */
    int chunked;            /* how often it says so */
    int other_coding;       /* it says something else too */
    uint16_t status;
    uint8_t protocol; /* 10, 11, 20, 30 */
    uint8_t informational;
    uint8_t last_frames; /* the last field line frames the body, so it must not be folded */
    uint8_t any_field;   /* there was one in this section */
    uint8_t chunk;       /* where in the framing of a chunk, as response_parser.c has it */
    uint8_t digits;      /* of a chunk's size */
    uint32_t extension;  /* bytes of chunk extensions, of the whole message */
    uint64_t left;       /* of the chunk, or of the length */
    char *line;          /* the block for lines that come in pieces; NULL: they are fed whole */
    size_t line_size, line_max;
};

/* Before the first byte of a response. `line` may be NULL if stook__response_feed() is not used. */
void stook__response_begin(struct stook__response_parser *parser,
                           const struct stook__response_rules *rules, char *line, size_t line_max);

/* Feeds bytes of the stream; *ret_used of them are used up. Call again with the rest until
   STOOK__RESPONSE_NOTHING, END or ERROR. What lies behind an END is not of this response. */
enum stook__response_event stook__response_feed(struct stook__response_parser *parser,
                                                const char *data, size_t size, size_t *ret_used,
                                                struct stook__response_item *ret_item);

/* One whole line of a header or trailer section, with its end of line. */
enum stook__response_event stook__response_line(struct stook__response_parser *parser,
                                                const char *line, size_t size,
                                                struct stook__response_item *ret_item);
/* Bytes behind the header section; as stook__response_feed(). */
enum stook__response_event stook__response_body(struct stook__response_parser *parser,
                                                const char *data, size_t size, size_t *ret_used,
                                                struct stook__response_item *ret_item);

/* The connection has ended. 0: the message is complete; else STOOK_ETRUNCATED, or the error that was found
   first. *ret_why is static text, or NULL. */
int stook__response_eof(const struct stook__response_parser *parser, const char **ret_why);

#endif
