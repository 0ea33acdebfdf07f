/* SPDX-License-Identifier: MIT */
/* What may exist at the path of an output file and beside it; files that cannot be written. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <stook.h>

#include "support/life.h"
#include "support/process.h"
#include "support/raw_server.h"

/* ------------------------------------------------------------------ one request */

static struct {
    int error, status, os_error;
    unsigned attempts;
    int64_t flags;
    char message[512];
} last;

static const char *const *fields; /* of the next request; NULL: none */

static int fetch(struct life *life, const char *url, const char *path, int64_t resume)
{
    stook_batch *batch = life_batch(life);
    ADD(batch, url, .output_file = path, .resume = resume, .headers = fields);
    life_gather(life, batch, NULL);
    const stook_result *result = stook_batch_result(batch, 0);
    last.error = stook_result_error(result);
    last.status = stook_result_status(result);
    last.os_error = stook_result_os_error(result);
    last.attempts = stook_result_attempts(result);
    last.flags = stook_result_flags(result);
    snprintf(last.message, sizeof last.message, "%s", stook_result_message(result));
    stook_batch_free(batch);
    return last.error;
}

static mode_t kind_of(const char *path)
{
    struct stat stat;
    return lstat(path, &stat) == 0 ? stat.st_mode & S_IFMT : 0;
}

static void make_fifo(const char *path)
{
    CHECK_EQ_INT(mkfifo(path, 0600), 0);
}

static void make_folder(const char *path)
{
    CHECK_EQ_INT(mkdir(path, 0700), 0);
}

static void make_socket(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    CHECK(fd >= 0);
    snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
    CHECK_EQ_INT(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
    close(fd);
}

static void make_link(const char *path)
{
    write_file(text("%s.else", path), "not to be touched");
    CHECK_EQ_INT(symlink(text("%s.else", path), path), 0);
}

static void make_dangling(const char *path)
{
    CHECK_EQ_INT(symlink(text("%s.nowhere", path), path), 0);
}

/* Only root may; elsewhere there is nothing to see. One like /dev/null, which would take anything. */
static void make_device(const char *path)
{
    if (mknod(path, S_IFCHR | 0600, makedev(1, 3)) != 0)
        CHECK(errno == EPERM || errno == EACCES);
}

static const struct kind {
    const char *name, *why;
    void (*make)(const char *path);
} kinds[] = {
    {"fifo", "it is a FIFO", make_fifo},
    {"folder", "it is a directory", make_folder},
    {"socket", "it is a socket", make_socket},
    {"link", "it is a symbolic link", make_link},
    {"dangling", "it is a symbolic link", make_dangling},
    {"device", "it is a device", make_device},
};

/* Neither at the path nor at that of its part: nothing is sent, nothing is replaced. */
TEST_BOTH(kinds_that_are_left_alone)
{
    static const char *const ends[] = {"", ".part"};
    struct raw_server *server = raw_server_start(NULL);
    const char *folder = temporary_directory();
    life_open(life, NULL);
    for (size_t i = 0; i < 2 * (sizeof kinds / sizeof *kinds); i++) {
        const struct kind *kind = &kinds[i / 2];
        char path[200], there[220];
        snprintf(path, sizeof path, "%s/%s%zu", folder, kind->name, i);
        snprintf(there, sizeof there, "%s%s", path, ends[i % 2]);
        kind->make(there);
        mode_t before = kind_of(there);
        if (before == 0)
            continue;
        test_note("%s", there);
        CHECK_ERROR(fetch(life, raw_url(server, "/ok"), path, (int64_t)i & 1), STOOK_EFILE);
        CHECK_CONTAINS(last.message, text("%s: %s", there, kind->why));
        CHECK(last.os_error != 0);
        CHECK_EQ_INT(last.attempts, 0);
        CHECK_EQ_INT(kind_of(there), before);
    }
    CHECK_EQ_INT(raw_connections(server), 0);
}

struct swap {
    const char *path;
    void (*make)(const char *path);
};

static int swap_now(stook_batch *batch, const stook_result *result, void *user)
{
    const struct swap *swap = user;
    (void)batch, (void)result;
    swap->make(swap->path);
    return 0;
}

/* What is put there while the body comes is left alone too. */
TEST_BOTH(kinds_that_come_later)
{
    struct raw_server *server = raw_server_start(NULL);
    const char *folder = temporary_directory();
    life_open(life, NULL);
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        char path[200];
        snprintf(path, sizeof path, "%s/%s", folder, kinds[i].name);
        struct swap swap = {path, kinds[i].make};
        stook_batch *batch = life_batch(life);
        ADD(batch, raw_url(server, "/pour?n=100000"), .output_file = path, .on_head = swap_now, .user = &swap);
        life_gather(life, batch, NULL);
        const stook_result *result = stook_batch_result(batch, 0);
        test_note("%s: %s", path, stook_result_message(result));
        if (S_ISREG(kind_of(path)))
            CHECK(strcmp(kinds[i].name, "device") == 0); /* it could not be made */
        else {
            CHECK_ERROR(stook_result_error(result), STOOK_EFILE);
            CHECK_CONTAINS(stook_result_message(result), text("%s: %s", path, kinds[i].why));
        }
        CHECK_EQ_INT(kind_of(text("%s.part", path)), 0);
        stook_batch_free(batch);
    }
}

