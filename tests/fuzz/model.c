/* SPDX-License-Identifier: MIT */
#include "model.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "../support/harness.h"

/* RFC 9110 5.6.2 */
#define TOKEN "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789!#$%&'*+-.^_`|~"
#define DIGITS "0123456789"
#define HEX DIGITS "ABCDEFabcdef"

struct bytes {
    const char *at;
    size_t size;
};

/* What one header section says. */
struct head {
    int minor; /* HTTP/1.minor */
    int has_length, is_chunked, other_coding, close, keep_alive;
    uint64_t length;
};

struct input {
    const char *bytes;
    size_t size, at, line_max;
    struct model *model;
};

/* Every function below returns the answer that ends the reading, or GOES_ON. */
enum { GOES_ON = -1 };

static struct bytes trimmed(struct bytes text)
{
    while (text.size > 0 && strchr(" \t", text.at[0]) != NULL && text.at[0] != '\0')
        text.at++, text.size--;
    while (text.size > 0 && (text.at[text.size - 1] == ' ' || text.at[text.size - 1] == '\t'))
        text.size--;
    return text;
}

static int is_named(struct bytes text, const char *name)
{
    return text.size == strlen(name) && strncasecmp(text.at, name, text.size) == 0;
}

static size_t span(struct bytes text, const char *set)
{
    size_t size = 0;
    while (size < text.size && text.at[size] != '\0' && strchr(set, text.at[size]) != NULL)
        size++;
    return size;
}

/* ----------------------------------------------------------------------------------- lines */

/* RFC 9110 5.5: "CR, LF, and NUL are invalid and dangerous"; other control bytes are invalid. */
static int judge_bytes(struct bytes text)
{
    int answer = GOES_ON;
    for (size_t i = 0; i < text.size; i++) {
        unsigned char c = (unsigned char)text.at[i];
        if (c == '\0' || c == '\r')
            return MODEL_WRONG;
        if ((c < ' ' && c != '\t') || c == 0x7f)
            answer = MODEL_UNSURE;
    }
    return answer;
}

/* The next line, without its CR LF. `peeks`: as it is, and it stays the next. */
static int take_line(struct input *input, int peeks, struct bytes *ret_line)
{
    struct bytes rest = {input->bytes + input->at, input->size - input->at};
    const char *lf = rest.size > 0 ? memchr(rest.at, '\n', rest.size) : NULL;
    size_t size = lf != NULL ? (size_t)(lf - rest.at) + 1 : rest.size;
    if (size > input->line_max)
        return MODEL_UNSURE;
    if (lf == NULL) {
        if (rest.size > 0 && rest.at[rest.size - 1] == '\r')
            rest.size--;
        return peeks || judge_bytes(rest) == GOES_ON ? MODEL_CUT_OFF : MODEL_UNSURE;
    }
    *ret_line = (struct bytes){rest.at, size};
    if (peeks)
        return GOES_ON;
    input->at += size;
    if (size < 2 || lf[-1] != '\r')
        return MODEL_UNSURE; /* RFC 9112 2.2 */
    ret_line->size -= 2;
    return judge_bytes(*ret_line);
}

/* RFC 9112 4: HTTP-version SP status-code SP [ reason-phrase ] */
static int take_status_line(struct input *input, struct head *head)
{
    struct bytes line;
    int answer = take_line(input, 1, &line);
    if (answer != GOES_ON)
        return answer;
    if (line.size < 5 || memcmp(line.at, "HTTP/", 5) != 0)
        return MODEL_WRONG;
    answer = take_line(input, 0, &line);
    if (answer != GOES_ON)
        return answer;
    if (line.size < 9 || memcmp(line.at, "HTTP/1.", 7) != 0 || strchr(DIGITS, line.at[7]) == NULL || line.at[8] != ' ')
        return MODEL_WRONG;
    *head = (struct head){.minor = line.at[7] - '0'};
    struct bytes status = {line.at + 9, line.size - 9};
    if (span(status, DIGITS) != 3 || (status.size > 3 && status.at[3] != ' '))
        return MODEL_WRONG;
    if (status.size == 3 || status.at[0] < '1' || status.at[0] > '5')
        return MODEL_UNSURE;
    input->model->status = (status.at[0] - '0') * 100 + (status.at[1] - '0') * 10 + status.at[2] - '0';
    return input->model->status == 101 ? MODEL_WRONG : GOES_ON; /* nothing asked for an upgrade */
}

