/* SPDX-License-Identifier: MIT */
/* Which texts name a proxy, which hosts need none, and what the environment says. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <curl/curl.h>
#include <stook.h>

#include "request/proxy.h"
#include "support/harness.h"
#include "support/sockets.h"

TEST(urls)
{
    static const char *const good[] = {
        "http://p:1", "https://p", "socks5://127.0.0.1:1080", "socks5h://p.example:9", "http://[::1]:8080",
        "http://u@p:1", "http://u:p@p:1", "HTTP://p:1/", "http://u%40:p%3a@p", "http://:pw@p", "http://p:65535", "http://%40%3A%2f%25%7f%ff:p@p:1",
    };
    static const char *const bad[] = {
        "p:1", "//p:1", "ftp://p", "socks4://p", "socks4a://p", "socks://p", "http://", "http:///", "http://:1",
        "http://p:1/x", "http://p?x", "http://p#x", "http://p:99999", "http://p:x", "http://p p", "http://p\n",
        "http://u:p w@p", "http://[::1", "http://%70", "http://p\\x", "http://p\xc3\xa9", "http://u@", "http://p:-1", "http://u:p/w@p:1", "http://localhost:2/x@p:1", "http://u#x@p:1",
        "http://u?x@p:1", "http://u:p@ss@p:1", "http://u%00:p@p:1", "socks5h://u:%1f@p:1", "http://u:%0d%0a@p:1",
        "http://u:%@p:1", "http://u:%4@p:1", "http://u:%4g@p:1",
    };
    const char *why;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        test_note("%s", good[i]);
        CHECK_ERROR(stook__proxy_validate(good[i], 0, &why), 0);
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        test_note("%s", bad[i]);
        CHECK_ERROR(stook__proxy_validate(bad[i], 0, &why), STOOK_EARG);
        CHECK(strncmp(why, "invalid argument: proxy ", 24) == 0);
    }
    CHECK_ERROR(stook__proxy_validate(NULL, 0, &why), 0);
    CHECK_ERROR(stook__proxy_validate("", 0, &why), 0);
    CHECK_ERROR(stook__proxy_validate("p:1", 1, &why), 0);
    CHECK_ERROR(stook__proxy_validate("u:p@p:1", 1, &why), 0);
    CHECK_ERROR(stook__proxy_validate("socks4://p:1", 1, &why), STOOK_EARG);
}

TEST(long_ones)
{
    static char url[STOOK__PROXY_MAX + 1] = "http://u:";
    const char *why;
    memset(url + strlen(url), 'p', STOOK__PROXY_MAX - strlen(url));
    memcpy(url + STOOK__PROXY_MAX - 4, "@p:", 3);
    url[STOOK__PROXY_MAX - 1] = '1';
    CHECK_ERROR(stook__proxy_validate(url, 0, &why), STOOK_EARG);
    memmove(url + 9, url + 10, STOOK__PROXY_MAX - 9);
    CHECK_ERROR(stook__proxy_validate(url, 0, &why), 0);
}

TEST(kinds_and_hosts)
{
    CHECK_EQ_INT(stook__proxy_kind("p:1"), STOOK__PROXY_HTTP);
    CHECK_EQ_INT(stook__proxy_kind("HTTPS://p:1"), STOOK__PROXY_HTTPS);
    CHECK_EQ_INT(stook__proxy_kind("socks5://p:1"), STOOK__PROXY_SOCKS5);
    CHECK_EQ_INT(stook__proxy_kind("socks5h://p:1"), STOOK__PROXY_SOCKS5H);
    CHECK_EQ_INT(stook__proxy_is_literal("http://u:p@127.0.0.1:1"), 1);
    CHECK_EQ_INT(stook__proxy_is_literal("http://127.1"), 1);
    CHECK_EQ_INT(stook__proxy_is_literal("http://[::1]:8080/"), 1);
    CHECK_EQ_INT(stook__proxy_is_literal("http://LocalHost:1"), 1);
    CHECK_EQ_INT(stook__proxy_is_literal("http://127.0.0.1:x@p:1"), 0);
    CHECK_EQ_INT(stook__proxy_is_literal("p.example:1"), 0);
}

TEST(passwords_are_not_shown)
{
    char text[64];
    stook__proxy_redact("http://u:pw@p:1", text, sizeof text);
    CHECK_STR(text, "http://u:REDACTED@p:1");
    stook__proxy_redact("u:p:w@p:1", text, sizeof text);
    CHECK_STR(text, "u:REDACTED@p:1");
    stook__proxy_redact("http://u@p:1", text, sizeof text);
    CHECK_STR(text, "http://u@p:1");
    stook__proxy_redact("http://[::1]:1", text, sizeof text);
    CHECK_STR(text, "http://[::1]:1");
    stook__proxy_redact("http://u:pw@p:1", text, 12);
    CHECK_STR(text, "REDACTED");
}

/* curl's rules, as docs/guide/proxies.md tables them. */
static const struct {
    const char *list, *key;
    int bypassed;
    int differs; /* some libcurl decides otherwise */
} rows[] = {
    {NULL, "http://a:80", 0, 0},
    {"", "http://a:80", 0, 0},
    {"*", "http://a:80", 1, 0},
    {"*", "http://[::1]:80", 1, 0},
    {"x,*", "http://a:80", 0, 0},
    {"*.a", "http://b.a:80", 0, 0},
    {"a", "http://a:80", 1, 0},
    {"A", "http://a:8080", 1, 0},
    {"a", "http://b.a:80", 1, 0},
    {".a", "http://b.a:80", 1, 0},
    {".a", "http://a:80", 1, 0},
    {"a", "http://ba:80", 0, 0},
    {"b.a", "http://a:80", 0, 0},
    {"a.", "http://a:80", 1, 0},
    {"a", "http://a.:80", 1, 0},
    {"x,a,y", "http://a:80", 1, 0},
    {"x a y", "http://a:80", 1, 1},
    {"x\ta", "http://a:80", 1, 1},
    {" , ,a, ", "http://a:80", 1, 1},
    {"a:80", "http://a:80", 0, 0},
    {".", "http://a:80", 0, 0},
    {"127.0.0.1", "http://127.0.0.1:80", 1, 0},
    {"127.0.0.1", "http://127.1:80", 1, 0},
    {"127.0.0.1", "http://0x7f000001:80", 1, 0},
    {"0.0.1", "http://127.0.0.1:80", 0, 0},
    {"127.0.0.1", "http://1.127.0.0.1:80", 1, 0},
    {"127.0.0.0/8", "http://127.9.9.9:80", 1, 0},
    {"127.0.0.0/8", "http://128.9.9.9:80", 0, 0},
    {"192.168.5.0/23", "http://192.168.4.9:80", 1, 0},
    {"192.168.5.0/23", "http://192.168.6.9:80", 0, 0},
    {"10.0.0.0/33", "http://10.0.0.0:80", 0, 0},
    {"10.0.0.0/", "http://10.0.0.0:80", 0, 1},
    {"10.0.0.0/x", "http://10.0.0.0:80", 0, 1},
    {"10.0.0.0/32", "http://10.0.0.0:80", 1, 0},
    {"::1", "http://[::1]:80", 1, 0},
    {"[::1]", "http://[::1]:80", 1, 1},
    {"::1", "http://[0:0::1]:80", 1, 0},
    {"fd00::/8", "http://[fd12::1]:443", 1, 1},
    {"fd00::/8", "http://[fe12::1]:443", 0, 0},
    {"fd00::/129", "http://[fd00::]:443", 0, 0},
    {"10.0.0.0/8", "http://[::a00:1]:80", 0, 0},
};

