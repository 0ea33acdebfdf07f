/* SPDX-License-Identifier: MIT */
/* A file that is sent; see file.h. */
#include "http/upload_file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "http/attempt_parts.h"
#include "loop/file.h"

enum { PIECE = 128 << 10 };

struct stook__upload_file {
    struct stook__allocator *allocator;
    struct stook__attempt *attempt; /* NULL: it is over */
    struct stook__worker *worker;
    char *path;
    struct stook__buffer ready,
        room; /* for libcurl, from `begin` on; the latter is the disk's while it is busy */
    size_t begin;
    int64_t next; /* the first byte that was not read */
    int64_t at;   /* where the disk reads */
    int opening, closing;
    int stale;  /* what the disk is at is not wanted any more */
    int paused; /* libcurl waits */
    /* What an operation sets. */
    int fd; /* -1: not open */
    int64_t size;
    int failed, os_error;
    const char *why;
};

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
    /* Not to wait for the writer of what turns out to be a pipe. */
    file->fd = stook__file_open(AT_FDCWD, file->path, O_RDONLY | O_NONBLOCK, 0);
    if (file->fd < 0 || fstat(file->fd, &stat) != 0)
        fail(file, errno, NULL);
    else if (!S_ISREG(stat.st_mode))
        fail(file, ENOTSUP, stook__file_kind(stat.st_mode));
    else
        file->size = stat.st_size;
}

/* With the last bytes it is seen whether there are more: the peer must not take it for whole. */
static void look_for_more(struct stook__upload_file *file)
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
    file->room.size = 0;
    while (!file->failed && file->room.size < wanted) {
        ssize_t size = pread(file->fd, file->room.data + file->room.size, wanted - file->room.size,
                             (off_t)(file->at + (int64_t)file->room.size));
        if (size > 0)
            file->room.size += (size_t)size;
        else if (size == 0)
            fail(file, 0, "it has become shorter while it was sent");
        else if (errno != EINTR)
            fail(file, errno, NULL);
    }
    if (!file->failed && (int64_t)wanted == left)
        look_for_more(file);
}

static void run_close(void *owner)
{
    struct stook__upload_file *file = owner;
    close(file->fd);
    file->fd = -1;
}

/* -------------------------------------------------------------------------- the life */

static void destroy(struct stook__upload_file *file)
{
    stook__worker_free(file->worker);
    stook__buffer_free(&file->ready, file->allocator);
    stook__buffer_free(&file->room, file->allocator);
    stook__free(file->allocator, file->path);
    stook__free(file->allocator, file);
}

static void on_closed(void *owner)
{
    destroy(owner);
}

/* Nobody waits for it any more, and the disk is not at it. */
static void leave(struct stook__upload_file *file)
{
    if (file->fd < 0)
        destroy(file);
    else
        stook__worker_start(file->worker, run_close, on_closed);
}

static void on_opened(void *owner)
{
    struct stook__upload_file *file = owner;
    file->opening = 0;
    if (file->attempt == NULL) {
        leave(file);
        return;
    }
    if (file->failed)
        stook__files_failed(file->attempt, file->path, "", file->os_error, file->why);
    stook__files_completed(file->attempt);
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
    file->opening = 1;
    stook__worker_start(file->worker, run_open, on_opened);
    *ret_file = file;
    return 0;
}

int stook__upload_file_opening(const struct stook__upload_file *file)
{
    return file->opening;
}

int64_t stook__upload_file_size(const struct stook__upload_file *file)
{
    return file->size;
}

void stook__upload_file_end(struct stook__upload_file *file)
{
    file->attempt = NULL;
    if (!stook__worker_busy(file->worker) || stook__worker_recall(file->worker))
        leave(file);
}

/* ------------------------------------------------------------------------- the bytes */

static void on_read(void *owner);

/* What was read is libcurl's now, and what comes behind it is read. 0 or STOOK_ENOMEM. */
static int go(struct stook__upload_file *file)
{
    if (stook__worker_busy(file->worker) || file->failed)
        return 0;
    if (file->begin == file->ready.size) {
        struct stook__buffer empty = file->ready;
        empty.size = 0;
        file->ready = file->room;
        file->room = empty;
        file->begin = 0;
    }
    if (file->room.size > 0 || file->next == file->size)
        return 0;
    if (stook__buffer_reserve(&file->room, file->allocator, PIECE) != 0)
        return STOOK_ENOMEM;
    file->at = file->next;
    stook__worker_start(file->worker, run_read, on_read);
    return 0;
}

static void on_read(void *owner)
{
    struct stook__upload_file *file = owner;
    if (file->attempt == NULL) {
        leave(file);
        return;
    }
    if (file->stale)
        file->room.size = 0;
    else
        file->next = file->at + (int64_t)file->room.size;
    file->stale = 0;
    if (file->failed)
        stook__files_failed(file->attempt, file->path, "", file->os_error, file->why);
    stook__files_completed(file->attempt);
}

ptrdiff_t stook__upload_file_read(struct stook__upload_file *file, void *buffer, size_t room)
{
    struct stook__attempt *attempt = file->attempt;
    if (attempt->error == 0)
        attempt->error = go(file);
    if (attempt->error != 0)
        return -2;
    size_t size = file->ready.size - file->begin;
    size = size < room ? size : room;
    if (size > 0) {
        memcpy(buffer, file->ready.data + file->begin, size);
        file->begin += size;
        attempt->error = go(file);
        return attempt->error == 0 ? (ptrdiff_t)size : -2;
    }
    file->paused = stook__worker_busy(file->worker);
    if (file->paused)
        return -1;
    stook__buffer_free(&file->ready, file->allocator); /* there may be hundreds of parts */
    stook__buffer_free(&file->room, file->allocator);
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
        file->room.size = 0;
    return 1;
}

int stook__upload_file_may_continue(struct stook__upload_file *file)
{
    int goes_on = file->paused && !stook__worker_busy(file->worker);
    file->paused = file->paused && !goes_on;
    return goes_on;
}
