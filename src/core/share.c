/* SPDX-License-Identifier: MIT */
/* One response for many equal requests; see share.h. */
#include "core/share.h"

#include <string.h>

#include "core/client_state.h"
#include "core/record.h"
#include "loop/loop.h"
#include "sched/sched.h"
#include "util/buffer.h"

enum share_state { WAITING, FLYING, SERVING };

struct stook__share {
    struct stook__node node; /* in `shares` of the client; by the key and, if WAITING, the batch */
    struct stook__link link; /* SERVING: in `shares_due` of the client */
    struct stook__link followers;
    struct stook_result *sender; /* SERVING: with a reference */
    stook_client *client;        /* NULL: it is closed */
    enum share_state state;
    size_t key_size;
    char key[]; /* the batch, or NULL; then what makes requests equal */
};

/* ------------------------------------------------------------------------------------- the key */

static int put(struct stook__buffer *key, struct stook__allocator *allocator, const void *bytes,
               size_t size)
{
    return stook__buffer_append(key, allocator, bytes, size);
}

/* Whether there is a value, and its bytes. */
static int put_value(struct stook__buffer *key, struct stook__allocator *allocator,
                     const char *value, size_t size)
{
    if (put(key, allocator, value != NULL ? "+" : "-", 1) != 0)
        return STOOK_ENOMEM;
    return value != NULL ? put(key, allocator, value, size) : 0;
}

static int put_text(struct stook__buffer *key, struct stook__allocator *allocator, const char *text)
{
    return put_value(key, allocator, text, text != NULL ? strlen(text) + 1 : 0);
}

/* Strings in sequence, ended by an empty one. */
static int put_list(struct stook__buffer *key, struct stook__allocator *allocator, const char *list)
{
    const char *end = list;
    while (end != NULL && *end != '\0')
        end += strlen(end) + 1;
    return put_value(key, allocator, list, list != NULL ? (size_t)(end - list) + 1 : 0);
}

static int put_peer(struct stook__buffer *key, struct stook__allocator *allocator,
                    const struct stook__peer *peer)
{
    const char *const texts[] = {peer->ca_data,      peer->client_cert, peer->client_key,
                                 peer->key_password, peer->pinned_key,  peer->proxies[0],
                                 peer->proxies[1]};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        if (put_text(key, allocator, texts[i]) != 0)
            return STOOK_ENOMEM;
    return put_list(key, allocator, peer->resolve);
}

/* Numbers and switches, byte by byte. Their pointers are of the client, or written out. */
static int put_settings(struct stook__buffer *key, struct stook__allocator *allocator,
                        const struct stook__settings *settings)
{
    struct stook__settings mine = *settings;
    mine.ca_file = NULL;
    mine.peer = NULL;
    if (put(key, allocator, &mine, sizeof mine) != 0)
        return STOOK_ENOMEM;
    return put_text(key, allocator, settings->ca_file);
}

/* Method and header fields, as they were given, in their order. */
static int put_fields(struct stook__buffer *key, struct stook__allocator *allocator,
                      const struct stook__spec *spec)
{
    if (put_text(key, allocator, stook__spec_effective_method(spec)) != 0)
        return STOOK_ENOMEM;
    return put_list(key, allocator, stook__spec_headers(spec));
}

static int put_optional(struct stook__buffer *key, struct stook__allocator *allocator,
                        const struct stook__optional *optional)
{
    const char *const texts[] = {optional->unix_socket, optional->rate_key, optional->username,
                                 optional->password, optional->sha256};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        if (put_text(key, allocator, texts[i]) != 0)
            return STOOK_ENOMEM;
    if (put_list(key, allocator, optional->redirect_headers) != 0)
        return STOOK_ENOMEM;
    return put_peer(key, allocator, &optional->peer);
}

/* What makes two requests equal: all that decides what is sent, where, and how the response is
   judged. 0 or STOOK_ENOMEM. */
