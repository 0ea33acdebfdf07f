/* SPDX-License-Identifier: MIT */
/* What a server says to a wish for the rest, and the bytes' way to the disk; see download.h. */
#include "http/download.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "http/part_file.h"

enum {
    SURE_S = 60,            /* seconds after which a date is certain (RFC 9110 8.8.2.2) */
    WAITING_MIN = 64 << 10, /* bytes that wait for the disk: of one file, at least */
    WAITING_MAX = 256 << 10,
    WAITING_ALL = 8 << 20 /* what all files of the client share between these two */
};

enum ending { GOES_ON, PLACE, DISCARD };

struct stook__download {
    struct stook__link link; /* among the client's */
    struct stook__defaults *defaults;
    struct stook__attempt *attempt; /* NULL: it is over */
    struct stook__worker *worker;
    struct stook__part_file disk;
    struct stook__buffer filling, writing; /* the latter is the disk's while it is busy */
    char *path, *url, *names;              /* `names`: folder and names of `disk` */
    char *range, *if_range;                /* fields of the request */
    const char *fields[3];
    char *validator;      /* of the part */
    int opening, queued;  /* `queued`: until the one before it has gone */
    int taken;            /* the body goes here */
    int drop;             /* the part fits nothing that the server has */
    int begin, beginning; /* another body is to begin; the disk is at it */
    enum ending ending, end_now;
    int closed;
    int64_t bytes; /* that it is to have, of which some may not be on the disk yet */
    int64_t total; /* of the whole; -1: not known */
    int64_t left;  /* that a 206 is to bring; -1: it is none */
};

/* ---------------------------------------------------------------------------- the disk */

static void run(void *owner)
{
    struct stook__download *file = owner;
    struct stook__part_file *disk = &file->disk;
    int error = disk->failed;
    if (error == 0 && file->beginning)
        error = stook__part_file_begin(disk);
    if (error == 0 && file->writing.size > 0)
        error = stook__part_file_write(disk, file->writing.data, file->writing.size);
    if (file->end_now == GOES_ON ||
        (error == 0 && file->end_now == PLACE && stook__part_file_place(disk) == 0))
        return;
    stook__part_file_discard(disk, file->drop);
}

static void on_done(void *owner);

/* The next operation, if there is something to do. */
static void go(struct stook__download *file)
{
    if (file->opening || file->closed || stook__worker_busy(file->worker))
        return;
    file->beginning = file->begin;
    file->begin = 0;
    file->end_now = file->ending;
    struct stook__buffer empty = file->writing;
    empty.size = 0;
    file->writing = file->filling;
    file->filling = empty;
    if (file->beginning || file->writing.size > 0 || file->end_now != GOES_ON)
        stook__worker_start(file->worker, run, on_done);
}

static void destroy(struct stook__download *file);

static void on_done(void *owner)
{
    struct stook__download *file = owner;
    file->closed = file->end_now != GOES_ON;
    if (file->attempt == NULL && file->closed) {
        destroy(file);
        return;
    }
    if (file->attempt == NULL)
        file->ending = DISCARD; /* nobody would know that it is there */
    else if (file->disk.failed)
        stook__files_failed(file->attempt, file->path, file->disk.of, file->disk.os_error,
                            file->disk.why);
    if (file->attempt != NULL)
        stook__files_completed(file->attempt);
    go(file);
}

/* ---------------------------------------------------------------------------- opening */

static void run_open(void *owner)
{
    struct stook__download *file = owner;
    stook__part_file_open(&file->disk);
}

/* The next of the lines of a tag, ended by a NUL in place of its end; NULL: there is none that is whole. */
static char *line_of(char **at)
{
    char *line = *at, *end = strchr(line, '\n');
    if (end == NULL)
        return NULL;
    *end = '\0';
    *at = end + 1;
    return line;
}

/* Of its validator, URL, total, inode number. */
#define TAG "stook 1\n%s\n%s\n%" PRId64 "\n%" PRIu64 "\n"

static int has_control(const char *text)
{
    for (; *text != '\0'; text++)
        if ((unsigned char)*text < 0x20 || *text == 0x7f)
            return 1;
    return 0;
}

