/* SPDX-License-Identifier: MIT */
/*
 * What servers set as cookies, and what is sent after it (RFC 6265 and its successor 6265bis). libcurl
 * decides; where its versions differ, or all differ from the RFC, the row says so.
 */
#include <stdio.h>
#include <string.h>

#include <curl/curl.h>
#include <stook.h>

#include "support/life.h"
#include "support/process.h"
#include "support/raw_server.h"

enum { SETS_MAX = 6 };

/* First the URL `to` sets cookies, then the URL `from` says which it was sent. URLs are without "http://"
   and without the port; all paths begin with /c. */
struct row {
    const char *name;
    const char *to;
    const char *set[SETS_MAX]; /* values of Set-Cookie */
    const char *from;
    const char *sent;          /* "": no Cookie field */
};

#define WWW "www.example.com"
#define DEEP "a.www.example.com"
#define UP "example.com"
#define HOUR "Max-Age=3600"
#define PAST "Expires=Thu, 01 Jan 2015 00:00:00 GMT"
#define FUTURE "Expires=Wed, 01 Jan 2092 00:00:00 GMT"
#define AT(host) host "/c/x"

static const struct row rows[] = {
    /* 5.6: name and value */
    {"one", AT(WWW), {"a=1"}, AT(WWW), "a=1"},
    /* 5.8.3 wants older ones first, but allows any order. */
    {"two", AT(WWW), {"a=1", "b=2"}, AT(WWW), "b=2; a=1"},
    {"no space", AT(WWW), {"a=1;Path=/c"}, AT(WWW), "a=1"},
    {"replaced", AT(WWW), {"a=1", "a=2"}, AT(WWW), "a=2"},
    {"names differ in case", AT(WWW), {"a=1", "A=2"}, AT(WWW), "A=2; a=1"},
    {"values keep their case", AT(WWW), {"a=Xx"}, AT(WWW), "a=Xx"},
    {"empty value", AT(WWW), {"a="}, AT(WWW), "a="},
    {"equals signs in the value", AT(WWW), {"a=b=c="}, AT(WWW), "a=b=c="},
    {"quotes are a part of the value", AT(WWW), {"a=\"x y\""}, AT(WWW), "a=\"x y\""},
    {"blanks around", AT(WWW), {"  a  =  1  "}, AT(WWW), "a=1"},
    {"blanks inside", AT(WWW), {"a=x y z"}, AT(WWW), "a=x y z"},
    {"comma", AT(WWW), {"a=1, b=2"}, AT(WWW), "a=1, b=2"},
    {"only the first pair is a cookie", AT(WWW), {"a=1; b=2; c"}, AT(WWW), "a=1"},
    {"brackets and colons", AT(WWW), {"a[b]:c=1{2}"}, AT(WWW), "a[b]:c=1{2}"},
    /* 6265bis takes both as a cookie without a name, which libcurl has not */
    {"no equals sign", AT(WWW), {"abc"}, AT(WWW), ""},
    {"no name", AT(WWW), {"=abc"}, AT(WWW), ""},
    {"nothing", AT(WWW), {"", ";", " ; ", "="}, AT(WWW), ""},
    {"tab in the value", AT(WWW), {"a=x\ty", "b=1"}, AT(WWW), "b=1"},
    {"UTF-8", AT(WWW), {"a=\xc3\xa9"}, AT(WWW), "a=\xc3\xa9"},
    /* attributes */
    {"unknown attributes", AT(WWW), {"a=1; Priority=High; x; y=z; Version=1; Comment=no"}, AT(WWW), "a=1"},
    {"case of attributes", AT(WWW), {"a=1; pAtH=/c; mAX-aGE=60; DoMaIn=Example.Com; hTTPoNLY"}, AT(UP), "a=1"},
    {"SameSite is for browsers", AT(WWW), {"a=1; SameSite=Strict", "b=2; SameSite=None", "c=3; SameSite"}, AT(WWW), "c=3; b=2; a=1"},
    {"Partitioned is ignored", AT("localhost"), {"a=1; Secure; Path=/; Partitioned"}, AT("localhost"), "a=1"},
    {"HttpOnly", AT(WWW), {"a=1; HttpOnly"}, AT(WWW), "a=1"},
    /* 5.6.1, 5.6.2: how long */
    {"Max-Age", AT(WWW), {"a=1; " HOUR}, AT(WWW), "a=1"},
    {"Max-Age of 0 deletes", AT(WWW), {"a=1", "a=2; Max-Age=0"}, AT(WWW), ""},
    {"negative Max-Age deletes", AT(WWW), {"a=1", "a=2; Max-Age=-1"}, AT(WWW), ""},
    {"Max-Age that overflows", AT(WWW), {"a=1; Max-Age=99999999999999999999999"}, AT(WWW), "a=1"},
    {"Max-Age goes before Expires", AT(WWW), {"a=1; " HOUR "; " PAST, "b=1; Max-Age=0; " FUTURE}, AT(WWW), "a=1"},
    {"Expires in the past deletes", AT(WWW), {"a=1", "a=2; " PAST}, AT(WWW), ""},
    {"Expires", AT(WWW), {"a=1; " FUTURE}, AT(WWW), "a=1"},
    {"old dates", AT(WWW), {"a=1", "b=1", "c=1", "a=; Expires=Friday, 01-Jan-71 00:00:01 GMT", "b=; Expires=Thu Jan  1 00:00:01 1970",
                            "c=; Expires=Thu, 01-Jan-1970 00:00:01 GMT"}, AT(WWW), ""},
    /* 5.1.1 says 1970. libcurl takes it for 2070. */
    {"the year 70", AT(WWW), {"a=1", "a=; Expires=Thursday, 01-Jan-70 00:00:01 GMT"}, AT(WWW), "a="},
    {"the year 69", AT(WWW), {"a=1; Expires=Tue, 01-Jan-69 00:00:01 GMT"}, AT(WWW), "a=1"},
    {"the epoch", AT(WWW), {"a=1", "a=; Expires=Thu, 01 Jan 1970 00:00:00 GMT"}, AT(WWW), ""},
    {"Expires that is no date", AT(WWW), {"a=1; Expires=soon"}, AT(WWW), "a=1"},
    {"deleted by another path", AT(WWW), {"a=1; Path=/c", "a=2; Path=/; Max-Age=0"}, AT(WWW), "a=1"},
    {"deleted and set", AT(WWW), {"a=1; Max-Age=0", "a=2"}, AT(WWW), "a=2"},
    /* 5.6.3: Domain */
    {"host only: the same", AT(UP), {"a=1"}, AT(UP), "a=1"},
    {"host only: no subdomain", AT(UP), {"a=1"}, AT(WWW), ""},
    {"host only: not the parent", AT(WWW), {"a=1"}, AT(UP), ""},
    {"Domain: the host", AT(WWW), {"a=1; Domain=example.com"}, AT(WWW), "a=1"},
    {"Domain: the parent", AT(WWW), {"a=1; Domain=example.com"}, AT(UP), "a=1"},
    {"Domain: far below", AT(WWW), {"a=1; Domain=example.com"}, AT(DEEP), "a=1"},
    {"Domain: another", AT(WWW), {"a=1; Domain=example.com"}, AT("example.org"), ""},
    {"Domain: leading dot", AT(WWW), {"a=1; Domain=.example.com"}, AT(UP), "a=1"},
    {"Domain: upper case", AT(WWW), {"a=1; Domain=EXAMPLE.COM"}, AT(UP), "a=1"},
    {"Domain: a host in upper case", AT("WWW.EXAMPLE.COM"), {"a=1; Domain=example.com"}, AT(UP), "a=1"},
    {"Domain: a longer name with that end", AT(WWW), {"a=1; Domain=example.com"}, AT("badexample.com"), ""},
    {"Domain: end of a label", AT(WWW), {"a=1; Domain=ample.com"}, AT(WWW), ""},
    {"Domain: of others", AT(WWW), {"a=1; Domain=example.org", "b=1; Domain=www.example.org"}, AT("www.example.org"), ""},
    {"Domain: below the host", AT(UP), {"a=1; Domain=www.example.com"}, AT(WWW), ""},
    {"Domain: beside the host", AT(WWW), {"a=1; Domain=mail.example.com"}, AT("mail.example.com"), ""},
    {"Domain: empty", AT(WWW), {"a=1; Domain="}, AT(WWW), "a=1"},
    {"Domain: empty is host only", AT(WWW), {"a=1; Domain="}, AT(DEEP), ""},
    {"Domain: the last counts", AT(WWW), {"a=1; Domain=www.example.com; Domain=example.com"}, AT(UP), "a=1"},
    {"Domain: trailing dot", AT(WWW), {"a=1; Domain=example.com."}, AT(WWW), ""},
    /* 5.6.3, step 5: public suffixes */
    {"suffix: com", AT(WWW), {"a=1; Domain=com"}, AT("example.com"), ""},
    {"suffix: co.uk", AT("www.example.co.uk"), {"a=1; Domain=co.uk"}, AT("other.co.uk"), ""},
    {"suffix: not even here", AT("www.example.co.uk"), {"a=1; Domain=co.uk"}, AT("www.example.co.uk"), ""},
    {"suffix: in upper case", AT("www.example.co.uk"), {"a=1; Domain=CO.UK"}, AT("other.co.uk"), ""},
    {"suffix: of a host in upper case", AT("WWW.EXAMPLE.CO.UK"), {"a=1; Domain=co.uk"}, AT("other.co.uk"), ""},
    {"suffix: with a dot", AT("www.example.co.uk"), {"a=1; Domain=.co.uk"}, AT("other.co.uk"), ""},
    {"suffix: below it", AT("www.example.co.uk"), {"a=1; Domain=example.co.uk"}, AT("example.co.uk"), "a=1"},
    {"suffix: private", AT("me.github.io"), {"a=1; Domain=github.io"}, AT("you.github.io"), ""},
    /* host only */
    {"suffix: that is a host itself", AT("github.io"), {"a=1; Domain=github.io"}, AT("github.io"), "a=1"},
    {"suffix: and not below it", AT("github.io"), {"a=1; Domain=github.io"}, AT("you.github.io"), ""},
    {"suffix: host only", AT("github.io"), {"a=1"}, AT("you.github.io"), ""},
    {"suffix: unknown", AT("www.test"), {"a=1; Domain=test"}, AT("other.test"), ""},
    {"suffix: dots only", AT(WWW), {"a=1; Domain=.", "b=1; Domain=.."}, AT(UP), ""},
    /* addresses */
    {"address", AT("127.0.0.1"), {"a=1"}, AT("127.0.0.1"), "a=1"},
    {"address: its own", AT("127.0.0.1"), {"a=1; Domain=127.0.0.1"}, AT("127.0.0.1"), "a=1"},
    {"address: a part", AT("127.0.0.1"), {"a=1; Domain=0.0.1", "b=1; Domain=.0.1", "c=1; Domain=1"}, AT("127.0.0.1"), ""},
    {"address: another with that end", AT("127.0.0.1"), {"a=1; Domain=127.0.0.1"}, AT("127.0.0.2"), ""},
    {"IPv6 address", AT("[2001:db8::1]"), {"a=1"}, AT("[2001:db8::1]"), "a=1"},
    {"localhost", AT("localhost"), {"a=1"}, AT("localhost"), "a=1"},
    {"localhost is not 127.0.0.1", AT("localhost"), {"a=1"}, AT("127.0.0.1"), ""},
    /* 5.1.4, 5.6.4: Path */
    {"default path: the folder", WWW "/c/a/b", {"a=1"}, WWW "/c/a/x", "a=1"},
    {"default path: below", WWW "/c/a/b", {"a=1"}, WWW "/c/a/x/y", "a=1"},
    {"default path: not above", WWW "/c/a/b", {"a=1"}, WWW "/c/b", ""},
    {"default path: of the top", WWW "/c", {"a=1"}, WWW "/c/b/d", "a=1"},
    {"path: exact", AT(WWW), {"a=1; Path=/c/a"}, WWW "/c/a", "a=1"},
    {"path: below", AT(WWW), {"a=1; Path=/c/a"}, WWW "/c/a/b", "a=1"},
    {"path: same beginning", AT(WWW), {"a=1; Path=/c/a"}, WWW "/c/ab", ""},
    {"path: with a slash", AT(WWW), {"a=1; Path=/c/a/"}, WWW "/c/a/b", "a=1"},
    {"path: root", WWW "/c/a/b", {"a=1; Path=/"}, WWW "/c", "a=1"},
    {"path: elsewhere", AT(WWW), {"a=1; Path=/d"}, AT(WWW), ""},
    {"path: relative becomes the root", WWW "/c/a/b", {"a=1; Path=x"}, WWW "/c", "a=1"},
    {"path: the last counts", AT(WWW), {"a=1; Path=/d; Path=/c"}, AT(WWW), "a=1"},
    {"path: case", AT(WWW), {"a=1; Path=/c/A"}, WWW "/c/a/x", ""},
    {"path: two that differ in case", AT(WWW), {"a=1; Path=/c/A", "a=2; Path=/c/a"}, WWW "/c/A/x", "a=1"},
    {"path: in quotes", AT(WWW), {"a=1; Path=\"/c\""}, AT(WWW), "a=1"},
    {"path: two of one name", AT(WWW), {"a=1; Path=/", "a=2; Path=/c"}, AT(WWW), "a=2; a=1"},
    {"longer paths first", AT(WWW), {"a=1; Path=/", "b=2; Path=/c", "d=3; Path=/c/x"}, AT(WWW), "d=3; b=2; a=1"},
    /* 5.6.5: Secure; localhost counts as secure */
    {"Secure: not from http", AT(WWW), {"a=1; Secure"}, AT(WWW), ""},
    {"Secure: from localhost", AT("localhost"), {"a=1; Secure"}, AT("localhost"), "a=1"},
    {"Secure: from 127.0.0.1", AT("127.0.0.1"), {"a=1; Secure"}, AT("127.0.0.1"), "a=1"},
    /* 4.1.3: prefixes */
    {"__Secure- without it", AT("localhost"), {"__Secure-a=1"}, AT("localhost"), ""},
    {"__Secure- with it", AT("localhost"), {"__Secure-a=1; Secure"}, AT("localhost"), "__Secure-a=1"},
    {"__Secure- over http", AT(WWW), {"__Secure-a=1; Secure", "__Secure-b=1"}, AT(WWW), ""},
    {"__Host- as it is meant", AT("localhost"), {"__Host-a=1; Secure; Path=/"}, AT("localhost"), "__Host-a=1"},
    {"__Host- without Path", AT("localhost"), {"__Host-a=1; Secure"}, AT("localhost"), ""},
    {"__Host- without Secure", AT("localhost"), {"__Host-a=1; Path=/"}, AT("localhost"), ""},
    {"__Host- with Domain", AT("127.0.0.1"), {"__Host-a=1; Secure; Path=/; Domain=example.com"}, AT("127.0.0.1"), ""},
    /* 6265bis 5.6: a server may take names without regard to case. libcurl cared up to 8.12. */
    {"prefixes in another case", AT("localhost"), {"__secure-a=1"}, AT("localhost"), "__secure-a=1"},
};

