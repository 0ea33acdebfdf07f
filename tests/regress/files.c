/* SPDX-License-Identifier: MIT */
/* A disk that does not respond, and processes that are killed at each of their calls to it. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <stook.h>

#include "support/life.h"
#include "support/disk_calls.h"
#include "support/process.h"
#include "support/raw_server.h"

/* ------------------------------------------------------------------- the disk */

static struct {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    int stalled, waiting, most; /* calls that wait now, and at most */
    int calls, kill_at;
} disk = {.lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};

static void set_stalled(int stalled)
{
    pthread_mutex_lock(&disk.lock);
    disk.stalled = stalled;
    pthread_cond_broadcast(&disk.changed);
    pthread_mutex_unlock(&disk.lock);
}

static int count_waiting(void)
{
    pthread_mutex_lock(&disk.lock);
    int waiting = disk.waiting;
    pthread_mutex_unlock(&disk.lock);
    return waiting;
}

static void before_disk(void)
{
    pthread_mutex_lock(&disk.lock);
    if (disk.kill_at > 0 && ++disk.calls == disk.kill_at)
        kill(getpid(), SIGKILL);
    disk.waiting++;
    disk.most = disk.most > disk.waiting ? disk.most : disk.waiting;
    while (disk.stalled)
        pthread_cond_wait(&disk.changed, &disk.lock);
    disk.waiting--;
    pthread_mutex_unlock(&disk.lock);
}

static void behind_disk(void)
{
}

static size_t bytes_to_write(size_t size)
{
    return size;
}

ssize_t pread(int fd, void *data, size_t size, off_t at)
{
    DISK_REAL(pread);
    return real(fd, data, size, at);
}

/* The calls of fsync(), in order: 'p' of the part, 'd' of the directory after the renaming, '?' any other. */
static struct {
    char log[64], path[200]; /* where the file is put */
    int calls, fail_at;      /* the nth call fails; 0: none does */
} synced;

int fsync(int fd)
{
    struct stat of;
    DISK_REAL(fsync);
    CHECK_EQ_INT(fstat(fd, &of), 0);
    int placed = access(synced.path, F_OK) == 0;
    strcat(synced.log, S_ISREG(of.st_mode) && !placed ? "p" : S_ISDIR(of.st_mode) && placed ? "d" : "?");
    if (++synced.calls != synced.fail_at)
        return real(fd);
    errno = EIO;
    return -1;
}

/* -------------------------------------------------------------- a disk that stalls */

enum { FILES = 6, PLAIN = 20 };

static struct {
    int plain, files, timers, works;
} seen;

/* The disk responds when every request without a file has its result and the program's loop has run. */
static void go_on_if(void)
{
    if (seen.plain < PLAIN || seen.works < FILES)
        return;
    while (seen.files == 0 && count_waiting() < 2)
        sched_yield(); /* the other thread is on its way there */
    set_stalled(0);
}

static void on_result(stook_batch *batch, const stook_result *result, void *user)
{
    (void)batch, (void)user;
    test_note("%s: %s", stook_result_url(result), stook_result_message(result));
    CHECK_EQ_INT(stook_result_ok(result), 1);
    int is_plain = strstr(stook_result_url(result), "/ok") != NULL;
    seen.plain += is_plain;
    seen.files += !is_plain;
    if (is_plain) {
        CHECK_EQ_INT(seen.files, 0);
        for (size_t i = 0; i < FILES; i++)
            CHECK_EQ_INT(stook_batch_request_state(batch, i), STOOK_STATE_FILES);
    }
    go_on_if();
}

static void on_work(uv_work_t *work)
{
    (void)work;
}

static void on_worked(uv_work_t *work, int status)
{
    (void)work;
    CHECK_EQ_INT(status, 0);
    seen.works++;
    go_on_if();
}

