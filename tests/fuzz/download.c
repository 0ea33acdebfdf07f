/* SPDX-License-Identifier: MIT */
/*
 * Downloads to a file, from a strict server (file_server.h), with kills. The input is a story: what the versions
 * of the file are like, and up to eight attempts to download it, each by a request, two answers, and an end: by
 * itself, by a cancel or a close, or by SIGKILL, after some bytes or at a call that is made of the disk.
 *
 *   PATH is what it was, or the whole of one body that was offered; never a mixture, never a beginning
 *   one result; an OK of 2xx is the body of the last answer, which is in PATH; no other touches it
 *   no file but PATH, PATH.part and PATH.part.tag, and these two only where they may be
 *   a tag that fits its part tells the truth, and is what the next request asks by
 *   an OK has the digest that was asked for; a body that has another one leaves nothing behind
 *   in the end an honest answer is OK; no memory, no handle and no descriptor is left
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <stook.h>

#include "../support/life.h"
#include "../support/disk_calls.h"
#include "../support/process.h"
#include "util/sha256.h"
#include "file_server.h"
#include "fuzz.h"

enum { ATTEMPTS = 8, CALLS = 20 };

/* How an attempt ends: by itself; else when the body has come so far, or at the nth call of the disk. */
enum end { ITSELF, CANCEL_AT, CLOSE_AT, CANCEL_CALL, CLOSE_CALL, KILL_AT, KILL_CALL, KILL_IN_CALL, ENDS };

struct attempt {
    enum end end;
    int64_t bytes; /* that are to come before */
    int call;
    int resume, strict, decompress, keeps_client, sync, has_digest;
    char digest[STOOK__SHA256_DIGITS + 1]; /* of the whole of one version */
    int64_t max_body_bytes;
};

struct outcome {
    int error, status, flags, results;
    unsigned attempts;
};

/* What is at a path: `content` -1: nothing. */
struct body {
    int content;
    size_t size;
};

/* The part and its tag, as they lie there. */
struct part {
    int there, tag_there, knows_total;
    size_t size;
    char validator[64]; /* of a tag that fits; "": none does */
};

static struct story {
    struct life life;
    struct file_server server;
    struct attempt attempt;
    struct outcome outcome;
    stook_batch *batch;
    int done, armed, killed;
    struct body held; /* at PATH */
    struct part before;
} story;

static char socket_path[300], folder[300], path[320], part_path[330], tag_path[340];

/* ----------------------------------------------------------------------- the disk */

static struct {
    pthread_mutex_t lock;
    int calls, act_at, acts; /* `acts`: this one is */
} disk = {.lock = PTHREAD_MUTEX_INITIALIZER};

static void close_client(stook_client *client, void *user);

/* The nth call of the disk, in another thread. */
static void before_disk(void)
{
    pthread_mutex_lock(&disk.lock);
    disk.acts = disk.act_at > 0 && ++disk.calls == disk.act_at;
    if (disk.acts && story.attempt.end == KILL_CALL)
        kill(getpid(), SIGKILL);
    if (disk.acts && story.attempt.end == CANCEL_CALL)
        stook_batch_cancel(story.batch);
    if (disk.acts && story.attempt.end == CLOSE_CALL)
        CHECK_ERROR(stook_client_post(story.life.client, close_client, NULL), 0);
    int dies = disk.acts && story.attempt.end == KILL_IN_CALL;
    pthread_mutex_unlock(&disk.lock);
    if (dies)
        disk.act_at = -1;
}

static void behind_disk(void)
{
    if (disk.act_at < 0)
        kill(getpid(), SIGKILL);
}

static void set_disk(int act_at)
{
    pthread_mutex_lock(&disk.lock);
    disk.calls = 0;
    disk.act_at = act_at;
    pthread_mutex_unlock(&disk.lock);
}

static size_t bytes_to_write(size_t size)
{
    return disk.act_at < 0 ? size / 2 : size;
}

