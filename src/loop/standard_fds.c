/* SPDX-License-Identifier: MIT */
/* Placeholders for descriptors 0 to 2; see standard_fds.h. */
#include "loop/standard_fds.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <uv.h>

#include <stook.h>

enum { STANDARD = 3 };

#ifndef O_PATH /* Linux only; elsewhere read() and write() fail because it is a directory */
#define O_PATH O_RDONLY
#endif

static uv_once_t once = UV_ONCE_INIT;
static uv_mutex_t mutex;
static size_t n_holders;
static int held[STANDARD];

static void init(void)
{
    uv_mutex_init(&mutex);
}

static int is_open(int fd)
{
    return fcntl(fd, F_GETFD) != -1 || errno != EBADF;
}

/* Whether the descriptor is still ours: the program may have replaced it by dup2() or close(). */
static int is_placeholder(int fd)
{
    struct stat mine, root;
    int flags = fcntl(fd, F_GETFL);
    return flags != -1 && (O_PATH == O_RDONLY || (flags & O_PATH) != 0) && fstat(fd, &mine) == 0 &&
           stat("/", &root) == 0 && mine.st_dev == root.st_dev && mine.st_ino == root.st_ino;
}

static void close_placeholders(void)
{
    for (int fd = 0; fd < STANDARD; fd++) {
        if (held[fd] && is_placeholder(fd))
            close(fd);
        held[fd] = 0;
    }
}

/* open() returns the lowest free number. If another thread was faster, that number is not ours, and
   the one that open() returned instead may be above 2. */
static int hold_closed(void)
{
    for (int fd = 0; fd < STANDARD; fd++) {
        if (is_open(fd))
            continue;
        int placeholder = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (placeholder < 0) {
            close_placeholders();
            return STOOK_ENOFD;
        }
        if (placeholder < STANDARD)
            held[placeholder] = 1;
        else
            close(placeholder);
    }
    return 0;
}

int stook__standard_fds_hold(void)
{
    uv_once(&once, init);
    uv_mutex_lock(&mutex);
    int error = hold_closed();
    if (error == 0)
        n_holders++;
    uv_mutex_unlock(&mutex);
    return error;
}

void stook__standard_fds_release(void)
{
    uv_mutex_lock(&mutex);
    if (--n_holders == 0)
        close_placeholders();
    uv_mutex_unlock(&mutex);
}
