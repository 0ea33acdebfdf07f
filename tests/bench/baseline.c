/* SPDX-License-Identifier: MIT */
/*
 * The baseline: what one writes by hand to have many GETs under way on libuv and libcurl, done
 * well. One CURLM, one easy handle for each request in flight, used again and again; no signals;
 * a poll handle lives as long as its socket and is touched only when what it waits for changes.
 *
 * What a library adds is not here: no limits on what comes in, no clocks, no order, no headers
 * kept, nothing that survives an error.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <curl/curl.h>
#include <uv.h>

#include <stook/version.h>

#include "work.h"

struct transfer {
    CURL *easy;
    char *body;
    size_t size, room;
};

struct watch {
    uv_poll_t poll;
    curl_socket_t fd;
    int armed; /* what the poll handle waits for */
    int idle;  /* nobody asked for the socket, it is kept alive */
};

static struct work work;
static uv_loop_t loop;
static uv_timer_t timer;
static CURLM *multi;
static struct transfer *transfers;
static struct watch **watches; /* by descriptor */
static size_t n_watches, started;

static void fail(const char *what)
{
    fprintf(stderr, "baseline: %s\n", what);
    exit(1);
}

/* ----------------------------------------------------------------- transfers */

static size_t on_body(char *data, size_t one, size_t size, void *user)
{
    struct transfer *transfer = user;
    (void)one;
    if (transfer->size + size > transfer->room) {
        transfer->room = 2 * (transfer->size + size);
        transfer->body = realloc(transfer->body, transfer->room);
        if (transfer->body == NULL)
            fail("out of memory");
    }
    memcpy(transfer->body + transfer->size, data, size);
    transfer->size += size;
    return size;
}

static int on_close_socket(void *user, curl_socket_t fd);

static void set_up(struct transfer *transfer)
{
    CURL *easy = transfer->easy = curl_easy_init();
    if (easy == NULL)
        fail("out of memory");
    curl_easy_setopt(easy, CURLOPT_PRIVATE, (void *)transfer);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, (void *)transfer);
    curl_easy_setopt(easy, CURLOPT_CLOSESOCKETFUNCTION, on_close_socket);
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(easy, CURLOPT_PROXY, "");
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    /* The same bytes go over the wire: each of a header costs libcurl 200 instructions. */
    curl_easy_setopt(easy, CURLOPT_USERAGENT, "stook/" STOOK_VERSION);
    if (work.ca_file != NULL) {
        curl_easy_setopt(easy, CURLOPT_CAINFO, work.ca_file);
        curl_easy_setopt(easy, CURLOPT_CAPATH, NULL);
    }
}

static void start(struct transfer *transfer)
{
    transfer->size = 0;
    curl_easy_setopt(transfer->easy, CURLOPT_URL, work_url(&work, started++));
    if (curl_multi_add_handle(multi, transfer->easy) != CURLM_OK)
        fail("cannot add a handle");
}

static void finished(CURL *easy, CURLcode code)
{
    struct transfer *transfer = NULL;
    long status = 0;
    curl_easy_getinfo(easy, CURLINFO_PRIVATE, (char **)&transfer);
    curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
    if (code != CURLE_OK)
        fail(curl_easy_strerror(code));
    curl_multi_remove_handle(multi, easy);
    work_answered(&work, (int)status, transfer->size);
    if (started < work.requests)
        start(transfer);
    else if (work.answers == work.requests)
        uv_stop(&loop);
}

static void act(curl_socket_t fd, int events)
{
    CURLMsg *message;
    int left;
    if (curl_multi_socket_action(multi, fd, events, &left) != CURLM_OK)
        fail("curl_multi_socket_action() failed");
    while ((message = curl_multi_info_read(multi, &left)) != NULL)
        if (message->msg == CURLMSG_DONE)
            finished(message->easy_handle, message->data.result);
}

/* -------------------------------------------------------------- timer, sockets */

static void on_timer(uv_timer_t *handle)
{
    (void)handle;
    act(CURL_SOCKET_TIMEOUT, 0);
}

