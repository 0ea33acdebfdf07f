/* SPDX-License-Identifier: MIT */
/* Public functions of stook/client.h: making a client, running its loop, posting, draining,
   closing. */
#include "core/client.h"
#include "core/client_run.h"
#include "core/shutdown.h"
#include "request/headers.h"
#include "request/proxy.h"
#include "request/resolve.h"
#include "request/validate.h"

/* Checks the options of a client. 0, STOOK_EARG or STOOK_EUNSUPPORTED. */
static int validate(const struct stook_client_options *options, struct stook__client_input *input)
{
    struct stook_client_options mine;
    const char *why; /* a client has no message */
    int64_t from_env;
    int error = stook__validate_struct(&mine, sizeof mine, options);
    if (error == 0)
        error = stook__settings_from(&mine, &input->settings);
    if (error == 0)
        error = stook__flow_rules_from(&mine, &input->rules, input->rates);
    if (error != 0)
        return error;
    input->peer = (struct stook__peer_input){
        .ca_file = mine.ca_file,
        .peer = {.ca_data = mine.ca_data,
                 .client_cert = mine.client_cert,
                 .client_key = mine.client_key,
                 .key_password = mine.key_password,
                 .pinned_key = mine.pinned_key,
                 .proxies = {mine.proxy, mine.proxy},
                 .no_proxy = mine.no_proxy},
        .resolve = mine.resolve,
    };
    if (stook__validate_number(mine.proxy_from_env, 0, 1, 1, &from_env) != 0)
        return STOOK_EARG;
    if (from_env == 1)
        input->peer.from_env = stook__proxy_from_env(&input->peer.peer);
    input->on_easy = mine.on_easy;
    input->redirect_headers = mine.redirect_headers;
    input->allow_addresses = mine.allow_addresses;
    input->deny_addresses = mine.deny_addresses;
    input->on_address = mine.on_address;
    input->on_address_user = mine.on_address_user;
    input->allocator = mine.allocator;
    if (stook__peer_validate(&input->peer, &why) != 0 ||
        stook__redirect_headers_validate(mine.redirect_headers, &why) != 0 ||
        stook__addresses_validate(mine.allow_addresses) != 0 ||
        stook__addresses_validate(mine.deny_addresses) != 0 ||
        stook__validate_limit(mine.limit, &input->limit) != 0 ||
        stook__validate_limit(input->rules.adaptive ? STOOK_NONE : mine.origin_limit,
                              &input->origin_limit) != 0 ||
        (mine.allocator != NULL &&
         (mine.allocator->resize == NULL || mine.allocator->release == NULL)))
        return STOOK_EARG;
    return 0;
}

int stook_client_new(struct uv_loop_s *loop, const struct stook_client_options *options,
                     stook_client **ret_client)
{
    struct stook__client_input input;
    if (ret_client == NULL)
        return STOOK_EARG;
    int error = validate(options, &input);
    return error != 0 ? error : stook__client_new(loop, &input, ret_client);
}

int stook_client_run(stook_client *client)
{
    return client != NULL ? stook__client_run(client) : STOOK_EARG;
}

int stook_client_post(stook_client *client, void (*call)(stook_client *client, void *user),
                      void *user)
{
    return client != NULL && call != NULL ? stook__client_post(client, call, user) : STOOK_EARG;
}

int stook_client_cookies_load(stook_client *client, const char *path)
{
    return client != NULL && path != NULL && *path != '\0'
               ? stook__client_load_cookies(client, path)
               : STOOK_EARG;
}

int stook_client_cookies_save(stook_client *client, const char *path)
{
    return client != NULL && path != NULL && *path != '\0'
               ? stook__client_save_cookies(client, path)
               : STOOK_EARG;
}

void stook_client_close(stook_client *client, void (*closed)(void *user), void *user)
{
    if (client != NULL)
        stook__client_close(client, closed, user);
}

int stook_client_drain(stook_client *client, int64_t timeout_ms, void (*closed)(void *user),
                       void *user)
{
    if (client == NULL || !stook__validate_timeout(timeout_ms))
        return STOOK_EARG;
    return stook__shutdown_drain(client, timeout_ms, closed, user);
}

/* ---------------------------------------------------- an owned loop inside another loop */

int stook_client_turn(stook_client *client, int64_t timeout_ms)
{
    int error = client != NULL ? stook__client_check_owned(client) : STOOK_EARG;
    if (error == 0 && !stook__validate_timeout(timeout_ms))
        error = STOOK_EARG;
    return error != 0 ? error : stook__client_pass(client, timeout_ms);
}

int stook_client_fd(const stook_client *client)
{
    return client != NULL ? stook__client_fd(client) : STOOK_EARG;
}

int64_t stook_client_timeout_ms(const stook_client *client)
{
    return client != NULL ? stook__client_timeout_ms(client) : STOOK_EARG;
}

void stook_client_wake(stook_client *client)
{
    if (client != NULL)
        stook__client_wake(client);
}
