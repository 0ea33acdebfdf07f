/* SPDX-License-Identifier: MIT */
/*
 * The life of a download, and its bytes on their way to the disk; see download.h. body_sink.c calls
 * it. While an operation runs, `part`, `operation` and `writing` belong to its thread.
 */
#include "http/download.h"

#include <assert.h>
#include <errno.h>
#include <string.h>
#include <strings.h>

#include "curl/engine.h"
#include "http/part_file.h"
#include "http/resume.h"
#include "util/trace.h"

/* Bytes of one file that wait for the disk: the transfer is paused above a bound of MIN to MAX. */
enum {
    WAITING_MIN = 64 << 10,
    WAITING_MAX = 256 << 10,
    WAITING_ALL = 8 << 20 /* All files of the client share this, between MIN and MAX. */
};

/* Bytes of a part that one operation reads for its digest, so that other files have their turn. */
enum { DIGEST_PIECE = 4 << 20 };

enum download_state {
    QUEUED,     /* An earlier download of the client still has the path. */
    OPENING,    /* An operation opens the part and reads its tag. */
    HEAD,       /* The part is open. The final header section decides what is written. */
    BODY,       /* The body of the response goes to the file. */
    PLACING,    /* The body is complete: the last bytes are written, then the part is renamed. */
    DISCARDING, /* The part is removed, or stays to be resumed. */
    CLOSED      /* Nothing is open: the part was placed, discarded, or could not be opened. */
};

/* What one operation does, in this order. */
struct operation {
    int digests; /* It reads bytes of the part that were there before, and does nothing else. */
    int begins;  /* It empties the part for another body. */
    int places, discards;
};

struct stook__download {
    struct stook__link link; /* In the client's list of downloads. */
    struct stook__defaults *defaults;
    struct stook__attempt *attempt; /* NULL: it has ended. That can happen in every state. */
    enum download_state state;      /* Only move() sets it. */
    struct stook__worker *worker;
    struct operation operation; /* The last one that was started. */
    struct stook__part_file part;
    struct stook__buffer filling; /* Bytes for the next operation. */
    struct stook__buffer writing; /* Bytes of the operation that runs. */
    char *path, *url;
    char *names;                             /* The folder and the names of `part`. */
    char expected[STOOK__SHA256_DIGITS + 1]; /* What part.expected points to. */
    struct stook__resume resume;
    char *tag; /* For the next operation that empties the part; NULL without `resume`. */
    size_t tag_size;
    int begin;     /* The next operation empties the part: BODY was entered with a whole body. */
    int drop;      /* The part does not fit any response: it must not stay to be resumed. */
    int64_t bytes; /* Of the file, including those that are not on the disk yet. */
    int64_t total; /* Of the whole representation; -1: not known. */
    int64_t rest;  /* Bytes that a 206 still has to bring; -1: the response is not a 206. */
};

static void move(struct stook__download *file, enum download_state state)
{
    static const unsigned allowed[] = {
        [QUEUED] = 1 << OPENING,
        [OPENING] = 1 << HEAD | 1 << DISCARDING | 1 << CLOSED,
        [HEAD] = 1 << BODY | 1 << DISCARDING,
        [BODY] = 1 << HEAD | 1 << PLACING | 1 << DISCARDING,
        [PLACING] = 1 << DISCARDING | 1 << CLOSED,
        [DISCARDING] = 1 << CLOSED,
        [CLOSED] = 0,
    };
    assert(allowed[file->state] >> state & 1);
    (void)allowed;
    static const char *const names[] = {"queued",  "opening",    "head",  "body",
                                        "placing", "discarding", "closed"};
    (void)names; /* in release builds */
    STOOK__TRACE("http", "download %s: %s -> %s", file->path, names[file->state], names[state]);
    file->state = state;
}

/* ---------------------------------------------------------------------------- the disk */

