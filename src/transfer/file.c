/* SPDX-License-Identifier: MIT */
/* A file that is sent; see file.h. */
#include "transfer/file.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

int stook__file_open(struct stook__file *file, const char *path)
{
    struct stat stat;
    *file = (struct stook__file){.path = path, .fd = -1};
    /* Not to wait for the writer of what turns out to be a pipe. */
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return errno;
    int error = fstat(fd, &stat) != 0 ? errno : S_ISREG(stat.st_mode) ? 0 : ENOTSUP;
    if (error != 0) {
        close(fd);
        return error;
    }
    file->fd = fd;
    file->size = file->left = stat.st_size;
    return 0;
}

/* With the last bytes it is seen whether there are more: the peer must not take it for whole. */
static int has_grown(const struct stook__file *file)
{
    struct stat stat;
    return fstat(file->fd, &stat) == 0 && stat.st_size > file->size;
}

ptrdiff_t stook__file_read(struct stook__file *file, void *buffer, size_t room, int *ret_error, const char **ret_why)
{
    ssize_t size;
    *ret_error = 0;
    if ((uint64_t)room > (uint64_t)file->left)
        room = (size_t)file->left;
    if (room == 0)
        return 0;
    do
        size = read(file->fd, buffer, room);
    while (size < 0 && errno == EINTR);
    if (size > 0) {
        file->left -= size;
        if (file->left > 0 || !has_grown(file))
            return size;
        *ret_why = "a file has grown while it was sent";
        return -1;
    }
    *ret_error = size < 0 ? errno : 0;
    *ret_why = size < 0 ? "a file cannot be read" : "a file has become shorter while it was sent";
    return -1;
}

int stook__file_seek(struct stook__file *file, int64_t offset)
{
    if (offset < 0 || offset > file->size || lseek(file->fd, offset, SEEK_SET) != offset)
        return 0;
    file->left = file->size - offset;
    return 1;
}

void stook__file_close(struct stook__file *file)
{
    if (file->fd >= 0)
        close(file->fd);
    file->fd = -1;
}
