/* SPDX-License-Identifier: MIT */
/* The cookies of a client; see cookies.h. */
#include "curl/cookies.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "curl/cookie_line.h"
#include "curl/easy_settings.h"
#include "curl/engine_state.h"
#include "util/allocator.h"

/* RFC 6265 6.1 asks for at least so many. libcurl has no limit. */
enum { OF_DOMAIN_MAX = 50, IN_ALL_MAX = 3000 };
/* libcurl lists n cookies in n * n steps, 3000 in 10 ms: it appends to a list that it walks. So a
   look waits for n * n / RARITY new ones, and each of them costs the same. */
enum { RARITY = 65536 };

/* A cookie that was listed. Its age is the order in which cookies were first seen, because libcurl
   does not tell when a cookie was set. */
struct entry {
    uint64_t identity; /* of domain, path and name */
    uint64_t domain;
    uint64_t age; /* lower: older */
    const char *line;
    int dropped;
};

struct stook__cookies {
    CURLSH *share;
    size_t n_new;        /* Set-Cookie fields since the cookies were last listed */
    size_t n_kept;       /* cookies at that time */
    size_t n_fullest;    /* of them, those of the domain that has the most */
    struct entry *known; /* those cookies, by identity; without their lines */
    uint64_t newest;     /* the highest age so far */
};

/* --------------------------------------------------------------------------- libcurl's engine */

/* TLS sessions are not shared: these handles differ in trust. DNS entries and the list of public
   suffixes are the same for all. */
static CURLSH *make_share(void)
{
    CURLSH *share = curl_share_init();
    if (share == NULL)
        return NULL;
    curl_share_setopt(share, CURLSHOPT_SHARE, CURL_LOCK_DATA_COOKIE);
    curl_share_setopt(share, CURLSHOPT_SHARE, CURL_LOCK_DATA_DNS);
    curl_share_setopt(share, CURLSHOPT_SHARE, CURL_LOCK_DATA_PSL);
    return share;
}

CURLSH *stook__cookies_share(struct stook__engine *engine)
{
    if (engine->cookies == NULL)
        engine->cookies = stook__alloc(engine->allocator, sizeof *engine->cookies);
    if (engine->cookies == NULL)
        return NULL;
    if (engine->cookies->share == NULL)
        engine->cookies->share = make_share();
    return engine->cookies->share;
}

/* The CURLSH alone neither sends cookies nor keeps them. An empty name reads no file. */
void stook__cookies_set(struct stook__easy *easy)
{
    stook__easy_set(easy, CURLOPT_COOKIEFILE, "");
}

void stook__cookies_note(struct stook__engine *engine, const char *line, size_t size)
{
    static const char name[] = "Set-Cookie:";
    if (size >= sizeof name && strncasecmp(line, name, sizeof name - 1) == 0)
        engine->cookies->n_new++;
}

/* Makes an easy handle through which the cookies are listed and changed. */
static CURL *open_helper(struct stook__engine *engine)
{
    CURLSH *share = stook__cookies_share(engine);
    CURL *curl = share != NULL ? curl_easy_init() : NULL;
    if (curl != NULL && curl_easy_setopt(curl, CURLOPT_SHARE, share) != CURLE_OK) {
        curl_easy_cleanup(curl);
        return NULL;
    }
    return curl;
}

int stook__cookies_list(struct stook__engine *engine, struct curl_slist **ret_lines)
{
    CURL *curl = open_helper(engine);
    *ret_lines = NULL;
    if (curl == NULL)
        return STOOK_ENOMEM;
    CURLcode code = curl_easy_getinfo(curl, CURLINFO_COOKIELIST, ret_lines);
    curl_easy_cleanup(curl);
    return code == CURLE_OK ? 0 : STOOK_ENOMEM;
}

int stook__cookies_add(struct stook__engine *engine, const char *lines)
{
    CURL *curl = open_helper(engine);
    CURLcode code = CURLE_OK;
    if (curl == NULL)
        return STOOK_ENOMEM;
    for (; code == CURLE_OK && *lines != '\0'; lines += strlen(lines) + 1) {
        code = curl_easy_setopt(curl, CURLOPT_COOKIELIST, lines);
        engine->cookies->n_new++;
    }
    curl_easy_cleanup(curl);
    return code == CURLE_OK ? 0 : STOOK_ENOMEM;
}

/* -------------------------------------------------------------------------------------- limits */

/* Domains are the same in upper and lower case. */
static uint64_t hash_of_domain(const struct stook__cookie_line *line)
{
    char text[256];
    size_t size = line->size[STOOK__COOKIE_DOMAIN];
    if (size > sizeof text)
        size = sizeof text;
    for (size_t i = 0; i < size; i++) {
        char c = line->at[STOOK__COOKIE_DOMAIN][i];
        text[i] = c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
    }
    return stook__map_hash(text, size);
}

static uint64_t hash_of_identity(const struct stook__cookie_line *line)
{
    const char *name = line->at[STOOK__COOKIE_NAME], *domain = line->at[STOOK__COOKIE_DOMAIN];
    const char *path_end = line->at[STOOK__COOKIE_PATH] + line->size[STOOK__COOKIE_PATH];
    return stook__map_hash(domain, (size_t)(path_end - domain)) * 31 +
           stook__map_hash(name, line->size[STOOK__COOKIE_NAME]);
}