/* The folder of the path may be exchanged for another meanwhile: the file stays in the one that it was begun in. */
static int move_folder(stook_batch *batch, const stook_result *result, void *user)
{
    const char *folder = user;
    (void)batch, (void)result;
    CHECK_EQ_INT(rename(folder, text("%s.moved", folder)), 0);
    CHECK_EQ_INT(symlink("/", folder), 0);
    return 0;
}

TEST_BOTH(folder_is_exchanged)
{
    struct raw_server *server = raw_server_start(NULL);
    char folder[200];
    snprintf(folder, sizeof folder, "%s/in", temporary_directory());
    make_folder(folder);
    life_open(life, NULL);
    stook_batch *batch = life_batch(life);
    ADD(batch, raw_url(server, "/pour?n=1000"), .output_file = text("%s/out", folder), .on_head = move_folder, .user = folder);
    CHECK_EQ_INT(life_gather(life, batch, NULL), 0);
    CHECK_EQ_INT(kind_of(text("%s.moved/out", folder)), S_IFREG);
    CHECK_EQ_INT(kind_of(text("%s.moved/out.part", folder)), 0);
    stook_batch_free(batch);
}

/* Another name for the part's bytes may be a file that was never ours. Of the path itself it is let be. */
TEST_BOTH(second_names)
{
    struct raw_server *server = raw_server_start(NULL);
    char path[200];
    snprintf(path, sizeof path, "%s/out", temporary_directory());
    write_file(text("%s.else", path), "not to be touched");
    CHECK_EQ_INT(link(text("%s.else", path), text("%s.part", path)), 0);
    life_open(life, NULL);
    CHECK_ERROR(fetch(life, raw_url(server, "/pour?n=1000"), path, 0), STOOK_EFILE);
    CHECK_CONTAINS(last.message, "out.part: it has another name too");
    unlink(text("%s.part", path));
    CHECK_EQ_INT(link(text("%s.else", path), path), 0);
    CHECK_ERROR(fetch(life, raw_url(server, "/pour?n=1000"), path, 0), 0);
    struct stat stat_of;
    CHECK_EQ_INT(stat(text("%s.else", path), &stat_of), 0);
    CHECK_EQ_INT(stat_of.st_size, strlen("not to be touched"));
}

/* A tag that is no regular file is none; and it is looked at without waiting. */
TEST_BOTH(kinds_of_tags)
{
    struct raw_server *server = raw_server_start(NULL);
    const char *folder = temporary_directory();
    life_open(life, NULL);
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        char path[200];
        snprintf(path, sizeof path, "%s/%s", folder, kinds[i].name);
        write_file(text("%s.part", path), "0123");
        kinds[i].make(text("%s.part.tag", path));
        test_note("%s", path);
        fetch(life, raw_url(server, "/pour?n=1000"), path, 1);
        if (kinds[i].make == make_folder)
            CHECK_CONTAINS(last.message, ".part.tag: ");
        CHECK_ERROR(last.error, kinds[i].make == make_folder ? STOOK_EFILE : 0);
    }
}

/* ------------------------------------------------------------------- full disks */

/* The limit of a file's size is a disk that is full at that place. */
TEST_BOTH(disk_is_full)
{
    struct raw_server *server = raw_server_start(NULL);
    char path[200];
    snprintf(path, sizeof path, "%s/out", temporary_directory());
    struct rlimit limit;
    CHECK_EQ_INT(getrlimit(RLIMIT_FSIZE, &limit), 0);
    signal(SIGXFSZ, SIG_IGN);
    life_open(life, NULL);
    CHECK_EQ_INT(setrlimit(RLIMIT_FSIZE, &(struct rlimit){100000, limit.rlim_max}), 0);
    CHECK_ERROR(fetch(life, raw_url(server, "/pour?n=10000000"), path, 0), STOOK_EFILE);
    CHECK_EQ_INT(setrlimit(RLIMIT_FSIZE, &limit), 0);
    signal(SIGXFSZ, SIG_DFL);
    CHECK_EQ_INT(last.os_error, EFBIG);
    CHECK_CONTAINS(last.message, text("%s.part: %s", path, strerror(EFBIG)));
    CHECK_EQ_INT(last.status, 200);
    CHECK_EQ_INT(kind_of(text("%s.part", path)), 0);
}

