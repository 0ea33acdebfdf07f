/* SPDX-License-Identifier: MIT */
/* Where a request connects to and who is there, if that is not what its URL and libcurl would say. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "curl/trust.h"
#include "http/attempt_parts.h"
#include "request/resolve.h"

static const char *unix_socket(const struct stook__attempt *attempt)
{
    return attempt->spec->optional != NULL ? attempt->spec->optional->unix_socket : NULL;
}

/* 1: the host of the URL was said to be elsewhere. */
static int find_place(const struct stook__attempt *attempt, CURLU *url,
                      struct stook__resolve *ret_place)
{
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

/* What goes elsewhere has a gate of its own; sockets of the file system are in limits' key already. */
int stook__peer_join(struct stook__attempt *attempt, int h2, int may_rest)
{
    const struct stook__node *origin = attempt->origin;
    struct stook__resolve place;
    if (may_rest || !find_place(attempt, stook__easy_settings(attempt->easy)->url, &place))
        return stook__easy_join(attempt->easy, origin->key, origin->key_size, h2, may_rest);
    char *key = stook__format(attempt->allocator, "%.*s>%s", (int)origin->key_size, origin->key,
                              place.address);
    if (key == NULL)
        return STOOK_ENOMEM;
    int error = stook__easy_join(attempt->easy, key, strlen(key), h2, may_rest);
    stook__free(attempt->allocator, key);
    return error;
}

/* All that libcurl is told of it, each byte: it compares some of this without regard to case, some not at all. */
struct stook__trust *stook__peer_trust(const struct stook__defaults *defaults,
                                       const struct stook__settings *policy)
{
    static const struct stook__peer nothing;
    const struct stook__peer *peer = policy->peer != NULL ? policy->peer : &nothing;
    if (defaults->trust != NULL && policy->peer == defaults->policy->peer &&
        policy->ca_file == defaults->policy->ca_file)
        return defaults->trust;
    const char *const texts[] = {policy->ca_file,  peer->ca_data,      peer->client_cert,
                                 peer->client_key, peer->key_password, peer->pinned_key};
    struct stook__buffer key = {0};
    struct stook__trust *trust = NULL;
    int error = 0;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0] && error == 0; i++) {
        error = stook__buffer_append(&key, defaults->allocator, texts[i] != NULL ? "+" : "-", 1);
        if (error == 0 && texts[i] != NULL)
            error = stook__buffer_append(&key, defaults->allocator, texts[i], strlen(texts[i]) + 1);
    }
    if (error == 0)
        trust = stook__trust_get(defaults->engine, key.data, key.size);
    stook__buffer_free(&key, defaults->allocator);
    return trust;
}

int stook__peer_place(const struct stook__attempt *attempt, CURLU *url, char text[STOOK__PLACE_MAX])
{
    struct stook__resolve place;
    if (!find_place(attempt, url, &place))
        return 0;
    snprintf(text, STOOK__PLACE_MAX,
             place.is_ipv6 ? "::[%.*s]:" : "::%.*s:", (int)place.address_size, place.address);
    return 1;
}

/* Not CURLOPT_RESOLVE: that goes into the cache of names that all requests share. */
static void set_place(struct stook__attempt *attempt)
{
    struct stook__easy_settings *state = stook__easy_settings(attempt->easy);
    char text[STOOK__PLACE_MAX];
    if (!stook__peer_place(attempt, state->url, text))
        return;
    state->connect_to = curl_slist_append(NULL, text);
    if (state->connect_to == NULL)
        stook__easy_note(attempt->easy, CURLE_OUT_OF_MEMORY, "CURLOPT_CONNECT_TO");
    else
        stook__easy_set(attempt->easy, CURLOPT_CONNECT_TO, state->connect_to);
}

static void set_certificates(struct stook__attempt *attempt)
{
    struct stook__easy *easy = attempt->easy;
    const struct stook__peer *peer = attempt->policy->peer;
    if (peer->ca_data != NULL) {
        /* The client's outlives its handles; that of a request may not. */
        unsigned flags =
            peer == attempt->defaults->policy->peer ? CURL_BLOB_NOCOPY : CURL_BLOB_COPY;
        struct curl_blob blob = {(void *)peer->ca_data, strlen(peer->ca_data), flags};
        stook__easy_set(easy, CURLOPT_CAINFO_BLOB, &blob);
    }
    if (peer->client_cert != NULL) {
        const char *password =
            peer->key_password != NULL ? peer->key_password : attempt->defaults->no_password;
        stook__easy_set(easy, CURLOPT_SSLCERT, peer->client_cert);
        if (password != NULL)
            stook__easy_set(easy, CURLOPT_KEYPASSWD, password);
    }
    if (peer->client_key != NULL)
        stook__easy_set(easy, CURLOPT_SSLKEY, peer->client_key);
    if (peer->pinned_key != NULL)
        stook__easy_set(easy, CURLOPT_PINNEDPUBLICKEY, peer->pinned_key);
}

void stook__peer_set(struct stook__attempt *attempt)
{
    struct stook__easy *easy = attempt->easy;
    const struct stook__optional *optional = attempt->spec->optional;
    if (unix_socket(attempt) != NULL)
        stook__easy_set(easy, CURLOPT_UNIX_SOCKET_PATH, unix_socket(attempt));
    if (optional != NULL && optional->username != NULL) {
        stook__easy_set(easy, CURLOPT_HTTPAUTH, (long)CURLAUTH_DIGEST);
        stook__easy_set(easy, CURLOPT_USERNAME, optional->username);
        if (optional->password != NULL)
            stook__easy_set(easy, CURLOPT_PASSWORD, optional->password);
    }
    if (attempt->policy->peer != NULL)
        set_certificates(attempt);
    set_place(attempt);
}
