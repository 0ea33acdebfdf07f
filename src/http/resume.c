/* SPDX-License-Identifier: MIT */
/* Resuming a download; see resume.h. Invariant: a file is never made of two representations. */
#include "http/resume.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "http/attempt_state.h"
#include "http/part_file.h"

enum {
    STRONG_DATE_S = 60
}; /* Seconds after which a date is a strong validator (RFC 9110 8.8.2.2). */

/* ------------------------------------------------------------------------------- the tag */

/* The validator, the URL, the total and the inode number. */
#define TAG "stook 1\n%s\n%s\n%" PRId64 "\n%" PRIu64 "\n"

/* Cuts the next complete line off a tag and ends it with a NUL. NULL: there is none. */
static char *cut_line(char **at)
{
    char *line = *at, *end = strchr(line, '\n');
    if (end == NULL)
        return NULL;
    *end = '\0';
    *at = end + 1;
    return line;
}

static int has_control(const char *text)
{
    for (; *text != '\0'; text++)
        if ((unsigned char)*text < 0x20 || *text == 0x7f)
            return 1;
    return 0;
}

/* Whether the tag is byte for byte what stook writes for this part. */
static int is_tag_of(const struct stook__resume *resume, struct stook__allocator *allocator,
                     const struct stook__part_file *part, const char *url)
{
    char *same = stook__format(allocator, TAG, resume->validator, url, resume->total, part->inode);
    int is_same = same != NULL && strlen(same) == part->tag_size &&
                  memcmp(same, part->tag_text, part->tag_size) == 0;
    stook__free(allocator, same);
    return is_same;
}

/* Sets the validator and the total from the lines of a tag, whose copy is `text`. */
static void parse_tag(struct stook__resume *resume, struct stook__allocator *allocator, char *text)
{
    char *at = text, *first = cut_line(&at), *validator = first != NULL ? cut_line(&at) : NULL,
         *url = validator != NULL ? cut_line(&at) : NULL,
         *total = url != NULL ? cut_line(&at) : NULL;
    if (total == NULL || *validator == '\0' || has_control(validator) ||
        (resume->total = strtoll(total, NULL, 10)) < -1)
        return;
    resume->validator = stook__format(allocator, "%s", validator);
}

int stook__resume_read(struct stook__resume *resume, struct stook__allocator *allocator,
                       const struct stook__part_file *part, const char *url)
{
    char *text = stook__format(allocator, "%s", part->tag_text);
    if (text != NULL)
        parse_tag(resume, allocator, text);
    stook__free(allocator, text);
    if (resume->validator == NULL || !is_tag_of(resume, allocator, part, url) ||
        (resume->total != -1 && part->size > resume->total))
        return 0;
    resume->size = part->size;
    resume->range = stook__format(allocator, "Range: bytes=%" PRId64 "-", part->size);
    resume->if_range = stook__format(allocator, "If-Range: %s", resume->validator);
    if (resume->range == NULL || resume->if_range == NULL)
        return 0;
    resume->fields[0] = resume->range;
    resume->fields[1] = resume->if_range;
    return 1;
}

void stook__resume_free(struct stook__resume *resume, struct stook__allocator *allocator)
{
    stook__free(allocator, resume->validator);
    stook__free(allocator, resume->range);
    stook__free(allocator, resume->if_range);
}

/* -------------------------------------------------------------------------- the response */

/* Returns the value of a field; NULL: there is no such field, or more than one. */
static const char *field_of(const struct stook__attempt *attempt, const char *name)
{
    const char *at = attempt->answer.head.data, *end = at, *found = NULL;
    if (at != NULL)
        end = at + attempt->answer.head.size;
    while (at != end) {
        const char *value = stook__field_value(at);
        int is_it = strcasecmp(at, name) == 0;
        if (is_it && found != NULL)
            return NULL;
        found = is_it ? value : found;
        at = value + strlen(value) + 1;
    }
    return found;
}