static int make_key(struct stook__allocator *allocator, const struct stook_result *record,
                    const stook_batch *batch, struct stook__buffer *ret_key)
{
    const struct stook__spec *spec = &record->spec;
    if (put(ret_key, allocator, &batch, sizeof batch) == 0 &&
        put_text(ret_key, allocator, spec->url) == 0 && put_fields(ret_key, allocator, spec) == 0 &&
        put_settings(ret_key, allocator, record->job.settings) == 0 &&
        put_optional(ret_key, allocator, spec->optional) == 0)
        return 0;
    stook__buffer_free(ret_key, allocator);
    return STOOK_ENOMEM;
}

/* ----------------------------------------------------------------------------------- the table */

/* `prefix`: the batch of a WAITING sender, or NULL. */
static struct stook__share *find(const stook_client *client, char *key, size_t size,
                                 const stook_batch *prefix)
{
    memcpy(key, &prefix, sizeof prefix);
    struct stook__node *node =
        stook__map_find(&client->shares, stook__map_hash(key, size), key, size);
    return node != NULL ? STOOK__OF(struct stook__share, node, node) : NULL;
}

static int enter(stook_client *client, struct stook__share *share, const stook_batch *prefix)
{
    memcpy(share->key, &prefix, sizeof prefix);
    share->node = (struct stook__node){NULL, stook__map_hash(share->key, share->key_size),
                                       share->key, share->key_size};
    return stook__map_add(&client->shares, client->allocator, &share->node);
}

static void leave_table(struct stook__share *share)
{
    if (share->client != NULL && share->state != SERVING)
        stook__map_remove(&share->client->shares, &share->node);
}

/* Makes a sender. NULL: out of memory. */
static struct stook__share *send_for(stook_client *client, struct stook_result *record,
                                     const struct stook__buffer *key, const stook_batch *prefix)
{
    struct stook__share *share = stook__alloc(client->allocator, sizeof *share + key->size);
    if (share == NULL)
        return NULL;
    memcpy(share->key, key->data, key->size);
    share->key_size = key->size;
    share->client = client;
    share->sender = record;
    share->state = prefix != NULL ? WAITING : FLYING;
    stook__list_init(&share->link);
    stook__list_init(&share->followers);
    if (enter(client, share, prefix) != 0) {
        stook__free(client->allocator, share);
        return NULL;
    }
    record->spec.optional->share = share;
    return share;
}

static struct stook_result *follower_of(struct stook__link *link)
{
    return STOOK__OF(struct stook__optional, sharing, link)->record;
}

static void follow(struct stook__share *share, struct stook_result *record)
{
    struct stook__optional *optional = record->spec.optional;
    optional->share = share;
    optional->record = record;
    stook__list_append(&share->followers, &optional->sharing);
}

static int is_sender(const struct stook_result *record)
{
    const struct stook__share *share = record->spec.optional->share;
    return share != NULL && share->sender == record;
}

/* ------------------------------------------------------------------------------ adds and starts */

static int coalesces(const struct stook_result *record)
{
    return record->job.settings->coalesce == 1 && record->error == 0;
}

void stook__share_added(stook_client *client, stook_batch *batch, struct stook_result *record)
{
    struct stook__buffer key = {0};
    if (!coalesces(record) || make_key(client->allocator, record, batch, &key) != 0)
        return;
    /* Before the await nothing has a result: only then it joins a request of another batch. */
    struct stook__share *share =
        batch->state == STOOK__AWAITED ? find(client, key.data, key.size, NULL) : NULL;
    if (share == NULL)
        share = find(client, key.data, key.size, batch);
    if (share != NULL) {
        follow(share, record);
        stook__sched_hold(&client->sched, &record->job);
    } else {
        (void)send_for(client, record, &key, batch);
    }
    stook__buffer_free(&key, client->allocator);
}

/* Makes a sender that was WAITING, and its followers, follow another one. */
static void join(struct stook__share *share, struct stook_result *record)
{
    struct stook__share *own = record->spec.optional->share;
    struct stook__link *link;
    if (own != NULL) {
        leave_table(own);
        while ((link = stook__list_pop(&own->followers)) != NULL)
            follow(share, follower_of(link));
        stook__free(share->client->allocator, own);
    }
    follow(share, record);
}