int fsync(int fd)
{
    (void)fd; /* nobody pulls the plug */
    before_disk();
    behind_disk();
    return 0;
}

/* ------------------------------------------------------------------ what lies there */

/* -1: it is not there. The bytes stay until the next call. */
static long read_file(const char *name, const unsigned char **ret_bytes)
{
    static unsigned char bytes[2 * FILE_SIZE_MAX];
    int fd = open(name, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return -1;
    ssize_t size = read(fd, bytes, sizeof bytes);
    CHECK(size >= 0 && size < (ssize_t)sizeof bytes);
    close(fd);
    *ret_bytes = bytes;
    return size;
}

static int is_body(const unsigned char *bytes, size_t size, int content)
{
    for (size_t i = 0; i < size; i++)
        if (bytes[i] != file_byte(content, i))
            return 0;
    return 1;
}

/* A tag by the book, of this part (src/http/part_file.h); else there is none. */
static void read_tag(struct part *part)
{
    const unsigned char *bytes = NULL;
    char tag[600], same[600], validator[64];
    long total;
    struct stat stat_of;
    long size = read_file(tag_path, &bytes);
    part->tag_there = size >= 0;
    if (size <= 0 || size >= (long)sizeof tag || part->size == 0)
        return;
    memcpy(tag, bytes, (size_t)size);
    tag[size] = '\0';
    CHECK_EQ_INT(stat(part_path, &stat_of), 0);
    if (sscanf(tag, "stook 1\n%63[^\n]\n%*[^\n]\n%ld\n", validator, &total) != 2)
        return;
    int length = snprintf(same, sizeof same, "stook 1\n%s\n" FILE_URL "\n%ld\n%llu\n", validator, total,
                          (unsigned long long)stat_of.st_ino);
    part->knows_total = total >= 0;
    if (length == size && memcmp(same, tag, (size_t)size) == 0 && (total == -1 || (long)part->size <= total))
        snprintf(part->validator, sizeof part->validator, "%s", validator);
}

/* What the next request has to ask for. */
static struct part look_at_part(void)
{
    struct part part = {0};
    const unsigned char *bytes = NULL;
    long size = read_file(part_path, &bytes);
    part.there = size >= 0;
    part.size = size > 0 ? (size_t)size : 0;
    read_tag(&part);
    if (part.validator[0] == '\0')
        return part;
    int version = file_version_of(part.validator);
    CHECK(version >= 0 && read_file(part_path, &bytes) == size);
    CHECK(part.size <= story.server.sizes[version] && is_body(bytes, part.size, version));
    return part;
}

static void check_names(void)
{
    DIR *directory = opendir(folder);
    CHECK(directory != NULL);
    for (struct dirent *entry; (entry = readdir(directory)) != NULL;)
        if (entry->d_name[0] != '.' && strcmp(entry->d_name, "out") != 0 && strcmp(entry->d_name, "out.part") != 0 &&
            strcmp(entry->d_name, "out.part.tag") != 0)
            FAIL("there is a file \"%s\"", entry->d_name);
    closedir(directory);
}

/* ---------------------------------------------------------------------- one attempt */

static void on_closed(void *user)
{
    (void)user;
    story.life.closed++;
}

static void close_client(stook_client *client, void *user)
{
    (void)user;
    story.life.client = NULL;
    stook_client_close(client, on_closed, NULL);
}

static void act(void)
{
    if (!story.armed)
        return;
    story.armed = 0;
    if (story.attempt.end == KILL_AT)
        kill(getpid(), SIGKILL);
    if (story.attempt.end == CANCEL_AT)
        stook_batch_cancel(story.batch);
    if (story.attempt.end == CLOSE_AT)
        close_client(story.life.client, NULL);
}

static void on_progress(stook_batch *batch, const stook_result *result, const struct stook_progress *progress, void *user)
{
    (void)batch, (void)result, (void)user;
    if (progress->received >= story.attempt.bytes)
        act();
}

static void on_result(stook_batch *batch, const stook_result *result, void *user)
{
    (void)batch, (void)user;
    test_note("%s", stook_result_message(result));
    struct outcome *outcome = &story.outcome;
    outcome->error = stook_result_error(result);
    outcome->status = stook_result_status(result);
    outcome->flags = stook_result_flags(result);
    outcome->attempts = stook_result_attempts(result);
    outcome->results++;
}

static void on_done(stook_batch *batch, int failed, void *user)
{
    (void)batch, (void)failed, (void)user;
    story.done++;
}

static void add_request(stook_client *client)
{
    const struct attempt *attempt = &story.attempt;
    CHECK_ERROR(stook_batch_new(client, &story.batch), 0);
    ADD(story.batch, FILE_URL, .unix_socket = socket_path, .output_file = path, .resume = attempt->resume,
        .output_sync = attempt->sync, .sha256 = attempt->has_digest ? attempt->digest : NULL, .strict = attempt->strict, .decompress = attempt->decompress, .max_body_bytes = attempt->max_body_bytes, .on_progress = on_progress);
    story.armed = attempt->end == CANCEL_AT || attempt->end == CLOSE_AT || attempt->end == KILL_AT;
    set_disk(attempt->end == CANCEL_CALL || attempt->end == CLOSE_CALL || attempt->end == KILL_CALL || attempt->end == KILL_IN_CALL
                 ? attempt->call : 0);
}

static void finish_batch(void)
{
    set_disk(0);
    stook_batch_free(story.batch);
    story.batch = NULL;
}

static void run_here(void)
{
    if (story.life.client == NULL)
        life_open(&story.life, NULL);
    add_request(story.life.client);
    story.done = 0;
    CHECK_ERROR(stook_gather_start(story.batch, &STOOK_GATHER(.on_result = on_result), on_done, NULL), 0);
    if (story.attempt.bytes == 0)
        act();
    uv_run(&story.life.loop, UV_RUN_DEFAULT);
    CHECK_EQ_INT(story.done, 1);
    finish_batch();
}

static void shut_client(void)
{
    if (story.life.client == NULL)
        return;
    close_client(story.life.client, NULL);
    uv_run(&story.life.loop, UV_RUN_DEFAULT);
}

/* On a loop of its own; the server is in the parent. */
static void live_in_child(int report)
{
    stook_client *client;
    CHECK_ERROR(stook_client_new(NULL, NULL, &client), 0);
    add_request(client);
    if (story.attempt.end == KILL_AT && story.attempt.bytes == 0)
        story.attempt.bytes = 1;
    CHECK(stook_gather(story.batch, &STOOK_GATHER(.on_result = on_result)) >= 0);
    finish_batch();
    stook_client_close(client, NULL, NULL);
    CHECK_EQ_INT(write(report, &story.outcome, sizeof story.outcome), sizeof story.outcome);
    _exit(0);
}

static void on_report(uv_poll_t *poll, int status, int events)
{
    (void)status, (void)events;
    uv_close((uv_handle_t *)poll, NULL);
}

static void run_in_child(void)
{
    uv_poll_t poll;
    int report[2], status;
    pid_t parent = getpid();
    shut_client();
    file_server_drop(&story.server);
    CHECK_EQ_INT(pipe2(report, O_CLOEXEC), 0);
    pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        process_die_with(parent);
        live_in_child(report[1]);
    }
    close(report[1]);
    CHECK_EQ_INT(uv_poll_init(&story.life.loop, &poll, report[0]), 0);
    CHECK_EQ_INT(uv_poll_start(&poll, UV_READABLE | UV_DISCONNECT, on_report), 0);
    uv_run(&story.life.loop, UV_RUN_DEFAULT);
    ssize_t size = read(report[0], &story.outcome, sizeof story.outcome);
    while (waitpid(child, &status, 0) != child)
        CHECK_EQ_INT(errno, EINTR); /* a timer of libFuzzer */
    close(report[0]);
    story.killed = WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
    CHECK(story.killed || (WIFEXITED(status) && WEXITSTATUS(status) == 0));
    CHECK(story.killed || size == (ssize_t)sizeof story.outcome);
    file_server_drop(&story.server);
}