TEST(no_proxy)
{
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        test_note("%s for %s", rows[i].list, rows[i].key);
        CHECK_EQ_INT(stook__proxy_is_bypassed(rows[i].list, rows[i].key, strlen(rows[i].key)), rows[i].bypassed);
    }
    CHECK_EQ_INT(stook__proxy_is_bypassed("a", "", 0), 0);
}

static void clear(void)
{
    static const char *const names[] = {"http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY",
                                        "all_proxy",  "ALL_PROXY",  "no_proxy",    "NO_PROXY"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        unsetenv(names[i]);
}

TEST(environment)
{
    struct stook__peer peer = {0};
    clear();
    CHECK_EQ_INT(stook__proxy_from_env(&peer), 1);
    CHECK(peer.proxies[0] == NULL && peer.proxies[1] == NULL && peer.no_proxy == NULL);

    /* A CGI program gets HTTP_PROXY from whoever sends it a field "Proxy". */
    setenv("HTTP_PROXY", "http://evil:1", 1);
    setenv("HTTPS_PROXY", "http://upper:1", 1);
    setenv("NO_PROXY", "upper", 1);
    stook__proxy_from_env(&peer);
    CHECK(peer.proxies[0] == NULL);
    CHECK_STR(peer.proxies[1], "http://upper:1");
    CHECK_STR(peer.no_proxy, "upper");

    peer = (struct stook__peer){0};
    setenv("http_proxy", "http://lower:1", 1);
    setenv("https_proxy", "http://lower:2", 1);
    setenv("no_proxy", "lower", 1);
    stook__proxy_from_env(&peer);
    CHECK_STR(peer.proxies[0], "http://lower:1");
    CHECK_STR(peer.proxies[1], "http://lower:2");
    CHECK_STR(peer.no_proxy, "lower");

    peer = (struct stook__peer){0};
    setenv("http_proxy", "", 1);
    setenv("https_proxy", "", 1);
    setenv("HTTPS_PROXY", "", 1);
    setenv("ALL_PROXY", "http://all:3", 1);
    stook__proxy_from_env(&peer);
    CHECK_STR(peer.proxies[0], "http://all:3");
    CHECK_STR(peer.proxies[1], "http://all:3");

    peer = (struct stook__peer){.proxies = {"http://mine:1", "http://mine:1"}};
    CHECK_EQ_INT(stook__proxy_from_env(&peer), 0);
    CHECK_STR(peer.proxies[0], "http://mine:1");
    CHECK_STR(peer.no_proxy, "lower");

    peer = (struct stook__peer){.no_proxy = ""};
    stook__proxy_from_env(&peer);
    CHECK_STR(peer.no_proxy, "");
    clear();
}

/* Connects with libcurl alone, to a port that listens unless it takes the proxy, which refuses. 1: without. */
static int goes_around(const char *list, const char *key, const char *way, const char *proxy)
{
    char url[128];
    struct curl_slist *to = curl_slist_append(NULL, way);
    CURL *curl = curl_easy_init();
    snprintf(url, sizeof url, "%s/", key);
    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(curl, CURLOPT_PROXY, proxy);
    curl_easy_setopt(curl, CURLOPT_NOPROXY, list != NULL ? list : "");
    curl_easy_setopt(curl, CURLOPT_CONNECT_TO, to);
    curl_easy_setopt(curl, CURLOPT_CONNECT_ONLY, 1L);
    CURLcode code = curl_easy_perform(curl);
    curl_easy_cleanup(curl);
    curl_slist_free_all(to);
    return code != CURLE_COULDNT_CONNECT;
}

/* What is decided here is what libcurl would decide, but for the rows that say so. */
TEST(no_proxy_as_libcurl)
{
    int port, fd = listen_somewhere(200, &port);
    char way[64], proxy[64];
    snprintf(way, sizeof way, "::127.0.0.1:%d", port);
    snprintf(proxy, sizeof proxy, "http://127.0.0.1:%d", refusing_port());
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        test_note("%s for %s", rows[i].list, rows[i].key);
        if (!rows[i].differs)
            CHECK_EQ_INT(goes_around(rows[i].list, rows[i].key, way, proxy), rows[i].bypassed);
    }
    close(fd);
}