/* What some versions of libcurl send instead. */
static const struct {
    const char *row;
    unsigned from, to; /* the first and the last version, 0xMMmmpp */
    const char *sent;
} differences[] = {
    {"names differ in case", 0, 0x080b00, "A=2"},
    {"no name", 0x080d00, 0x0811ff, "=abc"},
    {"nothing", 0x080d00, 0x0811ff, "="},
    {"path: two that differ in case", 0, 0x0814ff, ""},
    {"prefixes in another case", 0, 0x080cff, ""},
    {"suffix: and not below it", 0, 0x0816ff, "a=1"},
};

/* Large ones are built. */
static char large[6000];

static const char *expected_of(const struct row *row)
{
    unsigned version = curl_version_info(CURLVERSION_NOW)->version_num;
    for (size_t i = 0; i < sizeof differences / sizeof *differences; i++)
        if (strcmp(differences[i].row, row->name) == 0 && version >= differences[i].from && version <= differences[i].to)
            return differences[i].sent;
    return row->sent;
}

/* "/c?row=N" sets what the row says. Without a row it returns the Cookie fields, separated by " | ". */
static enum raw_then cookies(struct raw_call *call)
{
    char sent[32768] = "";
    if (strncmp(call->query, "row=", 4) == 0) {
        const struct row *row = &rows[raw_number(call, "row")];
        raw_say(call, "HTTP/1.1 200 OK\r\n");
        for (int i = 0; i < SETS_MAX && row->set[i] != NULL; i++)
            raw_say(call, "Set-Cookie: %s\r\n", row->set[i]);
        raw_say(call, "Content-Length: 0\r\n\r\n");
        return RAW_KEEP;
    }
    if (strncmp(call->query, "large=", 6) == 0) {
        memset(large, 'v', sizeof large - 1);
        raw_say(call, "HTTP/1.1 200 OK\r\nSet-Cookie: name=");
        raw_send(call, large, (size_t)raw_number(call, "large") - 4);
        raw_say(call, "\r\nContent-Length: 0\r\n\r\n");
        return RAW_KEEP;
    }
    if (strncmp(call->query, "many=", 5) == 0) {
        long from = raw_number(call, "from"), many = raw_number(call, "many");
        raw_say(call, "HTTP/1.1 200 OK\r\n");
        for (long i = from; i < from + many; i++)
            raw_say(call, "Set-Cookie: n%03ld=v\r\n", i);
        raw_say(call, "Content-Length: 0\r\n\r\n");
        return RAW_KEEP;
    }
    for (const char *at = call->head; (at = strstr(at, "\nCookie: ")) != NULL; at++) {
        const char *value = at + strlen("\nCookie: ");
        size_t size = strlen(sent);
        snprintf(sent + size, sizeof sent - size, "%s%.*s", size > 0 ? " | " : "", (int)strcspn(value, "\r"), value);
    }
    return raw_answer(call, sent, strlen(sent));
}