/* ------------------------------------------------------------- answers to a resume */

enum { WHOLE = 1000 };

struct reply {
    const char *line, *fields; /* of the answer to a range; %ld is the first byte */
    int resumed;
};

#define RANGE "Content-Range: bytes 500-999/1000\r\n"
#define TAG "ETag: \"one\"\r\n"

static const struct reply replies[] = {
    {"206 Partial Content", TAG RANGE, 1},
    {"206 Partial Content", "ETag: \"two\"\r\n" RANGE, 0},
    {"206 Partial Content", "ETag: W/\"one\"\r\n" RANGE, 0},
    {"206 Partial Content", RANGE, 0},
    {"206 Partial Content", TAG TAG RANGE, 0},
    {"206 Partial Content", TAG, 0},
    {"206 Partial Content", TAG RANGE RANGE, 0},
    {"206 Partial Content", TAG "Content-Range: bytes 500-999/1001\r\n", 0},
    {"206 Partial Content", TAG "Content-Range: bytes 501-1000/1001\r\n", 0},
    {"206 Partial Content", TAG "Content-Range: bytes 500-998/1000\r\n", 0},
    {"206 Partial Content", TAG "Content-Range: bytes 500-999/*\r\n", 1}, /* the total is that of the whole */
    {"206 Partial Content", TAG "Content-Range: bytes */1000\r\n", 0},
    {"206 Partial Content", TAG "Content-Range: */*\r\n", 0},
    {"206 Partial Content", TAG "Content-Range: lines 500-999/1000\r\n", 0},
    {"206 Partial Content", TAG "Content-Range: bytes 500-999/1000x\r\n", 0},
    {"206 Partial Content", TAG RANGE "Content-Type: multipart/byteranges; boundary=x\r\n", 0},
    {"206 Partial Content", TAG RANGE "Content-Encoding: gzip\r\n", 0},
};

/* A body all of "1", of which the first half comes; then what a row of `replies` says, all of "2"; a whole is all of "3".
   Which of these it is, is said by a field: the server is another process. */
static enum raw_then answer_rest(struct raw_call *call)
{
    char body[WHOLE];
    const char *range = strstr(call->head, "\r\nRange: bytes=");
    const char *row = strstr(call->head, "\r\nRow: ");
    const struct reply *reply = row ? &replies[atoi(row + 7)] : NULL;
    int half = !row;
    long first = range ? atol(range + 15) : 0;
    memset(body, range ? '2' : half ? '1' : '3', sizeof body);
    if (range) {
        raw_signal(call->server, "/asked-for-a-rest");
        raw_say(call, "HTTP/1.1 %s\r\n", reply->line);
        raw_say(call, "%s", reply->fields);
        raw_say(call, "Content-Length: %ld\r\n\r\n", WHOLE - first);
    } else {
        raw_say(call, "HTTP/1.1 200 OK\r\nETag: \"one\"\r\nContent-Length: %d\r\n\r\n", WHOLE);
    }
    raw_send(call, body, (size_t)(half ? WHOLE / 2 : WHOLE - first));
    return half ? RAW_CLOSE : RAW_KEEP;
}

static const struct raw_behaviour rests[] = {{"/rest", .answer = answer_rest}, {NULL}};

static void check_bytes(const char *path, char first, char second)
{
    FILE *file = fopen(path, "rb");
    CHECK(file != NULL);
    for (long i = 0; i < WHOLE; i++)
        CHECK_EQ_INT(fgetc(file), i < WHOLE / 2 ? first : second);
    CHECK_EQ_INT(fgetc(file), EOF);
    fclose(file);
}

TEST_BOTH(rests_that_do_not_fit)
{
    struct raw_server *server = raw_server_start(rests);
    char path[200];
    snprintf(path, sizeof path, "%s/out", temporary_directory());
    char url[100];
    const char *row[] = {NULL, NULL};
    life_open(life, NULL);
    for (size_t i = 0; i < sizeof replies / sizeof *replies; i++) {
        const struct reply *reply = &replies[i];
        snprintf(url, sizeof url, "%s", raw_url(server, "/rest"));
        fields = NULL;
        test_note("%zu: %s", i, reply->fields);
        unlink(path);
        CHECK_ERROR(fetch(life, url, path, 1), STOOK_ETRUNCATED);
        CHECK_EQ_INT(kind_of(text("%s.part.tag", path)), S_IFREG);
        row[0] = text("Row: %zu", i);
        fields = row;
        CHECK_ERROR(fetch(life, url, path, 1), 0);
        CHECK_EQ_INT(raw_seen(server, "/asked-for-a-rest"), (int)i + 1);
        CHECK_EQ_INT(last.attempts, reply->resumed ? 1 : 2);
        CHECK_EQ_INT(last.flags & STOOK_FLAG_RESUMED, reply->resumed ? STOOK_FLAG_RESUMED : 0);
        check_bytes(path, reply->resumed ? '1' : '3', reply->resumed ? '2' : '3');
        CHECK_EQ_INT(kind_of(text("%s.part", path)), 0);
        CHECK_EQ_INT(kind_of(text("%s.part.tag", path)), 0);
    }
}