static int on_timer_wanted(CURLM *asking, long timeout_ms, void *user)
{
    (void)asking, (void)user;
    if (timeout_ms < 0)
        uv_timer_stop(&timer);
    else
        uv_timer_start(&timer, on_timer, (uint64_t)timeout_ms, 0);
    return 0;
}

static void on_event(uv_poll_t *poll, int status, int events)
{
    struct watch *watch = poll->data;
    if (watch->idle) { /* closed by the peer: libcurl sees that when it wants to use it */
        uv_poll_stop(poll);
        watch->armed = 0;
        return;
    }
    if (status < 0)
        watch->armed = 0;
    act(watch->fd, status < 0 ? CURL_CSELECT_ERR
                              : (events & UV_READABLE ? CURL_CSELECT_IN : 0) |
                                    (events & UV_WRITABLE ? CURL_CSELECT_OUT : 0));
}

static struct watch *watch_of(curl_socket_t fd)
{
    size_t place = (size_t)fd;
    if (place >= n_watches) {
        size_t count = 2 * place + 64;
        watches = realloc(watches, count * sizeof *watches);
        if (watches == NULL)
            fail("out of memory");
        memset(watches + n_watches, 0, (count - n_watches) * sizeof *watches);
        n_watches = count;
    }
    if (watches[place] == NULL) {
        struct watch *watch = watches[place] = calloc(1, sizeof *watch);
        if (watch == NULL || uv_poll_init(&loop, &watch->poll, fd) != 0)
            fail("cannot watch a socket");
        watch->poll.data = watch;
        watch->fd = fd;
    }
    return watches[place];
}

/* At REMOVE the poll handle stays as it is: the next request on this connection wants the same. */
static int on_socket_wanted(CURL *easy, curl_socket_t fd, int what, void *user, void *unused)
{
    struct watch *watch = watch_of(fd);
    int wanted = (what & CURL_POLL_IN ? UV_READABLE : 0) | (what & CURL_POLL_OUT ? UV_WRITABLE : 0);
    (void)easy, (void)user, (void)unused;
    watch->idle = what == CURL_POLL_REMOVE;
    if (watch->idle || wanted == watch->armed)
        return 0;
    watch->armed = wanted;
    uv_poll_start(&watch->poll, wanted, on_event);
    return 0;
}

static void on_watch_closed(uv_handle_t *handle)
{
    free(handle->data);
}

static int on_close_socket(void *user, curl_socket_t fd)
{
    (void)user;
    if ((size_t)fd < n_watches && watches[fd] != NULL) {
        uv_close((uv_handle_t *)&watches[fd]->poll, on_watch_closed);
        watches[fd] = NULL;
    }
    close(fd);
    return 0;
}

/* ---------------------------------------------------------------------- all */

static void open_all(void)
{
    curl_global_init(CURL_GLOBAL_DEFAULT);
    uv_loop_init(&loop);
    uv_timer_init(&loop, &timer);
    multi = curl_multi_init();
    transfers = calloc(work.in_flight, sizeof *transfers);
    if (multi == NULL || transfers == NULL)
        fail("out of memory");
    curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, on_timer_wanted);
    curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, on_socket_wanted);
    curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, 10000L);
    for (size_t i = 0; i < work.in_flight; i++)
        set_up(&transfers[i]);
}

static void close_all(void)
{
    for (size_t i = 0; i < work.in_flight; i++) {
        curl_easy_cleanup(transfers[i].easy);
        free(transfers[i].body);
    }
    curl_multi_cleanup(multi);
    for (size_t i = 0; i < n_watches; i++) /* of newer libcurls' own descriptors */
        if (watches[i] != NULL)
            uv_close((uv_handle_t *)&watches[i]->poll, on_watch_closed);
    uv_close((uv_handle_t *)&timer, NULL);
    uv_run(&loop, UV_RUN_DEFAULT);
    uv_loop_close(&loop);
    free(transfers);
    free(watches);
}

int main(int argc, char **argv)
{
    work_read(&work, argc, argv);
    open_all();
    for (size_t i = 0; i < work.in_flight && started < work.requests; i++)
        start(&transfers[i]);
    uv_run(&loop, UV_RUN_DEFAULT);
    close_all();
    return work_end(&work);
}