static enum raw_then hundred(struct raw_call *call)
{
    memset(large, 'v', sizeof large - 1);
    raw_say(call, "HTTP/1.1 200 OK\r\n");
    for (int i = 0; i < 100; i++)
        raw_say(call, "Set-Cookie: n%03d=%.3000s; Path=/\r\n", i, large);
    raw_say(call, "Content-Length: 0\r\n\r\n");
    return RAW_CLOSE;
}

static enum raw_then megabyte(struct raw_call *call)
{
    memset(large, 'v', sizeof large - 1);
    raw_say(call, "HTTP/1.1 200 OK\r\nSet-Cookie: n=");
    for (int i = 0; i < 256; i++)
        raw_send(call, large, 4096);
    raw_say(call, "; Path=/\r\nContent-Length: 0\r\n\r\n");
    return RAW_CLOSE;
}

#define SETS(value) "HTTP/1.1 200 OK\r\nSet-Cookie: " value "; Path=/\r\nContent-Length: 0\r\n\r\n"
static const struct raw_behaviour more[] = {
    {"/c", .answer = cookies},
    {"/control", SETS("a=hidden\x01"), .then = RAW_CLOSE},
    {"/newline", SETS("a=cut\rb"), .then = RAW_CLOSE},
    {"/delete", SETS("a=hidden\x7f"), .then = RAW_CLOSE},
    {"/hundred", .answer = hundred},
    {"/megabyte", .answer = megabyte},
    {NULL},
};