/* ---------------------------------------------------------------------------------- fields */

/* RFC 9112 6.3, number 5. A list of equal values may be taken for one. */
static int note_length(struct head *head, struct bytes value)
{
    uint64_t length = 0;
    if (memchr(value.at, ',', value.size) != NULL)
        return MODEL_UNSURE;
    if (value.size == 0 || span(value, DIGITS) < value.size)
        return MODEL_WRONG;
    for (size_t i = 0; i < value.size; i++) {
        if (length > (uint64_t)INT64_MAX / 10)
            return MODEL_UNSURE;
        length = length * 10 + (uint64_t)(value.at[i] - '0');
    }
    if (length > (uint64_t)INT64_MAX)
        return MODEL_UNSURE;
    if (head->has_length)
        return head->length == length ? MODEL_UNSURE : MODEL_WRONG;
    head->has_length = 1;
    head->length = length;
    return GOES_ON;
}

static int note_coding(struct head *head, struct bytes value)
{
    if (head->is_chunked || head->other_coding || value.size == 0 || span(value, TOKEN) < value.size || is_named(value, "identity"))
        return MODEL_UNSURE;
    head->is_chunked = is_named(value, "chunked");
    head->other_coding = !head->is_chunked;
    return GOES_ON;
}

static void note_connection(struct head *head, struct bytes value)
{
    for (size_t at = 0; at <= value.size;) {
        const char *comma = at < value.size ? memchr(value.at + at, ',', value.size - at) : NULL;
        size_t size = (comma != NULL ? (size_t)(comma - value.at) : value.size) - at;
        struct bytes option = trimmed((struct bytes){value.at + at, size});
        head->close |= is_named(option, "close");
        head->keep_alive |= is_named(option, "keep-alive");
        at += size + 1;
    }
}

/* RFC 9112 5: field-name ":" OWS field-value OWS. To the empty line; `head` NULL: trailers. */
static int take_fields(struct input *input, struct head *head, size_t *count)
{
    struct bytes line;
    int answer;
    while ((answer = take_line(input, 0, &line)) == GOES_ON && line.size > 0) {
        size_t name_size = span(line, TOKEN);
        if (name_size == 0 || name_size == line.size || line.at[name_size] != ':')
            return MODEL_UNSURE;
        struct bytes name = {line.at, name_size}, value = trimmed((struct bytes){line.at + name_size + 1, line.size - name_size - 1});
        if (head != NULL && is_named(name, "Content-Length"))
            answer = note_length(head, value);
        else if (head != NULL && is_named(name, "Transfer-Encoding"))
            answer = note_coding(head, value);
        else if (head != NULL && is_named(name, "Connection"))
            note_connection(head, value);
        if (answer != GOES_ON)
            return answer;
        (*count)++;
    }
    return answer;
}

/* ------------------------------------------------------------------------------------ body */

/* Takes as many of `size` bytes as there are. */
static int take_data(struct input *input, uint64_t size)
{
    size_t left = input->size - input->at, part = size < left ? (size_t)size : left;
    memcpy(input->model->body + input->model->body_size, input->bytes + input->at, part);
    input->model->body_size += part;
    input->at += part;
    return part < size ? MODEL_CUT_OFF : GOES_ON;
}

static int take_byte(struct input *input, char wanted)
{
    if (input->at == input->size)
        return MODEL_CUT_OFF;
    return input->bytes[input->at++] == wanted ? GOES_ON : MODEL_WRONG;
}

