/* SPDX-License-Identifier: MIT */
/*
 * Stands between the library and libcurl. It defines functions of libcurl, in the one file that includes
 * it, in a program that links the static library. Each function records its arguments, checks the rules
 * that hold for every call, and calls the real one. A test changes that with a hook.
 */
#ifndef STOOK_REGRESS_SPY_H
#define STOOK_REGRESS_SPY_H

#include <curl/curl.h>
#include <dlfcn.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include "support/harness.h"
#include "support/life.h"

#undef curl_easy_setopt
#undef curl_multi_setopt
#undef curl_share_setopt

/* The traps of these programs are those of transfers that libcurl makes. */
__attribute__((constructor)) static void leave_to_libcurl(void)
{
    life_libcurl_only = 1;
}

enum { SPY_OPTIONS = 512, SPY_MULTIS = 1024, SPY_EASIES = 4096 };

/* How often an option was set, and its last value. */
struct spy_option {
    unsigned count;
    curl_off_t number;
    const void *pointer;
};

static struct spy {
    struct spy_option easy[SPY_OPTIONS], multi[SPY_OPTIONS], share[8];
    unsigned easies, multis;        /* made */
    unsigned adds, actions, kicks;  /* kicks: actions for time */
    unsigned drained;               /* 1: all messages were read since the last action */
    int inside;                     /* calls of libcurl on the stack */
    unsigned callbacks;
    curl_socket_callback socket;    /* the library's own */
    curl_multi_timer_callback timer;
    void *socket_users[SPY_MULTIS]; /* the user of the socket callback of each multi handle */
    CURLM *handles[SPY_MULTIS];
    unsigned adds_of[SPY_MULTIS];   /* by multi handle, in the order in which they were made */
    const CURL *attached[SPY_EASIES];
    /* hooks; 0 or NULL: unchanged */
    int drains_first;               /* check that no message is unread when a handle is removed */
    CURLMcode add_code;
    unsigned version;               /* of libcurl, as the library sees it */
    unsigned lacks;                 /* features of libcurl that the library does not see */
    int (*keep_option)(CURL *easy, CURLoption option); /* 0: it is not set */
    CURLcode (*refuse_option)(CURLoption option);      /* CURLE_OK: it is set */
    int (*on_socket)(CURL **easy, curl_socket_t fd, int what, void *user); /* 0: the library is not called */
    int (*on_timer)(long timeout_ms);                           /* the same */
    int (*before_action)(curl_socket_t fd, int events);         /* the same, of libcurl */
    CURLMcode (*after_action)(CURLM *multi, curl_socket_t fd, CURLMcode code);
    void (*before_cleanup)(CURLM *multi);
    void (*on_message)(CURLMsg *message); /* may change what libcurl says */
} spy;