/* The operation, in another thread. After a failure it only discards. */
static void run(void *owner)
{
    struct stook__download *file = owner;
    struct stook__part_file *part = &file->part;
    const struct operation *operation = &file->operation;
    int error = part->failed;
    if (error == 0 && operation->digests)
        error = stook__part_file_digest(part, DIGEST_PIECE);
    if (error == 0 && operation->begins)
        error = stook__part_file_begin(part);
    if (error == 0 && file->writing.size > 0)
        error = stook__part_file_write(part, file->writing.data, file->writing.size);
    if (error == 0 && operation->places)
        error = stook__part_file_place(part);
    if (operation->discards || (operation->places && error != 0))
        stook__part_file_discard(part, file->drop);
}

static void on_done(void *owner);

/* Whether bytes of the part are missing in its digest. They come before those that are received. */
static int must_digest(const struct stook__download *file)
{
    const struct stook__part_file *part = &file->part;
    return part->expected != NULL && part->tagged && !part->failed && !file->begin &&
           file->state != DISCARDING && (int64_t)part->digest.size < part->size;
}

/* Starts the next operation if none runs and there is something to do. */
static void start_operation(struct stook__download *file)
{
    if (file->state < HEAD || file->state == CLOSED || stook__worker_busy(file->worker))
        return;
    if (must_digest(file)) {
        file->operation = (struct operation){.digests = 1};
        stook__worker_start(file->worker, run, on_done);
        return;
    }
    file->operation = (struct operation){.begins = file->begin,
                                         .places = file->state == PLACING,
                                         .discards = file->state == DISCARDING};
    file->begin = 0;
    if (file->operation.begins && file->tag != NULL) {
        memcpy(file->part.tag_text, file->tag, file->tag_size);
        file->part.tag_size = file->tag_size;
    }
    struct stook__buffer empty = file->writing;
    empty.size = 0;
    file->writing = file->filling;
    file->filling = empty;
    if (file->operation.begins || file->writing.size > 0 || file->state >= PLACING)
        stook__worker_start(file->worker, run, on_done);
}

/* Tells the attempt what an operation did. */
static void notify_attempt(struct stook__download *file)
{
    const struct stook__part_file *part = &file->part;
    if (part->differs)
        stook__attempt_file_differs(file->attempt, part->why);
    else if (part->failed)
        stook__attempt_file_failed(file->attempt, file->path, part->suffix, part->os_error,
                                   part->why);
    stook__attempt_file_completed(file->attempt);
}

static void destroy(struct stook__download *file);

static void on_done(void *owner)
{
    struct stook__download *file = owner;
    if (file->operation.places || file->operation.discards)
        move(file, CLOSED);
    if (file->operation.digests && file->attempt != NULL) /* The stall clock measures the peer. */
        file->attempt->moved_at = stook__engine_time(file->attempt->engine);
    if (file->attempt != NULL) {
        notify_attempt(file);
    } else if (file->state == CLOSED) {
        destroy(file);
        return;
    }
    start_operation(file);
}

/* ---------------------------------------------------------------------------- opening */

static void run_open(void *owner)
{
    struct stook__download *file = owner;
    stook__part_file_open(&file->part);
}

static void read_tag(struct stook__download *file)
{
    if (!stook__resume_read(&file->resume, file->defaults->allocator, &file->part, file->url))
        return;
    file->part.tagged = 1;
    file->bytes = file->part.size;
}

static void on_opened(void *owner)
{
    struct stook__download *file = owner;
    if (file->part.failed)
        move(file, CLOSED);
    else
        move(file, file->attempt != NULL ? HEAD : DISCARDING);
    if (file->attempt != NULL) {
        if (file->state == HEAD && file->part.tag_size > 0)
            read_tag(file);
        file->part.tag_size = 0;
        notify_attempt(file);
        start_operation(file);
    } else if (file->state == CLOSED) {
        destroy(file);
    } else {
        start_operation(file);
    }
}

/* Makes "folder\0name\0name.part\0name.part.tag\0". */
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
    file->part.folder = file->names;
    file->part.name = file->names + first + 1;
    file->part.part = file->part.name + size + 1;
    file->part.tag = file->part.part + size + sizeof ".part";
    return size > 0 ? 0 : STOOK_EFILE;
}

