/* SPDX-License-Identifier: MIT */
/* What libcurl forgets of names; see names.h. */
#include "engine/names.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "engine/quirks.h"

enum { DOUBTS = 2 }; /* of one attempt */
static const int64_t KNOWN_US = 1000000; /* then libcurl knows it, or nobody needs it */

/* Host and port as CURLOPT_RESOLVE wants them, which is how the key ends; 0: this name cannot be written there. */
static int write_place(const struct stook__origin *origin, char *text, size_t room)
{
    const char *host = memchr(origin->key, ':', origin->node.key_size);
    if (host == NULL || origin->literal)
        return 0;
    host += 3;
    size_t size = origin->node.key_size - (size_t)(host - origin->key), name = 0;
    while (name < size && host[name] != ':') {
        int letter = host[name] >= 'a' && host[name] <= 'z';
        int digit = host[name] >= '0' && host[name] <= '9';
        if (!letter && !digit && host[name] != '-' && host[name] != '_' && host[name] != '.')
            return 0;
        name++;
    }
    if (name == 0 || host[name - 1] == '.')
        return 0;
    int length = snprintf(text, room, "%.*s", (int)size, host);
    return length > 0 && (size_t)length < room;
}

void stook__names_found(struct stook__slot *slot, const char *address)
{
    struct stook__origin *origin = slot->origin;
    char place[300];
    if (!slot->asked || !(slot->engine->quirks & STOOK__QUIRK_FORGETS_NAMES) || address == NULL)
        return;
    size_t size = strlen(address) + 1;
    /* A link-local address is none without its interface. */
    if (size > sizeof origin->found || strncasecmp(address, "fe80", 4) == 0 || !write_place(origin, place, sizeof place))
        return;
    memcpy(origin->found, address, size);
    origin->found_at = stook__engine_time(slot->engine);
}

int stook__names_known(const struct stook__origin *origin)
{
    return origin->found[0] != '\0' && stook__engine_time(origin->engine) - origin->found_at < KNOWN_US;
}

static void set(struct stook__slot *slot, const char *text)
{
    struct curl_slist *list = text != NULL ? curl_slist_append(NULL, text) : NULL;
    curl_easy_setopt(slot->easy, CURLOPT_RESOLVE, list);
    curl_slist_free_all(slot->told);
    slot->told = list;
}

void stook__names_tell(struct stook__slot *slot)
{
    struct stook__origin *origin = slot->origin;
    char place[300], text[360];
    if (slot->tells && stook__names_known(origin) && write_place(origin, place, sizeof place)) {
        snprintf(text, sizeof text, strchr(origin->found, ':') ? "+%s:[%s]" : "+%s:%s", place, origin->found);
        set(slot, text);
        origin->told = 1;
    } else if (origin->doubted && write_place(origin, place, sizeof place)) {
        snprintf(text, sizeof text, "-%s", place);
        set(slot, text);
        origin->doubted = 0;
    } else if (slot->told != NULL) {
        set(slot, NULL);
    }
    slot->relies = origin->told;
}

void stook__names_asked(struct stook__slot *slot)
{
    slot->asked = 1;
    slot->relies = 0;
    slot->origin->told = 0;
    slot->origin->found[0] = '\0';
}

int stook__names_doubt(struct stook__slot *slot)
{
    struct stook__origin *origin = slot->origin;
    if (!slot->relies || slot->doubts++ == DOUBTS)
        return 0;
    slot->relies = 0;
    origin->doubted = origin->told;
    origin->found[0] = '\0';
    return 1;
}