int stook__share_starts(stook_client *client, struct stook_result *record)
{
    struct stook__buffer key = {0};
    struct stook__share *own = coalesces(record) ? record->spec.optional->share : NULL;
    if (!coalesces(record) || (own != NULL && own->state == FLYING))
        return 0; /* its next attempt, or its next hop */
    if (own != NULL ? stook__buffer_append(&key, client->allocator, own->key, own->key_size) != 0
                    : make_key(client->allocator, record, NULL, &key) != 0)
        return 0;
    struct stook__share *share = find(client, key.data, key.size, NULL);
    if (share != NULL) {
        join(share, record);
    } else if (own == NULL) {
        (void)send_for(client, record, &key, NULL);
    } else {
        leave_table(own);
        own->state = FLYING;
        if (enter(client, own, NULL) != 0)
            own->client = NULL; /* no other request finds it */
    }
    stook__buffer_free(&key, client->allocator);
    return share != NULL;
}

/* ----------------------------------------------------------------------------------------- ends */

/* Whether an end is the sender's own, and says nothing to its followers. */
static int is_of_one(int error)
{
    return error == STOOK_ECANCELLED || error == STOOK_ECLOSED || error == STOOK_ETIMEOUT_BATCH ||
           error == STOOK_ETIMEOUT_QUEUE || error == STOOK_ETIMEOUT_TOTAL;
}

/* Sends the followers back to their queues. While the sender was in flight their queue clocks stood
   still; if it was never sent, they have waited in the queue as it has. */
static void release(stook_client *client, struct stook__share *share)
{
    int64_t since = share->state == FLYING ? stook__loop_now() : 0;
    struct stook__link *link;
    while ((link = stook__list_pop(&share->followers)) != NULL) {
        struct stook_result *record = follower_of(link);
        record->spec.optional->share = NULL;
        stook__sched_unhold(&client->sched, &record->job, since);
    }
}

void stook__share_ends(stook_client *client, struct stook_result *record, int error)
{
    struct stook__optional *optional = record->spec.optional;
    struct stook__share *share = optional != NULL ? optional->share : NULL;
    if (share == NULL)
        return;
    optional->share = NULL;
    if (share->sender != record || share->state == SERVING) {
        stook__list_remove(&optional->sharing);
        return;
    }
    leave_table(share);
    share->sender = NULL;
    if (is_of_one(error))
        release(client, share);
    if (stook__list_empty(&share->followers)) {
        stook__free(client->allocator, share);
        return;
    }
    share->state = SERVING;
    share->sender = record;
    stook__record_ref(record);
    stook__list_append(&client->shares_due, &share->link);
}

int stook__share_is_due(const stook_client *client)
{
    return !stook__list_empty(&client->shares_due);
}

struct stook_result *stook__share_next(stook_client *client, struct stook_result **ret_sender)
{
    while (stook__share_is_due(client)) {
        struct stook__share *share = STOOK__OF(struct stook__share, link, client->shares_due.next);
        struct stook__link *link = stook__list_pop(&share->followers);
        if (link != NULL) {
            struct stook_result *record = follower_of(link);
            record->spec.optional->share = NULL;
            *ret_sender = share->sender;
            return record;
        }
        stook__list_remove(&share->link);
        stook__record_drop(share->sender);
        stook__free(client->allocator, share);
    }
    return NULL;
}

void stook__share_leave(struct stook_result *record)
{
    struct stook__optional *optional = record->spec.optional;
    struct stook__share *share = optional != NULL ? optional->share : NULL;
    struct stook__link *link;
    if (share == NULL)
        return;
    if (!is_sender(record)) {
        stook__list_remove(&optional->sharing);
        optional->share = NULL;
        return;
    }
    leave_table(share);
    while ((link = stook__list_pop(&share->followers)) != NULL)
        follower_of(link)->spec.optional->share = NULL;
    stook__free(record->allocator, share);
    optional->share = NULL;
}

void stook__share_close(stook_client *client)
{
    struct stook__node *node;
    while ((node = stook__map_next(&client->shares, NULL)) != NULL) {
        STOOK__OF(struct stook__share, node, node)->client = NULL;
        stook__map_remove(&client->shares, node);
    }
    stook__map_free(&client->shares, client->allocator);
}