/*
 * Returns a strong validator of the response (RFC 9110 13.1.5): a strong entity tag, or a date so
 * old that the representation cannot have changed again within the same second (8.8.2.2).
 */
static const char *validator_of(const struct stook__attempt *attempt)
{
    const char *etag = field_of(attempt, "ETag"), *modified = field_of(attempt, "Last-Modified"),
               *date = field_of(attempt, "Date");
    if (etag != NULL)
        return etag[0] == '"' ? etag : NULL;
    if (modified == NULL || date == NULL)
        return NULL;
    time_t then = curl_getdate(modified, NULL), now = curl_getdate(date, NULL);
    return then >= 0 && now >= 0 && now - then >= STRONG_DATE_S ? modified : NULL;
}

size_t stook__resume_write_tag(const struct stook__attempt *attempt,
                               const struct stook__part_file *part, const char *url, char *text)
{
    const char *validator = validator_of(attempt);
    /* A later 206 would need the same content coding, but the server need not name it there. */
    if (validator == NULL || field_of(attempt, "Content-Encoding") != NULL ||
        attempt->answer.status == 206)
        return 0;
    int size =
        snprintf(text, STOOK__TAG_MAX, TAG, validator, url, attempt->response.length, part->inode);
    return size > 0 && size < STOOK__TAG_MAX ? (size_t)size : 0;
}

/* Parses "bytes 500-999/1234". The total may be an asterisk: -1 (RFC 9110 14.4). 0: not valid. */
static int parse_range(const char *text, int64_t *ret_first, int64_t *ret_last, int64_t *ret_total)
{
    int64_t *numbers[] = {ret_first, ret_last, ret_total};
    static const char ends[] = {'-', '/', '\0'};
    if (text == NULL || strncasecmp(text, "bytes ", 6) != 0)
        return 0;
    text += 6;
    for (int i = 0; i < 3; i++, text++) {
        *numbers[i] = -1;
        if (i == 2 && strcmp(text, "*") == 0)
            return 1;
        for (; *text >= '0' && *text <= '9'; text++) {
            *numbers[i] = *numbers[i] < 0 ? 0 : *numbers[i];
            if (*numbers[i] > (INT64_MAX - 9) / 10)
                return 0;
            *numbers[i] = *numbers[i] * 10 + *text - '0';
        }
        if (*numbers[i] < 0 || *text != ends[i])
            return 0;
    }
    return 1;
}

const char *stook__resume_mismatch(const struct stook__resume *resume,
                                   const struct stook__attempt *attempt, int64_t *ret_rest,
                                   int64_t *ret_total)
{
    int64_t first, last, total;
    int is_date = resume->validator[0] != '"';
    const char *type = field_of(attempt, "Content-Type"),
               *same = field_of(attempt, is_date ? "Last-Modified" : "ETag");
    if (type != NULL && strncasecmp(type, "multipart/", 10) == 0)
        return "the request asked for one range, the response has several";
    if (!parse_range(field_of(attempt, "Content-Range"), &first, &last, &total) ||
        first != resume->size || last < first || (total >= 0 && last >= total) ||
        (attempt->response.length >= 0 && attempt->response.length != last - first + 1))
        return "Content-Range is not the range that was requested";
    if (same == NULL || strcmp(same, resume->validator) != 0)
        return is_date ? "Last-Modified is not that of the part" : "ETag is not that of the part";
    if (field_of(attempt, "Content-Encoding") != NULL)
        return "the rest has a content coding, the part has none";
    if (total >= 0 && resume->total >= 0 && total != resume->total)
        return "Content-Range has another total than the part";
    if (total < 0 && resume->total < 0)
        return "neither the part nor Content-Range has a total";
    total = total >= 0 ? total : resume->total;
    if (last >= total)
        return "Content-Range goes beyond the end";
    *ret_rest = last - first + 1;
    *ret_total = total;
    return NULL;
}
