/* SPDX-License-Identifier: MIT */
/*
 * A login: where the cookies of the last run are not enough, a form is sent. The server sets a
 * cookie and redirects to the page, which the next run gets at once.
 * Usage: login BASE_URL COOKIE_FILE
 */
#include <errno.h>
#include <stdio.h>
#include <stook.h>

static int visit(stook_client *client, const struct stook_request *request)
{
    stook_batch *batch;
    if (stook_batch_new(client, &batch) != 0 || stook_batch_add(batch, request) != 0)
        return 0;
    stook_gather(batch, NULL);
    const stook_result *r = stook_batch_result(batch, 0);
    printf("%d %s %s\n", stook_result_status(r), stook_result_final_url(r),
           stook_result_message(r));
    int ok = stook_result_ok(r);
    stook_batch_free(batch);
    return ok;
}

int main(int argc, char **argv)
{
    static const char *const form[] = {"user", "ruth", "password", "gleaner", NULL};
    stook_client *client;
    char page[512], login[512];
    if (argc != 3 ||
        stook_client_new(NULL, &STOOK_CLIENT(.cookies = 1, .max_redirects = 5), &client))
        return 2;
    snprintf(page, sizeof page, "%s/account", argv[1]);
    snprintf(login, sizeof login, "%s/login", argv[1]);
    if (stook_client_cookies_load(client, argv[2]) != 0 && errno != ENOENT)
        perror(argv[2]);
    int ok =
        visit(client, &STOOK_REQUEST(page)) || visit(client, &STOOK_REQUEST(login, .form = form));
    if (stook_client_cookies_save(client, argv[2]) != 0)
        perror(argv[2]);
    stook_client_close(client, NULL, NULL);
    return !ok;
}
