/* SPDX-License-Identifier: MIT */
/*
 * Lists of Structured Fields; see structured_fields.h. The functions follow the algorithms of RFC
 * 9651 4.2 one by one. Those that take something return 1, or 0 if the field is malformed.
 */
#include "http/structured_fields.h"

#include <string.h>
#include <strings.h>

#include "http1/reader_state.h"

enum {
    NOTHING = -1,        /* the field has ended; no byte has that value */
    INTEGER_DIGITS = 15, /* RFC 9651 4.2.4 */
    DECIMAL_DIGITS = 12, /* before the point */
    FRACTION_DIGITS = 3
};

/* ------------------------------------------------------------------------------------- bytes */

int stook__field_lines_next(struct stook__field_lines *lines, struct stook__field_line *ret_line)
{
    const char *name = lines->at, *end = lines->end;
    const char *name_end = name < end ? memchr(name, '\0', (size_t)(end - name)) : NULL;
    if (name_end == NULL || name_end + 1 == end)
        return 0;
    const char *value = name_end + 1, *value_end = memchr(value, '\0', (size_t)(end - value));
    if (value_end == NULL)
        return 0;
    lines->at = value_end + 1;
    while (value < value_end && stook__is_blank(*value))
        value++;
    while (value < value_end && stook__is_blank(value_end[-1]))
        value_end--;
    *ret_line = (struct stook__field_line){name, (size_t)(name_end - name), value, value_end};
    return 1;
}

/* The size first: a section may have very many lines, and most names differ in it. */
int stook__field_line_is(const struct stook__field_line *line, const char *name)
{
    return line->name_size == strlen(name) && strncasecmp(line->name, name, line->name_size) == 0;
}

static int next_line(struct stook__sf_reader *reader, struct stook__field_line *ret_line)
{
    while (stook__field_lines_next(&reader->lines, ret_line))
        if (stook__field_line_is(ret_line, reader->name))
            return 1;
    return 0;
}

/* The next byte, or NOTHING. Between two lines it is one of the comma and the blank that join. */
static int peek(struct stook__sf_reader *reader)
{
    static const char joint[] = ", ";
    while (reader->at == reader->end) {
        struct stook__field_line line;
        if (reader->next_at != NULL) {
            reader->at = reader->next_at;
            reader->end = reader->next_end;
            reader->next_at = NULL;
        } else if (next_line(reader, &line)) {
            reader->next_at = line.value;
            reader->next_end = line.end;
            reader->at = joint;
            reader->end = joint + 2;
        } else {
            return NOTHING;
        }
    }
    return (unsigned char)*reader->at;
}

/* As peek(), and moves behind the byte. */
static int next(struct stook__sf_reader *reader)
{
    int c = peek(reader);
    if (c != NOTHING)
        reader->at++;
    return c;
}

static int take(struct stook__sf_reader *reader, char wanted)
{
    if (peek(reader) != wanted)
        return 0;
    reader->at++;
    return 1;
}

static void skip(struct stook__sf_reader *reader, const char *blanks)
{
    int c;
    while ((c = peek(reader)) == blanks[0] || c == blanks[1])
        reader->at++;
}

static void skip_spaces(struct stook__sf_reader *reader)
{
    skip(reader, "  ");
}

static int is_digit(int c)
{
    return c >= '0' && c <= '9';
}

static int is_lower(int c)
{
    return c >= 'a' && c <= 'z';
}

static int is_letter(int c)
{
    return is_lower(c) || (c >= 'A' && c <= 'Z');
}

static int is_one_of(int c, const char *set)
{
    return c > 0 && strchr(set, c) != NULL;
}

/* ------------------------------------------------------------------------------- bare items */

/* RFC 9651 4.2.4. The fraction is of no interest here. */
static int take_number(struct stook__sf_reader *reader, struct stook__sf_value *ret_value)
{
    int is_negative = take(reader, '-'), digits = 0, fraction = 0;
    int64_t integer = 0;
    for (; is_digit(peek(reader)) && digits <= INTEGER_DIGITS; digits++)
        integer = integer * 10 + (next(reader) - '0');
    if (digits == 0 || digits > INTEGER_DIGITS)
        return 0;
    ret_value->integer = is_negative ? -integer : integer;
    ret_value->type = STOOK__SF_INTEGER;
    if (!take(reader, '.'))
        return 1;
    ret_value->type = STOOK__SF_DECIMAL;
    for (; is_digit(peek(reader)) && fraction <= FRACTION_DIGITS; fraction++)
        next(reader);
    return digits <= DECIMAL_DIGITS && fraction > 0 && fraction <= FRACTION_DIGITS;
}

