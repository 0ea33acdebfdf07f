/* SPDX-License-Identifier: MIT */
/* A gigabyte to a callback against the curl tool to /dev/null, both from nginx. Takes time, so as times.c. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

#include <stook.h>

#include "count.h"
#include "harness/harness.h"
#include "support/process.h"
#include "support/sockets.h"

enum { TURNS = 9 };

static const char *serve(void)
{
    static struct process nginx;
    const char *directory = temporary_directory();
    const char *path = text("%s/large", directory), *conf = text("%s/conf", directory);
    int port = random_port();
    if (access("/usr/sbin/nginx", X_OK) != 0 || access("/usr/bin/curl", X_OK) != 0)
        test_skip("nginx or the curl tool is missing");
    write_file(path, "");
    CHECK_EQ_INT(truncate(path, 1 << 30), 0);
    write_file(conf, text("daemon off; pid %s/pid; error_log %s/log; worker_processes 1; events {}\n"
                          "http { access_log off; sendfile on; server { listen 127.0.0.1:%d; root %s; } }\n",
                          directory, directory, port, directory));
    chmod(directory, 0755);
    process_start(&nginx, (const char *const[]){"/usr/sbin/nginx", "-c", conf, NULL}, text("%s/log", directory));
    for (int fd; (fd = connect_to(port)) < 0 || close(fd) != 0;)
        usleep(1000);
    return text("http://127.0.0.1:%d/large", port);
}

static double now(void)
{
    struct timeval time;
    gettimeofday(&time, NULL);
    return (double)time.tv_sec + (double)time.tv_usec / 1e6;
}

static int take(stook_batch *batch, const stook_result *result, const void *data, size_t size, void *user)
{
    (void)batch, (void)result, (void)data;
    *(size_t *)user += size;
    return 0;
}

static double with_stook(const char *url)
{
    size_t bytes = 0;
    stook_client *client;
    stook_batch *batch;
    double begin = now();
    CHECK_EQ_INT(stook_client_new(NULL, NULL, &client), 0);
    CHECK_EQ_INT(stook_batch_new(client, &batch), 0);
    CHECK_EQ_INT(stook_batch_add(batch, &STOOK_REQUEST(url, .on_body = take, .user = &bytes)), 0);
    CHECK_EQ_INT(stook_gather(batch, NULL), 0);
    stook_batch_free(batch);
    stook_client_close(client, NULL, NULL);
    CHECK_EQ_SIZE(bytes, (size_t)1 << 30);
    return now() - begin;
}

static double with_curl(const char *url)
{
    double begin = now();
    process_run((const char *const[]){"/usr/bin/curl", "-s", "-o", "/dev/null", url, NULL}, "/dev/null");
    return now() - begin;
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

TEST(large)
{
    double ratios[TURNS];
    const char *url = serve();
    for (int i = 0; i < TURNS; i++) {
        double curl = with_curl(url);
        ratios[i] = with_stook(url) / curl;
    }
    qsort(ratios, TURNS, sizeof *ratios, by_size);
    count_judge(ratios[TURNS / 2], 1.0, "%.2f of the time of the curl tool, 1 GiB to a callback", ratios[TURNS / 2]);
    count_verdict();
}
