/* SPDX-License-Identifier: MIT */
/*
 * A file that is sent; see upload_file.h. upload.c calls it. While an operation runs, `reading` and
 * the operation's results belong to its thread.
 */
#include "http/upload_file.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "curl/engine.h"
#include "http/attempt_state.h"
#include "loop/file.h"
#include "util/trace.h"

enum { PIECE = 128 << 10 }; /* Bytes that an operation reads at most. */

enum upload_state {
    OPENING, /* An operation opens the file. */
    OPEN,    /* The size is known. Operations read pieces. */
    FAILED,  /* It could not be opened or read, or its size has changed. */
    CLOSING  /* The attempt has ended; the last operation closes the file. */
};

struct stook__upload_file {
    struct stook__allocator *allocator;
    struct stook__attempt *attempt; /* NULL: it has ended. That can happen in every state. */
    enum upload_state state;        /* Only move() sets it. */
    struct stook__worker *worker;
    char *path;
    struct stook__buffer ready; /* Bytes for libcurl, from `begin` on. */
    struct stook__buffer
        reading; /* The piece that the operation reads; then the one after `ready`. */
    size_t begin;
    int64_t next; /* The offset after the last byte that was read. */
    int64_t at;   /* The offset of the operation's first byte. */
    int stale;    /* libcurl has rewound: the bytes of the operation that runs are dropped. */
    int paused;   /* libcurl waits for bytes. */
    /* An operation sets these. */
    int fd; /* -1: not open. */
    int64_t size;
    int failed, os_error;
    const char *why; /* NULL: strerror(os_error) describes the failure. */
};

static void move(struct stook__upload_file *file, enum upload_state state)
{
    static const unsigned allowed[] = {[OPENING] = 1 << OPEN | 1 << FAILED | 1 << CLOSING,
                                       [OPEN] = 1 << FAILED | 1 << CLOSING,
                                       [FAILED] = 1 << CLOSING,
                                       [CLOSING] = 0};
    assert(allowed[file->state] >> state & 1);
    (void)allowed;
    static const char *const names[] = {"opening", "open", "failed", "closing"};
    (void)names; /* in release builds */
    STOOK__TRACE("http", "upload %s: %s -> %s", file->path, names[file->state], names[state]);
    file->state = state;
}

/* ---------------------------------------------------------------- in another thread */

static void fail(struct stook__upload_file *file, int os_error, const char *why)
{
    file->failed = 1;
    file->os_error = os_error;
    file->why = why;
}

static void run_open(void *owner)
{
    struct stook__upload_file *file = owner;
    struct stat stat;
    /* With O_NONBLOCK open() does not wait for the writer of a FIFO. */
    file->fd = stook__file_open(AT_FDCWD, file->path, O_RDONLY | O_NONBLOCK, 0);
    if (file->fd < 0 || fstat(file->fd, &stat) != 0)
        fail(file, errno, NULL);
    else if (!S_ISREG(stat.st_mode))
        fail(file, ENOTSUP, stook__file_kind(stat.st_mode));
    else
        file->size = stat.st_size;
}

/*
 * After the last bytes this checks that the file has no more. Otherwise the peer would take a part
 * of it for the whole.
 */
static void check_size(struct stook__upload_file *file)
{
    struct stat stat;
    if (fstat(file->fd, &stat) == 0 && stat.st_size > file->size)
        fail(file, 0, "it has grown while it was sent");
}

static void run_read(void *owner)
{
    struct stook__upload_file *file = owner;
    int64_t left = file->size - file->at;
    size_t wanted = left < PIECE ? (size_t)left : PIECE;
    file->reading.size = 0;
    while (!file->failed && file->reading.size < wanted) {
        ssize_t size =
            pread(file->fd, file->reading.data + file->reading.size, wanted - file->reading.size,
                  (off_t)(file->at + (int64_t)file->reading.size));
        if (size > 0)
            file->reading.size += (size_t)size;
        else if (size == 0)
            fail(file, 0, "it has become shorter while it was sent");
        else if (errno != EINTR)
            fail(file, errno, NULL);
    }
    if (!file->failed && (int64_t)wanted == left)
        check_size(file);
}

static void run_close(void *owner)
{
    struct stook__upload_file *file = owner;
    close(file->fd);
    file->fd = -1;
}

/* ---------------------------------------------------------------------------- its life */

static void destroy(struct stook__upload_file *file)
{
    stook__worker_free(file->worker);
    stook__buffer_free(&file->ready, file->allocator);
    stook__buffer_free(&file->reading, file->allocator);
    stook__free(file->allocator, file->path);
    stook__free(file->allocator, file);
}