static struct stook__download *next_of(const struct stook__defaults *defaults,
                                       const struct stook__link *link)
{
    return link->next != &defaults->downloads ? STOOK__OF(struct stook__download, link, link->next)
                                              : NULL;
}

/* Returns an earlier download of the client for the same path, or NULL. */
static struct stook__download *earlier_of(const struct stook__download *file)
{
    struct stook__download *other = next_of(file->defaults, &file->defaults->downloads);
    for (; other != NULL && other != file; other = next_of(file->defaults, &other->link))
        if (strcmp(other->path, file->path) == 0)
            return other;
    return NULL;
}

/* An earlier download without an attempt is about to close: this one waits, and it is no error. */
static void open_if_next(struct stook__download *file)
{
    if (earlier_of(file) != NULL)
        return;
    move(file, OPENING);
    stook__worker_start(file->worker, run_open, on_opened);
}

static int init(struct stook__download *file, struct stook__attempt *attempt)
{
    struct stook__allocator *allocator = attempt->allocator;
    const struct stook__optional *optional = attempt->spec->optional;
    file->worker = stook__worker_new(stook__engine_loop(attempt->engine), file);
    file->path = stook__format(allocator, "%s", optional->output_file);
    file->url = stook__format(allocator, "%s", attempt->spec->url);
    file->part.resumes = optional->resume;
    file->part.syncs = optional->output_sync;
    if (optional->sha256 != NULL)
        file->part.expected = memcpy(file->expected, optional->sha256, sizeof file->expected);
    if (optional->resume) {
        file->part.tag_text = stook__alloc(allocator, STOOK__TAG_MAX);
        file->tag = stook__alloc(allocator, STOOK__TAG_MAX);
    }
    if (file->worker == NULL || file->path == NULL || file->url == NULL ||
        (optional->resume && (file->part.tag_text == NULL || file->tag == NULL)))
        return STOOK_ENOMEM;
    return set_names(file);
}

int stook__download_new(struct stook__attempt *attempt, struct stook__download **ret_file)
{
    struct stook__download *file = stook__alloc(attempt->allocator, sizeof *file);
    if (file == NULL)
        return STOOK_ENOMEM;
    file->defaults = attempt->defaults;
    file->total = file->rest = file->part.folder_fd = -1;
    stook__list_append(&file->defaults->downloads, &file->link);
    file->defaults->n_downloads++;
    int error = init(file, attempt);
    const struct stook__download *other = error == 0 ? earlier_of(file) : NULL;
    if (error == STOOK_EFILE)
        stook__attempt_file_failed(attempt, file->path, "", EISDIR, "it is a directory");
    if (other != NULL && other->attempt != NULL) {
        stook__attempt_file_failed(attempt, file->path, ".part", EWOULDBLOCK,
                                   "another request writes it");
        error = attempt->error;
    }
    if (error != 0) {
        destroy(file);
        return error;
    }
    file->attempt = attempt;
    open_if_next(file);
    *ret_file = file;
    return 0;
}

int stook__download_opening(const struct stook__download *file)
{
    return file->state == QUEUED || file->state == OPENING;
}

const char *const *stook__download_fields(const struct stook__download *file)
{
    return file->resume.fields[0] != NULL ? file->resume.fields : NULL;
}

/* ------------------------------------------------------------------------- the response */

static int fail(struct stook__attempt *attempt, int error, const char *why)
{
    attempt->error = error;
    attempt->why = why;
    return -1;
}

/* The response is not the rest. Nothing of it was taken: the whole is requested, once. */
static int request_whole(struct stook__download *file, struct stook__attempt *attempt, int error,
                         const char *why)
{
    file->drop = 1;
    attempt->retry_whole = 1;
    return fail(attempt, error, why);
}

/* Whether the program has given a Range itself. */
static int has_own_range(const struct stook__attempt *attempt)
{
    const char *field = stook__spec_headers(attempt->spec);
    for (; *field != '\0'; field += strlen(field) + 1)
        if (strncasecmp(field, "Range:", 6) == 0)
            return 1;
    return 0;
}

