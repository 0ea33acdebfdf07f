/* SPDX-License-Identifier: MIT */
/* What most attempts of a client have in common; see usual.h. */
#include "transfer/usual.h"

#include <string.h>

#include "engine/quirks.h"
#include "engine/trust.h"
#include "transfer/fields.h"
#include "transfer/parts.h"

/* HTTP/2 is the default where libcurl's is sound. */
static void find_versions(struct stook__usual *usual)
{
    const curl_version_info_data *info = curl_version_info(CURLVERSION_NOW);
    int has_2 = (info->features & CURL_VERSION_HTTP2) != 0;
    int weak = (stook__engine_quirks(usual->engine) & STOOK__QUIRK_WEAK_HTTP_2) != 0;
    usual->has_tls = (info->features & CURL_VERSION_SSL) != 0;
    /* Without one OpenSSL would ask on the terminal; with one GnuTLS takes every key for encrypted. */
    usual->no_password = info->ssl_version != NULL && strncmp(info->ssl_version, "GnuTLS", 6) == 0 ? NULL : "";
    usual->versions[STOOK_HTTP_1_1] = CURL_HTTP_VERSION_1_1;
    usual->versions[STOOK_HTTP_2] = has_2 ? CURL_HTTP_VERSION_2TLS : CURL_HTTP_VERSION_1_1;
    usual->versions[STOOK_HTTP_3] = info->features & CURL_VERSION_HTTP3 ? CURL_HTTP_VERSION_3 : 0;
    usual->versions[STOOK_HTTP_DEFAULT] = usual->versions[weak ? STOOK_HTTP_1_1 : STOOK_HTTP_2];
}

int stook__usual_new(struct stook__heap *heap, struct stook__engine *engine, const struct stook__policy *policy,
                     struct stook__usual **ret_usual)
{
    struct stook__usual *usual = stook__alloc(heap, sizeof *usual);
    if (usual == NULL)
        return STOOK_ENOMEM;
    usual->heap = heap;
    usual->engine = engine;
    usual->policy = policy;
    stook__list_init(&usual->outfiles);
    stook__list_init(&usual->file_news);
    find_versions(usual);
    int error = stook__fields_usual(heap, policy->user_agent, &usual->agent, &usual->headers);
    if (error == 0) {
        usual->trust = stook__peer_trust(usual, policy);
        error = usual->trust != NULL ? 0 : STOOK_ENOMEM;
    }
    if (error != 0) {
        stook__usual_free(usual);
        return error;
    }
    stook__trust_hold(usual->trust);
    *ret_usual = usual;
    return 0;
}

void stook__usual_free(struct stook__usual *usual)
{
    if (usual == NULL)
        return;
    curl_slist_free_all(usual->headers);
    stook__free(usual->heap, usual->agent);
    stook__free(usual->heap, usual);
}