static void on_closed(void *owner)
{
    destroy(owner);
}

/* Closes and frees it. The attempt has ended, and no operation runs. */
static void close_file(struct stook__upload_file *file)
{
    if (file->fd < 0) {
        destroy(file);
        return;
    }
    move(file, CLOSING);
    stook__worker_start(file->worker, run_close, on_closed);
}

/* Tells the attempt that an operation is done, and whether it failed. */
static void notify_attempt(struct stook__upload_file *file)
{
    if (file->failed)
        stook__attempt_file_failed(file->attempt, file->path, "", file->os_error, file->why);
    stook__attempt_file_completed(file->attempt);
}

static void on_opened(void *owner)
{
    struct stook__upload_file *file = owner;
    if (file->attempt == NULL) {
        close_file(file);
        return;
    }
    move(file, file->failed ? FAILED : OPEN);
    notify_attempt(file);
}

int stook__upload_file_new(struct stook__attempt *attempt, const char *path,
                           struct stook__upload_file **ret_file)
{
    struct stook__upload_file *file = stook__alloc(attempt->allocator, sizeof *file);
    if (file == NULL)
        return STOOK_ENOMEM;
    file->allocator = attempt->allocator;
    file->fd = -1;
    file->path = stook__copy_string(file->allocator, path);
    file->worker = stook__worker_new(stook__engine_loop(attempt->engine), file);
    if (file->path == NULL || file->worker == NULL) {
        destroy(file);
        return STOOK_ENOMEM;
    }
    file->attempt = attempt;
    stook__worker_start(file->worker, run_open, on_opened);
    *ret_file = file;
    return 0;
}

int stook__upload_file_opening(const struct stook__upload_file *file)
{
    return file->state == OPENING;
}

int64_t stook__upload_file_size(const struct stook__upload_file *file)
{
    return file->size;
}

void stook__upload_file_end(struct stook__upload_file *file)
{
    file->attempt = NULL;
    if (!stook__worker_busy(file->worker) || stook__worker_recall(file->worker))
        close_file(file);
}

/* ------------------------------------------------------------------------- the bytes */

static void on_read(void *owner);

/* Makes the piece that was read ready, and starts to read the next one. 0 or STOOK_ENOMEM. */
static int read_ahead(struct stook__upload_file *file)
{
    if (stook__worker_busy(file->worker) || file->state == FAILED)
        return 0;
    if (file->begin == file->ready.size) {
        struct stook__buffer empty = file->ready;
        empty.size = 0;
        file->ready = file->reading;
        file->reading = empty;
        file->begin = 0;
    }
    if (file->reading.size > 0 || file->next == file->size)
        return 0;
    if (stook__buffer_reserve(&file->reading, file->allocator, PIECE) != 0)
        return STOOK_ENOMEM;
    file->at = file->next;
    stook__worker_start(file->worker, run_read, on_read);
    return 0;
}

static void on_read(void *owner)
{
    struct stook__upload_file *file = owner;
    if (file->attempt == NULL) {
        close_file(file);
        return;
    }
    if (file->stale)
        file->reading.size = 0;
    else
        file->next = file->at + (int64_t)file->reading.size;
    file->stale = 0;
    if (file->failed)
        move(file, FAILED);
    notify_attempt(file);
}

ptrdiff_t stook__upload_file_read(struct stook__upload_file *file, void *buffer, size_t room)
{
    struct stook__attempt *attempt = file->attempt;
    if (attempt->error == 0)
        attempt->error = read_ahead(file);
    if (attempt->error != 0)
        return -2;
    size_t size = file->ready.size - file->begin;
    size = size < room ? size : room;
    if (size > 0) {
        memcpy(buffer, file->ready.data + file->begin, size);
        file->begin += size;
        attempt->error = read_ahead(file);
        return attempt->error == 0 ? (ptrdiff_t)size : -2;
    }
    file->paused = stook__worker_busy(file->worker);
    if (file->paused)
        return -1;
    stook__buffer_free(&file->ready, file->allocator); /* There may be hundreds of parts. */
    stook__buffer_free(&file->reading, file->allocator);
    file->begin = 0;
    return 0;
}

int stook__upload_file_seek(struct stook__upload_file *file, int64_t offset)
{
    if (offset < 0 || offset > file->size)
        return 0;
    file->next = offset;
    file->begin = file->ready.size = 0;
    if (stook__worker_busy(file->worker))
        file->stale = 1;
    else
        file->reading.size = 0;
    return 1;
}

int stook__upload_file_may_continue(struct stook__upload_file *file)
{
    if (!file->paused || stook__worker_busy(file->worker))
        return 0;
    file->paused = 0;
    return 1;
}
