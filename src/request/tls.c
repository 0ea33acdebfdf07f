/* SPDX-License-Identifier: MIT */
/* The peer of a client's or a request's options; see tls.h. */
#include "request/tls.h"

#include "request/proxy.h"
#include "request/resolve.h"
#include "request/validate.h"

enum { RESOLVE_MAX = 65536 }; /* bytes of `resolve` */

static int is_base64_char(char c)
{
    return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') || c == '+' ||
           c == '/';
}

/* "sha256//" and 32 bytes in base64, which are 43 digits and "=". Several are separated by ";". */
static int is_pin(const char *text)
{
    for (;;) {
        if (strncmp(text, "sha256//", 8) != 0)
            return 0;
        text += 8;
        for (int i = 0; i < 43; i++)
            if (!is_base64_char(*text++))
                return 0;
        if (*text++ != '=')
            return 0;
        if (*text == '\0')
            return 1;
        if (*text++ != ';')
            return 0;
    }
}

static int validate_resolve(const char *const *list, const char **ret_why)
{
    struct stook__resolve entry;
    size_t size = 0;
    for (; list != NULL && *list != NULL; list++) {
        if (!stook__resolve_parse(*list, &entry))
            return stook__validate_refuse(
                STOOK__ARG("an entry of resolve is not of the form \"host:port:address\""),
                ret_why);
        size += strlen(*list) + 1;
        if (size > RESOLVE_MAX)
            return stook__validate_refuse(STOOK__ARG("resolve is longer than 64 KiB"), ret_why);
    }
    return 0;
}

int stook__peer_validate(const struct stook__peer_input *input, const char **ret_why)
{
    const struct stook__peer *peer = &input->peer;
    if (input->ca_file != NULL && peer->ca_data != NULL)
        return stook__validate_refuse(STOOK__ARG("both ca_file and ca_data are given"), ret_why);
    if (peer->ca_data != NULL && strstr(peer->ca_data, "CERTIFICATE-----") == NULL)
        return stook__validate_refuse(STOOK__ARG("ca_data contains no certificate"), ret_why);
    if (peer->client_cert == NULL && (peer->client_key != NULL || peer->key_password != NULL))
        return stook__validate_refuse(
            STOOK__ARG("client_key or key_password is given without client_cert"), ret_why);
    if ((peer->client_cert != NULL && *peer->client_cert == '\0') ||
        (peer->client_key != NULL && *peer->client_key == '\0'))
        return stook__validate_refuse(STOOK__ARG("client_cert or client_key is empty"), ret_why);
    if (peer->pinned_key != NULL &&
        (*peer->pinned_key == '\0' ||
         (strncmp(peer->pinned_key, "sha256//", 8) == 0 && !is_pin(peer->pinned_key))))
        return stook__validate_refuse(
            STOOK__ARG("pinned_key is neither a file nor \"sha256//\" and 44 base64 characters"),
            ret_why);
    int error = validate_resolve(input->resolve, ret_why);
    for (size_t i = 0; error == 0 && i < 2; i++)
        error = stook__proxy_validate(peer->proxies[i], input->from_env, ret_why);
    return error != 0 ? error : stook__no_proxy_validate(peer->no_proxy, ret_why);
}

int stook__peer_is_given(const struct stook__peer_input *input)
{
    const struct stook__peer *peer = &input->peer;
    return peer->ca_data != NULL || peer->client_cert != NULL || peer->pinned_key != NULL ||
           peer->proxies[0] != NULL || peer->proxies[1] != NULL ||
           (input->resolve != NULL && input->resolve[0] != NULL);
}

/* The first entry for a host is used, so the request's entries come before the client's. */
static const char *pack_resolve(struct stook__pack *pack, const char *const *list,
                                const char *defaults)
{
    const char *first = pack->at;
    for (; list != NULL && *list != NULL; list++)
        stook__pack_text(pack, *list);
    for (; defaults != NULL && *defaults != '\0'; defaults += strlen(defaults) + 1)
        stook__pack_text(pack, defaults);
    stook__pack_text(pack, "");
    return first;
}

void stook__peer_pack(struct stook__peer *peer, struct stook__pack *pack,
                      const struct stook__peer_input *input, const struct stook__peer *defaults)
{
    static const struct stook__peer nothing;
    const struct stook__peer *mine = &input->peer;
    if (defaults == NULL)
        defaults = &nothing;
    /* ca_file and ca_data replace the client's. A certificate and its key are replaced together. */
    const struct stook__peer *identity = mine->client_cert != NULL ? mine : defaults;
    const char *ca_data =
        mine->ca_data != NULL || input->ca_file != NULL ? mine->ca_data : defaults->ca_data;
    peer->ca_data = stook__pack_text(pack, ca_data);
    peer->client_cert = stook__pack_text(pack, identity->client_cert);
    peer->client_key = stook__pack_text(pack, identity->client_key);
    peer->key_password = stook__pack_text(pack, identity->key_password);
    peer->pinned_key =
        stook__pack_text(pack, mine->pinned_key != NULL ? mine->pinned_key : defaults->pinned_key);
    peer->resolve = pack_resolve(pack, input->resolve, defaults->resolve);
    const struct stook__peer *way =
        mine->proxies[0] != NULL || mine->proxies[1] != NULL ? mine : defaults;
    for (size_t i = 0; i < 2; i++)
        peer->proxies[i] = stook__pack_text(pack, way->proxies[i]);
    peer->no_proxy =
        stook__pack_text(pack, mine->no_proxy != NULL ? mine->no_proxy : defaults->no_proxy);
}