/* RFC 9112 7.1: chunk-size [ chunk-ext ] CRLF */
static int take_chunk_size(struct input *input, uint64_t *ret_size)
{
    struct bytes rest = {input->bytes + input->at, input->size - input->at};
    size_t digits = span(rest, HEX);
    *ret_size = 0;
    if (digits > 15)
        return MODEL_UNSURE;
    for (size_t i = 0; i < digits; i++)
        *ret_size = *ret_size * 16 + (uint64_t)(rest.at[i] <= '9' ? rest.at[i] - '0' : (rest.at[i] | 0x20) - 'a' + 10);
    input->at += digits;
    if (digits == rest.size)
        return MODEL_CUT_OFF;
    if (digits == 0)
        return MODEL_WRONG;
    if (rest.at[digits] == ' ' || rest.at[digits] == '\t')
        return MODEL_UNSURE;
    if (rest.at[digits] == ';') {
        size_t end = digits;
        while (end < rest.size && (unsigned char)rest.at[end] >= ' ' && rest.at[end] != 0x7f)
            end++;
        input->at += end - digits;
        if (end < rest.size && rest.at[end] != '\r')
            return MODEL_UNSURE;
    }
    int answer = take_byte(input, '\r');
    return answer != GOES_ON ? answer : take_byte(input, '\n');
}

static int take_chunks(struct input *input)
{
    uint64_t size;
    int answer;
    do {
        answer = take_chunk_size(input, &size);
        if (answer == GOES_ON && size > 0)
            answer = take_data(input, size);
        if (answer == GOES_ON && size > 0)
            answer = take_byte(input, '\r');
        if (answer == GOES_ON && size > 0)
            answer = take_byte(input, '\n');
    } while (answer == GOES_ON && size > 0);
    if (answer == GOES_ON)
        answer = take_fields(input, NULL, &input->model->trailers);
    return answer == GOES_ON ? MODEL_COMPLETE : answer;
}

/* RFC 9112 6.3 */
static int take_body(struct input *input, const struct head *head, int to_head)
{
    int status = input->model->status, until_close = 0, answer = MODEL_COMPLETE;
    if (to_head || status == 204 || status == 304) {
        answer = MODEL_COMPLETE;
    } else if (head->other_coding || (head->is_chunked && head->has_length)) {
        return MODEL_WRONG;
    } else if (head->is_chunked) {
        answer = head->minor > 0 ? take_chunks(input) : MODEL_UNSURE;
    } else if (head->has_length) {
        answer = take_data(input, head->length) == GOES_ON ? MODEL_COMPLETE : MODEL_CUT_OFF;
    } else {
        take_data(input, input->size - input->at);
        until_close = 1;
    }
    /* RFC 9112 9.3, and 6.1 for HTTP/1.0. Who sends a 204 with a body is not trusted to have sent none. */
    int is_coded = head->is_chunked || head->other_coding;
    input->model->keeps = answer == MODEL_COMPLETE && !until_close && !head->close &&
                          (head->minor > 0 || (head->keep_alive && !is_coded)) &&
                          !(status == 204 && (is_coded || (head->has_length && head->length > 0)));
    return answer;
}

void model_read(const char *bytes, size_t size, int to_head, size_t line_max, struct model *ret_model)
{
    struct input input = {bytes, size, 0, line_max, ret_model};
    struct head head;
    int answer;
    *ret_model = (struct model){.body = malloc(size + 1)};
    CHECK(ret_model->body != NULL);
    do {
        answer = take_status_line(&input, &head);
        if (answer == GOES_ON)
            answer = take_fields(&input, &head, &ret_model->fields);
    } while (answer == GOES_ON && ret_model->status < 200);
    if (answer == GOES_ON)
        answer = take_body(&input, &head, to_head);
    ret_model->answer = (enum model_answer)answer;
    ret_model->used = input.at;
}

void model_free(struct model *model)
{
    free(model->body);
}