/* Taken only if it is one that we could have written, for this part and this URL. */
static void read_tag(struct stook__download *file)
{
    struct stook__allocator *allocator = file->defaults->allocator;
    char *text = stook__format(allocator, "%s", file->disk.tag_text), *at = text;
    char *first = text != NULL ? line_of(&at) : NULL,
         *validator = first != NULL ? line_of(&at) : NULL;
    char *url = validator != NULL ? line_of(&at) : NULL, *total = url != NULL ? line_of(&at) : NULL;
    int64_t number = -1;
    if (total != NULL && *validator != '\0' && !has_control(validator) &&
        (number = strtoll(total, NULL, 10)) >= -1)
        file->validator = stook__format(allocator, "%s", validator);
    char *same = file->validator != NULL ? stook__format(allocator, TAG, file->validator, file->url,
                                                         number, file->disk.inode)
                                         : NULL;
    if (same != NULL && strlen(same) == file->disk.tag_size &&
        memcmp(same, file->disk.tag_text, file->disk.tag_size) == 0 &&
        (number == -1 || file->disk.size <= number)) {
        file->total = number;
        file->range = stook__format(allocator, "Range: bytes=%" PRId64 "-", file->disk.size);
        file->if_range = stook__format(allocator, "If-Range: %s", file->validator);
    }
    if (file->range != NULL && file->if_range != NULL) {
        file->disk.tagged = 1;
        file->bytes = file->disk.size;
        file->fields[0] = file->range;
        file->fields[1] = file->if_range;
    }
    stook__free(allocator, same);
    stook__free(allocator, text);
}

static void on_opened(void *owner)
{
    struct stook__download *file = owner;
    file->opening = 0;
    file->closed = file->disk.failed;
    if (file->attempt == NULL) {
        if (file->closed) {
            destroy(file);
            return;
        }
        file->ending = DISCARD;
        go(file);
        return;
    }
    if (file->disk.failed)
        stook__files_failed(file->attempt, file->path, file->disk.of, file->disk.os_error,
                            file->disk.why);
    else if (file->disk.tag_size > 0)
        read_tag(file);
    file->disk.tag_size = 0;
    stook__files_completed(file->attempt);
}

/* "folder\0name\0name.part\0name.part.tag\0". */
static int set_names(struct stook__download *file)
{
    const char *slash = strrchr(file->path, '/'), *name = slash != NULL ? slash + 1 : file->path;
    int folder = slash != NULL ? (int)(name - file->path) : 0;
    size_t first = folder > 0 ? (size_t)folder : 1, size = strlen(name);
    file->names =
        stook__format(file->defaults->allocator, "%.*s%c%s%c%s.part%c%s.part.tag", (int)first,
                      folder > 0 ? file->path : ".", 0, name, 0, name, 0, name);
    if (file->names == NULL)
        return STOOK_ENOMEM;
    file->disk.folder = file->names;
    file->disk.name = file->names + first + 1;
    file->disk.part = file->disk.name + size + 1;
    file->disk.tag = file->disk.part + size + sizeof ".part";
    return size > 0 ? 0 : STOOK_EFILE;
}

static struct stook__download *next_of(const struct stook__defaults *defaults,
                                       const struct stook__link *link)
{
    return link->next != &defaults->downloads ? STOOK__OF(struct stook__download, link, link->next)
                                              : NULL;
}

/* Another of the client for the same path; before it in the list, if it is in there. */
static struct stook__download *other_of(const struct stook__download *file)
{
    struct stook__download *other = next_of(file->defaults, &file->defaults->downloads);
    for (; other != NULL && other != file; other = next_of(file->defaults, &other->link))
        if (strcmp(other->path, file->path) == 0)
            return other;
    return NULL;
}

/* One whose attempt is over may still be on its way: it goes first, and that is nobody's fault. */
static void open_it(struct stook__download *file)
{
    file->queued = other_of(file) != NULL;
    if (!file->queued)
        stook__worker_start(file->worker, run_open, on_opened);
}

static int fill(struct stook__download *file, struct stook__attempt *attempt)
{
    struct stook__allocator *allocator = attempt->allocator;
    const struct stook__optional *optional = attempt->spec->optional;
    file->worker = stook__worker_new(stook__engine_loop(attempt->engine), file);
    file->path = stook__format(allocator, "%s", optional->output_file);
    file->url = stook__format(allocator, "%s", attempt->spec->url);
    file->disk.resumes = optional->resume;
    if (optional->resume)
        file->disk.tag_text = stook__alloc(allocator, STOOK__TAG_MAX);
    if (file->worker == NULL || file->path == NULL || file->url == NULL ||
        (optional->resume && file->disk.tag_text == NULL))
        return STOOK_ENOMEM;
    return set_names(file);
}

