/* SPDX-License-Identifier: MIT */
/* Adds addresses to libcurl's DNS cache, and removes them; see dropped_lookups.h. */
#include "curl/quirks/dropped_lookups.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "curl/easy_state.h"
#include "curl/engine_state.h"
#include "curl/origin.h"
#include "curl/quirks/quirks.h"
#include "loop/loop.h"

enum { FAILURES_MAX = 2 }; /* cached addresses that may fail in one attempt */

/* An address is offered that long. Later either libcurl has cached it, or nothing needs it. */
static const int64_t FOUND_US = 1000000;

/* Writes "host:port", with which the origin's key ends, as CURLOPT_RESOLVE needs it. Returns 0 if
   the origin needs no look-up, if the address is that of a proxy, or if its host contains a byte
   that the option does not take. */
static int write_host(const struct stook__curl_origin *origin, char *text, size_t capacity)
{
    const char *host = memchr(origin->node.key, ':', origin->node.key_size);
    if (host == NULL || origin->literal || origin->proxied)
        return 0;
    host += 3;
    size_t size = origin->node.key_size - (size_t)(host - origin->node.key), name = 0;
    while (name < size && host[name] != ':') {
        int alpha = host[name] >= 'a' && host[name] <= 'z';
        int digit = host[name] >= '0' && host[name] <= '9';
        if (!alpha && !digit && host[name] != '-' && host[name] != '_' && host[name] != '.')
            return 0;
        name++;
    }
    if (name == 0 || host[name - 1] == '.')
        return 0;
    int length = snprintf(text, capacity, "%.*s", (int)size, host);
    return length > 0 && (size_t)length < capacity;
}

void stook__dropped_lookup_address_found(struct stook__easy *easy, const char *address)
{
    struct stook__curl_origin *origin = easy->origin;
    char host_port[300];
    if (easy->lookup_at == 0 || !(easy->engine->quirks & STOOK__QUIRK_DROPS_LOOKUPS) ||
        address == NULL)
        return;
    size_t size = strlen(address) + 1;
    /* A link-local address (RFC 4291 2.5.6) needs an interface, which is not in the text. */
    if (size > sizeof origin->found || strncasecmp(address, "fe80", 4) == 0 ||
        !write_host(origin, host_port, sizeof host_port))
        return;
    memcpy(origin->found, address, size);
    origin->found_at = stook__loop_cached(easy->engine->loop);
}

int stook__dropped_lookup_has_address(const struct stook__curl_origin *origin)
{
    return origin->found[0] != '\0' &&
           stook__loop_cached(origin->engine->loop) - origin->found_at < FOUND_US;
}

/* libcurl keeps a pointer to the list, so the old one is freed after the new one is set. */
static void set_resolve_list(struct stook__easy *easy, const char *text)
{
    struct curl_slist *list = text != NULL ? curl_slist_append(NULL, text) : NULL;
    curl_easy_setopt(easy->curl, CURLOPT_RESOLVE, list);
    curl_slist_free_all(easy->resolve_list);
    easy->resolve_list = list;
}

void stook__dropped_lookup_set_address(struct stook__easy *easy)
{
    struct stook__curl_origin *origin = easy->origin;
    char host_port[300], text[360];
    if (easy->sets_address && stook__dropped_lookup_has_address(origin) &&
        write_host(origin, host_port, sizeof host_port)) {
        snprintf(text, sizeof text, strchr(origin->found, ':') ? "+%s:[%s]" : "+%s:%s", host_port,
                 origin->found);
        set_resolve_list(easy, text);
        origin->dns_entry = STOOK__DNS_ENTRY_ADDED;
    } else if (origin->dns_entry == STOOK__DNS_ENTRY_FAILED &&
               write_host(origin, host_port, sizeof host_port)) {
        snprintf(text, sizeof text, "-%s", host_port);
        set_resolve_list(easy, text);
        /* Until the look-up shows that it is gone: others may start before this one. */
        origin->dns_entry = STOOK__DNS_ENTRY_ADDED;
    } else if (easy->resolve_list != NULL) {
        set_resolve_list(easy, NULL);
    }
    easy->uses_address = origin->dns_entry != STOOK__DNS_ENTRY_NONE;
}

void stook__dropped_lookup_lookup_begins(struct stook__easy *easy)
{
    easy->uses_address = 0;
    easy->origin->dns_entry = STOOK__DNS_ENTRY_NONE;
    easy->origin->found[0] = '\0';
}

int stook__dropped_lookup_cached_address_failed(struct stook__easy *easy)
{
    struct stook__curl_origin *origin = easy->origin;
    if (!easy->uses_address || easy->address_failed++ == FAILURES_MAX)
        return 0;
    easy->uses_address = 0;
    if (origin->dns_entry == STOOK__DNS_ENTRY_ADDED)
        origin->dns_entry = STOOK__DNS_ENTRY_FAILED;
    origin->found[0] = '\0';
    return 1;
}
