/* SPDX-License-Identifier: MIT */
/* The defaults of a client: its trust, its header fields, what this libcurl supports; see
   defaults.h. */
#include "http/defaults.h"

#include <string.h>

#include "curl/engine.h"
#include "curl/quirks/quirks.h"
#include "curl/trust.h"
#include "http/attempt_state.h"
#include "http/peer.h"
#include "http/request_fields.h"

/* HTTP/2 is the default unless this version of libcurl has faults in it. */
static void find_versions(struct stook__defaults *defaults)
{
    const curl_version_info_data *info = curl_version_info(CURLVERSION_NOW);
    int has_2 = (info->features & CURL_VERSION_HTTP2) != 0;
    int weak = (stook__engine_quirks(defaults->engine) & STOOK__QUIRK_WEAK_HTTP_2) != 0;
    defaults->has_tls = (info->features & CURL_VERSION_SSL) != 0;
    defaults->has_https_proxy = (info->features & CURL_VERSION_HTTPS_PROXY) != 0;
    defaults->has_psl = (info->features & CURL_VERSION_PSL) != 0;
    /* Without a password OpenSSL would ask for one on the terminal. With one, even an empty one,
       GnuTLS takes every key for encrypted. */
    int gnutls = info->ssl_version != NULL && strncmp(info->ssl_version, "GnuTLS", 6) == 0;
    defaults->no_password = gnutls ? NULL : "";
    /* After a record that is no data, such as a session ticket, libcurl with GnuTLS waits for the
       socket, although the TLS to the proxy has the next record already: seen with 7.88. */
    defaults->has_tls_in_tls = defaults->has_https_proxy && !gnutls;
    defaults->versions[STOOK_HTTP_1_1] = CURL_HTTP_VERSION_1_1;
    defaults->versions[STOOK_HTTP_2] = has_2 ? CURL_HTTP_VERSION_2TLS : CURL_HTTP_VERSION_1_1;
    defaults->versions[STOOK_HTTP_3] =
        info->features & CURL_VERSION_HTTP3 ? CURL_HTTP_VERSION_3 : 0;
    defaults->versions[STOOK_HTTP_DEFAULT] =
        defaults->versions[weak ? STOOK_HTTP_1_1 : STOOK_HTTP_2];
}

/* Makes the trusts that most requests of the client have. Their references are dropped with the
   engine. */
static int make_trusts(struct stook__defaults *defaults, const struct stook__settings *settings)
{
    const char *const none[2] = {NULL, NULL};
    const char *const *proxies = settings->peer != NULL ? settings->peer->proxies : none;
    for (size_t i = 0; i < 3; i++) {
        const char *proxy = i > 0 ? proxies[i - 1] : NULL;
        if (i > 0 && (proxy == NULL || *proxy == '\0'))
            continue;
        struct stook__trust *trust = stook__peer_make_trust(defaults, settings, proxy, 0);
        if (trust == NULL)
            return STOOK_ENOMEM;
        stook__trust_ref(trust);
        defaults->trusts[i] = trust;
    }
    return 0;
}

int stook__defaults_new(struct stook__allocator *allocator, struct stook__engine *engine,
                        const struct stook__settings *settings,
                        struct stook__defaults **ret_defaults)
{
    struct stook__defaults *defaults = stook__alloc(allocator, sizeof *defaults);
    if (defaults == NULL)
        return STOOK_ENOMEM;
    defaults->allocator = allocator;
    defaults->engine = engine;
    defaults->settings = settings;
    stook__list_init(&defaults->downloads);
    stook__list_init(&defaults->files_ready);
    find_versions(defaults);
    int error = settings->cookies == 1 && !defaults->has_psl ? STOOK_EUNSUPPORTED : 0;
    if (error == 0)
        error = stook__request_fields_defaults(allocator, settings->user_agent, &defaults->agent,
                                               &defaults->headers);
    if (error == 0)
        error = make_trusts(defaults, settings);
    if (error != 0) {
        stook__defaults_free(defaults);
        return error;
    }
    *ret_defaults = defaults;
    return 0;
}

void stook__defaults_set_hook(struct stook__defaults *defaults,
                              int (*call)(void *client, void *owner, void *easy, const char *url),
                              void *client)
{
    defaults->call_easy = call;
    defaults->client = client;
}

void stook__defaults_set_retry_statuses(struct stook__defaults *defaults, const uint64_t *statuses)
{
    defaults->retry_statuses = statuses;
}

void stook__defaults_free(struct stook__defaults *defaults)
{
    if (defaults == NULL)
        return;
    curl_slist_free_all(defaults->headers);
    stook__free(defaults->allocator, defaults->agent);
    stook__free(defaults->allocator, defaults);
}
