/* SPDX-License-Identifier: MIT */
/*
 * The system calls of a download; see part_file.h. All of it runs in a thread of loop/file.h,
 * called by download.c. It neither allocates nor calls back.
 */
#include "http/part_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#ifdef O_PATH
enum { FOLDER = O_PATH | O_DIRECTORY };
#else
enum { FOLDER = O_RDONLY | O_DIRECTORY };
#endif
enum { FOLDER_TO_SYNC = O_RDONLY | O_DIRECTORY }; /* fsync() refuses O_PATH. */

/* open() follows no link, and does not wait for the other end of a FIFO. */
enum { GUARDED = O_NOFOLLOW | O_NONBLOCK };

static int fail(struct stook__part_file *file, const char *suffix, int os_error, const char *why)
{
    if (!file->failed) {
        file->failed = 1;
        file->suffix = suffix;
        file->os_error = os_error;
        file->why = why;
    }
    return -1;
}

/*
 * Checks what a name is. 1: a regular file; 0: there is none; -1: a failure, it is something else.
 */
static int check_name(struct stook__part_file *file, const char *name, const char *suffix,
                      struct stat *ret_stat)
{
    if (fstatat(file->folder_fd, name, ret_stat, AT_SYMLINK_NOFOLLOW) != 0)
        return errno == ENOENT ? 0 : fail(file, suffix, errno, NULL);
    const char *why = stook__file_kind(ret_stat->st_mode);
    if (why == NULL)
        return 1;
    int os_error = S_ISDIR(ret_stat->st_mode)   ? EISDIR
                   : S_ISLNK(ret_stat->st_mode) ? ELOOP
                                                : ENOTSUP;
    return fail(file, suffix, os_error, why);
}

/* Whether the part's name still names the open file. */
static int is_named(const struct stook__part_file *file)
{
    struct stat now;
    return fstatat(file->folder_fd, file->part, &now, AT_SYMLINK_NOFOLLOW) == 0 &&
           (uint64_t)now.st_ino == file->inode && (uint64_t)now.st_dev == file->device;
}

/* ------------------------------------------------------------------------- opening */

static int open_folder(struct stook__part_file *file)
{
    struct stat target;
    file->folder_fd =
        stook__file_open(AT_FDCWD, file->folder, file->syncs ? FOLDER_TO_SYNC : FOLDER, 0);
    if (file->folder_fd < 0)
        return fail(file, "", errno, NULL);
    return check_name(file, file->name, "", &target) < 0 ? -1 : 0;
}

/* A part with another name is refused: those bytes may be a file that is not ours. */
static int open_part_once(struct stook__part_file *file)
{
    struct stat stat;
    if (check_name(file, file->part, ".part", &stat) < 0)
        return -1;
    int fd = stook__file_open(file->folder_fd, file->part, O_RDWR | O_CREAT | GUARDED, 0666);
    if (fd < 0)
        return fail(file, ".part", errno, NULL);
    file->is_open = 1;
    stook__file_guard(&file->guard, fd);
    if (fstat(fd, &stat) != 0)
        return fail(file, ".part", errno, NULL);
    if (!S_ISREG(stat.st_mode))
        return fail(file, ".part", ENOTSUP, stook__file_kind(stat.st_mode));
    if (flock(fd, LOCK_EX | LOCK_NB) != 0)
        return fail(file, ".part", errno,
                    errno == EWOULDBLOCK ? "another request writes it" : NULL);
    if (stat.st_nlink > 1)
        return fail(file, ".part", EMLINK, "it has another name too");
    file->inode = (uint64_t)stat.st_ino;
    file->device = (uint64_t)stat.st_dev;
    return fstat(fd, &stat) != 0 ? fail(file, ".part", errno, NULL)
                                 : (file->size = stat.st_size, 0);
}

/*
 * Another request may have renamed the part to its final name between our open() and our lock. Then
 * this opens it again.
 */
static int open_part(struct stook__part_file *file)
{
    enum { TRIES = 100 };
    for (int i = 0; i < TRIES; i++) {
        if (open_part_once(file) != 0)
            return -1;
        if (is_named(file))
            return 0;
        file->is_open = 0;
        stook__file_unguard(&file->guard);
    }
    return fail(file, ".part", EBUSY, "other processes keep replacing it");
}

/* A tag that cannot be read counts as no tag. */
static void read_tag(struct stook__part_file *file)
{
    struct stat stat;
    if (fstatat(file->folder_fd, file->tag, &stat, AT_SYMLINK_NOFOLLOW) != 0 ||
        !S_ISREG(stat.st_mode))
        return;
    int fd = stook__file_open(file->folder_fd, file->tag, O_RDONLY | GUARDED, 0);
    if (fd < 0)
        return;
    ssize_t size = fstat(fd, &stat) == 0 && S_ISREG(stat.st_mode)
                       ? read(fd, file->tag_text, STOOK__TAG_MAX - 1)
                       : 0;
    close(fd);
    file->tag_size = size > 0 ? (size_t)size : 0;
    file->tag_text[file->tag_size] = '\0';
}

static void close_all(struct stook__part_file *file)
{
    if (file->is_open)
        stook__file_unguard(&file->guard);
    file->is_open = 0;
    if (file->folder_fd >= 0)
        close(file->folder_fd);
    file->folder_fd = -1;
}