/* ----------------------------------------------------------------------- the checks */

static int is_offered(const struct file_answer *answer, const unsigned char *bytes, size_t size)
{
    return answer->complete && answer->size == size && is_body(bytes, size, answer->content);
}

static void digest_of(const unsigned char *bytes, size_t size, char digest[STOOK__SHA256_DIGITS + 1])
{
    struct stook__sha256 sum;
    stook__sha256_init(&sum);
    stook__sha256_add(&sum, bytes, size);
    stook__sha256_text(&sum, digest);
}

static int has_asked_digest(const unsigned char *bytes, size_t size)
{
    char digest[STOOK__SHA256_DIGITS + 1];
    digest_of(bytes, size, digest);
    return strcmp(digest, story.attempt.digest) == 0;
}

/* PATH is what it was, or what is allowed to be there now. */
static void check_path(const struct file_answer *last)
{
    const struct outcome *outcome = &story.outcome;
    const unsigned char *bytes = NULL;
    long size = read_file(path, &bytes);
    int unsure = story.killed || outcome->error == STOOK_ECANCELLED || outcome->error == STOOK_ECLOSED;
    if (!unsure && outcome->error == 0 && outcome->status / 100 == 2) {
        CHECK(last != NULL && size >= 0 && is_offered(last, bytes, (size_t)size));
        CHECK(!story.attempt.has_digest || has_asked_digest(bytes, (size_t)size));
        CHECK_EQ_INT(outcome->status, last->status);
        CHECK_EQ_INT(outcome->flags & STOOK_FLAG_RESUMED ? 206 : outcome->status, last->status);
        story.held = (struct body){last->content, last->size};
        return;
    }
    for (size_t i = 0; unsure && size >= 0 && i < story.server.n_answers; i++)
        if (is_offered(&story.server.answers[i], bytes, (size_t)size) &&
            (!story.attempt.has_digest || has_asked_digest(bytes, (size_t)size))) {
            story.held = (struct body){story.server.answers[i].content, (size_t)size};
            return;
        }
    if (story.held.content < 0)
        CHECK_EQ_INT(size, -1);
    else
        CHECK(size == (long)story.held.size && is_body(bytes, story.held.size, story.held.content));
}

