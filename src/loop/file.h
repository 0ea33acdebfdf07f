/* SPDX-License-Identifier: MIT */
/*
 * Work on files, done by two threads of the process: a disk that does not answer holds them and not a
 * loop, and at most two operations are under way, whatever the number of clients. The others wait, each in
 * its order. The threads are there while a client is that has used a file, and end with the last one.
 *
 * They are not those of libuv's pool. That has no openat() and its kind, without which a path cannot be
 * kept from being exchanged between two calls; it has four threads for all of the program's own work; and
 * once it is there, a forked child that calls exit() dies in libuv's destructor (libuv issue 4443; seen
 * with 1.44.2).
 *
 * An operation is a function that makes the system calls which belong together. It touches only what its
 * owner lends it, and neither allocates nor calls back.
 */
#ifndef STOOK_LOOP_FILE_H
#define STOOK_LOOP_FILE_H

#include <sys/types.h>

#include "loop/loop.h"
#include "util/list.h"

struct stook__worker;

/* Runs one operation after another for its owner. NULL: no memory. Not to be freed while it is busy. */
struct stook__worker *stook__worker_new(struct stook__loop *loop, void *owner);
void stook__worker_free(struct stook__worker *worker);
/* `run` in another thread, then `done` on the loop's thread, in which the worker is not busy any more, with a turn of the
   loop to follow. Cannot fail: without threads it is done at once. Not while it is busy; from inside a libcurl callback it may be. */
void stook__worker_start(struct stook__worker *worker, void (*run)(void *owner),
                         void (*done)(void *owner));
int stook__worker_busy(const struct stook__worker *worker);
/* 1: no thread had begun, and it is not busy any more; neither function is called. */
int stook__worker_recall(struct stook__worker *worker);
/* Workers of the loop that are busy. */
size_t stook__workers_busy(const struct stook__loop *loop);

/* openat(), never below descriptor 3 and not inherited by what is executed. -1 with errno. */
int stook__file_open(int directory, const char *path, int flags, mode_t mode);
/* What is wrong with the kind of a file that is to be a regular one, by its st_mode; NULL: it is one. */
const char *stook__file_kind(mode_t mode);

/*
 * A descriptor that a forked child is not to keep: it would keep the lock on it too (flock() belongs to
 * the open file, which both share), long after the parent has gone. From any thread.
 */
struct stook__file_guard {
    struct stook__link link;
    int fd;
};
void stook__file_guard(struct stook__file_guard *guard, int fd);
/* Gives the lock up, and closes it. */
void stook__file_unguard(struct stook__file_guard *guard);

#endif