int stook__download_new(struct stook__attempt *attempt, struct stook__download **ret_file)
{
    struct stook__download *file = stook__alloc(attempt->allocator, sizeof *file);
    if (file == NULL)
        return STOOK_ENOMEM;
    file->defaults = attempt->defaults;
    file->total = file->left = file->disk.folder_fd = -1;
    stook__list_append(&file->defaults->downloads, &file->link);
    file->defaults->n_downloads++;
    int error = fill(file, attempt);
    const struct stook__download *other = error == 0 ? other_of(file) : NULL;
    if (error == STOOK_EFILE)
        stook__files_failed(attempt, file->path, "", EISDIR, "it is a directory");
    if (other != NULL && other->attempt != NULL) {
        stook__files_failed(attempt, file->path, ".part", EWOULDBLOCK, "another request writes it");
        error = attempt->error;
    }
    if (error != 0) {
        destroy(file);
        return error;
    }
    file->attempt = attempt;
    file->opening = 1;
    open_it(file);
    *ret_file = file;
    return 0;
}

int stook__download_opening(const struct stook__download *file)
{
    return file->opening;
}

const char *const *stook__download_fields(const struct stook__download *file)
{
    return file->fields[0] != NULL ? file->fields : NULL;
}

/* --------------------------------------------------------------------------- the answer */

/* The value of a field; NULL: there is none, or more than one. */
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

/* What says later that it is still the same (RFC 9110 13.1.5): a strong entity tag, or a date of which it is
   certain that nothing changed within its second (8.8.2.2). */
static const char *validator_of(const struct stook__attempt *attempt)
{
    const char *etag = field_of(attempt, "ETag"), *modified = field_of(attempt, "Last-Modified"),
               *date = field_of(attempt, "Date");
    if (etag != NULL)
        return etag[0] == '"' ? etag : NULL;
    if (modified == NULL || date == NULL)
        return NULL;
    time_t then = curl_getdate(modified, NULL), now = curl_getdate(date, NULL);
    return then >= 0 && now >= 0 && now - then >= SURE_S ? modified : NULL;
}

static void write_tag(struct stook__download *file, const struct stook__attempt *attempt)
{
    const char *validator = validator_of(attempt);
    if (validator == NULL || field_of(attempt, "Content-Encoding") != NULL ||
        attempt->answer.status == 206)
        return; /* a 206 would have to be of the same coding, and does not have to say so */
    int size = snprintf(file->disk.tag_text, STOOK__TAG_MAX, TAG, validator, file->url,
                        attempt->response.length, file->disk.inode);
    file->disk.tag_size = size > 0 && size < STOOK__TAG_MAX ? (size_t)size : 0;
}

static int fail(struct stook__attempt *attempt, int error, const char *why)
{
    attempt->error = error;
    attempt->why = why;
    return -1;
}

/* "bytes 500-999/1234", the last an asterisk if it is not known (RFC 9110 14.4). 1: it is. */
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

/* What a 206 says that is not the rest of our part, field by field (RFC 9110 15.3.7); NULL: it is the rest. */
static const char *misfit(struct stook__download *file, const struct stook__attempt *attempt)
{
    int64_t first, last, total;
    int dated = file->validator[0] != '"';
    const char *type = field_of(attempt, "Content-Type"),
               *same = field_of(attempt, dated ? "Last-Modified" : "ETag");
    if (type != NULL && strncasecmp(type, "multipart/", 10) == 0)
        return "one range was asked for, several came";
    if (!parse_range(field_of(attempt, "Content-Range"), &first, &last, &total) ||
        first != file->disk.size || last < first || (total >= 0 && last >= total) ||
        (attempt->response.length >= 0 && attempt->response.length != last - first + 1))
        return "Content-Range is not what was asked for";
    if (same == NULL || strcmp(same, file->validator) != 0)
        return dated ? "Last-Modified is not that of the part" : "ETag is not that of the part";
    if (field_of(attempt, "Content-Encoding") != NULL)
        return "the part has no content coding, the rest has";
    if (total >= 0 && file->total >= 0 && total != file->total)
        return "Content-Range has another total than the part";
    if (total < 0 && file->total < 0)
        return "how long the whole is, is not said";
    file->total = total >= 0 ? total : file->total;
    if (last >= file->total)
        return "Content-Range goes beyond the end";
    file->left = last - first + 1;
    return NULL;
}

