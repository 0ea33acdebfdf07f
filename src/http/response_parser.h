/* SPDX-License-Identifier: MIT */
/*
 * The parser of HTTP/1 responses: status line, field lines, chunks, lengths, trailers (RFC 9112).
 *
 * The parser is pure. It is fed bytes and calls nobody, it knows no attempt and no libcurl, and it
 * allocates nothing. It assembles a line that arrives in pieces in a block that the caller gives;
 * no line may be longer than the block. The events are the same however the bytes are cut.
 *
 * A response that two recipients may read in two ways is an error. A response that breaks a rule
 * and can be read in one way only is lenient: the parser notes it in `lenient`, and with `strict`
 * it is an error too. docs/internals/response-parser.md has the table.
 *
 *   STATUS_LINE --> FIELDS --> STATUS_LINE                  informational (1xx): another follows
 *                      |-----> LENGTH ----------------> ENDED
 *                      |-----> CHUNKS --> TRAILERS ---> ENDED
 *                      |-----> UNTIL_CLOSE                  stook__response_eof() ends it
 *                      '-----> ENDED                        a response without a body
 *   every state but ENDED ------> FAILED
 *
 * There are two ways to feed it. stook__response_feed() takes the bytes of the connection. When
 * libcurl has split the header section into lines, stook__response_line() takes each line and
 * stook__response_body() takes the bytes after the header section.
 *
 * response_parser.c has the entry points, the status line and the end of a section;
 * response_fields.c the field lines; response_chunks.c the chunked coding; response_state.h the
 * moves between states.
 */
#ifndef STOOK_HTTP_RESPONSE_PARSER_H
#define STOOK_HTTP_RESPONSE_PARSER_H

#include <stddef.h>
#include <stdint.h>

enum stook__response_state {
    STOOK__RESPONSE_STATUS_LINE, /* The next line is a status line. */
    STOOK__RESPONSE_FIELDS,      /* Field lines of a header section are next. */
    STOOK__RESPONSE_LENGTH,      /* A body of known length is next. */
    STOOK__RESPONSE_CHUNKS,      /* A chunked body is next. */
    STOOK__RESPONSE_TRAILERS,    /* Field lines after the last chunk are next. */
    STOOK__RESPONSE_UNTIL_CLOSE, /* A body is next; the end of the connection ends it. */
    STOOK__RESPONSE_ENDED,       /* The message is complete. */
    STOOK__RESPONSE_FAILED       /* An error was found; `error` and `why` describe it. */
};

/* What a call found in the bytes that it consumed. */
enum stook__response_event {
    STOOK__RESPONSE_NOTHING, /* All bytes are consumed; the parser needs more. */
    STOOK__RESPONSE_STATUS,  /* A status line: `status` and `protocol` are known. */
    STOOK__RESPONSE_FIELD,   /* A field line: the item has its name and value. */
    STOOK__RESPONSE_FOLD,    /* obs-fold (RFC 9112 5.2): the value continues the one before. */
    STOOK__RESPONSE_ODD,     /* A line that is no field line; the parser skipped it. */
    STOOK__RESPONSE_HEAD,    /* The header section is complete. If `informational`, one follows. */
    STOOK__RESPONSE_BYTES,   /* Bytes of the body: the item has them as its value. */
    STOOK__RESPONSE_END,     /* The message is complete. */
    STOOK__RESPONSE_ERROR    /* `error` and `why` describe the error. */
};

/* Points into the bytes that were fed or into the block for lines. Valid until the next call. */
struct stook__response_item {
    const char *name, *value;     /* `name` is NULL unless the event is a field line. */
    size_t name_size, value_size; /* The value follows the name and has no blanks around it. */
};

/* Why a response is too large, for whoever counts the bytes of its header sections. */
#define STOOK__HEADER_BYTES "the head is over max_header_bytes"

struct stook__response_rules {
    int strict;  /* What would be lenient is an error. */
    int to_head; /* The request's method is HEAD: the response has no body. */
    int framed;  /* The status line may name HTTP/2 or HTTP/3: libcurl makes such lines up. */
};

struct stook__response_parser {
    struct stook__response_rules rules;
    enum stook__response_state state; /* Only stook__response_move() sets it. */
    int error;                        /* STOOK_E...: the first error; 0 while there is none. */
    const char *why;                  /* The first error as static text. */
    const char *lenient;              /* The first tolerated violation, static text, or NULL. */
    int64_t length;                   /* Content-Length; -1: none. */
    uint64_t trailer_bytes;           /* Bytes of the trailer section so far. */
    uint64_t trailer_max;             /* Its bound, which the caller may set; else there is none. */
    int coded;                        /* There is a Transfer-Encoding, whatever its value. */
    int chunked;                      /* How often Transfer-Encoding names chunked. */
    int other_coding;                 /* Transfer-Encoding names a coding other than chunked. */
    uint16_t status;
    uint8_t protocol;         /* 10, 11, 20 or 30 */
    uint8_t informational;    /* The status is 1xx. */
    uint8_t last_frames;      /* The last field frames the body; it must not be folded. */
    uint8_t any_field;        /* This section has a field line; a fold may follow. */
    uint8_t chunk;            /* enum chunk_state of response_chunks.c */
    uint8_t chunk_digits;     /* Digits of the chunk size so far. */
    uint32_t extension_bytes; /* Bytes of chunk extensions in the whole message. */
    uint64_t remaining;       /* Bytes that the chunk or the body of known length still has. */
    char *line;               /* The caller's block for a line that arrives in pieces. */
    size_t line_size, line_max;
};

/* Starts a response. `line` may be NULL if every line is fed whole by stook__response_line(). */
void stook__response_begin(struct stook__response_parser *parser,
                           const struct stook__response_rules *rules, char *line, size_t line_max);

/*
 * Consumes bytes of the connection, *ret_used of them. Call it with the rest until it returns
 * STOOK__RESPONSE_NOTHING, END or ERROR. Bytes after END do not belong to this response.
 */
enum stook__response_event stook__response_feed(struct stook__response_parser *parser,
                                                const char *data, size_t size, size_t *ret_used,
                                                struct stook__response_item *ret_item);

/* Consumes one whole line of a header or trailer section, with its end of line. */
enum stook__response_event stook__response_line(struct stook__response_parser *parser,
                                                const char *line, size_t size,
                                                struct stook__response_item *ret_item);

/* Consumes bytes after the header section; otherwise as stook__response_feed(). */
enum stook__response_event stook__response_body(struct stook__response_parser *parser,
                                                const char *data, size_t size, size_t *ret_used,
                                                struct stook__response_item *ret_item);

/*
 * The connection has ended. Returns 0 if the message is complete, else STOOK_ETRUNCATED or the
 * first error. *ret_why is static text or NULL.
 */
int stook__response_eof(const struct stook__response_parser *parser, const char **ret_why);

#endif
