/* SPDX-License-Identifier: MIT */
/* What libcurl forgets of names; see dns.h. */
#include "curl/dns.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "curl/quirks/quirks.h"

enum { DOUBTS = 2 };                     /* of one attempt */
static const int64_t KNOWN_US = 1000000; /* then libcurl knows it, or nobody needs it */

/* Host and port as CURLOPT_RESOLVE wants them, which is how the key ends; 0: this name cannot be written there. */
static int write_place(const struct stook__curl_origin *origin, char *text, size_t room)
{
    const char *host = memchr(origin->key, ':', origin->node.key_size);
    if (host == NULL || origin->literal)
        return 0;
    host += 3;
    size_t size = origin->node.key_size - (size_t)(host - origin->key), name = 0;
    while (name < size && host[name] != ':') {
        int message = host[name] >= 'a' && host[name] <= 'z';
        int digit = host[name] >= '0' && host[name] <= '9';
        if (!message && !digit && host[name] != '-' && host[name] != '_' && host[name] != '.')
            return 0;
        name++;
    }
    if (name == 0 || host[name - 1] == '.')
        return 0;
    int length = snprintf(text, room, "%.*s", (int)size, host);
    return length > 0 && (size_t)length < room;
}

void stook__dns_address_found(struct stook__easy *easy, const char *address)
{
    struct stook__curl_origin *origin = easy->origin;
    char place[300];
    if (!easy->asked || !(easy->engine->quirks & STOOK__QUIRK_DROPS_LOOKUPS) || address == NULL)
        return;
    size_t size = strlen(address) + 1;
    /* A link-local address is none without its interface. */
    if (size > sizeof origin->found || strncasecmp(address, "fe80", 4) == 0 ||
        !write_place(origin, place, sizeof place))
        return;
    memcpy(origin->found, address, size);
    origin->found_at = stook__engine_time(easy->engine);
}

int stook__dns_has_address(const struct stook__curl_origin *origin)
{
    return origin->found[0] != '\0' &&
           stook__engine_time(origin->engine) - origin->found_at < KNOWN_US;
}

static void set(struct stook__easy *easy, const char *text)
{
    struct curl_slist *list = text != NULL ? curl_slist_append(NULL, text) : NULL;
    curl_easy_setopt(easy->curl, CURLOPT_RESOLVE, list);
    curl_slist_free_all(easy->resolve_list);
    easy->resolve_list = list;
}

void stook__dns_set_address(struct stook__easy *easy)
{
    struct stook__curl_origin *origin = easy->origin;
    char place[300], text[360];
    if (easy->sets_address && stook__dns_has_address(origin) &&
        write_place(origin, place, sizeof place)) {
        snprintf(text, sizeof text, strchr(origin->found, ':') ? "+%s:[%s]" : "+%s:%s", place,
                 origin->found);
        set(easy, text);
        origin->resolve_list = 1;
    } else if (origin->to_forget && write_place(origin, place, sizeof place)) {
        snprintf(text, sizeof text, "-%s", place);
        set(easy, text);
        origin->to_forget = 0;
    } else if (easy->resolve_list != NULL) {
        set(easy, NULL);
    }
    easy->uses_address = origin->resolve_list;
}

void stook__dns_lookup_begins(struct stook__easy *easy)
{
    easy->asked = 1;
    easy->uses_address = 0;
    easy->origin->resolve_list = 0;
    easy->origin->found[0] = '\0';
}

int stook__dns_cached_address_failed(struct stook__easy *easy)
{
    struct stook__curl_origin *origin = easy->origin;
    if (!easy->uses_address || easy->address_failed++ == DOUBTS)
        return 0;
    easy->uses_address = 0;
    origin->to_forget = origin->resolve_list;
    origin->found[0] = '\0';
    return 1;
}