static const uint64_t HASH_OF_NOTHING = UINT64_C(14695981039346656037);

static uint64_t add_to_hash(uint64_t hash, int c)
{
    return (hash ^ (uint64_t)c) * UINT64_C(1099511628211);
}

/* RFC 9651 4.2.5. */
static int take_string(struct stook__sf_reader *reader, struct stook__sf_value *ret_value)
{
    uint64_t hash = HASH_OF_NOTHING;
    ret_value->type = STOOK__SF_STRING;
    next(reader); /* the quote */
    for (;;) {
        int c = next(reader);
        if (c == '"')
            break;
        if (c == '\\') {
            c = next(reader);
            if (c != '"' && c != '\\')
                return 0;
        }
        if (c < 0x20 || c > 0x7e)
            return 0;
        hash = add_to_hash(hash, c);
    }
    ret_value->hash = hash;
    return 1;
}

/* RFC 9651 4.2.6. */
static int take_token(struct stook__sf_reader *reader, struct stook__sf_value *ret_value)
{
    uint64_t hash = HASH_OF_NOTHING;
    int c;
    ret_value->type = STOOK__SF_TOKEN;
    while (is_letter(c = peek(reader)) || is_digit(c) || is_one_of(c, "!#$%&'*+-.^_`|~:/"))
        hash = add_to_hash(hash, next(reader));
    ret_value->hash = hash;
    return 1;
}

/* RFC 9651 4.2.7: base64, which may lack its padding. */
static int take_bytes(struct stook__sf_reader *reader, struct stook__sf_value *ret_value)
{
    size_t digits = 0, padding = 0;
    int c;
    ret_value->type = STOOK__SF_BYTES;
    next(reader); /* the colon */
    for (; is_letter(c = peek(reader)) || is_digit(c) || c == '+' || c == '/'; digits++)
        next(reader);
    for (; peek(reader) == '=' && padding < 3; padding++)
        next(reader);
    return take(reader, ':') && digits % 4 != 1 && (padding == 0 || (digits + padding) % 4 == 0) &&
           padding < 3;
}

/* RFC 9651 4.2.8. */
static int take_boolean(struct stook__sf_reader *reader, struct stook__sf_value *ret_value)
{
    next(reader); /* the question mark */
    int c = next(reader);
    *ret_value = (struct stook__sf_value){.type = STOOK__SF_BOOLEAN, .integer = c == '1'};
    return c == '0' || c == '1';
}

/* RFC 9651 4.2.9. */
static int take_date(struct stook__sf_reader *reader, struct stook__sf_value *ret_value)
{
    next(reader); /* the at sign */
    if (!take_number(reader, ret_value) || ret_value->type != STOOK__SF_INTEGER)
        return 0;
    ret_value->type = STOOK__SF_DATE;
    return 1;
}

/* Two hexadecimal digits in lower case, or -1. */
static int take_octet(struct stook__sf_reader *reader)
{
    static const char digits[] = "0123456789abcdef";
    int octet = 0;
    for (int i = 0; i < 2; i++) {
        int c = next(reader);
        if (!is_one_of(c, digits))
            return -1;
        octet = octet * 16 + (int)(strchr(digits, c) - digits);
    }
    return octet;
}

/* What UTF-8 (RFC 3629 4) expects: so many more bytes, the first of them within bounds. */
struct utf8 {
    int left, low, high;
};

static int add_to_utf8(struct utf8 *utf8, int c)
{
    if (utf8->left > 0) {
        int fits = c >= utf8->low && c <= utf8->high;
        *utf8 = (struct utf8){utf8->left - 1, 0x80, 0xbf};
        return fits;
    }
    int left = c < 0x80 ? 0 : c < 0xe0 ? 1 : c < 0xf0 ? 2 : 3;
    *utf8 = (struct utf8){left,
                          c == 0xe0   ? 0xa0
                          : c == 0xf0 ? 0x90
                                      : 0x80,
                          c == 0xed   ? 0x9f
                          : c == 0xf4 ? 0x8f
                                      : 0xbf};
    return c < 0x80 || (c >= 0xc2 && c <= 0xf4);
}

