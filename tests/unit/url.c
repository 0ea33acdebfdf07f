/* SPDX-License-Identifier: MIT */
/* Which URLs are accepted; and that a part put in place makes the same URL as the whole. */
#include <locale.h>
#include <string.h>

#include <curl/curl.h>
#include <stook.h>

#include "support/harness.h"
#include "request/url.h"

static int parse(CURLU *url, const char *text)
{
    const char *why = NULL;
    char scheme[STOOK__SCHEME_MAX];
    int error = stook__url_parse(url, text, &why, scheme);
    test_note("%s: %s", text, why != NULL ? why : "");
    return error;
}

#define SHORT "aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffff" /* 60 bytes */
#define LABEL SHORT "abc"                                                      /* 63, as long as one may be */
#define ZEROS "00000000000000000000000000000000000000000000000000000000000000000000000000000000"

TEST(accepted_and_refused)
{
    static const struct {
        const char *text;
        int error;
    } rows[] = {
        {"http://example.com", 0},
        {"HTTP://example.com/", 0},
        {"https://example.com:8443/a?b=c#d", 0},
        {"http://[::1]:80/", 0},
        {"http://127.0.0.1", 0},
        {"http://example.com/a%20b", 0},
        {"", STOOK_EURL},
        {"   ", STOOK_EURL},
        {"/path", STOOK_EURL},
        {"example.com", STOOK_EURL},
        {"127.0.0.1:80/x", STOOK_EURL},
        {"//example.com", STOOK_EURL},
        {"http:", STOOK_EURL},
        {"http:/x", STOOK_EURL},
        {"http://", STOOK_EURL},
        {"http:///ok", STOOK_EURL},
        {"http://?x", STOOK_EURL},
        {"http://a b/", STOOK_EURL},
        {"http://a/b c", STOOK_EURL},
        {"http://a/\x01", STOOK_EURL},
        {"http://a/\r\nX: y", STOOK_EURL},
        {"http://a/\x7f", STOOK_EURL},
        {"http://a\\@b/", STOOK_EURL},
        {"http://a:65536/", STOOK_EURL},
        {"http://a:-1/", STOOK_EURL},
        {"http://a:80a/", STOOK_EURL},
        {"http://a:0/", STOOK_EURL},
        {"http://[::1/", STOOK_EURL},
        {"http://" LABEL "a.b/", STOOK_EURL},
        {"http://a." LABEL "a.localhost/", STOOK_EURL},
        {"http://" LABEL ".localhost/", 0},
        {"http://" LABEL "." LABEL "." LABEL "." SHORT "a/", 0},
        {"http://" LABEL "." LABEL "." LABEL "." SHORT "a.:80/", 0},
        {"http://" LABEL "." LABEL "." LABEL "." SHORT "ab/", STOOK_EURL},
        {"http://a..b/", STOOK_EURL},
        {"http://.a/", STOOK_EURL},
        {"http://a../", STOOK_EURL},
        {"http://./", STOOK_EURL},
        {"http://a./", 0},
        {"http://a%25b/", STOOK_EURL},
        {"http://%61/", STOOK_EURL},
        {"http://%303", STOOK_EURL},
        {"http://\xc3\xa4%25?", STOOK_EURL},
        {"http://[fe80::1%25eth0]/", 0},
        {"://", STOOK_EURL},
        {"http://a:" ZEROS ZEROS ZEROS ZEROS "80/", STOOK_EURL},
        {"ftp://a/", STOOK_EPOLICY},
        {"file:///etc/hostname", STOOK_EPOLICY},
        {"httpx://a/", STOOK_EPOLICY},
        {"http://user@a/", STOOK_EPOLICY},
        {"http://user:pass@a/", STOOK_EPOLICY},
        {"http://:pass@a/", STOOK_EPOLICY},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        CURLU *url = curl_url();
        CHECK_ERROR(parse(url, rows[i].text), rows[i].error);
        curl_url_cleanup(url);
    }
}

