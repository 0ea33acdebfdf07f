/* SPDX-License-Identifier: MIT */
/* Cookies of a server that is not ours, through a proxy that is not ours: a login in httpbin, with squid on the way. */
#include <string.h>

#include <stook.h>

#include "support/httpbin.h"
#include "support/life.h"
#include "support/peer.h"

/* Follows the redirect, and returns the body; valid as text() is. */
static const char *ask(struct life *life, const char *url)
{
    stook_batch *batch = life_batch(life);
    add(batch, url);
    life_gather(life, batch, NULL);
    const stook_result *result = stook_batch_result(batch, 0);
    test_note("%s: %s", url, stook_result_message(result));
    CHECK_EQ_INT(stook_result_ok(result), 1);
    const char *body = text("%s", (const char *)stook_result_body(result, NULL));
    stook_batch_free(batch);
    return body;
}

/* httpbin sets cookies and redirects to a page that shows them. */
static void check(struct life *life, struct httpbin *httpbin, const char *proxy)
{
    const char *place = text("%s/jar", temporary_directory());
    life_open(life, &STOOK_CLIENT(.cookies = 1, .max_redirects = 3, .proxy = proxy));
    CHECK_CONTAINS(ask(life, httpbin_url(httpbin, "/cookies/set?session=rye&lang=en")), "rye");
    const char *shown = ask(life, httpbin_url(httpbin, "/cookies"));
    CHECK_CONTAINS(shown, "rye");
    CHECK_CONTAINS(shown, "lang");
    CHECK(strstr(ask(life, httpbin_url(httpbin, "/cookies/delete?lang=")), "lang") == NULL);
    CHECK_ERROR(stook_client_cookies_save(life->client, place), 0);
    life_close(life);
    life_open(life, &STOOK_CLIENT(.cookies = 1, .proxy = proxy));
    CHECK(strstr(ask(life, httpbin_url(httpbin, "/cookies")), "rye") == NULL);
    CHECK_ERROR(stook_client_cookies_load(life->client, place), 0);
    CHECK_CONTAINS(ask(life, httpbin_url(httpbin, "/cookies")), "rye");
    life_close(life);
}

TEST_BOTH(of_httpbin, httpbin)
{
    struct httpbin *httpbin = httpbin_start(1);
    check(life, httpbin, NULL);
    life_open(life, NULL);
}

TEST_BOTH(of_httpbin_through_squid, httpbin)
{
    struct httpbin *httpbin = httpbin_start(1);
    struct peer *squid = squid_start();
    check(life, httpbin, text("http://me:pw@127.0.0.1:%d", squid->port));
    life_open(life, NULL);
}