/* RFC 9651 4.2.10. */
static int take_display_string(struct stook__sf_reader *reader, struct stook__sf_value *ret_value)
{
    struct utf8 utf8 = {0, 0, 0};
    ret_value->type = STOOK__SF_DISPLAY_STRING;
    next(reader); /* the percent sign */
    if (!take(reader, '"'))
        return 0;
    for (;;) {
        int c = next(reader);
        if (c == '"')
            return utf8.left == 0;
        if (c < 0x20 || c > 0x7e)
            return 0;
        if (c == '%')
            c = take_octet(reader);
        if (c < 0 || !add_to_utf8(&utf8, c))
            return 0;
    }
}

/* RFC 9651 4.2.3.1. */
static int take_bare_item(struct stook__sf_reader *reader, struct stook__sf_value *ret_value)
{
    int c = peek(reader);
    *ret_value = (struct stook__sf_value){0};
    if (c == '-' || is_digit(c))
        return take_number(reader, ret_value);
    if (c == '*' || is_letter(c))
        return take_token(reader, ret_value);
    switch (c) {
    case '"':
        return take_string(reader, ret_value);
    case ':':
        return take_bytes(reader, ret_value);
    case '?':
        return take_boolean(reader, ret_value);
    case '@':
        return take_date(reader, ret_value);
    case '%':
        return take_display_string(reader, ret_value);
    default:
        return 0;
    }
}

/* ------------------------------------------------------------------------ parameters and lists */

/* RFC 9651 4.2.3.3. */
static int take_key(struct stook__sf_reader *reader, char key[STOOK__SF_KEY_MAX + 1])
{
    size_t size = 0;
    int c = peek(reader);
    if (!is_lower(c) && c != '*')
        return 0;
    while (is_lower(c = peek(reader)) || is_digit(c) || is_one_of(c, "_-.*")) {
        if (size < STOOK__SF_KEY_MAX)
            key[size] = (char)c;
        size++;
        next(reader);
    }
    key[size <= STOOK__SF_KEY_MAX ? size : 0] = '\0';
    return 1;
}

int stook__sf_next_parameter(struct stook__sf_reader *reader,
                             struct stook__sf_parameter *ret_parameter)
{
    if (!take(reader, ';'))
        return 0;
    skip_spaces(reader);
    if (!take_key(reader, ret_parameter->key))
        return -1;
    ret_parameter->value = (struct stook__sf_value){.type = STOOK__SF_BOOLEAN, .integer = 1};
    return !take(reader, '=') || take_bare_item(reader, &ret_parameter->value) ? 1 : -1;
}

/* RFC 9651 4.2.1.2, without the parameters of the list. Its content is of no interest here. */
static int take_inner_list(struct stook__sf_reader *reader, struct stook__sf_value *ret_value)
{
    next(reader); /* the parenthesis */
    for (;;) {
        struct stook__sf_parameter parameter;
        int more;
        skip_spaces(reader);
        if (take(reader, ')'))
            break;
        if (!take_bare_item(reader, ret_value))
            return 0;
        while ((more = stook__sf_next_parameter(reader, &parameter)) > 0)
            ;
        if (more < 0 || (peek(reader) != ' ' && peek(reader) != ')'))
            return 0;
    }
    *ret_value = (struct stook__sf_value){.type = STOOK__SF_INNER_LIST};
    return 1;
}

void stook__sf_begin(struct stook__sf_reader *reader, const char *fields, size_t size,
                     const char *name)
{
    struct stook__field_line line;
    *reader = (struct stook__sf_reader){.lines = {fields, fields + size}, .name = name};
    if (next_line(reader, &line)) {
        reader->at = line.value;
        reader->end = line.end;
    }
    reader->is_first = 1;
    skip_spaces(reader);
}

/* RFC 9651 4.2.1. */
int stook__sf_next_member(struct stook__sf_reader *reader, struct stook__sf_value *ret_value)
{
    if (!reader->is_first)
        skip(reader, " \t");
    if (peek(reader) == NOTHING)
        return 0;
    if (!reader->is_first) {
        if (!take(reader, ','))
            return -1;
        skip(reader, " \t"); /* A comma at the end is an error: no item follows. */
    }
    reader->is_first = 0;
    int taken = peek(reader) == '(' ? take_inner_list(reader, ret_value)
                                    : take_bare_item(reader, ret_value);
    return taken ? 1 : -1;
}