/* Files to and from a disk that does not answer: nobody else waits, nor does the program's own use of the pool. */
static void stall(struct life *life, int uploads)
{
    uv_work_t works[FILES];
    struct raw_server *server = raw_server_start(NULL);
    const char *folder = temporary_directory();
    memset(&seen, 0, sizeof seen);
    disk.most = 0;
    write_file(text("%s/body", folder), "from a file");
    life_open(life, NULL);
    stook_batch *batch = life_batch(life);
    for (int i = 0; i < FILES; i++)
        if (uploads)
            ADD(batch, raw_url(server, "/echo"), .body_file = text("%s/body", folder));
        else
            ADD(batch, raw_url(server, "/pour?n=1000000"), .output_file = text("%s/out%d", folder, i));
    for (int i = 0; i < PLAIN; i++)
        add(batch, raw_url(server, "/ok"));
    set_stalled(1);
    CHECK_ERROR(stook_gather_start(batch, &STOOK_GATHER(.on_result = on_result), NULL, NULL), 0);
    for (int i = 0; i < FILES && life->borrowed; i++)
        CHECK_EQ_INT(uv_queue_work(&life->loop, &works[i], on_work, on_worked), 0);
    seen.works = life->borrowed ? 0 : FILES;
    life_run(life);
    CHECK_EQ_INT(seen.files, FILES);
    CHECK_EQ_INT(disk.most, 2);
    stook_batch_free(batch);
    life_close(life);
}

/* libuv's pool stays, and with it four threads: those of the borrowed life are made and gone in a child. */
static void stall_in(int borrowed, int uploads)
{
    static struct life life;
    life_begin(&life, borrowed);
    stall(&life, uploads);
    life_end(&life);
}

static void in_child(void (*body)(void))
{
    int status;
    pid_t parent = getpid(), child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        process_die_with(parent);
        body();
        _exit(0);
    }
    CHECK_EQ_INT(waitpid(child, &status, 0), child);
    CHECK_EQ_INT(status, 0);
}

static void borrowed_downloads(void)
{
    stall_in(1, 0);
}

static void borrowed_uploads(void)
{
    stall_in(1, 1);
}

TEST(stalled_downloads)
{
    stall_in(0, 0);
    in_child(borrowed_downloads);
}

TEST(stalled_uploads)
{
    stall_in(0, 1);
    in_child(borrowed_uploads);
}

static void note_closed(void *user)
{
    ++*(int *)user;
}

static void wait_for_disk(uv_loop_t *loop, int calls)
{
    while (count_waiting() < calls)
        uv_run(loop, UV_RUN_NOWAIT);
}

/* Clocks and cancels do not wait for the disk. `closed` does. */
TEST(ends_while_it_stalls)
{
    static struct life life;
    struct raw_server *server = raw_server_start(NULL);
    const char *path = text("%s/out", temporary_directory());
    int closed = 0;
    life_begin(&life, 1);
    life_open(&life, NULL);
    stook_batch *batch = life_batch(&life);
    ADD(batch, raw_url(server, "/pour?n=1000"), .output_file = path, .attempt_timeout_ms = 50);
    ADD(batch, raw_url(server, "/pour?n=1000"), .output_file = text("%s2", path));
    set_stalled(1);
    CHECK_ERROR(stook_gather_start(batch, NULL, NULL, NULL), 0);
    wait_for_disk(&life.loop, 2);
    while (stook_batch_result(batch, 0) == NULL)
        uv_run(&life.loop, UV_RUN_ONCE);
    CHECK_ERROR(stook_result_error(stook_batch_result(batch, 0)), STOOK_ETIMEOUT_ATTEMPT);
    stook_batch_cancel(batch);
    while (stook_batch_result(batch, 1) == NULL)
        uv_run(&life.loop, UV_RUN_ONCE);
    CHECK_ERROR(stook_result_error(stook_batch_result(batch, 1)), STOOK_ECANCELLED);
    CHECK_EQ_INT(count_waiting(), 2);
    stook_batch_free(batch);
    stook_client_close(life.client, note_closed, &closed);
    for (int i = 0; i < 100; i++)
        uv_run(&life.loop, UV_RUN_NOWAIT);
    CHECK_EQ_INT(closed, 0);
    set_stalled(0);
    uv_run(&life.loop, UV_RUN_DEFAULT);
    CHECK_EQ_INT(closed, 1);
    CHECK_EQ_INT(access(text("%s.part", path), F_OK), -1);
    CHECK_EQ_INT(access(path, F_OK), -1);
    life.client = NULL;
    life_end(&life);
}

