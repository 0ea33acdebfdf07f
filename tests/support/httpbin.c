/* SPDX-License-Identifier: MIT */
#include "httpbin.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../support/harness.h"
#include "process.h"
#include "sockets.h"

struct httpbin {
    struct process process;
    int port;
};

/* Says a word when it listens, and nothing of what it is asked. */
static const char program[] =
    "import sys\n"
    "try:\n"
    "    import httpbin\n"
    "    from werkzeug.serving import make_server, WSGIRequestHandler\n"
    "except ImportError:\n"
    "    print('missing', flush=True); sys.exit()\n"
    "class Quiet(WSGIRequestHandler):\n"
    "    protocol_version = sys.argv[2]\n"
    "    def log(self, *unused): pass\n"
    "try:\n"
    "    server = make_server('127.0.0.1', int(sys.argv[1]), httpbin.app, threaded=True, request_handler=Quiet)\n"
    "except (OSError, SystemExit):\n"
    "    print('taken', flush=True); sys.exit()\n"
    "print('ready', flush=True)\n"
    "server.serve_forever()\n";

static void stop(void *arg)
{
    struct httpbin *httpbin = arg;
    process_stop(&httpbin->process);
    free(httpbin);
}

static void read_word(int fd, char *word, size_t size)
{
    size_t at = 0;
    while (at < size - 1 && read(fd, word + at, 1) == 1 && word[at] != '\n')
        at++;
    word[at] = '\0';
}

struct httpbin *httpbin_start(int keep)
{
    struct httpbin *httpbin = calloc(1, sizeof *httpbin);
    char word[16];
    CHECK(httpbin != NULL);
    httpbin->process.in = httpbin->process.out = -1;
    test_defer(stop, httpbin);
    for (int tries = 0; tries < 20; tries++) {
        httpbin->port = random_port();
        const char *argv[] = {"/usr/bin/python3", "-c", program, text("%d", httpbin->port), keep ? "HTTP/1.1" : "HTTP/1.0", NULL};
        process_start(&httpbin->process, argv, NULL);
        read_word(httpbin->process.out, word, sizeof word);
        if (strcmp(word, "ready") == 0)
            return httpbin;
        process_stop(&httpbin->process);
        if (strcmp(word, "taken") != 0)
            test_skip("python3-httpbin is not installed");
    }
    FAIL("httpbin does not start");
}

const char *httpbin_url(const struct httpbin *httpbin, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    const char *url = url_of("http", httpbin->port, format, args);
    va_end(args);
    return url;
}