/* The whole is asked for where no rest is to be had. */
static void check_asked_anew(const struct file_answer *first)
{
    int error = story.outcome.error;
    if (story.killed || error == STOOK_ECANCELLED || error == STOOK_ECLOSED || story.server.range[0] == '\0')
        return;
    if (first != NULL && first->status != 0 && first->misfits && !(story.attempt.strict && first->until_close))
        CHECK(story.server.n_answers > 1);
}

/* Whether some answer may have cost the part that was there. */
static int was_touched(void)
{
    for (size_t i = 0; i < story.server.n_answers; i++)
        if (story.server.answers[i].status / 100 == 2 || story.server.answers[i].status == 416)
            return 1;
    return 0;
}

static void check_part(const struct file_answer *last)
{
    const struct outcome *outcome = &story.outcome;
    struct part now = look_at_part();
    if (story.killed)
        return;
    if (outcome->error == 0 && outcome->status / 100 == 2)
        CHECK(!now.there && !now.tag_there);
    if (outcome->error == STOOK_ECHECKSUM)
        CHECK(story.attempt.has_digest && last->complete && outcome->status / 100 == 2 && !now.there && !now.tag_there);
    if (!story.attempt.resume && !story.before.there)
        CHECK(!now.there && (story.before.tag_there || !now.tag_there));
    if (!was_touched() && story.before.size > 0)
        CHECK(now.size == story.before.size && strcmp(now.validator, story.before.validator) == 0);
    /* What can be resumed is there, all that came. Strict takes nothing of a body that ends with the connection. */
    if (outcome->error == STOOK_ETRUNCATED && story.attempt.resume && last->status == 200 && last->content < FILE_VERSIONS &&
        last->sent > 0 && last->validator[0] != '\0' && !(story.attempt.strict && last->until_close)) {
        CHECK_EQ_SIZE(now.size, last->sent);
        CHECK_STR(now.validator, last->validator);
    }
}

