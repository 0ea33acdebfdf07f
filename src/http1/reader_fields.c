/* SPDX-License-Identifier: MIT */
/*
 * Field lines of a response; see reader_fields.h. It decides which violations of RFC 9110 5 and
 * RFC 9112 5 are tolerated, and notes what frames the body: `length`, `coded`, `chunked`,
 * `other_coding`. It notes too whether the connection outlives the message: `close`, `keep_alive`.
 * reader.c calls it for the lines of header and trailer sections.
 */
#include "http1/reader_fields.h"

#include <string.h>
#include <strings.h>

/* The bytes of a token (RFC 9110 5.6.2). */
#define T(c) [c] = 1
static const char token[256] = {
    T('!'), T('#'), T('$'), T('%'), T('&'), T('\''), T('*'), T('+'), T('-'), T('.'), T('^'),
    T('_'), T('`'), T('|'), T('~'), T('0'), T('1'),  T('2'), T('3'), T('4'), T('5'), T('6'),
    T('7'), T('8'), T('9'), T('a'), T('b'), T('c'),  T('d'), T('e'), T('f'), T('g'), T('h'),
    T('i'), T('j'), T('k'), T('l'), T('m'), T('n'),  T('o'), T('p'), T('q'), T('r'), T('s'),
    T('t'), T('u'), T('v'), T('w'), T('x'), T('y'),  T('z'), T('A'), T('B'), T('C'), T('D'),
    T('E'), T('F'), T('G'), T('H'), T('I'), T('J'),  T('K'), T('L'), T('M'), T('N'), T('O'),
    T('P'), T('Q'), T('R'), T('S'), T('T'), T('U'),  T('V'), T('W'), T('X'), T('Y'), T('Z')};
#undef T

enum { EIGHT_AND_CRLF = 10 }; /* Bytes; lines shorter than that are rare. */

/* What the last field was, for a fold that may continue it. */
enum last_field { OTHER_FIELD, FRAMING_FIELD, CONNECTION_FIELD };

static int is_named(const char *name, size_t size, const char *wanted)
{
    return size == strlen(wanted) && strncasecmp(name, wanted, size) == 0;
}

static int is_framing(const char *name, size_t size)
{
    return is_named(name, size, "Content-Length") || is_named(name, size, "Transfer-Encoding");
}

/* ------------------------------------------------------------------------ control bytes */

/*
 * Whether one of eight bytes may be below 0x20 or be 0x7f. Every byte of a header section passes
 * here, so this is quick. Next to bytes above 0x7f it may report a control byte that is not there.
 */
static int may_have_control(const char *bytes)
{
    const uint64_t ones = UINT64_C(0x0101010101010101);
    uint64_t eight;
    memcpy(&eight, bytes, 8);
    return (((eight - ones * 0x20) | (eight + ones)) & ~eight & ones << 7) != 0;
}

/* Whether at least eight bytes have no control byte. The last eight may overlap the ones before. */
static int is_clean(const char *value, const char *end)
{
    const char *last = end - 8;
    for (; value < last; value += 8)
        if (may_have_control(value))
            return 0;
    return !may_have_control(last);
}

int stook__reader_find_control(const char *line, const char *end)
{
    int found = 0;
    if (end - line >= 8 && is_clean(line, end))
        return 0;
    for (; line < end; line++) {
        unsigned char c = (unsigned char)*line;
        if (c == '\0' || c == '\r')
            return -1;
        found |= (c < 0x20 && c != '\t') || c == 0x7f;
    }
    return found;
}

const char *stook__reader_check_line(struct stook__reader *reader, const char *line, size_t size)
{
    if (size == 0 || line[size - 1] != '\n')
        return stook__reader_fail(reader, STOOK_EPROTOCOL,
                                  "a line of the header section has no end"),
               NULL;
    const char *end = line + size - 1;
    int has_cr = end > line && end[-1] == '\r';
    end -= has_cr;
    int control = stook__reader_find_control(line, end);
    if (control < 0)
        return stook__reader_fail(reader, STOOK_EPROTOCOL, STOOK__INVALID_BYTE), NULL;
    /* RFC 9112 2.2: a recipient may take an LF alone for the end of the line. */
    if (!has_cr &&
        stook__reader_tolerate(reader, "a line of the header section ends without a CR") != 0)
        return NULL;
    if (control > 0 &&
        stook__reader_tolerate(reader, "a line of the header section has a control byte") != 0)
        return NULL;
    return end;
}

/* ---------------------------------------------------------------- what frames the body */

/*
 * Cuts the first member off a list and the blanks around it. Returns the rest; NULL: that was all.
 */