static struct raw_server *server;

/* Has every name of the tests lead to the server. */
static const char *const *resolved(void)
{
    static const char *const names[] = {WWW, DEEP, UP, "badexample.com", "example.org", "www.example.org", "mail.example.com",
                                        "www.example.co.uk", "other.co.uk", "example.co.uk", "me.github.io", "you.github.io", "github.io",
                                        "www.test", "other.test", "127.0.0.2", "[2001:db8::1]", "localhost"};
    enum { NAMES = sizeof names / sizeof *names };
    static char texts[NAMES][80];
    static const char *list[NAMES + 1];
    for (int i = 0; i < NAMES; i++) {
        snprintf(texts[i], sizeof texts[i], "%s:%d:127.0.0.1", names[i], raw_port(server));
        list[i] = texts[i];
    }
    return list;
}

static void begin(struct life *life)
{
    life_open(life, &STOOK_CLIENT(.cookies = 1, .resolve = resolved()));
}

/* "host/path" with a query or "" as a URL. */
static const char *url(const char *place, const char *query)
{
    int host = (int)strcspn(place, "/");
    return text("http://%.*s:%d%s%s", host, place, raw_port(server), place + host, query);
}

/* Asks, and returns the body; valid until the next call. */
static const char *ask(struct life *life, const char *address)
{
    static char body[32768];
    stook_batch *batch = life_batch(life);
    add(batch, address);
    int failed = life_gather(life, batch, NULL);
    const stook_result *result = stook_batch_result(batch, 0);
    if (failed != 0)
        FAIL("%s: %s", address, stook_result_message(result));
    snprintf(body, sizeof body, "%s", (const char *)stook_result_body(result, NULL));
    stook_batch_free(batch);
    return body;
}

