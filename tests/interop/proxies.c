/* SPDX-License-Identifier: MIT */
/* Proxies that are not ours, in front of nginx: the same basics through each, to http and to https. */
#include <string.h>

#include <curl/curl.h>
#include <stook.h>

#include "support/life.h"
#include "support/nginx.h"
#include "support/peer.h"

enum { REQUESTS = 40 };

static struct nginx *nginx;

static const char *url_to(int tls, const char *path)
{
    return tls ? nginx_tls_url(nginx, "%s", path) : nginx_url(nginx, "%s", path);
}

static void begin(struct life *life, const char *proxy)
{
    life_open(life, &STOOK_CLIENT(.ca_file = nginx->ca, .proxy = proxy));
}

/* Cold and warm, one at a time and many at once, in both protocols. */
static void check_through(struct life *life, const char *proxy)
{
    begin(life, proxy);
    for (int64_t limit = 1; limit <= 10; limit += 9) {
        stook_batch *batch = life_batch(life);
        for (int i = 0; i < REQUESTS; i++)
            add(batch, url_to(i % 2, text("/path/%d", i)));
        life_gather_ordered(life, batch, &STOOK_GATHER(.limit = limit));
        for (size_t i = 0; i < REQUESTS; i++) {
            const stook_result *result = stook_batch_result(batch, i);
            test_note("limit %d, request %zu: %s", (int)limit, i, stook_result_message(result));
            CHECK_EQ_INT(stook_result_status(result), 200);
            CHECK_STR(stook_result_body(result, NULL), text("/path/%zu", i));
        }
        stook_batch_free(batch);
    }
    life_close(life);
}

static void check_fails(struct life *life, const char *proxy, const char *url, const char *part)
{
    begin(life, proxy);
    stook_batch *batch = life_batch(life);
    add(batch, url);
    CHECK_EQ_INT(life_gather(life, batch, NULL), 1);
    const stook_result *result = stook_batch_result(batch, 0);
    test_note("%s", stook_result_message(result));
    CHECK_ERROR(stook_result_error(result), STOOK_EPROXY);
    CHECK(strstr(stook_result_message(result), part) != NULL);
    stook_batch_free(batch);
    life_close(life);
}

static void begin_nginx(void)
{
    nginx = nginx_start();
    nginx_serve_files(nginx, REQUESTS);
}

TEST_BOTH(squid, nginx)
{
    begin_nginx();
    struct peer *squid = squid_start();
    check_through(life, text("http://me:pw@127.0.0.1:%d", squid->port));
    for (int tls = 0; tls < 2; tls++) {
        check_fails(life, text("http://127.0.0.1:%d", squid->port), url_to(tls, "/path/1"), "HTTP 407");
        check_fails(life, text("http://me:no@127.0.0.1:%d", squid->port), url_to(tls, "/path/1"), "HTTP 407");
    }
    check_fails(life, text("http://me:pw@127.0.0.1:%d", squid->port), "https://127.0.0.1:1/", "HTTP 50");
    life_open(life, NULL);
}

TEST_BOTH(tinyproxy, nginx)
{
    begin_nginx();
    struct peer *tinyproxy = tinyproxy_start();
    check_through(life, text("http://127.0.0.1:%d", tinyproxy->port));
    check_fails(life, text("http://127.0.0.1:%d", tinyproxy->port), "https://127.0.0.1:1/", "HTTP 50");
    life_open(life, NULL);
}

TEST_BOTH(dante, nginx)
{
    begin_nginx();
    struct peer *dante = dante_start();
    check_through(life, text("socks5://127.0.0.1:%d", dante->port));
    check_through(life, text("socks5h://127.0.0.1:%d", dante->port));
    check_fails(life, text("socks5h://127.0.0.1:%d", dante->port), "https://127.0.0.1:1/", "127.0.0.1");
    life_open(life, NULL);
}

/* TLS to the proxy, and inside it that to the origin. */
TEST_BOTH(stunnel, nginx)
{
    const curl_version_info_data *info = curl_version_info(CURLVERSION_NOW);
    if (!(info->features & CURL_VERSION_HTTPS_PROXY) || strncmp(info->ssl_version, "GnuTLS", 6) == 0)
        test_skip("this libcurl speaks no TLS inside the TLS to a proxy");
    begin_nginx();
    struct peer *tinyproxy = tinyproxy_start();
    struct peer *stunnel = stunnel_start(tinyproxy->port, nginx_file(nginx, "leaf.pem"), nginx_file(nginx, "leaf.key"));
    check_through(life, text("https://127.0.0.1:%d", stunnel->tls_port));
    life_open(life, NULL);
}