static const char *cut_member(const char *list, const char *end, const char **ret_member,
                              size_t *ret_size)
{
    const char *comma = memchr(list, ',', (size_t)(end - list)),
               *stop = comma != NULL ? comma : end;
    while (list < stop && stook__is_blank(*list))
        list++;
    while (list < stop && stook__is_blank(stop[-1]))
        stop--;
    *ret_member = list;
    *ret_size = (size_t)(stop - list);
    return comma != NULL ? comma + 1 : NULL;
}

/* The number of digits has no bound: leading zeros do not change the value. */
static int parse_length(const char *digits, size_t size, int64_t *ret_length)
{
    int64_t length = 0;
    if (size == 0)
        return -1;
    for (const char *end = digits + size; digits < end; digits++) {
        if (!stook__is_digit(*digits) || length > (INT64_MAX - (*digits - '0')) / 10)
            return -1;
        length = length * 10 + (*digits - '0');
    }
    *ret_length = length;
    return 0;
}

/*
 * Content-Length. A value that is no number, or two values that differ, leave open where the
 * message ends (RFC 9112 6.3). A list means the same as several fields. 0, or -1 on an error.
 */
static int take_lengths(struct stook__reader *reader, const char *value, const char *end)
{
    while (value != NULL) {
        const char *member;
        size_t size;
        int64_t length = 0;
        value = cut_member(value, end, &member, &size);
        if (parse_length(member, size, &length) != 0)
            return stook__reader_fail(reader, STOOK_EPROTOCOL, "Content-Length is not a number"),
                   -1;
        if (reader->length >= 0 && reader->length != length)
            return stook__reader_fail(reader, STOOK_EPROTOCOL,
                                      "two values of Content-Length differ"),
                   -1;
        if (reader->length >= 0 &&
            stook__reader_tolerate(reader, "Content-Length is given twice") != 0)
            return -1;
        reader->length = length;
    }
    return 0;
}

/*
 * Transfer-Encoding. stook requests no transfer coding (RFC 9112 7.4), so chunked is the only one
 * allowed. Another coding is an error at the end of the section and only if the response has a
 * body, so here it is noted. 0, or -1 on an error.
 */
static int take_codings(struct stook__reader *reader, const char *value, const char *end)
{
    reader->coded = 1;
    while (value != NULL) {
        const char *member;
        size_t size;
        value = cut_member(value, end, &member, &size);
        if (is_named(member, size, "chunked")) {
            if (reader->chunked++ > 0 &&
                stook__reader_tolerate(reader, "chunked is given twice") != 0)
                return -1;
        } else if (size == 0) {
            if (stook__reader_tolerate(reader, "Transfer-Encoding has an empty member") != 0)
                return -1;
        } else if (is_named(member, size, "identity")) {
            if (stook__reader_tolerate(reader, "identity is no longer a transfer coding") != 0)
                return -1;
        } else {
            reader->other_coding = 1;
        }
    }
    return 0;
}

/* ------------------------------------------------------------------ the connection */

/* The first byte first: Set-Cookie and Keep-Alive have as many. `name` has at least one. */
static int is_connection(const char *name, size_t size)
{
    return (name[0] | 0x20) == 'c' && is_named(name, size, "Connection");
}

/* Connection (RFC 9110 7.6.1). Its other options name fields, or protocols for an upgrade. */
static void take_options(struct stook__reader *reader, const char *value, const char *end)
{
    while (value != NULL) {
        const char *member;
        size_t size;
        value = cut_member(value, end, &member, &size);
        reader->close |= is_named(member, size, "close");
        reader->keep_alive |= is_named(member, size, "keep-alive");
    }
}

/* Not every recipient takes a Connection field as such if a blank follows its name, or reads all of
   it if it is folded. The message has one reading all the same, but its connection ends with it. */
static void distrust_connection(struct stook__reader *reader)
{
    if (reader->state == STOOK__READER_FIELDS)
        reader->close = 1;
}

/* -------------------------------------------------------------------------------- a line */

/* Takes a field of a header section with a meaning for the reader. Not inlined: few fields have a
   name of that length, and the common path needs the registers. 0, or -1 on an error. */
static __attribute__((noinline)) int take_known(struct stook__reader *reader,
                                                const struct stook__reader_item *field)
{
    const char *value = field->value, *end = value + field->value_size;
    if (is_connection(field->name, field->name_size)) {
        reader->last_field = CONNECTION_FIELD;
        take_options(reader, value, end);
        return 0;
    }
    if (!is_framing(field->name, field->name_size))
        return 0;
    reader->last_field = FRAMING_FIELD;
    return field->name_size == strlen("Content-Length") ? take_lengths(reader, value, end)
                                                        : take_codings(reader, value, end);
}

