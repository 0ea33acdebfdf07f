/* SPDX-License-Identifier: MIT */
/*
 * Replaces the calls by which the library opens, writes and renames files. The one file of a program that
 * includes this defines what happens before and after each, and how many bytes a write writes.
 */
#ifndef STOOK_TEST_DISK_CALLS_H
#define STOOK_TEST_DISK_CALLS_H

#include <dlfcn.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/types.h>
#include <unistd.h>

static void before_disk(void);
static void behind_disk(void);
static size_t bytes_to_write(size_t size);

#define DISK_REAL(name_)                    \
    __typeof__(name_) *real;                \
    before_disk();                          \
    *(void **)&real = dlsym(RTLD_NEXT, #name_)

int openat(int directory, const char *name, int flags, ...)
{
    va_list args;
    va_start(args, flags);
    mode_t mode = flags & O_CREAT ? va_arg(args, mode_t) : 0;
    va_end(args);
    DISK_REAL(openat);
    int fd = real(directory, name, flags, mode);
    behind_disk();
    return fd;
}

ssize_t pwrite(int fd, const void *data, size_t size, off_t at)
{
    DISK_REAL(pwrite);
    ssize_t written = real(fd, data, bytes_to_write(size), at);
    behind_disk();
    return written;
}

int ftruncate(int fd, off_t size)
{
    DISK_REAL(ftruncate);
    int error = real(fd, size);
    behind_disk();
    return error;
}

int unlinkat(int directory, const char *name, int flags)
{
    DISK_REAL(unlinkat);
    int error = real(directory, name, flags);
    behind_disk();
    return error;
}

int renameat(int from, const char *old, int to, const char *name)
{
    DISK_REAL(renameat);
    int error = real(from, old, to, name);
    behind_disk();
    return error;
}

#endif