static int take_rest(struct stook__download *file, struct stook__attempt *attempt)
{
    const char *why = stook__resume_mismatch(&file->resume, attempt, &file->rest, &file->total);
    if (why != NULL)
        return request_whole(file, attempt, STOOK_EPROTOCOL, why);
    attempt->flags |= STOOK_FLAG_RESUMED;
    attempt->resumed = file->resume.size;
    move(file, BODY);
    return 1;
}

static int take_whole(struct stook__download *file, struct stook__attempt *attempt)
{
    file->total = -1;
    file->bytes = 0;
    file->begin = 1;
    if (file->tag != NULL)
        file->tag_size = stook__resume_write_tag(attempt, &file->part, file->url, file->tag);
    move(file, BODY);
    start_operation(file);
    return 1;
}

int stook__download_head(struct stook__download *file, struct stook__attempt *attempt)
{
    int status = attempt->answer.status, asked = file->resume.fields[0] != NULL;
    if (file->state == BODY) { /* libcurl sent the request again after a 2xx (resend.c). */
        move(file, HEAD);
        file->rest = file->total = -1;
    }
    if (asked && status == 206)
        return take_rest(file, attempt);
    /* The part is longer than the whole, or it is the whole: only a whole response can tell. */
    if (asked && status == 416)
        return request_whole(file, attempt, STOOK_ETRUNCATED, "the part of the file has no rest");
    if (status < 200 || status > 299)
        return 0;
    if (status == 206 && !has_own_range(attempt))
        return fail(attempt, STOOK_EPROTOCOL, "status 206, but the request asked for no range");
    return take_whole(file, attempt);
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
    if (file->rest >= 0 && (file->rest -= (int64_t)size) < 0)
        return STOOK_EPROTOCOL;
    file->bytes += (int64_t)size;
    int error = stook__buffer_append(&file->filling, file->defaults->allocator, data, size);
    if (error == 0)
        start_operation(file);
    return error;
}

int stook__download_check(const struct stook__download *file, const char **ret_why)
{
    if (file->rest <= 0 && (file->total < 0 || file->bytes == file->total))
        return 0;
    *ret_why = "the server sent less than the rest of the file";
    return STOOK_ETRUNCATED;
}

/* ------------------------------------------------------------------------------ the end */

int stook__download_settle(struct stook__download *file, int good)
{
    if (file->state == BODY)
        move(file, good ? PLACING : DISCARDING);
    else if (file->state == HEAD)
        move(file, DISCARDING);
    start_operation(file);
    return file->state == CLOSED;
}

static void destroy(struct stook__download *file)
{
    struct stook__defaults *defaults = file->defaults;
    stook__list_remove(&file->link);
    defaults->n_downloads--;
    struct stook__download *other = next_of(defaults, &defaults->downloads);
    for (; other != NULL && file->path != NULL; other = next_of(defaults, &other->link))
        if (other->state == QUEUED && strcmp(other->path, file->path) == 0)
            open_if_next(other);
    stook__worker_free(file->worker);
    stook__buffer_free(&file->filling, defaults->allocator);
    stook__buffer_free(&file->writing, defaults->allocator);
    stook__resume_free(&file->resume, defaults->allocator);
    stook__free(defaults->allocator, file->part.tag_text);
    stook__free(defaults->allocator, file->tag);
    stook__free(defaults->allocator, file->path);
    stook__free(defaults->allocator, file->url);
    stook__free(defaults->allocator, file->names);
    stook__free(defaults->allocator, file);
}

void stook__download_end(struct stook__download *file)
{
    if (file == NULL)
        return;
    file->attempt = NULL;
    if (file->state == CLOSED || file->state == QUEUED ||
        (file->state == OPENING && stook__worker_recall(file->worker))) {
        destroy(file);
        return;
    }
    if (file->state == HEAD || file->state == BODY || file->state == PLACING)
        move(file, DISCARDING);
    start_operation(file);
}