#define SPY_REAL(name_)                                                                           \
    static __typeof__(name_) *real;                                                               \
    if (!real)                                                                                    \
    *(void **)&real = dlsym(RTLD_NEXT, #name_)

/* The library must not call libcurl from inside its callbacks. */
#define SPY_ENTER()                                                                               \
    do {                                                                                          \
        if (spy.inside)                                                                           \
            FAIL("%s is called from inside libcurl", __func__);                                   \
        spy.inside++;                                                                             \
    } while (0)
#define SPY_LEAVE() ((void)spy.inside--)

static struct spy_option *spy_easy(CURLoption option)
{
    return &spy.easy[option % 10000 % SPY_OPTIONS];
}

static struct spy_option *spy_multi(CURLMoption option)
{
    return &spy.multi[option % 10000 % SPY_OPTIONS];
}

/* What the socket callback of that multi handle is given as its user. */
static void *spy_socket_user(CURLM *multi)
{
    for (size_t i = 0; i < SPY_MULTIS; i++)
        if (spy.handles[i] == multi)
            return spy.socket_users[i];
    return NULL;
}

static CURLM *spy_any_multi(void)
{
    for (size_t i = 0; i < SPY_MULTIS; i++)
        if (spy.handles[i])
            return spy.handles[i];
    return NULL;
}

static int spy_on_socket(CURL *easy, curl_socket_t fd, int what, void *user, void *own)
{
    spy.callbacks++;
    if (spy.on_socket && !spy.on_socket(&easy, fd, what, user))
        return 0;
    CHECK_EQ_INT(spy.socket(easy, fd, what, user, own), 0); /* -1 ends every transfer */
    return 0;
}

static int spy_on_timer(CURLM *multi, long timeout_ms, void *user)
{
    spy.callbacks++;
    if (spy.on_timer && !spy.on_timer(timeout_ms))
        return 0;
    CHECK_EQ_INT(spy.timer(multi, timeout_ms, user), 0);
    return 0;
}

curl_version_info_data *curl_version_info(CURLversion age)
{
    static curl_version_info_data data;
    SPY_REAL(curl_version_info);
    data = *real(age);
    if (spy.version)
        data.version_num = spy.version;
    data.features &= ~(int)spy.lacks;
    return &data;
}

CURL *curl_easy_init(void)
{
    SPY_REAL(curl_easy_init);
    spy.easies++;
    return real();
}

CURLcode curl_easy_setopt(CURL *easy, CURLoption option, ...)
{
    SPY_REAL(curl_easy_setopt);
    struct spy_option *seen = spy_easy(option);
    CURLcode code;
    va_list args;
    if (spy.keep_option && !spy.keep_option(easy, option))
        return CURLE_OK;
    seen->count++;
    CURLcode refusal = spy.refuse_option ? spy.refuse_option(option) : CURLE_OK;
    if (refusal != CURLE_OK)
        return refusal;
    va_start(args, option);
    if (option < 10000) {
        long number = va_arg(args, long);
        seen->number = number;
        code = real(easy, option, number);
    } else if (option >= 30000 && option < 40000) {
        seen->number = va_arg(args, curl_off_t);
        code = real(easy, option, seen->number);
    } else {
        void *pointer = va_arg(args, void *);
        seen->pointer = pointer;
        code = real(easy, option, pointer);
    }
    va_end(args);
    return code;
}

CURLMcode curl_multi_setopt(CURLM *multi, CURLMoption option, ...)
{
    SPY_REAL(curl_multi_setopt);
    struct spy_option *seen = spy_multi(option);
    CURLMcode code;
    va_list args;
    va_start(args, option);
    seen->count++;
    if (option < 10000) {
        long number = va_arg(args, long);
        seen->number = number;
        code = real(multi, option, number);
    } else if (option == CURLMOPT_SOCKETFUNCTION) {
        spy.socket = va_arg(args, curl_socket_callback);
        code = real(multi, option, spy_on_socket);
    } else if (option == CURLMOPT_TIMERFUNCTION) {
        spy.timer = va_arg(args, curl_multi_timer_callback);
        code = real(multi, option, spy_on_timer);
    } else {
        void *pointer = va_arg(args, void *);
        seen->pointer = pointer;
        for (size_t i = 0; option == CURLMOPT_SOCKETDATA && i < SPY_MULTIS; i++)
            if (spy.handles[i] == multi)
                spy.socket_users[i] = pointer;
        code = real(multi, option, pointer);
    }
    va_end(args);
    return code;
}

CURLSHcode curl_share_setopt(CURLSH *share, CURLSHoption option, ...)
{
    SPY_REAL(curl_share_setopt);
    va_list args;
    va_start(args, option);
    CHECK_EQ_INT(option, CURLSHOPT_SHARE); /* no locks: one thread */
    int what = va_arg(args, int);
    spy.share[what].count++;
    CURLSHcode code = real(share, option, what);
    va_end(args);
    return code;
}

CURLM *curl_multi_init(void)
{
    SPY_REAL(curl_multi_init);
    CURLM *multi = real();
    for (size_t i = 0; multi && i < SPY_MULTIS; i++)
        if (!spy.handles[i]) {
            spy.handles[i] = multi;
            break;
        }
    spy.multis++;
    return multi;
}

CURLMcode curl_multi_cleanup(CURLM *multi)
{
    SPY_REAL(curl_multi_cleanup);
    if (spy.before_cleanup)
        spy.before_cleanup(multi);
    SPY_ENTER();
    CURLMcode code = real(multi);
    for (size_t i = 0; i < SPY_MULTIS; i++)
        if (spy.handles[i] == multi)
            spy.handles[i] = NULL;
    SPY_LEAVE();
    return code;
}

static void spy_attach(const CURL *what, const CURL *instead)
{
    for (size_t i = 0; i < SPY_EASIES; i++)
        if (spy.attached[i] == what) {
            spy.attached[i] = instead;
            return;
        }
}

CURLMcode curl_multi_add_handle(CURLM *multi, CURL *easy)
{
    SPY_REAL(curl_multi_add_handle);
    SPY_ENTER();
    CURLMcode code = spy.add_code ? spy.add_code : real(multi, easy);
    SPY_LEAVE();
    spy.adds++;
    if (code == CURLM_OK)
        spy_attach(NULL, easy);
    for (size_t i = 0; i < SPY_MULTIS; i++)
        spy.adds_of[i] += spy.handles[i] == multi;
    return code;
}

CURLMcode curl_multi_remove_handle(CURLM *multi, CURL *easy)
{
    SPY_REAL(curl_multi_remove_handle);
    SPY_ENTER();
    if (spy.drains_first)
        CHECK_EQ_INT(spy.drained, 1); /* it walks what was not read, and takes it away */
    CURLMcode code = real(multi, easy);
    SPY_LEAVE();
    spy_attach(easy, NULL);
    return code;
}

void curl_easy_cleanup(CURL *easy)
{
    SPY_REAL(curl_easy_cleanup);
    for (size_t i = 0; i < SPY_EASIES; i++)
        if (easy && spy.attached[i] == easy)
            FAIL("a handle is freed that is still in a multi");
    real(easy);
}

CURLMsg *curl_multi_info_read(CURLM *multi, int *left)
{
    SPY_REAL(curl_multi_info_read);
    CHECK(left != NULL);
    CURLMsg *message = real(multi, left);
    spy.drained = message == NULL;
    if (message != NULL && spy.on_message != NULL)
        spy.on_message(message);
    return message;
}

CURLMcode curl_multi_socket_action(CURLM *multi, curl_socket_t fd, int events, int *running)
{
    SPY_REAL(curl_multi_socket_action);
    SPY_ENTER();
    CHECK(running != NULL); /* written through unasked up to 8.21 */
    if (fd == CURL_SOCKET_TIMEOUT)
        spy.kicks++;
    else /* neither nothing, for which libcurl polls by itself, nor an error alone */
        CHECK((events & (CURL_CSELECT_IN | CURL_CSELECT_OUT)) != 0);
    spy.actions++;
    spy.drained = 0;
    CURLMcode code = spy.before_action && !spy.before_action(fd, events) ? CURLM_OK : real(multi, fd, events, running);
    SPY_LEAVE();
    return spy.after_action ? spy.after_action(multi, fd, code) : code;
}

/* A file that uses only some of it is no mistake. */
__attribute__((unused)) static void spy_all_used(void)
{
    (void)spy_socket_user, (void)spy_any_multi, (void)spy_easy, (void)spy_multi;
}

#endif