/* A request for the same file, made while the one before is ending, gets the file. */
TEST(asked_for_again)
{
    static struct life life_of, *life = &life_of;
    struct raw_server *server = raw_server_start(NULL);
    const char *path = text("%s/out", temporary_directory());
    life_begin(life, 0);
    life_open(life, NULL);
    set_stalled(1);
    stook_batch *batch = life_batch(life);
    ADD(batch, raw_url(server, "/pour?n=1000"), .output_file = path, .attempt_timeout_ms = 50);
    CHECK_EQ_INT(life_gather(life, batch, NULL), 1);
    stook_batch_free(batch);
    batch = life_batch(life);
    ADD(batch, raw_url(server, "/pour?n=1000"), .output_file = path);
    set_stalled(0);
    CHECK_EQ_INT(life_gather(life, batch, NULL), 0);
    stook_batch_free(batch);
    life_end(life);
}

/* ------------------------------------------------------------ an attempt whose file settles */

/* Its transfer is over, and its file is being removed. */
static struct settling {
    int reads, heads;
    int64_t answer; /* of body_read */
    struct raw_server *server;
} settling;

/* From here on the disk does not respond: the part was opened before the body was asked for. */
static int64_t read_and_stall(stook_batch *batch, size_t index, void *buffer, size_t size, void *user)
{
    (void)batch, (void)index, (void)buffer, (void)size, (void)user;
    settling.reads++;
    set_stalled(1);
    raw_signal(settling.server, "/read");
    return settling.answer;
}

static int count_head(stook_batch *batch, const stook_result *result, void *user)
{
    (void)batch, (void)result, (void)user;
    settling.heads++;
    return 0;
}

