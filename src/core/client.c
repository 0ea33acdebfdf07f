/* SPDX-License-Identifier: MIT */
/* Makes clients and changes them; see client.h. */
#include "core/client.h"

#include <string.h>

#include "core/client_state.h"
#include "core/turn.h"
#include "curl/engine.h"
#include "http/cookie_file.h"
#include "http/defaults.h"
#include "loop/loop.h"
#include "request/headers.h"
#include "request/resolve.h"
#include "sched/gate.h"
#include "sched/target.h"

/* ------------------------------------------------------------------------------------- making */

static void free_parts(stook_client *client)
{
    struct stook__allocator *allocator = client->allocator;
    stook__mailbox_unref(client->mailbox);
    stook__sched_free(&client->sched);
    stook__engine_free(client->engine);
    stook__defaults_free(client->defaults);
    stook__free(allocator, client);
    stook__allocator_unref(allocator);
}

/* Asks the program whether an address may be connected to. This is the only callback of the program
   that runs inside libcurl, maybe outside of a turn. `turning` keeps it from running the loop. */
static int ask_program(void *owner, const struct stook_address *address)
{
    stook_client *client = owner;
    int turning = client->turning;
    client->turning = 1;
    int refused = stook__call_address(client->on_address, address, client->on_address_user);
    client->turning = turning;
    return refused;
}

/* Copies the strings of the options. Runs twice: to measure and to copy. */
static void pack(struct stook__pack *pack, const struct stook__client_input *input,
                 struct stook__settings *settings, struct stook__peer *peer,
                 struct stook__address_rules *rules)
{
    settings->ca_file = stook__pack_text(pack, input->settings.ca_file);
    settings->user_agent = stook__pack_text(pack, input->settings.user_agent);
    settings->redirect_headers = stook__redirect_headers_pack(pack, input->redirect_headers);
    if (stook__peer_is_given(&input->peer))
        stook__peer_pack(peer, pack, &input->peer, NULL);
    rules->allow = stook__addresses_pack(pack, input->allow_addresses);
    rules->deny = stook__addresses_pack(pack, input->deny_addresses);
}

/* Allocates a client with copies of the strings of its options in the same block. */
static stook_client *make(struct stook__allocator *allocator,
                          const struct stook__client_input *input)
{
    struct stook__pack strings = {NULL, 0};
    struct stook__settings unused;
    struct stook__peer peer;
    struct stook__address_rules rules;
    pack(&strings, input, &unused, &peer, &rules);
    stook_client *client = stook__alloc(allocator, sizeof *client + strings.size);
    if (client == NULL)
        return NULL;
    strings.at = (char *)(client + 1);
    client->allocator = allocator;
    client->settings = input->settings;
    pack(&strings, input, &client->settings, &client->peer, &client->address_rules);
    if (input->on_address != NULL) {
        client->address_rules.ask = ask_program;
        client->address_rules.owner = client;
        client->on_address = input->on_address;
        client->on_address_user = input->on_address_user;
    }
    client->on_easy = input->on_easy;
    if (stook__peer_is_given(&input->peer))
        client->settings.peer = &client->peer;
    client->fork_generation = stook__fork_generation();
    stook__origins_init(&client->origins, allocator);
    stook__sched_init(&client->sched, allocator);
    stook__sched_set_limit(&client->sched, input->limit);
    stook__sched_set_origin_limit(&client->sched, input->origin_limit);
    stook__list_init(&client->result_queues);
    stook__list_init(&client->shares_due);
    stook__list_init(&client->batches);
    stook__list_init(&client->dirty_batches);
    stook__list_init(&client->newly_paused);
    return client;
}

/* What the room of the attempts calls up. */
static int call_easy(void *client, void *owner, void *easy, const char *url)
{
    stook_client *caller = client;
    const struct stook_result *record = owner;
    return stook__call_easy(caller->on_easy, caller, easy, url, record->user);
}

/* Makes the parts of a client. The loop is last, because handles on a borrowed loop cannot be
   closed at once when a later part fails. */