static const char *trim(const char *line, const char *end)
{
    while (end > line && stook__is_blank(end[-1]))
        end--;
    return end;
}

/* A field of a trailer section frames nothing, and says nothing of the connection. */
static enum stook__reader_event take_field(struct stook__reader *reader, const char *line,
                                           const char *colon, const char *end,
                                           struct stook__reader_item *ret_item)
{
    const char *value = colon + 1;
    size_t size = (size_t)(colon - line);
    while (value < end && stook__is_blank(*value))
        value++;
    reader->any_field = 1;
    reader->last_field = OTHER_FIELD;
    *ret_item = (struct stook__reader_item){line, value, size, (size_t)(end - value)};
    if ((size == strlen("Connection") || size == strlen("Content-Length") ||
         size == strlen("Transfer-Encoding")) &&
        reader->state == STOOK__READER_FIELDS && take_known(reader, ret_item) != 0)
        return STOOK__READER_ERROR;
    return STOOK__READER_FIELD;
}

/*
 * Returns the colon of a line that breaks no rule, or NULL. The line's end is no byte of a token.
 */
static const char *find_colon(const char *line, const char *end)
{
    const char *at = line;
    if (end[0] != '\r' || end[1] != '\n')
        return NULL;
    while (token[(unsigned char)*at])
        at++;
    return at != line && *at == ':' && is_clean(at, end) ? at : NULL;
}

static enum stook__reader_event take_fold(struct stook__reader *reader, const char *line,
                                          const char *end, struct stook__reader_item *ret_item)
{
    if (!reader->any_field)
        return stook__reader_fail(reader, STOOK_EPROTOCOL, "a folded line has no field before it");
    if (reader->last_field == FRAMING_FIELD)
        return stook__reader_fail(reader, STOOK_EPROTOCOL,
                                  "a field that frames the body is folded");
    if (stook__reader_tolerate(reader, "a field is folded") != 0)
        return STOOK__READER_ERROR;
    if (reader->last_field == CONNECTION_FIELD)
        distrust_connection(reader);
    while (line < end && stook__is_blank(*line))
        line++;
    *ret_item = (struct stook__reader_item){.value = line, .value_size = (size_t)(end - line)};
    return STOOK__READER_FOLD;
}

/* A name is a token, and no blank follows it (RFC 9112 5.1). 0, or -1 on an error. */
static int check_name(struct stook__reader *reader, const char *name, const char *colon)
{
    const char *end = trim(name, colon);
    if (end < colon && is_framing(name, (size_t)(end - name)))
        return stook__reader_fail(reader, STOOK_EPROTOCOL,
                                  "a blank follows the name of a field that frames the body"),
               -1;
    if (end < colon && is_connection(name, (size_t)(end - name)))
        distrust_connection(reader);
    if (end < colon)
        return stook__reader_tolerate(reader, "a blank follows the name of a field");
    if (end == name)
        return stook__reader_tolerate(reader, "a field has no name");
    while (token[(unsigned char)*name])
        name++; /* The colon is no byte of a token. */
    return name == colon ? 0 : stook__reader_tolerate(reader, "a field name is not a token");
}

/* Any line. Not inlined: nearly every line breaks no rule and is handled without it. */
static __attribute__((noinline)) enum stook__reader_event take_any_line(
    struct stook__reader *reader, const char *line, size_t size,
    struct stook__reader_item *ret_item)
{
    const char *end = stook__reader_check_line(reader, line, size), *stop;
    if (end == NULL)
        return STOOK__READER_ERROR;
    if (end == line)
        return STOOK__READER_NOTHING;
    stop = trim(line, end);
    if (stop == line || stook__is_blank(line[0]))
        return take_fold(reader, line, stop, ret_item);
    const char *colon = memchr(line, ':', (size_t)(stop - line));
    if (colon != NULL && check_name(reader, line, colon) == 0)
        return take_field(reader, line, colon, stop, ret_item);
    if (colon != NULL)
        return STOOK__READER_ERROR;
    reader->last_field = OTHER_FIELD;
    return stook__reader_tolerate(reader, "a line of the header section has no colon") != 0
               ? STOOK__READER_ERROR
               : STOOK__READER_ODD;
}

enum stook__reader_event stook__reader_field_line(struct stook__reader *reader, const char *line,
                                                  size_t size, struct stook__reader_item *ret_item)
{
    if (size < EIGHT_AND_CRLF)
        return take_any_line(reader, line, size, ret_item);
    const char *end = line + size - 2, *colon = find_colon(line, end);
    if (colon == NULL)
        return take_any_line(reader, line, size, ret_item);
    return take_field(reader, line, colon, trim(colon, end), ret_item);
}
