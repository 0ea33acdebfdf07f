/* SPDX-License-Identifier: MIT */
/*
 * What the library says while the tests run: messages of results and batches, dumps of clients, curl
 * commands. With TEST_OVERHEAR=DIRECTORY in the environment each test writes them there, and
 * tests/secrets.sh searches them for the secrets of the tests. The linker puts these functions in the
 * place of the library's (--wrap), so that no test has to do anything.
 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <stook.h>

enum { RESULTS = 200 }; /* of one batch */

static __thread stook_client *last;

static FILE *begin(void)
{
    char path[512];
    const char *directory = getenv("TEST_OVERHEAR");
    if (directory == NULL)
        return NULL;
    snprintf(path, sizeof path, "%s/%d", directory, (int)getpid());
    return fopen(path, "ae");
}

static void dump(stook_client *client)
{
    FILE *out = client != NULL ? begin() : NULL;
    if (out == NULL)
        return;
    stook_client_dump(client, out);
    fclose(out);
}

void __real_stook_batch_free(stook_batch *batch);
void __wrap_stook_batch_free(stook_batch *batch);
void __wrap_stook_batch_free(stook_batch *batch)
{
    FILE *out = batch != NULL ? begin() : NULL;
    if (out != NULL) {
        size_t count = stook_batch_count(batch);
        fprintf(out, "%s\n", stook_batch_message(batch));
        for (size_t i = 0; i < count && i < RESULTS; i++)
            fprintf(out, "%s\n", stook_result_message(stook_batch_result_by_index(batch, i)));
        fclose(out);
    }
    __real_stook_batch_free(batch);
}

int __real_stook_batch_new(stook_client *client, stook_batch **ret_batch);
int __wrap_stook_batch_new(stook_client *client, stook_batch **ret_batch);
int __wrap_stook_batch_new(stook_client *client, stook_batch **ret_batch)
{
    last = client;
    return __real_stook_batch_new(client, ret_batch);
}

/* The requests are in the queue then. */
#define WRAP_START(verb)                                                                          \
    int __real_##verb(stook_batch *batch, const struct stook_gather_options *options, stook_done_fn done, void *user); \
    int __wrap_##verb(stook_batch *batch, const struct stook_gather_options *options, stook_done_fn done, void *user); \
    int __wrap_##verb(stook_batch *batch, const struct stook_gather_options *options, stook_done_fn done, void *user)  \
    {                                                                                             \
        int error = __real_##verb(batch, options, done, user);                                    \
        dump(last);                                                                               \
        return error;                                                                             \
    }
WRAP_START(stook_gather_start)
WRAP_START(stook_gather_ordered_start)

void __real_stook_client_close(stook_client *client, stook_closed_fn closed, void *user);
void __wrap_stook_client_close(stook_client *client, stook_closed_fn closed, void *user);
void __wrap_stook_client_close(stook_client *client, stook_closed_fn closed, void *user)
{
    dump(client);
    if (client == last)
        last = NULL;
    __real_stook_client_close(client, closed, user);
}

int64_t __real_stook_request_to_curl(const stook_client *client, const struct stook_request *request, int64_t flags,
                                     char *buffer, size_t size);
int64_t __wrap_stook_request_to_curl(const stook_client *client, const struct stook_request *request, int64_t flags,
                                     char *buffer, size_t size);
int64_t __wrap_stook_request_to_curl(const stook_client *client, const struct stook_request *request, int64_t flags,
                                     char *buffer, size_t size)
{
    int64_t length = __real_stook_request_to_curl(client, request, flags, buffer, size);
    FILE *out = flags == 0 && size > 0 && length > 0 ? begin() : NULL;
    if (out != NULL) {
        fprintf(out, "%s\n", buffer);
        fclose(out);
    }
    return length;
}