static void check_outcome(void)
{
    const struct file_server *server = &story.server;
    const struct file_answer *last = server->n_answers > 0 ? &server->answers[server->n_answers - 1] : NULL;
    if (!story.killed) {
        CHECK_EQ_INT(story.outcome.results, 1);
        CHECK(story.outcome.attempts >= server->n_answers);
        CHECK(story.outcome.error != STOOK_ETIMEOUT_STALL && story.outcome.error != STOOK_ENOMEM);
        CHECK(story.outcome.error != STOOK_EFILE && story.outcome.error != STOOK_ESTATE && story.outcome.error != STOOK_EARG);
    }
    check_names();
    check_path(last);
    check_part(last);
    check_asked_anew(last != NULL ? &server->answers[0] : NULL);
}

/* ------------------------------------------------------------------------- the story */

static struct file_plan read_plan(struct fuzz_input *input)
{
    struct file_plan plan;
    unsigned bits = fuzz_byte(input);
    plan.kind = fuzz_below(input, FILE_KINDS);
    plan.framing = bits % 4 % FILE_FRAMINGS;
    plan.version = bits & 4 ? (int)(bits >> 6) : -1;
    plan.closes = (bits & 8) != 0;
    plan.interim = (bits & 16) != 0;
    bits = fuzz_byte(input);
    plan.validator = bits % FILE_VALIDATORS;
    plan.coded = (bits >> 3) % 4 == 3;
    plan.cut = (bits >> 5) % 4 % FILE_CUTS;
    plan.cut_at = plan.cut != FILE_UNCUT ? fuzz_byte(input) : 0;
    plan.split_at = fuzz_byte(input);
    return plan;
}

static void read_attempt(struct fuzz_input *input)
{
    struct attempt *attempt = &story.attempt;
    unsigned bits = fuzz_byte(input);
    memset(attempt, 0, sizeof *attempt);
    attempt->resume = (bits & 3) != 3;
    attempt->sync = (bits & 3) == 2;
    attempt->has_digest = (bits & 3) == 1 || (bits & 15) == 11;
    attempt->strict = (bits >> 2) % 4 == 3;
    attempt->decompress = !attempt->resume && (bits & 16);
    attempt->keeps_client = (bits & 32) != 0;
    attempt->end = bits & 64 ? fuzz_below(input, ENDS) : ITSELF;
    attempt->max_body_bytes = bits & 128 ? 1 + 16 * fuzz_byte(input) : 0;
    unsigned moment = attempt->end != ITSELF ? fuzz_byte(input) : 0;
    if (attempt->has_digest) {
        static unsigned char bytes[FILE_SIZE_MAX];
        size_t size = story.server.sizes[story.server.version];
        for (size_t i = 0; i < size; i++)
            bytes[i] = file_byte(story.server.version, i);
        digest_of(bytes, size, attempt->digest);
    }
    attempt->bytes = moment * story.server.sizes[story.server.version] / 255;
    attempt->call = 1 + (int)(moment % CALLS);
    for (int i = 0; i < 2; i++)
        story.server.plans[i] = read_plan(input);
}

