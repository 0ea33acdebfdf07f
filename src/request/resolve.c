/* SPDX-License-Identifier: MIT */
/* Entries of `resolve`, and ranges of addresses; see resolve.h. */
#include "request/resolve.h"

#include <arpa/inet.h>
#include <string.h>
#include <strings.h>

#include <stook.h>

enum { RANGES_MAX = 1000 }; /* each connection is compared with all of them */

/* Returns the colon after the host, or NULL. */
static const char *parse_host(const char *text, struct stook__resolve *entry)
{
    const char *end;
    if (*text == '[') {
        end = strchr(++text, ']');
        if (end == NULL || end[1] != ':')
            return NULL;
        entry->host_size = (size_t)(end++ - text);
    } else {
        end = strchr(text, ':');
        if (end == NULL)
            return NULL;
        entry->host_size = (size_t)(end - text);
    }
    entry->host = text;
    for (size_t i = 0; i < entry->host_size; i++)
        if ((unsigned char)text[i] <= ' ' || text[i] == 0x7f || text[i] == '/')
            return NULL;
    return entry->host_size > 0 ? end : NULL;
}

/* Returns the colon after the port, or NULL. */
static const char *parse_port(const char *text, int *ret_port)
{
    int port = 0;
    for (; *text >= '0' && *text <= '9'; text++) {
        port = port * 10 + (*text - '0');
        if (port > 65535)
            return NULL;
    }
    *ret_port = port;
    return port > 0 && *text == ':' ? text : NULL;
}

static int parse_address(const char *text, struct stook__resolve *entry)
{
    char number[64];
    unsigned char bytes[16];
    size_t size = strlen(text);
    if (size > 1 && text[0] == '[' && text[size - 1] == ']') {
        text++;
        size -= 2;
    }
    if (size >= sizeof number)
        return 0;
    memcpy(number, text, size);
    number[size] = '\0';
    entry->address = text;
    entry->address_size = size;
    entry->is_ipv6 = inet_pton(AF_INET6, number, bytes) == 1;
    return entry->is_ipv6 || inet_pton(AF_INET, number, bytes) == 1;
}

int stook__resolve_parse(const char *text, struct stook__resolve *ret_entry)
{
    const char *at = parse_host(text, ret_entry);
    if (at != NULL)
        at = parse_port(at + 1, &ret_entry->port);
    return at != NULL && parse_address(at + 1, ret_entry);
}

int stook__resolve_find(const char *list, const char *host, int port,
                        struct stook__resolve *ret_entry)
{
    size_t size = strlen(host);
    for (; list != NULL && *list != '\0'; list += strlen(list) + 1)
        if (stook__resolve_parse(list, ret_entry) && ret_entry->port == port &&
            ret_entry->host_size == size && strncasecmp(ret_entry->host, host, size) == 0)
            return 1;
    return 0;
}

int stook__addresses_validate(const char *const *list)
{
    struct stook__cidr range;
    size_t count = 0;
    for (; list != NULL && *list != NULL; list++)
        if (count++ == RANGES_MAX || !stook__cidr_parse(*list, &range))
            return STOOK_EARG;
    return 0;
}

struct stook__cidrs stook__addresses_pack(struct stook__pack *pack, const char *const *list)
{
    size_t count = 0;
    while (list != NULL && list[count] != NULL)
        count++;
    struct stook__cidr *ranges = stook__pack_reserve(pack, count * sizeof *ranges);
    if (ranges == NULL)
        return (struct stook__cidrs){0};
    for (size_t i = 0; i < count; i++)
        stook__cidr_parse(list[i], &ranges[i]);
    return (struct stook__cidrs){ranges, count};
}