int stook__part_file_open(struct stook__part_file *file)
{
    if (open_folder(file) != 0 || open_part(file) != 0) {
        close_all(file);
        return -1;
    }
    if (file->resumes && file->size > 0)
        read_tag(file);
    stook__sha256_init(&file->digest);
    return 0;
}

/* ------------------------------------------------------------------------- writing */

/* Returns 0 or an errno. */
static int write_all(int fd, const char *data, size_t size, int64_t at)
{
    while (size > 0) {
        ssize_t written = pwrite(fd, data, size, (off_t)at);
        if (written < 0 && errno != EINTR)
            return errno;
        if (written == 0)
            return EIO;
        data += written > 0 ? written : 0;
        at += written > 0 ? written : 0;
        size -= written > 0 ? (size_t)written : 0;
    }
    return 0;
}

/* A failure only means that the part cannot be resumed. */
static void write_tag(struct stook__part_file *file)
{
    int fd =
        stook__file_open(file->folder_fd, file->tag, O_WRONLY | O_CREAT | O_EXCL | GUARDED, 0666);
    if (fd < 0)
        return;
    file->tagged = write_all(fd, file->tag_text, file->tag_size, 0) == 0;
    close(fd);
    if (!file->tagged)
        unlinkat(file->folder_fd, file->tag, 0);
}

int stook__part_file_begin(struct stook__part_file *file)
{
    file->tagged = 0;
    if (unlinkat(file->folder_fd, file->tag, 0) != 0 && errno != ENOENT)
        return fail(file, ".part.tag", errno, NULL);
    file->modified = 1;
    if (ftruncate(file->guard.fd, 0) != 0)
        return fail(file, ".part", errno, NULL);
    file->size = 0;
    stook__sha256_init(&file->digest);
    if (file->tag_size > 0)
        write_tag(file);
    return 0;
}

int stook__part_file_write(struct stook__part_file *file, const char *data, size_t size)
{
    file->modified = 1;
    int os_error = write_all(file->guard.fd, data, size, file->size);
    if (os_error != 0)
        return fail(file, ".part", os_error, NULL);
    file->size += (int64_t)size;
    if (file->expected != NULL)
        stook__sha256_add(&file->digest, data, size);
    return 0;
}

int stook__part_file_digest(struct stook__part_file *file, int64_t max)
{
    char piece[16384];
    while (max > 0 && (int64_t)file->digest.size < file->size) {
        int64_t left = file->size - (int64_t)file->digest.size;
        left = left < max ? left : max;
        size_t wanted = left < (int64_t)sizeof piece ? (size_t)left : sizeof piece;
        ssize_t size = pread(file->guard.fd, piece, wanted, (off_t)file->digest.size);
        if (size < 0 && errno == EINTR)
            continue;
        if (size <= 0)
            return fail(file, ".part", size < 0 ? errno : 0,
                        size < 0 ? NULL : "another process changed it");
        stook__sha256_add(&file->digest, piece, (size_t)size);
        max -= size;
    }
    return 0;
}

/* -------------------------------------------------------------------------- the end */

/* Whether the file is the one that is expected. */
static int check_digest(struct stook__part_file *file)
{
    if (file->expected == NULL || !stook__sha256_differs(&file->digest, file->expected, file->room))
        return 0;
    file->spoiled = file->differs = 1;
    return fail(file, "", 0, file->room);
}

/* After a failure nobody knows which bytes the disk has: Linux forgets those that it could not
   write. */
static int sync_part(struct stook__part_file *file)
{
    if (!file->syncs || fsync(file->guard.fd) == 0)
        return 0;
    file->spoiled = 1;
    return fail(file, ".part", errno, NULL);
}

static int sync_folder(struct stook__part_file *file)
{
    return !file->syncs || fsync(file->folder_fd) == 0 ? 0 : fail(file, "", errno, NULL);
}

int stook__part_file_place(struct stook__part_file *file)
{
    struct stat stat;
    if (check_digest(file) != 0 || sync_part(file) != 0)
        return -1;
    if (fstat(file->guard.fd, &stat) != 0)
        return fail(file, ".part", errno, NULL);
    if (stat.st_size != file->size || !is_named(file))
        return fail(file, ".part", 0, "another process changed it");
    if (check_name(file, file->name, "", &stat) < 0)
        return -1;
    if (renameat(file->folder_fd, file->part, file->folder_fd, file->name) != 0)
        return fail(file, "", errno, NULL);
    unlinkat(file->folder_fd, file->tag, 0);
    if (sync_folder(file) != 0)
        return -1;
    close_all(file);
    return 0;
}

void stook__part_file_discard(struct stook__part_file *file, int drop)
{
    struct stat stat;
    int has_bytes = file->is_open && fstat(file->guard.fd, &stat) == 0 && stat.st_size > 0;
    int stays = !drop && !file->spoiled && has_bytes &&
                (!file->modified || (file->resumes && file->tagged));
    if (file->is_open && !stays && is_named(file)) {
        unlinkat(file->folder_fd, file->tag, 0);
        unlinkat(file->folder_fd, file->part, 0);
    }
    close_all(file);
}