/* What somebody else may do to the files meanwhile, without a lie about whose bytes they are. */
static void meddle(struct fuzz_input *input)
{
    static const unsigned char junk[3] = "...";
    unsigned way = fuzz_byte(input), at = way >> 3;
    int fd;
    switch (way % 8) {
    case 1:
        unlink(tag_path);
        break;
    case 2:
        unlink(part_path);
        break;
    case 3:
        if (story.before.there)
            CHECK_EQ_INT(truncate(part_path, (off_t)(story.before.size * at / 32)), 0);
        break;
    case 4:
        if (story.before.tag_there)
            CHECK_EQ_INT(truncate(tag_path, (off_t)at * 4), 0);
        break;
    case 5: /* another file, with another number: one that is gone may have given its own to it */
        if (story.before.validator[0] == '\0')
            break;
        fd = open(text("%s/new", folder), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
        CHECK(fd >= 0 && write(fd, junk, sizeof junk) == sizeof junk);
        close(fd);
        CHECK_EQ_INT(rename(text("%s/new", folder), part_path), 0);
        break;
    case 6:
        unlink(path);
        story.held.content = -1;
        break;
    default:
        break;
    }
}

static void run_attempt(void)
{
    struct file_server *server = &story.server;
    server->n_answers = 0;
    server->resumes = story.attempt.resume;
    story.before = look_at_part();
    server->knows_total = story.before.knows_total;
    server->range[0] = server->condition[0] = '\0';
    if (story.attempt.resume && story.before.validator[0] != '\0') {
        snprintf(server->range, sizeof server->range, "bytes=%zu-", story.before.size);
        snprintf(server->condition, sizeof server->condition, "%s", story.before.validator);
    }
    memset(&story.outcome, 0, sizeof story.outcome);
    story.killed = 0;
    if (story.attempt.end >= KILL_AT)
        run_in_child();
    else
        run_here();
    if (!story.attempt.keeps_client || story.outcome.error == STOOK_ECANCELLED)
        shut_client(); /* what is on its way out is gone then */
    check_outcome();
}

static void be_honest(void)
{
    static const struct file_plan honest = {.kind = FILE_HONEST, .version = -1, .split_at = 100};
    memset(&story.attempt, 0, sizeof story.attempt);
    story.attempt.resume = 1;
    story.server.plans[0] = story.server.plans[1] = honest;
    run_attempt();
    CHECK_ERROR(story.outcome.error, 0);
    CHECK_EQ_INT(story.held.content, story.server.version);
    CHECK_EQ_SIZE(story.held.size, story.server.sizes[story.server.version]);
}

static void begin(struct fuzz_input *input)
{
    static const size_t sizes[] = {1000, 0, 1, 2, 37, 500, 500, 500, 1000, 3000, 4096, 5000, 10001, 16384, 70000, FILE_SIZE_MAX};
    memset(&story, 0, sizeof story);
    story.held.content = -1;
    unlink(path);
    unlink(part_path);
    unlink(tag_path);
    for (int version = 0; version < FILE_VERSIONS; version += 2) {
        unsigned byte = fuzz_byte(input);
        story.server.sizes[version] = sizes[byte % 16];
        story.server.sizes[version + 1] = sizes[byte / 16];
    }
    life_begin(&story.life, 1);
    file_server_open(&story.server, &story.life.loop, socket_path);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc, (void)argv;
    signal(SIGPIPE, SIG_IGN); /* the server's */
    snprintf(socket_path, sizeof socket_path, "%s/socket", temporary_directory());
    snprintf(folder, sizeof folder, "%s", temporary_directory());
    snprintf(path, sizeof path, "%s/out", folder);
    snprintf(part_path, sizeof part_path, "%s.part", path);
    snprintf(tag_path, sizeof tag_path, "%s.part.tag", path);
    atexit(test_finish);
    life_begin(&story.life, 1); /* libuv keeps two descriptors from its first loop on */
    life_end(&story.life);
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input input = {data, size};
    size_t fds = test_count_fds(); /* libFuzzer opens some in between */
    begin(&input);
    for (int i = 0; i < ATTEMPTS && input.left > 0; i++) {
        read_attempt(&input);
        run_attempt();
        story.before = look_at_part();
        meddle(&input);
    }
    be_honest();
    shut_client();
    file_server_close(&story.server);
    life_end(&story.life);
    CHECK_EQ_SIZE(test_count_fds(), fds);
    return 0;
}
