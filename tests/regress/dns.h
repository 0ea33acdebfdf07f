/* SPDX-License-Identifier: MIT */
/* Names that hang, fail, or have many addresses. Replaces getaddrinfo() and pthread_create(). */
#ifndef STOOK_REGRESS_DNS_H
#define STOOK_REGRESS_DNS_H

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <netdb.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <stook.h>

#include "support/life.h"
#include "support/process.h"
#include "support/raw_server.h"
#include "support/sockets.h"
#include "regress/spy.h"

static struct {
    pthread_mutex_t lock;
    unsigned asked, now, peak, before_a_second;
    int64_t began_ms;
    int hang_ms;
    int64_t good_at_ms; /* a flaky name fails before this time */
    int refuse_threads; /* every second one */
    int done, enough;   /* a hanging look-up returns when `done` has reached `enough`, */
    int gave_up;        /* or after ten seconds */
} names = {.lock = PTHREAD_MUTEX_INITIALIZER};

static int64_t now_ms(void)
{
    return (int64_t)(uv_hrtime() / 1000000);
}

static void pause_for(long ms)
{
    struct timespec time = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};
    nanosleep(&time, NULL);
}

static void hang(void)
{
    pthread_mutex_lock(&names.lock);
    names.asked++;
    names.before_a_second += now_ms() - names.began_ms < 800;
    if (++names.now > names.peak)
        names.peak = names.now;
    pthread_mutex_unlock(&names.lock);
    pause_for(names.hang_ms);
    pthread_mutex_lock(&names.lock);
    for (int i = 0; i < 10000 && names.done < names.enough; i++) {
        pthread_mutex_unlock(&names.lock);
        pause_for(1);
        pthread_mutex_lock(&names.lock);
    }
    names.gave_up += names.done < names.enough;
    names.now--;
    pthread_mutex_unlock(&names.lock);
}

static int one(const char *address, const char *service, const struct addrinfo *hints, struct addrinfo **ret)
{
    SPY_REAL(getaddrinfo);
    struct addrinfo own = {.ai_flags = AI_NUMERICHOST, .ai_socktype = hints ? hints->ai_socktype : SOCK_STREAM};
    return real(address, service, &own, ret);
}

/* 127.0.1.1, 127.0.1.2, ...: nobody listens there. */
static int many(int count, const char *last, const char *service, const struct addrinfo *hints, struct addrinfo **ret)
{
    int error = 0;
    for (int i = 0; i < count && error == 0; i++, ret = &(*ret)->ai_next)
        error = one(text("127.0.1.%d", i + 1), service, hints, ret);
    return error || !last ? error : one(last, service, hints, ret);
}

int getaddrinfo(const char *name, const char *service, const struct addrinfo *hints, struct addrinfo **ret)
{
    static const struct {
        const char *name;
        int error;
    } errors[] = {{"noname", EAI_NONAME}, {"again", EAI_AGAIN}, {"fail", EAI_FAIL}, {"memory", EAI_MEMORY},
                  {"system", EAI_SYSTEM}, {"family", EAI_FAMILY}};
    SPY_REAL(getaddrinfo);
    char lower[256];
    size_t size = 0;
    for (; name && name[size] && size < sizeof lower - 1; size++)
        lower[size] = (char)tolower((unsigned char)name[size]);
    lower[size] = '\0';
    name = name ? lower : NULL;
    if (!name || !(strstr(name, ".test") || strstr(name, "300.300") || strstr(name, "service.example")))
        return real(name, service, hints, ret);
    for (size_t i = 0; i < sizeof errors / sizeof errors[0]; i++)
        if (strncmp(name, errors[i].name, strlen(errors[i].name)) == 0) {
            errno = EIO;
            return errors[i].error;
        }
    if (strncmp(name, "flaky", 5) == 0 && now_ms() < names.good_at_ms)
        return EAI_AGAIN;
    if (strncmp(name, "hung", 4) == 0 || strstr(name, "300.300")) {
        hang();
        return EAI_AGAIN;
    }
    if (strncmp(name, "slow", 4) == 0 || strstr(name, "service.example"))
        hang();
    if (strncmp(name, "many", 4) == 0)
        return many(64, NULL, service, hints, ret);
    if (strncmp(name, "tenth", 5) == 0)
        return many(9, "127.0.0.1", service, hints, ret);
    if (strncmp(name, "far", 3) == 0) {
        for (int i = 0; i < 9; i++, ret = &(*ret)->ai_next)
            if (one("255.255.255.255", service, hints, ret) != 0)
                return EAI_FAIL;
        return one("127.0.0.1", service, hints, ret);
    }
    if (strncmp(name, "second", 6) == 0)
        return many(1, "127.0.0.1", service, hints, ret);
    if (strncmp(name, "late", 4) == 0) {
        int error = many(1, "127.0.0.1", service, hints, ret);
        return error ? error : one("::1", service, hints, &(*ret)->ai_next->ai_next);
    }
    if (strncmp(name, "both", 4) == 0) {
        int error = one("::1", service, hints, ret);
        return error ? error : one("127.0.0.1", service, hints, &(*ret)->ai_next);
    }
    return one("127.0.0.1", service, hints, ret);
}

int pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*run)(void *), void *arg)
{
    static unsigned made;
    SPY_REAL(pthread_create);
    if (names.refuse_threads && made++ % 2 == 0)
        return EAGAIN;
    return real(thread, attributes, run, arg);
}

static struct raw_server *begin(struct life *life, int hang_ms)
{
    const curl_version_info_data *info = curl_version_info(CURLVERSION_NOW);
    if (!(info->features & CURL_VERSION_ASYNCHDNS) || info->ares)
        test_skip("this libcurl does not look up names by getaddrinfo on a thread");
    names.asked = names.now = names.peak = names.before_a_second = 0;
    names.hang_ms = hang_ms;
    names.done = names.enough = names.gave_up = 0;
    names.began_ms = now_ms();
    life_open(life, NULL);
    return raw_server_start(NULL);
}

#endif