/* Sends its response when the attempt has failed already. */
static enum raw_then respond_late(struct raw_call *call)
{
    raw_signal(call->server, "/asked");
    raw_wait(call->server, "/failed", 1);
    raw_say(call, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    return RAW_HOLD;
}

/* Refuses the request when its body has been asked for, and does not wait for it. */
static enum raw_then refuse_early(struct raw_call *call)
{
    raw_wait(call->server, "/read", 1);
    raw_say(call, "HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    return RAW_CLOSE;
}

static const struct raw_behaviour late[] = {{"/late", .answer = respond_late, .early = 1},
                                            {"/refused", .answer = refuse_early, .early = 1},
                                            {NULL}};

/* Starts one request in a borrowed life, and waits until its file settles. */
static stook_batch *settle(struct life *life, struct raw_server *server, const char *path, int64_t answer)
{
    life_begin(life, 1);
    life_open(life, NULL);
    settling = (struct settling){.answer = answer, .server = server};
    stook_batch *batch = life_batch(life);
    ADD(batch, raw_url(server, "%s", path), .body_read = read_and_stall, .on_head = count_head,
        .output_file = text("%s/out", temporary_directory()));
    CHECK_ERROR(stook_gather_start(batch, NULL, NULL, NULL), 0);
    while (settling.reads == 0 || count_waiting() == 0)
        uv_run(&life->loop, UV_RUN_NOWAIT);
    CHECK(stook_batch_result(batch, 0) == NULL);
    return batch;
}

static const stook_result *settled(struct life *life, stook_batch *batch)
{
    set_stalled(0);
    life_run(life);
    test_note("%s", stook_result_message(stook_batch_result(batch, 0)));
    CHECK_EQ_INT(settling.reads, 1);
    return stook_batch_result(batch, 0);
}

/* A program that resumes its body then is not asked for more of it: nobody would send that. */
TEST(no_body_is_read_for_an_ended_transfer)
{
    static struct life life;
    struct raw_server *server = raw_server_start(late);
    stook_batch *batch = settle(&life, server, "/refused", STOOK_AGAIN);
    stook_batch_resume_request(batch, 0);
    for (int turns = 0; turns < 100; turns++)
        uv_run(&life.loop, UV_RUN_NOWAIT);
    CHECK_EQ_INT(settling.reads, 1);
    CHECK_STR(stook_result_message(settled(&life, batch)), "HTTP 413");
    stook_batch_free(batch);
    life_end(&life);
}

/* libcurl still has the transfer of an attempt that has failed; a response to it is nobody's. */
TEST(no_head_is_taken_after_a_failure)
{
    static struct life life;
    struct raw_server *server = raw_server_start(late);
    stook_batch *batch = settle(&life, server, "/late", -1);
    raw_wait(server, "/asked", 1);
    raw_signal(server, "/failed");
    while (raw_seen(server, "/gone") == 0)
        uv_run(&life.loop, UV_RUN_NOWAIT);
    const stook_result *result = settled(&life, batch);
    CHECK_ERROR(stook_result_error(result), STOOK_ECALLBACK);
    CHECK_EQ_INT(stook_result_status(result), 0);
    CHECK_EQ_INT(settling.heads, 0);
    stook_batch_free(batch);
    life_end(&life);
}

/* --------------------------------------------------------------------- synced */

static void fetch_synced(const struct stook_request *request, int fail_at, int *ret_error, char message[300])
{
    stook_client *client;
    stook_batch *batch;
    synced.log[0] = '\0';
    synced.calls = 0;
    synced.fail_at = fail_at;
    snprintf(synced.path, sizeof synced.path, "%s", request->output_file);
    CHECK_ERROR(stook_client_new(NULL, NULL, &client), 0);
    CHECK_ERROR(stook_batch_new(client, &batch), 0);
    CHECK_ERROR(stook_batch_add(batch, request), 0);
    CHECK(stook_gather(batch, NULL) >= 0);
    *ret_error = stook_result_error(stook_batch_result(batch, 0));
    snprintf(message, 300, "%s", stook_result_message(stook_batch_result(batch, 0)));
    stook_batch_free(batch);
    stook_client_close(client, NULL, NULL);
}

/* The part before it is renamed, then the directory; without output_sync, or a complete body, nothing. */
TEST(synced_before_the_result)
{
    struct raw_server *server = raw_server_start(NULL);
    char message[300];
    const char *path = strdup(text("%s/out", temporary_directory()));
    int error;
    fetch_synced(&STOOK_REQUEST(raw_url(server, "/pour?n=1000000"), .output_file = path), 0, &error, message);
    CHECK_ERROR(error, 0);
    CHECK_STR(synced.log, "");
    unlink(path);
    fetch_synced(&STOOK_REQUEST(raw_url(server, "/pour?n=1000000"), .output_file = path, .output_sync = 1), 0, &error, message);
    CHECK_ERROR(error, 0);
    CHECK_STR(synced.log, "pd");
    unlink(path);
    fetch_synced(&STOOK_REQUEST(raw_url(server, "/short"), .output_file = path, .output_sync = 1), 0, &error, message);
    CHECK_ERROR(error, STOOK_ETRUNCATED);
    CHECK_STR(synced.log, "");
    free((char *)path);
}

/* A part that could not be synced is not resumed: nobody knows what of it the disk has. */
TEST(not_synced)
{
    static const struct raw_behaviour tagged[] = {
        {"/tagged", "HTTP/1.1 200 OK\r\nETag: \"a\"\r\nContent-Length: 3\r\n\r\nabc", .then = RAW_KEEP}, {NULL}};
    struct raw_server *server = raw_server_start(tagged);
    char message[300];
    const char *path = strdup(text("%s/out", temporary_directory()));
    const struct stook_request request =
        STOOK_REQUEST(raw_url(server, "/tagged"), .output_file = path, .output_sync = 1, .resume = 1);
    int error;
    fetch_synced(&request, 1, &error, message);
    CHECK_ERROR(error, STOOK_EFILE);
    CHECK_CONTAINS(message, text("%s.part: %s", path, strerror(EIO)));
    CHECK_STR(synced.log, "p");
    CHECK_EQ_INT(access(path, F_OK), -1);
    CHECK_EQ_INT(access(text("%s.part", path), F_OK), -1);
    CHECK_EQ_INT(access(text("%s.part.tag", path), F_OK), -1);
    fetch_synced(&request, 2, &error, message);
    CHECK_ERROR(error, STOOK_EFILE);
    CHECK_CONTAINS(message, text("%s: %s", path, strerror(EIO)));
    CHECK_STR(synced.log, "pd");
    CHECK_EQ_INT(access(path, F_OK), 0); /* it is there, and whole */
    CHECK_EQ_INT(access(text("%s.part", path), F_OK), -1);
    free((char *)path);
}

/* --------------------------------------------------------------------- kills */

enum { WHOLE = 3000 };

/* What the server has, and whether it sends only half. It is another process, so a field of the request says it. */
static struct source {
    int version, cut;
} source;

/* The bytes are those of the version, which is the entity tag; ranges by the book (RFC 9110 13.1.5, 14). */
static enum raw_then versions(struct raw_call *call)
{
    char body[WHOLE], tag[16], condition[32];
    struct source of;
    const char *range = strstr(call->head, "\r\nRange: bytes="), *field = strstr(call->head, "\r\nSource: ");
    CHECK(field && sscanf(field, "\r\nSource: %d %d", &of.version, &of.cut) == 2);
    snprintf(tag, sizeof tag, "\"v%d\"", of.version);
    snprintf(condition, sizeof condition, "\r\nIf-Range: %s\r\n", tag);
    long first = range && strstr(call->head, condition) ? atol(range + 15) : 0;
    if (first >= WHOLE) {
        raw_say(call, "HTTP/1.1 416 Range Not Satisfiable\r\nContent-Range: bytes */%d\r\nContent-Length: 0\r\n\r\n", WHOLE);
        return RAW_KEEP;
    }
    memset(body, 'a' + of.version, sizeof body);
    raw_say(call, "HTTP/1.1 %s\r\nETag: %s\r\n", first ? "206 Partial Content" : "200 OK", tag);
    if (first)
        raw_say(call, "Content-Range: bytes %ld-%d/%d\r\n", first, WHOLE - 1, WHOLE);
    raw_say(call, "Content-Length: %ld\r\n\r\n", WHOLE - first);
    raw_send(call, body, (size_t)(of.cut ? (WHOLE - first) / 2 : WHOLE - first));
    return of.cut ? RAW_CLOSE : RAW_KEEP;
}

static const struct raw_behaviour versioned[] = {{"/v", .answer = versions}, {NULL}};

static int fetch(const char *url, const char *path, int64_t resume)
{
    stook_client *client;
    stook_batch *batch;
    const char *const fields[] = {text("Source: %d %d", source.version, source.cut), NULL};
    CHECK_ERROR(stook_client_new(NULL, NULL, &client), 0);
    CHECK_ERROR(stook_batch_new(client, &batch), 0);
    ADD(batch, url, .output_file = path, .resume = resume, .headers = fields);
    CHECK(stook_gather(batch, NULL) >= 0);
    int error = stook_result_error(stook_batch_result(batch, 0));
    test_note("%s", stook_result_message(stook_batch_result(batch, 0)));
    stook_batch_free(batch);
    stook_client_close(client, NULL, NULL);
    return error;
}

/* The one byte that a file is made of; 0: it has none. `size` is set to how many. */
static int byte_of(const char *path, long *size)
{
    FILE *file = fopen(path, "rb");
    int first = 0, c;
    *size = 0;
    if (!file)
        return 0;
    for (; (c = fgetc(file)) != EOF; ++*size) {
        first = *size == 0 ? c : first;
        CHECK_EQ_INT(c, first); /* of one version, always */
    }
    fclose(file);
    return first;
}

/* Where there is a tag for this part, it names the version that its bytes are of. */
static void check_tag(const char *path)
{
    char part[300], tag[300], line[3][200] = {"", "", ""};
    long size;
    struct stat stat_of;
    unsigned long long inode = 0;
    int version = -1, total;
    snprintf(part, sizeof part, "%s.part", path);
    snprintf(tag, sizeof tag, "%s.part.tag", path);
    int byte = byte_of(part, &size);
    FILE *file = fopen(tag, "rb");
    if (!file)
        return;
    int whole = fgets(line[0], 200, file) && fgets(line[1], 200, file) && fgets(line[2], 200, file) &&
                fscanf(file, "%d\n%llu", &total, &inode) == 2;
    fclose(file);
    if (!whole || stat(part, &stat_of) != 0 || stat_of.st_ino != inode)
        return;
    CHECK_EQ_INT(sscanf(line[1], "\"v%d\"", &version), 1);
    if (size > 0)
        CHECK_EQ_INT(byte, 'a' + version);
}

/* Kills the process at its nth call. Returns 1 if it ended before. */
static int run_and_kill(const char *url, const char *path, int64_t resume, int nth)
{
    int status;
    pid_t parent = getpid(), child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        process_die_with(parent);
        disk.calls = 0;
        disk.kill_at = nth;
        fetch(url, path, resume);
        _exit(0);
    }
    CHECK_EQ_INT(waitpid(child, &status, 0), child);
    CHECK(WIFEXITED(status) ? WEXITSTATUS(status) == 0 : WTERMSIG(status) == SIGKILL);
    return WIFEXITED(status);
}

/* `way`, in bits: there is a part before; it is resumed; the body is another now; it is cut again. `last` is the version
   that the next run finds. */
static void kill_at_every_call(struct raw_server *server, const char *folder, int way, int last)
{
    char url[100], path[200];
    snprintf(url, sizeof url, "%s", raw_url(server, "/v"));
    for (int nth = 1, over = 0; !over; nth++) {
        long size;
        snprintf(path, sizeof path, "%s/%d-%d-%d", folder, way, last, nth);
        source.version = 0;
        source.cut = 1;
        if (way & 1)
            CHECK_ERROR(fetch(url, path, 1), STOOK_ETRUNCATED);
        source.version = (way & 4) != 0;
        source.cut = (way & 8) != 0;
        over = run_and_kill(url, path, (way & 2) != 0, nth);
        test_note("way %d, call %d", way, nth);
        check_tag(path);
        CHECK(byte_of(path, &size) == 0 || size == WHOLE);
        source.version = (way & 4) != 0 ? last : 0;
        source.cut = 0;
        CHECK_ERROR(fetch(url, path, 1), 0);
        CHECK_EQ_INT(byte_of(path, &size), 'a' + source.version);
        CHECK_EQ_INT(size, WHOLE);
        CHECK(nth < 100);
    }
}

TEST(killed_at_every_call)
{
    struct raw_server *server = raw_server_start(versioned);
    const char *folder = strdup(temporary_directory());
    for (int way = 0; way < 16; way++)
        for (int last = 0; last < (way & 4 ? 3 : 1); last++)
            kill_at_every_call(server, folder, way, last);
    free((char *)folder);
}