/* Nothing of it was taken: the whole is asked for, once. */
static int ask_anew(struct stook__download *file, struct stook__attempt *attempt, int error,
                    const char *why)
{
    file->drop = 1;
    attempt->anew = 1;
    return fail(attempt, error, why);
}

/* Whether the program has asked for a range by itself. */
static int asks_for_range(const struct stook__attempt *attempt)
{
    const char *field = stook__spec_headers(attempt->spec);
    for (; *field != '\0'; field += strlen(field) + 1)
        if (strncasecmp(field, "Range:", 6) == 0)
            return 1;
    return 0;
}

int stook__download_head(struct stook__download *file, struct stook__attempt *attempt)
{
    int status = attempt->answer.status, asked = file->fields[0] != NULL;
    if (asked && status == 206) {
        const char *why = misfit(file, attempt);
        if (why != NULL)
            return ask_anew(file, attempt, STOOK_EPROTOCOL, why);
        attempt->flags |= STOOK_FLAG_RESUMED;
        file->taken = 1;
        return 1;
    }
    if (asked &&
        status == 416) /* it is longer than the whole, or all of it: only a whole one can tell */
        return ask_anew(file, attempt, STOOK_ETRUNCATED,
                        "there is no rest to the part of the file");
    if (status < 200 || status > 299)
        return 0;
    if (status == 206 && !asks_for_range(attempt))
        return fail(attempt, STOOK_EPROTOCOL, "a part came that nobody asked for");
    file->total = -1;
    file->bytes = 0;
    file->taken = file->begin = 1;
    if (file->disk.resumes)
        write_tag(file, attempt);
    go(file);
    return 1;
}

/* --------------------------------------------------------------------------- the bytes */

int stook__download_full(const struct stook__download *file)
{
    size_t share = WAITING_ALL / file->defaults->n_downloads;
    share = share < WAITING_MIN ? WAITING_MIN : share > WAITING_MAX ? WAITING_MAX : share;
    return file->filling.size >= share;
}

int stook__download_write(struct stook__download *file, const char *data, size_t size)
{
    if (file->left >= 0 && (file->left -= (int64_t)size) < 0)
        return STOOK_EPROTOCOL;
    file->bytes += (int64_t)size;
    int error = stook__buffer_append(&file->filling, file->defaults->allocator, data, size);
    if (error == 0)
        go(file);
    return error;
}

int stook__download_check(const struct stook__download *file, const char **ret_why)
{
    if (!file->taken || (file->left <= 0 && (file->total < 0 || file->bytes == file->total)))
        return 0;
    *ret_why = "the server sent less than the rest of the file";
    return STOOK_ETRUNCATED;
}

int stook__download_settle(struct stook__download *file, int good)
{
    if (file->ending == GOES_ON)
        file->ending = good && file->taken ? PLACE : DISCARD;
    go(file);
    return file->closed;
}

/* ------------------------------------------------------------------------------ the end */

static void destroy(struct stook__download *file)
{
    struct stook__defaults *defaults = file->defaults;
    stook__list_remove(&file->link);
    defaults->n_downloads--;
    struct stook__download *other = next_of(defaults, &defaults->downloads);
    for (; other != NULL && file->path != NULL; other = next_of(defaults, &other->link))
        if (other->queued && strcmp(other->path, file->path) == 0)
            open_it(other);
    stook__worker_free(file->worker);
    stook__buffer_free(&file->filling, defaults->allocator);
    stook__buffer_free(&file->writing, defaults->allocator);
    stook__free(defaults->allocator, file->disk.tag_text);
    stook__free(defaults->allocator, file->path);
    stook__free(defaults->allocator, file->url);
    stook__free(defaults->allocator, file->names);
    stook__free(defaults->allocator, file->range);
    stook__free(defaults->allocator, file->if_range);
    stook__free(defaults->allocator, file->validator);
    stook__free(defaults->allocator, file);
}

void stook__download_end(struct stook__download *file)
{
    if (file == NULL)
        return;
    file->attempt = NULL;
    if (file->closed || file->queued || (file->opening && stook__worker_recall(file->worker))) {
        destroy(file);
        return;
    }
    file->ending = DISCARD;
    go(file);
}
