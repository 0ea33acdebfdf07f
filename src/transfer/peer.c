/* SPDX-License-Identifier: MIT */
/* Where a request connects to and who is there, if that is not what its URL and libcurl would say. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "transfer/parts.h"
#include "transfer/resolve.h"

static const char *unix_socket(const struct stook__attempt *attempt)
{
    return attempt->spec->extra != NULL ? attempt->spec->extra->unix_socket : NULL;
}

/* 1: the host of the URL was said to be elsewhere. */
static int find_place(struct stook__attempt *attempt, struct stook__resolve *ret_place)
{
    CURLU *url = stook__slot_kit(attempt->slot)->url;
    const struct stook__peer *peer = attempt->policy->peer;
    char *host = NULL, *port = NULL;
    int found = 0;
    if (peer == NULL || peer->resolve == NULL || unix_socket(attempt) != NULL)
        return 0;
    if (curl_url_get(url, CURLUPART_HOST, &host, 0) == CURLUE_OK &&
        curl_url_get(url, CURLUPART_PORT, &port, CURLU_DEFAULT_PORT) == CURLUE_OK) {
        size_t size = strlen(host);
        char *name = host;
        if (name[0] == '[' && name[size - 1] == ']') {
            name[size - 1] = '\0';
            name++;
        }
        found = stook__resolve_find(peer->resolve, name, (int)strtol(port, NULL, 10), ret_place);
    }
    curl_free(host);
    curl_free(port);
    return found;
}

/* What goes elsewhere has lanes and a gate of its own: "https://[PLACE]example.com". */
int stook__peer_join(struct stook__attempt *attempt, size_t origin, int h2, int may_rest)
{
    const char *url = attempt->spec->url, *path = unix_socket(attempt);
    struct stook__resolve place = {0};
    int scheme = (int)(strstr(url, "://") + 3 - url);
    if (path == NULL && (may_rest || !find_place(attempt, &place)))
        return stook__slot_join(attempt->slot, url, origin, h2, may_rest);
    if (path == NULL)
        path = place.address;
    char *key = stook__format(attempt->heap, "%.*s[%s]%.*s", scheme, url, path, (int)origin - scheme, url + scheme);
    if (key == NULL)
        return STOOK_ENOMEM;
    int error = stook__slot_join(attempt->slot, key, strlen(key), h2, may_rest);
    stook__free(attempt->heap, key);
    return error;
}

/* Not CURLOPT_RESOLVE: that goes into the cache of names that all requests share. */
static CURLcode set_place(struct stook__attempt *attempt)
{
    struct stook__resolve place;
    struct stook__slot_kit *kit = stook__slot_kit(attempt->slot);
    char text[80];
    if (!find_place(attempt, &place))
        return CURLE_OK;
    snprintf(text, sizeof text, place.is_ipv6 ? "::[%.*s]:" : "::%.*s:", (int)place.address_size, place.address);
    kit->connect_to = curl_slist_append(NULL, text);
    return kit->connect_to != NULL ? curl_easy_setopt(stook__slot_easy(attempt->slot), CURLOPT_CONNECT_TO, kit->connect_to)
                                   : CURLE_OUT_OF_MEMORY;
}

static CURLcode set_text(CURL *easy, CURLcode code, CURLoption option, const char *text)
{
    return code == CURLE_OK && text != NULL ? curl_easy_setopt(easy, option, text) : code;
}

static CURLcode set_certificates(struct stook__attempt *attempt, CURL *easy)
{
    const struct stook__peer *peer = attempt->policy->peer;
    CURLcode code = CURLE_OK;
    if (peer->ca_data != NULL) {
        /* The client's outlives its handles; that of a request may not. */
        unsigned flags = peer == attempt->usual->policy->peer ? CURL_BLOB_NOCOPY : CURL_BLOB_COPY;
        struct curl_blob blob = {(void *)peer->ca_data, strlen(peer->ca_data), flags};
        code = curl_easy_setopt(easy, CURLOPT_CAINFO_BLOB, &blob);
    }
    code = set_text(easy, code, CURLOPT_SSLCERT, peer->client_cert);
    code = set_text(easy, code, CURLOPT_SSLKEY, peer->client_key);
    if (peer->client_cert != NULL)
        code = set_text(easy, code, CURLOPT_KEYPASSWD,
                        peer->key_password != NULL ? peer->key_password : attempt->usual->no_password);
    return set_text(easy, code, CURLOPT_PINNEDPUBLICKEY, peer->pinned_key);
}

int stook__peer_set(struct stook__attempt *attempt, struct stook__outcome *ret_outcome)
{
    CURL *easy = stook__slot_easy(attempt->slot);
    const struct stook__extra *extra = attempt->spec->extra;
    CURLcode code = set_text(easy, CURLE_OK, CURLOPT_UNIX_SOCKET_PATH, unix_socket(attempt));
    if (code == CURLE_OK && extra != NULL && extra->username != NULL) {
        curl_easy_setopt(easy, CURLOPT_HTTPAUTH, (long)CURLAUTH_DIGEST);
        code = set_text(easy, code, CURLOPT_USERNAME, extra->username);
        code = set_text(easy, code, CURLOPT_PASSWORD, extra->password);
    }
    if (code == CURLE_OK && attempt->policy->peer != NULL)
        code = set_certificates(attempt, easy);
    if (code == CURLE_OK)
        code = set_place(attempt);
    if (code == CURLE_OK || code == CURLE_OUT_OF_MEMORY)
        return code == CURLE_OK ? 0 : STOOK_ENOMEM;
    stook__outcome_set(attempt->heap, ret_outcome, STOOK_EUNSUPPORTED, "this libcurl lacks an option of TLS or Unix sockets");
    return STOOK_EUNSUPPORTED;
}