/* A request that receives nothing for it takes nothing away, whatever it asks for. */
TEST_BOTH(parts_are_kept)
{
    struct raw_server *server = raw_server_start(rests);
    char path[200];
    snprintf(path, sizeof path, "%s/out", temporary_directory());
    static const char *const row[] = {"Row: 0", NULL};
    char url[100], other[100];
    snprintf(url, sizeof url, "%s", raw_url(server, "/rest"));
    snprintf(other, sizeof other, "%s", raw_url(server, "/rst"));
    life_open(life, NULL);
    fields = NULL;
    CHECK_ERROR(fetch(life, url, path, 1), STOOK_ETRUNCATED);
    for (int64_t resume = 0; resume < 2; resume++) {
        CHECK_ERROR(fetch(life, other, path, resume), STOOK_ERESET);
        CHECK_ERROR(fetch(life, raw_url(server, "/status?code=404"), path, resume), 0);
        CHECK(last.status != 200);
        CHECK_EQ_INT(kind_of(text("%s.part", path)), S_IFREG);
        CHECK_EQ_INT(kind_of(text("%s.part.tag", path)), S_IFREG);
    }
    fields = row;
    CHECK_ERROR(fetch(life, url, path, 1), 0);
    check_bytes(path, '1', '2');
    fields = NULL;
}

/* A 206 to a request that asked for no range is no file. */
TEST_BOTH(part_that_nobody_asked_for)
{
    static const struct raw_behaviour parts[] = {
        {"/part", "HTTP/1.1 206 Partial Content\r\nContent-Range: bytes 0-3/10\r\nContent-Length: 4\r\n\r\n0123", .then = RAW_KEEP},
        {NULL}};
    static const char *const range[] = {"Range: bytes=0-3", NULL};
    struct raw_server *server = raw_server_start(parts);
    char path[200];
    snprintf(path, sizeof path, "%s/out", temporary_directory());
    life_open(life, NULL);
    CHECK_ERROR(fetch(life, raw_url(server, "/part"), path, 0), STOOK_EPROTOCOL);
    CHECK_EQ_INT(kind_of(path), 0);
    stook_batch *batch = life_batch(life);
    ADD(batch, raw_url(server, "/part"), .output_file = path, .headers = range);
    CHECK_EQ_INT(life_gather(life, batch, NULL), 0);
    CHECK_EQ_INT(kind_of(path), S_IFREG);
    stook_batch_free(batch);
}

/* ------------------------------------------------------------------------- forks */

/* Descriptors of this process that are of the part. */
static int count_parts(void)
{
    char target[300];
    int count = 0;
    for (int fd = 0; fd < 200; fd++) {
        char name[64];
        snprintf(name, sizeof name, "/proc/self/fd/%d", fd);
        ssize_t size = readlink(name, target, sizeof target - 1);
        target[size > 0 ? size : 0] = '\0';
        count += strstr(target, ".part") != NULL;
    }
    return count;
}

static int fork_one(stook_batch *batch, const stook_result *result, void *user)
{
    pid_t *child = user, parent = getpid();
    (void)batch, (void)result;
    CHECK_EQ_INT(count_parts(), 1);
    *child = fork();
    if (*child == 0) {
        process_die_with(parent);
        _exit(count_parts());
    }
    return 0;
}

/* A child has not the part, and so not its lock, however long it lives and however its parent ends. */
TEST_BOTH(forked_children)
{
    struct raw_server *server = raw_server_start(NULL);
    char path[200];
    snprintf(path, sizeof path, "%s/out", temporary_directory());
    pid_t child = -1;
    int status;
    life_open(life, NULL);
    stook_batch *batch = life_batch(life);
    ADD(batch, raw_url(server, "/pour?n=1000000"), .output_file = path, .on_head = fork_one, .user = &child);
    CHECK_EQ_INT(life_gather(life, batch, NULL), 0);
    CHECK_EQ_INT(waitpid(child, &status, 0), child);
    CHECK_EQ_INT(status, 0);
    stook_batch_free(batch);
}