static int make_parts(stook_client *client, const struct stook__client_input *input,
                      struct uv_loop_s *loop)
{
    struct stook__flow_rules rules = input->rules;
    memcpy(client->rates, input->rates, sizeof client->rates);
    rules.rates = rules.rates != NULL ? client->rates : NULL;
    for (size_t i = 0; i < rules.n_by_origin + rules.n_by_client + rules.n_by_key; i++)
        client->charges |= client->rates[i].of == STOOK_RATE_OF_COST;
    /* The jitter of two clients differs: they begin at different times, or at other addresses. */
    uint64_t seed = (uint64_t)stook__loop_now() ^ (uint64_t)(uintptr_t)client << 16;
    client->mailbox = stook__mailbox_new(client->allocator);
    if (client->mailbox == NULL || stook__targets_set_rules(&client->sched, &rules, seed) != 0)
        return STOOK_ENOMEM;
    int error = stook__engine_new(client->allocator, &client->engine);
    if (error == 0)
        error = stook__defaults_new(client->allocator, client->engine, &client->settings,
                                    &client->defaults);
    if (error == 0)
        error =
            stook__loop_new(client->allocator, loop, &stook__turn_events, client, &client->loop);
    if (error != 0)
        return error;
    client->owned = loop == NULL;
    stook__defaults_set_retry_statuses(client->defaults, client->sched.rules.retry_statuses);
    stook__engine_set_address_rules(client->engine, &client->address_rules);
    if (client->on_easy != NULL)
        stook__defaults_set_hook(client->defaults, call_easy, client);
    stook__engine_open(client->engine, client->loop);
    stook__mailbox_open(client->mailbox, client->loop);
    return 0;
}

int stook__client_new(struct uv_loop_s *loop, const struct stook__client_input *input,
                      stook_client **ret_client)
{
    struct stook__allocator *allocator = stook__allocator_new(input->allocator);
    if (allocator == NULL)
        return STOOK_ENOMEM;
    stook_client *client = make(allocator, input);
    if (client == NULL) {
        stook__allocator_unref(allocator);
        return STOOK_ENOMEM;
    }
    int error = make_parts(client, input, loop);
    if (error != 0)
        free_parts(client);
    else
        *ret_client = client;
    return error;
}

/* ------------------------------------------------------------------------------- while it lives */

int stook__client_post(stook_client *client, void (*call)(stook_client *client, void *user),
                       void *user)
{
    if (stook__client_is_forked(client))
        return STOOK_ESTATE;
    struct stook__message *message = stook__alloc(client->allocator, sizeof *message);
    if (message == NULL)
        return STOOK_ENOMEM;
    stook__list_init(&message->link);
    message->call = call;
    message->user = user;
    int error = stook__mailbox_post(client->mailbox, message);
    if (error != 0)
        stook__free(client->allocator, message);
    return error;
}

void stook__client_wake(stook_client *client)
{
    if (!stook__client_is_forked(client))
        stook__mailbox_wake(client->mailbox);
}

/* A file that blocks would block the callers of the callback too. */
static int may_use_files(const stook_client *client)
{
    return stook__client_is_usable(client) && !client->turning;
}

int stook__client_load_cookies(stook_client *client, const char *path)
{
    return may_use_files(client) ? stook__cookie_file_load(client->defaults, path) : STOOK_ESTATE;
}

int stook__client_save_cookies(stook_client *client, const char *path)
{
    return may_use_files(client) ? stook__cookie_file_save(client->defaults, path) : STOOK_ESTATE;
}

/* Asks for a turn, because a higher limit may allow a request to start. */
static void request_turn(stook_client *client)
{
    if (!client->turning)
        stook__loop_request_turn(client->loop);
}

int stook__client_set_limit(stook_client *client, size_t limit)
{
    if (!stook__client_is_usable(client))
        return STOOK_ESTATE;
    stook__sched_set_limit(&client->sched, limit);
    request_turn(client);
    return 0;
}

int stook__client_set_origin_limit(stook_client *client, size_t limit)
{
    if (!stook__client_is_usable(client))
        return STOOK_ESTATE;
    stook__sched_set_origin_limit(&client->sched, limit);
    request_turn(client);
    return 0;
}

int stook__client_charge(stook_client *client, const stook_result *result, int64_t actual_cost)
{
    if (!stook__client_is_usable(client))
        return STOOK_ESTATE;
    if (result->allocator != client->allocator)
        return STOOK_EARG;
    struct stook__history *history =
        result->state == STOOK__REQUEST_FINISHED ? result->spec.history : NULL;
    if (history == NULL || history->taken < 0)
        return STOOK_ESTATE;
    struct stook__origin *origin =
        stook__origin_get(&client->origins, history->origin_key, strlen(history->origin_key));
    struct stook__target *target =
        origin != NULL ? stook__target_hold(&client->sched, origin, history->rate_key) : NULL;
    if (target != NULL) {
        stook__gates_charge(&client->sched, target, actual_cost - history->taken,
                            history->taken_at);
        stook__target_release(&client->sched, target);
    }
    if (origin != NULL)
        stook__origin_unref(origin);
    if (target == NULL)
        return STOOK_ENOMEM;
    history->taken = -1;
    if (!client->turning)
        stook__turn_ask(client);
    return 0;
}