/* All rows that are not as expected are named at once. */
TEST(corpus)
{
    static struct life life;
    char wrong[4096] = "";
    server = raw_server_start(more);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct row *row = &rows[i];
        life_begin(&life, 0);
        begin(&life);
        ask(&life, url(row->to, text("?row=%zu", i)));
        test_note("row %zu: %s", i, row->name);
        const char *expected = expected_of(row), *got = ask(&life, url(row->from, ""));
        size_t size = strlen(wrong);
        if (strcmp(got, expected) != 0)
            snprintf(wrong + size, sizeof wrong - size, "\n  %s: \"%s\", not \"%s\"", row->name, got, expected);
        life_end(&life);
    }
    test_note("%zu rows", sizeof rows / sizeof *rows);
    if (*wrong != '\0')
        FAIL("%s", wrong);
}

/* A name with its value has at most 4096 bytes (RFC 6265 6.1). */
TEST_BOTH(sizes)
{
    server = raw_server_start(more);
    begin(life);
    ask(life, url(AT(WWW), "?large=4096"));
    CHECK_EQ_SIZE(strlen(ask(life, url(AT(WWW), ""))), 4096 + 1);
    ask(life, url(AT(UP), "?large=4097"));
    CHECK_STR(ask(life, url(AT(UP), "")), "");
}

