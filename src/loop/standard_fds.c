/* SPDX-License-Identifier: MIT */
/* What stands in for descriptors 0 to 2; see standard_fds.h. */
#include "loop/standard_fds.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <uv.h>

#include <stook.h>

enum { STANDARD = 3 };

#ifndef O_PATH /* of Linux; elsewhere a directory can at least not be read or written */
#define O_PATH O_RDONLY
#endif

static uv_once_t once = UV_ONCE_INIT;
static uv_mutex_t mutex;
static size_t holders;
static int held[STANDARD];

static void init(void)
{
    uv_mutex_init(&mutex);
}

static int is_open(int fd)
{
    return fcntl(fd, F_GETFD) != -1 || errno != EBADF;
}

/* The program may have put something of its own in the place meanwhile, by dup2() or after a close(). */
static int is_stand_in(int fd)
{
    struct stat mine, root;
    int flags = fcntl(fd, F_GETFL);
    return flags != -1 && (O_PATH == O_RDONLY || (flags & O_PATH) != 0) && fstat(fd, &mine) == 0 &&
           stat("/", &root) == 0 && mine.st_dev == root.st_dev && mine.st_ino == root.st_ino;
}

static void let_go(void)
{
    for (int fd = 0; fd < STANDARD; fd++) {
        if (held[fd] && is_stand_in(fd))
            close(fd);
        held[fd] = 0;
    }
}

/* An open takes the lowest number there is. Where another thread was faster, that number is not ours to hold. */
static int hold_closed(void)
{
    for (int fd = 0; fd < STANDARD; fd++) {
        if (is_open(fd))
            continue;
        int stand_in = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (stand_in < 0) {
            let_go();
            return STOOK_ENOFD;
        }
        if (stand_in < STANDARD)
            held[stand_in] = 1;
        else
            close(stand_in);
    }
    return 0;
}

int stook__standard_fds_hold(void)
{
    uv_once(&once, init);
    uv_mutex_lock(&mutex);
    int error = hold_closed();
    if (error == 0)
        holders++;
    uv_mutex_unlock(&mutex);
    return error;
}

void stook__standard_fds_release(void)
{
    uv_mutex_lock(&mutex);
    if (--holders == 0)
        let_go();
    uv_mutex_unlock(&mutex);
}
