/* SPDX-License-Identifier: MIT */
/*
 * A login: if the cookies of the last run are not enough for the page, a form is sent. The server
 * sets a cookie and redirects to the page. With PROXY all goes through one.
 * Usage: login PAGE_URL LOGIN_URL COOKIE_FILE [PROXY]
 */
#include <stdio.h>
#include <stook.h>

int main(int argc, char **argv)
{
    static const char *const form[] = {"user", "ruth", "password", "gleaner", NULL};
    struct stook_client_options options = STOOK_CLIENT(.cookies = 1, .max_redirects = 5);
    stook_client *client;
    stook_batch *batch;
    int ok = 0;
    options.proxy = argc > 4 ? argv[4] : NULL;
    if (argc < 4 || stook_client_new(NULL, &options, &client) != 0)
        return 2;
    stook_client_cookies_load(client, argv[3]); /* at first there is no file */
    for (int i = 1; i <= 2 && !ok && stook_batch_new(client, &batch) == 0; i++) {
        stook_batch_add(batch, &STOOK_REQUEST(argv[i], .form = i == 2 ? form : NULL));
        ok = stook_gather(batch, NULL) == 0;
        const stook_result *r = stook_batch_result(batch, 0);
        printf("%s %s\n", stook_result_final_url(r), stook_result_message(r));
        stook_batch_free(batch);
    }
    ok = ok && stook_client_cookies_save(client, argv[3]) == 0;
    stook_client_close(client, NULL, NULL);
    return !ok;
}
