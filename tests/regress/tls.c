/* SPDX-License-Identifier: MIT */
/* TLS, against nginx. */
#include <string.h>

#include <stook.h>

#include "support/life.h"
#include "support/nginx.h"
#include "support/process.h"
#include "regress/opened.h"

/* A burst to an origin with HTTP/2 needs one connection. */
TEST(one_connection_for_all)
{
    static struct life life;
    if (!(curl_version_info(CURLVERSION_NOW)->features & CURL_VERSION_HTTP2))
        test_skip("this libcurl speaks no HTTP/2");
    struct nginx *nginx = nginx_start();
    life_begin(&life, 1);
    life_open(&life, &STOOK_CLIENT(.ca_file = nginx->ca, .http_version = STOOK_HTTP_2));
    spy.on_socket = count_opened;
    stook_batch *batch = life_batch(&life);
    for (int i = 0; i < 60; i++)
        add(batch, nginx_tls_url(nginx, "/number/%d", i));
    CHECK_EQ_INT(life_gather(&life, batch, &STOOK_GATHER(.limit = STOOK_NONE)), 0);
    stook_batch_free(batch);
    test_note("%u connections", opened);
    CHECK_EQ_INT(opened, 1);
    spy.on_socket = NULL;
    life_end(&life);
}