/* libcurl takes 50 of a response. */
TEST_BOTH(sixty_in_a_response)
{
    server = raw_server_start(more);
    begin(life);
    ask(life, url(AT(WWW), "?many=60&from=0"));
    const char *sent = ask(life, url(AT(WWW), ""));
    CHECK_EQ_SIZE(strlen(sent), 50 * strlen("n000=v; ") - 2);
    CHECK_CONTAINS(sent, "n000=v");
    CHECK(strstr(sent, "n050=v") == NULL);
}

/* Responses that are not accepted leave no cookie that could break a request. */
TEST_BOTH(hostile)
{
    static const struct {
        const char *path;
        int error;
    } bad[] = {{"/control", 0}, {"/newline", STOOK_EPROTOCOL}, {"/delete", 0}, {"/hundred", STOOK_ETOOLARGE},
               {"/megabyte", STOOK_ETOOLARGE}};
    server = raw_server_start(more);
    begin(life);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        stook_batch *batch = life_batch(life);
        test_note("%s", bad[i].path);
        add(batch, raw_url(server, "%s", bad[i].path));
        life_gather(life, batch, NULL);
        CHECK_ERROR(stook_result_error(stook_batch_result(batch, 0)), bad[i].error);
        CHECK(strstr(stook_result_message(stook_batch_result(batch, 0)), "hidden") == NULL);
        stook_batch_free(batch);
        const char *sent = ask(life, raw_url(server, "/c/x"));
        CHECK(strpbrk(sent, "\x01\x7f\r\n") == NULL && strstr(sent, "hidden") == NULL);
        CHECK(strlen(sent) <= 8190);
    }
}
