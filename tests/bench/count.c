/* SPDX-License-Identifier: MIT */
#include "count.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "support/harness.h"
#include "support/process.h"

static const char *const programs[] = {[BASELINE] = COST_BASELINE, [STOOK] = COST_LOAD};
static const char *const names[] = {[BASELINE] = "baseline", [STOOK] = "stook"};

/* -------------------------------------------------------------- one run of it */

enum { WORDS = 24 };

struct command {
    const char *argv[WORDS];
    size_t count;
};

static void word(struct command *command, const char *text)
{
    CHECK(command->count + 1 < WORDS);
    command->argv[command->count++] = text;
}

static size_t warm_of(const struct run *run)
{
    if (run->warm != 0)
        return run->warm;
    return 1000 + run->in_flight + 2 * run->origins;
}

/* The program, with `option` and its value if they are not NULL. */
static void words_of(struct command *command, const struct peer *peer, const struct run *run, size_t requests,
                     const char *option, const char *value)
{
    word(command, programs[run->program]);
    if (option != NULL)
        word(command, option);
    if (value != NULL)
        word(command, value);
    if (run->tls) {
        word(command, "-c");
        word(command, peer_ca(peer));
    }
    if (run->origins > 1) {
        word(command, "-o");
        word(command, text("%zu", run->origins));
    }
    if (run->ordered)
        word(command, "-O");
    if (run->answers == PEER_REDIRECTED)
        word(command, "-r");
    word(command, peer_url(peer, run->tls, run->answers));
    word(command, text("%zu", requests));
    word(command, text("%zu", run->in_flight));
}

static void start(const struct peer *peer, const struct run *run, const struct command *command, const char *log)
{
    peer_hold(peer, run->bursts ? SIZE_MAX : run->in_flight);
    process_run(command->argv, log);
}

static const char *installed(const char *path, const char *name)
{
    if (access(path, X_OK) != 0)
        test_skip("%s is not installed", name);
    return path;
}

/* A line of a file that begins so, what is behind it in `rest`. */
static int find_line(FILE *file, const char *begin, char *rest, size_t room)
{
    char line[512];
    while (fgets(line, sizeof line, file) != NULL)
        if (strncmp(line, begin, strlen(begin)) == 0) {
            snprintf(rest, room, "%s", line + strlen(begin));
            return 1;
        }
    return 0;
}

static FILE *open_file(const char *path)
{
    FILE *file = fopen(path, "re");
    if (file == NULL)
        FAIL("%s was not written", path);
    return file;
}

/* ---------------------------------------------------------------- instructions */

static const char *profile_path(const struct run *run, const char *directory)
{
    const char *keep = getenv("STOOK_BENCH_KEEP");
    return text("%s/callgrind.%s.%s.%zu.%zu%s%s", keep ? keep : directory, names[run->program],
                run->tls ? "https" : "http", run->in_flight, run->origins ? run->origins : 1,
                run->answers == PEER_AT_ONCE ? ".at-once" : run->answers == PEER_REDIRECTED ? ".redirected" : "", run->bursts ? ".bursts" : "");
}

static double read_totals(const char *path)
{
    char rest[64];
    FILE *file = open_file(path);
    if (!find_line(file, "totals: ", rest, sizeof rest))
        FAIL("%s has no totals", path);
    fclose(file);
    if (strtod(rest, NULL) == 0)
        test_skip("built without valgrind/callgrind.h");
    return strtod(rest, NULL);
}

double count_instructions(const struct peer *peer, const struct run *run)
{
    struct command command = {{NULL}, 0};
    const char *directory = temporary_directory();
    const char *path = profile_path(run, directory);
    word(&command, installed(COST_VALGRIND, "valgrind"));
    word(&command, "--tool=callgrind");
    word(&command, "--instr-atstart=no");
    word(&command, text("--callgrind-out-file=%s", path));
    size_t requests = warm_of(run) + run->counted + run->in_flight;
    words_of(&command, peer, run, requests, "-w", text("%zu", warm_of(run)));
    start(peer, run, &command, text("%s/log", directory));
    return read_totals(path) / (double)run->counted;
}

double count_instructions_of(const char *const argv[])
{
    struct command command = {{NULL}, 0};
    const char *directory = temporary_directory();
    const char *path = text("%s/callgrind", directory);
    word(&command, installed(COST_VALGRIND, "valgrind"));
    word(&command, "--tool=callgrind");
    word(&command, "--instr-atstart=no");
    word(&command, text("--callgrind-out-file=%s", path));
    for (; *argv != NULL; argv++)
        word(&command, *argv);
    process_run(command.argv, text("%s/log", directory));
    return read_totals(path);
}