static int compare(uint64_t a, uint64_t b)
{
    return (a > b) - (a < b);
}

static int by_identity(const void *a, const void *b)
{
    return compare(((const struct entry *)a)->identity, ((const struct entry *)b)->identity);
}

/* The newest of each domain first. */
static int by_domain(const void *a, const void *b)
{
    const struct entry *one = a, *other = b;
    int order = compare(one->domain, other->domain);
    return order != 0 ? order : compare(other->age, one->age);
}

/* The newest first. */
static int by_age(const void *a, const void *b)
{
    return compare(((const struct entry *)b)->age, ((const struct entry *)a)->age);
}

/* Makes an entry for each line of a cookie that has not expired. Returns their number. */
static size_t fill(struct stook__cookies *cookies, const struct curl_slist *lines,
                   struct entry *entries)
{
    time_t now = time(NULL);
    size_t count = 0;
    for (; lines != NULL; lines = lines->next) {
        struct stook__cookie_line line;
        if (!stook__cookie_line_split(lines->data, strlen(lines->data), &line) ||
            (line.expires != 0 && line.expires <= now))
            continue;
        struct entry *entry = &entries[count++];
        *entry = (struct entry){.identity = hash_of_identity(&line),
                                .domain = hash_of_domain(&line),
                                .line = lines->data};
        const struct entry *known =
            cookies->known != NULL
                ? bsearch(entry, cookies->known, cookies->n_kept, sizeof *entry, by_identity)
                : NULL;
        entry->age = known != NULL ? known->age : ++cookies->newest;
    }
    return count;
}

/* Marks the entries to drop. */
static void mark(struct stook__cookies *cookies, struct entry *entries, size_t count)
{
    size_t of_domain = 0, kept = 0;
    cookies->n_fullest = 0;
    qsort(entries, count, sizeof *entries, by_domain);
    for (size_t i = 0; i < count; i++) {
        of_domain = i > 0 && entries[i].domain == entries[i - 1].domain ? of_domain + 1 : 1;
        entries[i].dropped = of_domain > OF_DOMAIN_MAX;
        if (!entries[i].dropped && of_domain > cookies->n_fullest)
            cookies->n_fullest = of_domain;
    }
    qsort(entries, count, sizeof *entries, by_age);
    for (size_t i = 0; i < count; i++) {
        entries[i].dropped |= kept == IN_ALL_MAX;
        kept += !entries[i].dropped;
    }
}

/* libcurl deletes a cookie that is set anew with a date in the past. */
static void drop(CURL *curl, const char *text)
{
    char expired[8192]; /* libcurl's limit of a line is 5000 */
    struct stook__cookie_line line;
    stook__cookie_line_split(text, strlen(text), &line);
    const char *date = line.at[STOOK__COOKIE_EXPIRES], *name = line.at[STOOK__COOKIE_NAME];
    int size = snprintf(expired, sizeof expired, "%.*s1\t%.*s\tx", (int)(date - text), text,
                        (int)line.size[STOOK__COOKIE_NAME], name);
    if (size > 0 && (size_t)size < sizeof expired)
        curl_easy_setopt(curl, CURLOPT_COOKIELIST, expired);
}

/* Remembers the entries that stay, and drops the others. */
static void keep(struct stook__cookies *cookies, struct entry *entries, size_t count, CURL *curl)
{
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        if (entries[i].dropped)
            drop(curl, entries[i].line);
        else
            entries[kept++] = entries[i];
    }
    qsort(entries, kept, sizeof *entries, by_identity);
    cookies->known = entries;
    cookies->n_kept = kept;
    cookies->n_new = 0;
}

/* Tells whether a limit may be exceeded. */
static int is_due(const struct stook__cookies *cookies, int exact)
{
    return cookies->n_new > (exact ? 0 : cookies->n_kept * cookies->n_kept / RARITY) &&
           (cookies->n_kept + cookies->n_new > IN_ALL_MAX ||
            cookies->n_fullest + cookies->n_new > OF_DOMAIN_MAX);
}

void stook__cookies_limit(struct stook__engine *engine, int exact)
{
    struct stook__cookies *cookies = engine->cookies;
    struct curl_slist *lines = NULL;
    size_t count = 0;
    if (cookies == NULL || !is_due(cookies, exact))
        return;
    CURL *curl = open_helper(engine);
    if (curl == NULL || stook__cookies_list(engine, &lines) != 0) {
        curl_easy_cleanup(curl);
        return;
    }
    for (const struct curl_slist *line = lines; line != NULL; line = line->next)
        count++;
    struct entry *entries = stook__alloc(engine->allocator, (count + 1) * sizeof *entries);
    if (entries != NULL) {
        count = fill(cookies, lines, entries);
        mark(cookies, entries, count);
        stook__free(engine->allocator, cookies->known);
        keep(cookies, entries, count, curl);
    }
    curl_slist_free_all(lines);
    curl_easy_cleanup(curl);
}

void stook__cookies_free(struct stook__engine *engine)
{
    struct stook__cookies *cookies = engine->cookies;
    if (cookies == NULL)
        return;
    if (cookies->share != NULL)
        curl_share_cleanup(cookies->share);
    stook__free(engine->allocator, cookies->known);
    stook__free(engine->allocator, cookies);
    engine->cookies = NULL;
}
