/* SPDX-License-Identifier: MIT */
/*
 * A body of any size, written to stdout as it arrives. With `on_body` the library keeps no body:
 * each piece goes to the program. `on_head` runs before the first piece and can refuse the body.
 * Usage: on_body URL
 */
#include <stdio.h>
#include <stook.h>

struct sink {
    FILE *to;
    size_t bytes;
    size_t pieces;
};

/* 0 accepts the body. Any other value ends the request with the result STOOK_ECALLBACK. */
static int on_head(stook_batch *batch, const stook_result *result, void *user)
{
    (void)batch;
    (void)user;
    return stook_result_status(result) == 200 ? 0 : -1;
}

/* 0 asks for the next piece. STOOK_PAUSE would stop the transfer until the program calls
   stook_batch_resume_request(), so a slow reader slows down the server and fills no memory. */
static int on_body(stook_batch *batch, const stook_result *result, const void *data, size_t size,
                   void *user)
{
    struct sink *sink = user;
    (void)batch;
    (void)result;
    sink->bytes += size;
    sink->pieces++;
    return fwrite(data, 1, size, sink->to) == size ? 0 : -1;
}

int main(int argc, char **argv)
{
    stook_client *client;
    stook_batch *batch;
    struct sink sink = {stdout, 0, 0};
    if (argc != 2) {
        fprintf(stderr, "usage: on_body URL\n");
        return 2;
    }
    if (stook_client_new(NULL, NULL, &client) != 0 || stook_batch_new(client, &batch) != 0)
        return 2;
    stook_batch_add(batch,
                    &STOOK_REQUEST(argv[1], .user = &sink, .on_head = on_head, .on_body = on_body));
    int failed = stook_gather(batch, NULL);
    /* The result tells whether the body was complete: pieces alone cannot. */
    const stook_result *result = stook_batch_result(batch, 0);
    fprintf(stderr, "%s: %zu bytes in %zu pieces\n", stook_result_message(result), sink.bytes,
            sink.pieces);
    stook_batch_free(batch);
    stook_client_close(client, NULL, NULL);
    return failed != 0;
}
