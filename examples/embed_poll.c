/* SPDX-License-Identifier: MIT */
/*
 * stook inside a loop that is not libuv's, here poll(): URLs come in on stdin, line by line, and
 * are requested while more are being read. Such a loop needs three calls: the descriptor to watch,
 * how long to wait for it, and one pass of the client.
 * Usage: embed_poll <FILE_OF_URLS
 */
#include <poll.h>
#include <stdio.h>
#include <stook.h>
#include <string.h>
#include <unistd.h>

struct input {
    char line[1024];
    size_t size;
    int ended;
};

/* No request is added here, only by read_urls(). Until stdin has ended the await is kept open. */
static int more(stook_batch *batch, void *user)
{
    const struct input *input = user;
    (void)batch;
    return input->ended ? 0 : STOOK_AGAIN;
}

static void on_result(stook_batch *batch, const stook_result *result, void *user)
{
    (void)batch;
    (void)user;
    printf("%s: %s\n", stook_result_url(result), stook_result_message(result));
}

static void on_done(stook_batch *batch, int failed, void *user)
{
    (void)batch;
    *(int *)user = failed;
}

/* Adds a request for each line that is complete. */
static void read_urls(struct input *input, stook_batch *batch)
{
    ssize_t size = read(0, input->line + input->size, sizeof input->line - 1 - input->size);
    char *line = input->line, *end;
    if (size <= 0) {
        input->ended = 1;
        stook_batch_wake(batch); /* `more` is called again, and returns 0 */
        return;
    }
    input->size += (size_t)size;
    input->line[input->size] = '\0';
    for (; (end = strchr(line, '\n')) != NULL; line = end + 1) {
        *end = '\0';
        stook_batch_add(batch, &STOOK_REQUEST(line)); /* joins the await that is under way */
    }
    input->size -= (size_t)(line - input->line);
    memmove(input->line, line, input->size);
}

int main(void)
{
    stook_client *client;
    stook_batch *batch;
    struct input input = {"", 0, 0};
    int failed = -1;
    if (stook_client_new(NULL, NULL, &client) != 0 || stook_batch_new(client, &batch) != 0)
        return 2;
    struct stook_gather_options options =
        STOOK_GATHER(.limit = 10, .more = more, .on_result = on_result, .user = &input);
    int awaits = stook_gather_start(batch, &options, on_done, &failed) == 0;
    while (awaits > 0) {
        struct pollfd fds[2] = {{.fd = stook_client_fd(client), .events = POLLIN},
                                {.fd = input.ended ? -1 : 0, .events = POLLIN}};
        /* The time to wait changes with every call of the library, so it is asked for right before
           the wait. STOOK_NONE is -1, which poll() takes for no limit too. */
        poll(fds, 2, (int)stook_client_timeout_ms(client));
        if (fds[1].revents != 0)
            read_urls(&input, batch);
        awaits = stook_client_turn(client, 0); /* one pass that does not wait */
    }
    stook_batch_free(batch);
    stook_client_close(client, NULL, NULL);
    return failed != 0;
}
