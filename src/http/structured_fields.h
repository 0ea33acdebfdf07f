/* SPDX-License-Identifier: MIT */
/*
 * The lines of a field, and a strict parser for those that are a List of Structured Fields (RFC
 * 9651). It reads in place and once, calls nobody, allocates nothing, and has no limit but the size
 * of the section. Malformed may be found at the end only, so a caller acts on what it has read when
 * the list has ended.
 */
#ifndef STOOK_HTTP_STRUCTURED_FIELDS_H
#define STOOK_HTTP_STRUCTURED_FIELDS_H

#include <stddef.h>
#include <stdint.h>

/* A section as a head keeps it: "name\0 value\0" in sequence. A part behind the last NUL is no
   field. */
struct stook__field_lines {
    const char *at, *end;
};

struct stook__field_line {
    const char *name;
    size_t name_size;
    const char *value, *end; /* without the blanks around it */
};

/* Takes the next line. 1; 0: there is none. */
int stook__field_lines_next(struct stook__field_lines *lines, struct stook__field_line *ret_line);
/* Tells whether the field has that name. */
int stook__field_line_is(const struct stook__field_line *line, const char *name);

enum stook__sf_type {
    STOOK__SF_INTEGER,
    STOOK__SF_DECIMAL,
    STOOK__SF_STRING,
    STOOK__SF_TOKEN,
    STOOK__SF_BYTES,
    STOOK__SF_BOOLEAN,
    STOOK__SF_DATE,
    STOOK__SF_DISPLAY_STRING,
    STOOK__SF_INNER_LIST
};

struct stook__sf_value {
    enum stook__sf_type type;
    int64_t integer; /* INTEGER, BOOLEAN, DATE */
    uint64_t hash;   /* STRING, TOKEN: FNV-1a of the text, which tells names from each other */
};

enum { STOOK__SF_KEY_MAX = 15 };

struct stook__sf_parameter {
    char key[STOOK__SF_KEY_MAX + 1]; /* "": it is longer, and none that is known here */
    struct stook__sf_value value;
};

struct stook__sf_reader {
    struct stook__field_lines lines; /* those behind the current one */
    const char *name;
    const char *at, *end;           /* the rest of the current line, or of what joins two */
    const char *next_at, *next_end; /* the line behind what joins; NULL: none was read yet */
    int is_first;                   /* no member was taken yet */
};

/* Begins with all lines of that name, joined by ", " (RFC 9110 5.3). */
void stook__sf_begin(struct stook__sf_reader *reader, const char *fields, size_t size,
                     const char *name);
/* Takes the next member of the list, an Item or an Inner List. Its parameters are to be taken up to
   the end before that. 1; 0: the list has ended, and is valid; -1: the field is malformed. */
int stook__sf_next_member(struct stook__sf_reader *reader, struct stook__sf_value *ret_value);
/* Takes the next parameter of the member. 1; 0: it has no more; -1: the field is malformed. If a
   key comes twice, the last one counts (RFC 9651 3.1.2). */
int stook__sf_next_parameter(struct stook__sf_reader *reader,
                             struct stook__sf_parameter *ret_parameter);

#endif
