/* SPDX-License-Identifier: MIT */
/*
 * The chunked transfer coding; see reader_chunks.h. It owns `chunk`, `chunk_digits` and
 * `extension_bytes` of the reader. reader.c calls it while the state is CHUNKS.
 */
#include "http1/reader_chunks.h"

/* libcurl takes no more digits. A larger maximum here lets it, or a later fault, be named
   instead. */
enum { EXTENSION_MAX = 64 << 10, DIGITS_MAX = 16 };

/*
 *   SIZE --> BLANK --> EXTENSION --> SIZE_LF --> DATA --> DATA_CR --> DATA_LF --> SIZE
 *
 * BLANK and EXTENSION may be left out. After the LF of a chunk of size 0 the trailers follow.
 */
enum chunk_state {
    SIZE,      /* A digit of the size, or what follows the size, is next. */
    BLANK,     /* A blank follows the size. */
    EXTENSION, /* The chunk's extensions, up to the CR, are next. */
    SIZE_LF,   /* The LF of the size line is next. */
    DATA,      /* `remaining` bytes of the body are next. */
    DATA_CR,   /* The CR after the data is next. */
    DATA_LF    /* The LF after the data is next. */
};

void stook__reader_begin_chunks(struct stook__reader *reader)
{
    reader->chunk = SIZE;
    reader->chunk_digits = 0;
    reader->remaining = 0;
}

static int digit_of(char c)
{
    if (stook__is_digit(c))
        return c - '0';
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static const char INVALID_SIZE[] = "the size of a chunk is not valid";

static int take_digit(struct stook__reader *reader, int digit)
{
    if (reader->remaining > UINT64_MAX >> 5 || ++reader->chunk_digits > DIGITS_MAX)
        return stook__reader_fail(reader, STOOK_EPROTOCOL, "the size of a chunk is too large"), -1;
    reader->remaining = reader->remaining * 16 + (unsigned)digit;
    return 0;
}

/*
 * Takes one byte of a chunk's size line. 0, or -1 on an error. What another recipient may read as
 * another size or as the end of the line is an error. Blanks after the size, which old servers
 * send, are tolerated.
 */
static int take_size_byte(struct stook__reader *reader, char c)
{
    int digit = reader->chunk == SIZE ? digit_of(c) : -1;
    if (digit >= 0)
        return take_digit(reader, digit);
    if (reader->chunk_digits == 0 ||
        (c != '\t' && ((unsigned char)c < 0x20 || c == 0x7f) && c != '\r'))
        return stook__reader_fail(reader, STOOK_EPROTOCOL, INVALID_SIZE), -1;
    if (c == '\r') {
        if (reader->chunk == BLANK &&
            stook__reader_tolerate(reader, "a blank follows the size of a chunk") != 0)
            return -1;
        reader->chunk = SIZE_LF;
    } else if (reader->chunk == EXTENSION) {
        if (++reader->extension_bytes > EXTENSION_MAX)
            return stook__reader_fail(reader, STOOK_ETOOLARGE, "chunk extensions exceed 64 KiB"),
                   -1;
    } else if (c == ';') {
        reader->chunk = EXTENSION;
    } else if (stook__is_blank(c) && ++reader->extension_bytes <= EXTENSION_MAX) {
        reader->chunk = BLANK;
    } else {
        return stook__reader_fail(reader, STOOK_EPROTOCOL, INVALID_SIZE), -1;
    }
    return 0;
}

/* Takes one byte that is not data. 0, or -1 on an error. */
static int take_framing_byte(struct stook__reader *reader, char c)
{
    switch (reader->chunk) {
    case SIZE_LF:
        if (c != '\n')
            return stook__reader_fail(reader, STOOK_EPROTOCOL, INVALID_SIZE), -1;
        if (reader->remaining == 0) {
            stook__reader_move(reader, STOOK__READER_TRAILERS);
            reader->any_field = 0;
        }
        reader->chunk = DATA;
        return 0;
    case DATA_CR:
    case DATA_LF:
        if (c != (reader->chunk == DATA_CR ? '\r' : '\n'))
            return stook__reader_fail(reader, STOOK_EPROTOCOL,
                                      "a chunk does not end where its size says"),
                   -1;
        reader->chunk = reader->chunk == DATA_CR ? DATA_LF : SIZE;
        reader->chunk_digits = 0;
        return 0;
    default:
        return take_size_byte(reader, c);
    }
}

enum stook__reader_event stook__reader_take_bytes(struct stook__reader *reader, const char *data,
                                                  size_t size, size_t *ret_used,
                                                  struct stook__reader_item *ret_item)
{
    *ret_used = size < reader->remaining ? size : (size_t)reader->remaining;
    reader->remaining -= *ret_used;
    *ret_item = (struct stook__reader_item){.value = data, .value_size = *ret_used};
    return STOOK__READER_BYTES;
}

enum stook__reader_event stook__reader_take_chunks(struct stook__reader *reader, const char *data,
                                                   size_t size, size_t *ret_used,
                                                   struct stook__reader_item *ret_item)
{
    size_t used = 0;
    while (used < size && reader->state == STOOK__READER_CHUNKS) {
        if (reader->chunk == DATA) {
            enum stook__reader_event event =
                stook__reader_take_bytes(reader, data + used, size - used, ret_used, ret_item);
            *ret_used += used;
            if (reader->remaining == 0)
                reader->chunk = DATA_CR;
            return event;
        }
        if (take_framing_byte(reader, data[used++]) != 0) {
            *ret_used = used;
            return STOOK__READER_ERROR;
        }
    }
    *ret_used = used;
    return STOOK__READER_NOTHING;
}