static void check_same(const char *before, const char *text, int may_move)
{
    CURLU *whole = curl_url(), *moved = curl_url();
    char *a = NULL, *b = NULL;
    char key[STOOK__ORIGIN_KEY_MAX];
    size_t origin;
    CHECK(stook__origin_key(text, key, &origin) > 0);
    CHECK_EQ_INT(parse(moved, before), 0);
    CHECK_EQ_INT(parse(whole, text), 0);
    CHECK_EQ_INT(stook__url_is_plain(text + origin), may_move);
    if (may_move) {
        CHECK_EQ_INT(stook__url_set_path(moved, text + origin), 1);
        CHECK_EQ_INT(curl_url_get(whole, CURLUPART_URL, &a, 0), 0);
        CHECK_EQ_INT(curl_url_get(moved, CURLUPART_URL, &b, 0), 0);
        CHECK_STR(a, b);
    }
    curl_free(a);
    curl_free(b);
    curl_url_cleanup(whole);
    curl_url_cleanup(moved);
}

/* A long one is refused or taken the same whether a handle is at its origin already or not. */
TEST(long_ones_are_parsed)
{
    static char rest[70000] = "/a?";
    memset(rest + 3, 'b', sizeof rest - 4);
    CHECK_EQ_INT(stook__url_is_plain(rest), 0);
    rest[3000] = '\0';
    CHECK_EQ_INT(stook__url_is_plain(rest), 1);
    memset(rest + 1, 'a', 1000);
    CHECK_EQ_INT(stook__url_is_plain(rest), 0);
}

/* What no libcurl can encode (RFC 5891) is refused here, and not when it is connected to. */
TEST(names_in_other_scripts)
{
    static const char *const good[] = {"http://b\xc3\xbc" "cher.example/", "http://\xc3\xa9.localhost:81/"};
    static const char *const bad[] = {"http://\xff\xfe/", "http://\xe2\x80\xae" "a/", "http://\xc3\xa9." LABEL "a/",
                                      /* digits, a slash, an at, a percent sign and a message of full width */
                                      "http://\xef\xbc\x91\xef\xbc\x92\xef\xbc\x97.0.0.1/", "http://a\xef\xbc\x8f" "b.example/",
                                      "http://a\xef\xbc\xa0" "b.example/", "http://\xef\xbc\x85" "303/",
                                      "http://\xef\xbd\x85xample.com/", "http://\xef\xbc\xbb" "a/"};
    CURLU *url = curl_url();
    if (!(curl_version_info(CURLVERSION_NOW)->features & CURL_VERSION_IDN))
        test_skip("this libcurl encodes no names");
    /* libcurl 7.88 takes the bytes for what the locale says that they are. */
    for (size_t i = 0; setlocale(LC_CTYPE, "C.UTF-8") != NULL && i < sizeof good / sizeof *good; i++)
        CHECK_ERROR(parse(url, good[i]), 0);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        CHECK_ERROR(parse(url, bad[i]), STOOK_EURL);
    curl_url_cleanup(url);
}

TEST(moved_is_the_same_as_parsed)
{
    static const struct {
        const char *text;
        int may_move;
    } rows[] = {
        {"http://h:81/", 1},
        {"http://h:81/todos/1", 1},
        {"http://h:81/a.b/c..d/e", 1},
        {"http://h:81/a?b=c&d=e/f:@!$'()*,;", 1},
        {"http://h:81/a?b=../c", 1},
        {"http://h:81/a?b=.", 1},
        {"http://h:81/a/../b", 0},
        {"http://h:81/./b", 0},
        {"http://h:81/a/.hidden", 0},
        {"http://h:81/a%2fb", 0},
        {"http://h:81/a?b=%2F", 0},
        {"http://h:81/\xc3\xa9", 0},
        {"http://h:81/a?", 0},
        {"http://h:81", 0},
        {"http://h:81?a", 0},
        {"http://h:81/a#f", 0},
        {"http://h:81/a?b#f", 0},
        {"http://h:81/a|b", 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        check_same("http://h:81/", rows[i].text, rows[i].may_move);
        check_same("http://h:81/old/path?and=query#and", rows[i].text, rows[i].may_move);
    }
}

/* A key is shown to people. */
TEST(no_password_in_a_key)
{
    static const char *const urls[] = {"http://u:s3cret@a/", "https://u@a:81", "http://@a?b", "http://:s3cret@[::1]#c"};
    char key[STOOK__ORIGIN_KEY_MAX];
    size_t size;
    for (size_t i = 0; i < sizeof urls / sizeof *urls; i++) {
        CHECK_EQ_SIZE(stook__origin_key(urls[i], key, &size), 0);
        CHECK_EQ_SIZE(size, 0);
    }
    CHECK(stook__origin_key("http://a/b@c", key, &size) > 0);
    CHECK(stook__origin_key("http://a?b@c", key, &size) > 0);
}
