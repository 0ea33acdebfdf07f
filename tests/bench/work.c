/* SPDX-License-Identifier: MIT */
#include "work.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#ifdef __has_include
#if __has_include(<valgrind/callgrind.h>)
#include <valgrind/callgrind.h>
#endif
#endif
#ifndef CALLGRIND_START_INSTRUMENTATION /* the tests that need it are skipped */
#define CALLGRIND_START_INSTRUMENTATION (void)0
#define CALLGRIND_STOP_INSTRUMENTATION (void)0
#endif

static void usage(void)
{
    fprintf(stderr, "usage: [-c CA_FILE] [-o ORIGINS] [-w WARM] [-O] [-m] [-t] [-l] [-r] URL REQUESTS IN_FLIGHT\n");
    exit(2);
}

static size_t number(const char *text)
{
    char *rest;
    unsigned long value = strtoul(text, &rest, 10);
    if (*text < '0' || *text > '9' || *rest != '\0')
        usage();
    return value;
}

static void *must(void *block)
{
    if (block == NULL) {
        fprintf(stderr, "out of memory, or of files\n");
        exit(2);
    }
    return block;
}

static void make_urls(struct work *work, const char *url)
{
    static const char first[] = "127.0.0.1";
    const char *host = strstr(url, first);
    if (work->origins == 0 || work->origins > 65534 || (host == NULL && work->origins > 1))
        usage();
    work->urls = must(calloc(work->origins, sizeof *work->urls));
    for (size_t i = 0; i < work->origins; i++) {
        size_t room = strlen(url) + 16;
        work->urls[i] = must(malloc(room));
        if (host == NULL)
            snprintf(work->urls[i], room, "%s", url);
        else
            snprintf(work->urls[i], room, "%.*s127.0.%zu.%zu%s", (int)(host - url), url, (i + 1) / 256,
                     (i + 1) % 256, host + sizeof first - 1);
    }
}

static void allow_descriptors(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return;
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
}

void work_read(struct work *work, int argc, char **argv)
{
    int option;
    memset(work, 0, sizeof *work);
    work->origins = 1;
    while ((option = getopt(argc, argv, "c:o:w:Omtlr")) != -1)
        switch (option) {
        case 'c':
            work->ca_file = optarg;
            break;
        case 'o':
            work->origins = number(optarg);
            break;
        case 'w':
            work->warm = number(optarg);
            break;
        case 'O':
            work->ordered = 1;
            break;
        case 'm':
            work->says_memory = 1;
            break;
        case 't':
            work->says_time = 1;
            break;
        case 'r':
            work->redirects = 1;
            break;
        case 'l':
            work->on_a_loop = 1;
            break;
        default:
            usage();
        }
    if (argc - optind != 3)
        usage();
    make_urls(work, argv[optind]);
    work->requests = number(argv[optind + 1]);
    work->in_flight = number(argv[optind + 2]);
    if (work->in_flight == 0 || work->requests < work->warm + (work->says_time ? 1 : work->in_flight + 1))
        usage();
    allow_descriptors();
}

static double now_ms(clockid_t clock)
{
    struct timespec time;
    clock_gettime(clock, &time);
    return (double)time.tv_sec * 1e3 + (double)time.tv_nsec / 1e6;
}

const char *work_url(struct work *work, size_t index)
{
    if (index == 0)
        work->began = now_ms(CLOCK_MONOTONIC);
    return work->urls[index % work->origins];
}

/* VmRSS is what is resident now, VmHWM the most there ever was. */
static void say_memory(const struct work *work, const char *when, const char *which)
{
    char line[128];
    FILE *file = must(fopen("/proc/self/status", "re"));
    while (fgets(line, sizeof line, file) != NULL)
        if (strncmp(line, which, strlen(which)) == 0)
            printf("%s: %ld kB, %zu answers\n", when, strtol(line + strlen(which) + 1, NULL, 10),
                   work->answers);
    fclose(file);
}

void work_answered(struct work *work, int status, size_t body_size)
{
    if (status != 200 || body_size == 0) {
        fprintf(stderr, "answer %zu: status %d with %zu bytes\n", work->answers, status, body_size);
        exit(1);
    }
    work->answers++;
    if (work->answers == work->warm)
        work->warm_at = now_ms(CLOCK_MONOTONIC);
    if (work->answers == work->requests)
        work->ended = now_ms(CLOCK_MONOTONIC);
    if (work->warm != 0 && work->answers == work->warm)
        CALLGRIND_START_INSTRUMENTATION;
    if (work->warm != 0 && work->answers == work->requests - work->in_flight)
        CALLGRIND_STOP_INSTRUMENTATION;
    if (work->says_memory && work->answers == work->requests / 10)
        say_memory(work, "early", "VmRSS");
    if (work->says_memory && work->answers == work->requests / 10 * 9)
        say_memory(work, "late", "VmRSS");
}

int work_end(struct work *work)
{
    if (work->says_memory)
        say_memory(work, "most", "VmHWM");
    if (work->says_time)
        printf("took: %.3f ms\nwarm: %.3f ms\ncomputed: %.3f ms\n", work->ended - work->began,
               work->ended - work->warm_at, now_ms(CLOCK_PROCESS_CPUTIME_ID));
    for (size_t i = 0; i < work->origins; i++)
        free(work->urls[i]);
    free(work->urls);
    if (work->answers == work->requests)
        return 0;
    fprintf(stderr, "%zu answers to %zu requests\n", work->answers, work->requests);
    return 1;
}