/* ---------------------------------------------------------------- system calls */

struct calls {
    char name[32];
    double difference;
};

static struct calls *calls_of(struct calls *all, size_t room, const char *name)
{
    size_t i = 0;
    while (i < room && all[i].name[0] != '\0' && strcmp(all[i].name, name) != 0)
        i++;
    CHECK(i < room);
    snprintf(all[i].name, sizeof all[i].name, "%s", name);
    return &all[i];
}

static void trace(const struct peer *peer, const struct run *run, size_t requests, double factor,
                  struct calls *all, size_t room)
{
    char line[256], name[32];
    double calls;
    struct command command = {{NULL}, 0};
    const char *directory = temporary_directory();
    const char *path = text("%s/strace", directory);
    word(&command, installed(COST_STRACE, "strace"));
    word(&command, "-f");
    word(&command, "-c");
    word(&command, "-Ucalls,name");
    word(&command, "-o");
    word(&command, path);
    words_of(&command, peer, run, requests, NULL, NULL);
    start(peer, run, &command, text("%s/log", directory));
    FILE *file = open_file(path);
    while (fgets(line, sizeof line, file) != NULL)
        if (sscanf(line, "%lf %31s", &calls, name) == 2 && strcmp(name, "total") != 0)
            calls_of(all, room, name)->difference += factor * calls;
    fclose(file);
}

double count_system_calls(const struct peer *peer, const struct run *run)
{
    struct calls all[128] = {{{0}, 0}};
    double sum = 0;
    size_t room = sizeof all / sizeof all[0], warm = warm_of(run);
    trace(peer, run, warm + run->counted, 1, all, room);
    trace(peer, run, warm, -1, all, room);
    printf("%s, %zu in flight:", names[run->program], run->in_flight);
    for (size_t i = 0; i < room && all[i].name[0] != '\0'; i++) {
        double each = all[i].difference / (double)run->counted;
        sum += each;
        if (each >= 0.005 || each <= -0.005)
            printf(" %s %.2f", all[i].name, each);
    }
    printf("\n");
    return sum;
}

/* --------------------------------------------------------------------- memory */

static double read_number(const char *path, const char *begin)
{
    char rest[64];
    FILE *file = open_file(path);
    if (!find_line(file, begin, rest, sizeof rest))
        FAIL("the program did not say \"%s\"", begin);
    fclose(file);
    return strtod(rest, NULL);
}

struct memory_use count_memory(const struct peer *peer, const struct run *run)
{
    struct command command = {{NULL}, 0};
    const char *log = text("%s/log", temporary_directory());
    words_of(&command, peer, run, run->counted, "-m", NULL);
    start(peer, run, &command, log);
    return (struct memory_use){(long)read_number(log, "early: "), (long)read_number(log, "late: "),
                               (long)read_number(log, "most: ")};
}

/* ----------------------------------------------------------------------- time */

struct took count_time(const char *url, const char *ca, const struct run *run, int on_a_loop)
{
    struct command command = {{NULL}, 0};
    const char *log = text("%s/log", temporary_directory());
    word(&command, programs[run->program]);
    word(&command, "-t");
    if (on_a_loop)
        word(&command, "-l");
    if (ca != NULL) {
        word(&command, "-c");
        word(&command, ca);
    }
    if (run->warm != 0) {
        word(&command, "-w");
        word(&command, text("%zu", run->warm));
    }
    word(&command, url);
    word(&command, text("%zu", run->counted));
    word(&command, text("%zu", run->in_flight));
    process_run(command.argv, log);
    return (struct took){read_number(log, "took: "), read_number(log, "warm: "), read_number(log, "computed: "),
                         on_a_loop ? read_number(log, "longest: ") : 0};
}

/* ---------------------------------------------------------------------- judge */

static int missed;

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

double count_percentile(double *values, size_t count, size_t percent)
{
    qsort(values, count, sizeof *values, by_size);
    return values[count * percent / 100];
}

void count_judge(double figure, double target, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vprintf(format, args);
    va_end(args);
    printf(" (target %.10g)%s\n", target, figure <= target ? "" : ": MISSED");
    missed += figure > target;
    fflush(stdout);
}

void count_finish(void)
{
    if (missed > 0)
        FAIL("%d targets were missed", missed);
}
