/* SPDX-License-Identifier: MIT */
/* Which redirects are followed, and with what request; see redirect.h. */
#include "http/redirect.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include <curl/curl.h>

#include "http/attempt_state.h"
#include "request/url.h"
#include "util/metadata.h"

enum { ORIGIN_MAX = 1024 }; /* bytes of scheme and authority of a Location, with the NUL */

/* -------------------------------------------------------------------------------- Location */

/* Returns the value of Location; NULL: there is none, or it is empty. *ret_differ: there are
   several that differ. */
static const char *find_location(const char *at, const char *end, int *ret_differ)
{
    const char *location = NULL;
    *ret_differ = 0;
    while (at < end) {
        const char *value = stook__field_value(at);
        if (strcasecmp(at, "Location") == 0) {
            *ret_differ |= location != NULL && strcmp(location, value) != 0;
            location = location != NULL ? location : value;
        }
        at = value + strlen(value) + 1;
    }
    return location != NULL && *location != '\0' ? location : NULL;
}

int stook__redirect_is_followed(const struct stook__attempt *attempt)
{
    const struct stook__answer *answer = &attempt->answer;
    int status = answer->status, differ;
    if (attempt->settings->max_redirects <= 0 || answer->head.data == NULL)
        return 0;
    if (status != 301 && status != 302 && status != 303 && status != 307 && status != 308)
        return 0;
    return find_location(answer->head.data, answer->head.data + answer->head.size, &differ) != NULL;
}

int stook__redirect_is_to_mirror(const struct stook__attempt *attempt)
{
    const struct stook__optional *optional = attempt->spec->optional;
    return optional != NULL && stook__mirrors_left(optional->mirrors) &&
           stook__mirrors_is_failure(attempt->answer.status);
}

int stook__redirect_is_skipped(const struct stook__attempt *attempt)
{
    return attempt->passed_over == STOOK__PASSED_OVER_REDIRECT ||
           attempt->passed_over == STOOK__PASSED_OVER_MIRROR;
}

int stook__redirect_is_cut(const struct stook__attempt *attempt)
{
    return stook__redirect_is_skipped(attempt) && attempt->wire > STOOK__REDIRECT_BODY_MAX;
}

static int refuse(int error, const char *reason, char why[STOOK__REDIRECT_WHY_MAX])
{
    snprintf(why, STOOK__REDIRECT_WHY_MAX, "%s", reason);
    return error;
}

/* Resolves a reference (RFC 3986 5). A Location without a fragment inherits that of the URL (RFC
   9110 10.2.2). libcurl encodes blanks and bytes that are not ASCII, as browsers do. 7.88 takes
   "#x" for a path. */
static int resolve(CURLU *url, const char *base, const char *location)
{
    char *fragment = NULL;
    CURLUcode code = curl_url_set(url, CURLUPART_URL, base, CURLU_URLENCODE);
    if (code == CURLUE_OK)
        curl_url_get(url, CURLUPART_FRAGMENT, &fragment, 0);
    if (code == CURLUE_OK && *location == '#')
        code = curl_url_set(url, CURLUPART_FRAGMENT, location + 1, CURLU_URLENCODE);
    else if (code == CURLUE_OK)
        code = curl_url_set(url, CURLUPART_URL, location, CURLU_URLENCODE | CURLU_ALLOW_SPACE);
    if (code == CURLUE_OK && strchr(location, '#') == NULL)
        code = curl_url_set(url, CURLUPART_FRAGMENT, fragment, 0);
    curl_free(fragment);
    return code == CURLUE_OK ? 0 : code == CURLUE_OUT_OF_MEMORY ? STOOK_ENOMEM : STOOK_EREDIRECT;
}

/* Checks the URL of a redirect as that of a request is checked. */
static int check_url(CURLU *url, const char *text, char why[STOOK__REDIRECT_WHY_MAX])
{
    const char *reason = NULL;
    char scheme[STOOK__SCHEME_MAX];
    int error = stook__url_parse(url, text, &reason, scheme);
    if (error == 0 || error == STOOK_ENOMEM)
        return error;
    snprintf(why, STOOK__REDIRECT_WHY_MAX, "the redirect's URL is refused: %s%s%s%s",
             *scheme != '\0' ? "the scheme is " : "", scheme, *scheme != '\0' ? "; " : "", reason);
    return error == STOOK_EPOLICY ? STOOK_EPOLICY : STOOK_EREDIRECT;
}

/* Bytes of the scheme of a reference, with its colon; 0: it has none (RFC 3986 3.1). */
static size_t scheme_size(const char *location)
{
    size_t size = strspn(location, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                   "0123456789+-.");
    return size > 0 && location[size] == ':' ? size + 1 : 0;
}

/* Writes scheme and authority of a reference as they are written: libcurl decodes them, and takes
   "http:///x" for the host x. "": it has neither, so it stays with the origin of `base`. 0,
   STOOK_EREDIRECT or STOOK_EPOLICY. */
static int take_origin(const char *base, const char *location, char origin[ORIGIN_MAX],
                       char why[STOOK__REDIRECT_WHY_MAX])
{
    size_t scheme = scheme_size(location);
    const char *authority = location + scheme;
    *origin = '\0';
    if (scheme > 0 && strncasecmp(location, "http:", scheme) != 0 &&
        strncasecmp(location, "https:", scheme) != 0) {
        snprintf(why, STOOK__REDIRECT_WHY_MAX,
                 "the redirect's URL is refused: the scheme is %.*s; only http and https are "
                 "allowed",
                 scheme < STOOK__SCHEME_MAX ? (int)scheme - 1 : STOOK__SCHEME_MAX - 1, location);
        return STOOK_EPOLICY;
    }
    if (scheme == 0 && strncmp(location, "//", 2) != 0)
        return 0;
    if (strncmp(authority, "//", 2) != 0)
        return refuse(STOOK_EREDIRECT, "the redirect's URL is refused: it has no host", why);
    size_t size = 2 + strcspn(authority + 2, "/?#");
    const char *from = scheme > 0 ? location : base;
    if (scheme == 0)
        scheme = scheme_size(base);
    if (scheme + size >= ORIGIN_MAX)
        return refuse(STOOK_EREDIRECT, "the redirect's URL is refused: its host is too long", why);
    snprintf(origin, ORIGIN_MAX, "%.*s%.*s", (int)scheme, from, (int)size, authority);
    return 0;
}

static int is_same_origin(const char *one, const char *other)
{
    char key[STOOK__ORIGIN_KEY_MAX], other_key[STOOK__ORIGIN_KEY_MAX];
    size_t unused, size = stook__origin_key(one, key, &unused);
    return size == stook__origin_key(other, other_key, &unused) &&
           memcmp(key, other_key, size) == 0;
}

/* Makes a URL of the origin of `base`, as it is written there, and of `rest`. NULL: out of
   memory. */
static char *join(struct stook__allocator *allocator, const char *base, const char *rest)
{
    char key[STOOK__ORIGIN_KEY_MAX];
    size_t origin_size, size = strlen(rest) + 1;
    stook__origin_key(base, key, &origin_size);
    char *url = stook__resize(allocator, NULL, origin_size + size);
    if (url == NULL)
        return NULL;
    memcpy(url, base, origin_size);
    memcpy(url + origin_size, rest, size);
    return url;
}

/* Most redirects lead to a plain path of the same origin, whose host and port were checked before.
   That needs no parser, whose runs cost 40,000 instructions. Returns 0, with *ret_url NULL if it is
   another redirect. */
static int next_path(struct stook__allocator *allocator, const char *base, const char *location,
                     char **ret_url)
{
    char key[STOOK__ORIGIN_KEY_MAX];
    size_t skipped = 0;
    *ret_url = NULL;
    if (location[0] != '/')
        stook__origin_key(location, key, &skipped);
    if ((skipped == 0 && location[1] == '/') || !stook__url_is_plain(location + skipped) ||
        strchr(base, '#') != NULL || (skipped > 0 && !is_same_origin(base, location)))
        return 0;
    *ret_url = join(allocator, base, location + skipped);
    return *ret_url != NULL ? 0 : STOOK_ENOMEM;
}

/* The same for all other redirects. An origin that is the same as it is written is written as
   before: libcurl writes "127.1" as "127.0.0.1", which is another origin. */
static int next_parsed(struct stook__allocator *allocator, CURLU *url, const char *base,
                       const char *location, int *ret_same, char **ret_url,
                       char why[STOOK__REDIRECT_WHY_MAX])
{
    char origin[ORIGIN_MAX], *text = NULL;
    int error = take_origin(base, location, origin, why);
    if (error == 0 && *origin != '\0')
        error = check_url(url, origin, why);
    if (error != 0)
        return error;
    *ret_same = *origin == '\0' || is_same_origin(base, origin);
    error = resolve(url, base, location);
    if (error != 0)
        return error == STOOK_ENOMEM ? error : refuse(error, "its Location is not a URL", why);
    if (curl_url_get(url, CURLUPART_URL, &text, 0) != CURLUE_OK)
        return STOOK_ENOMEM;
    const char *host = strstr(text, "://") + 3;
    *ret_url = *ret_same ? join(allocator, base, host + strcspn(host, "/?#"))
                         : stook__copy_string(allocator, text);
    curl_free(text);
    return *ret_url != NULL ? check_url(url, *ret_url, why) : STOOK_ENOMEM;
}

/* Sets *ret_url to the URL of the next hop, and *ret_same: it has the same origin. */
static int next_url(struct stook__allocator *allocator, const char *base, const char *location,
                    int *ret_same, char **ret_url, char why[STOOK__REDIRECT_WHY_MAX])
{
    int error = next_path(allocator, base, location, ret_url);
    *ret_same = 1;
    if (error != 0 || *ret_url != NULL)
        return error;
    CURLU *url = curl_url();
    if (url == NULL)
        return STOOK_ENOMEM;
    error = next_parsed(allocator, url, base, location, ret_same, ret_url, why);
    curl_url_cleanup(url);
    return error;
}

/* ------------------------------------------------------------------- method and header fields */

/* Returns 1 if the next hop is a GET without the body (RFC 9110 15.4.2 to 15.4.4). */
static int becomes_get(const struct stook__spec *spec, int status)
{
    const char *method = stook__spec_effective_method(spec);
    if (status == 303)
        return strcmp(method, "HEAD") != 0;
    return (status == 301 || status == 302) && strcmp(method, "POST") == 0;
}

static int is_named(const char *field, const char *name)
{
    size_t size = strlen(name);
    return strncasecmp(field, name, size) == 0 && field[size] == ':';
}

/* Names in sequence, ended by an empty one. */
static int is_listed(const char *field, const char *names)
{
    for (; names != NULL && *names != '\0'; names += strlen(names) + 1)
        if (is_named(field, names))
            return 1;
    return 0;
}

/* What goes along to any origin. */
static const char to_any_origin[] = "Accept\0Accept-Language\0User-Agent\0";
/* A mirror has the same thing, so what the program wants of it stays the same. */
static const char to_any_mirror[] = "Accept\0Accept-Language\0Range\0User-Agent\0";

/* What goes along: `always`, and the names of the program. */
struct field_rule {
    const char *always, *names;
};

/* Returns 1 if a field goes along. `body`: the body does too. Fields of a body begin with
   "Content-". */
static int goes_along(const char *field, int same_origin, int body, const struct field_rule *rule)
{
    if (strncasecmp(field, "Content-", 8) == 0)
        return body && (same_origin || is_listed(field, "Content-Type\0Content-Encoding\0") ||
                        is_listed(field, rule->names));
    return same_origin || is_listed(field, rule->always) || is_listed(field, rule->names);
}

/* Makes the method and the header fields of the next hop. *ret_fields is NULL for a GET without
   fields. 0 or STOOK_ENOMEM. */
static int next_fields(struct stook__allocator *allocator, const struct stook__spec *spec, int get,
                       int same_origin, const struct field_rule *rule, char **ret_fields)
{
    const char *method = get ? "" : spec->method_headers;
    struct stook__buffer fields = {0};
    *ret_fields = NULL;
    if (spec->method_headers == NULL)
        return 0;
    int error = stook__buffer_append(&fields, allocator, method, strlen(method) + 1);
    for (const char *field = stook__spec_headers(spec); error == 0 && *field != '\0';
         field += strlen(field) + 1)
        if (goes_along(field, same_origin, !get, rule))
            error = stook__buffer_append(&fields, allocator, field, strlen(field) + 1);
    if (error == 0)
        error = stook__buffer_append(&fields, allocator, "", 1);
    if (error != 0 || fields.size == 2)
        stook__buffer_free(&fields, allocator);
    *ret_fields = fields.data;
    return error;
}

/* ---------------------------------------------------------------------------- the next request */

/* Returns 1 if the body cannot be sent a second time. */
static int body_is_used_up(const struct stook__optional *optional)
{
    return optional != NULL && optional->body_read != NULL && optional->read_called &&
           optional->body_rewind == NULL;
}

/* Removes the body. Its memory is freed with the request. */
static void drop_body(struct stook__spec *spec)
{
    struct stook__optional *optional = spec->optional;
    spec->body_size = 0;
    optional->body_file = NULL;
    optional->n_parts = 0;
    optional->body_read = NULL;
    optional->expect = 0;
}

/* Removes the credentials that the request has for its origin: those of Digest, and a certificate
   that is not the client's. Those of Basic and Bearer are header fields. */
static void drop_credentials(struct stook__optional *optional, const struct stook__peer *client)
{
    static const struct stook__peer nothing;
    const struct stook__peer *from = client != NULL ? client : &nothing;
    optional->username = optional->password = NULL;
    optional->peer.client_cert = from->client_cert;
    optional->peer.client_key = from->client_key;
    optional->peer.key_password = from->key_password;
}

/* Whether the redirect may be followed at all. */
static int judge(const struct stook__spec *spec, const struct stook__settings *settings,
                 const char *url, int get, int same_origin, char why[STOOK__REDIRECT_WHY_MAX])
{
    const struct stook__optional *optional = spec->optional;
    size_t count = optional != NULL && optional->hops != NULL ? optional->hops->count : 0;
    if ((int64_t)count >= settings->max_redirects) {
        snprintf(why, STOOK__REDIRECT_WHY_MAX, "there are more than max_redirects, %d",
                 (int)settings->max_redirects);
        return STOOK_EREDIRECT;
    }
    if (strncasecmp(spec->url, "https:", 6) == 0 && strncasecmp(url, "https:", 6) != 0)
        return refuse(STOOK_EPOLICY, "a redirect leads from https to http", why);
    if (!same_origin && optional != NULL && optional->unix_socket != NULL)
        return refuse(STOOK_EPOLICY, "a redirect leads to another origin than the Unix socket's",
                      why);
    if (!get && body_is_used_up(optional))
        return refuse(STOOK_EREDIRECT,
                      "its body was read from body_read, and there is no body_rewind", why);
    return 0;
}

/* Sees to it that the request has a list of hops. 0 or STOOK_ENOMEM. */
static int prepare(struct stook__allocator *allocator, struct stook__spec *spec)
{
    if (spec->optional == NULL)
        spec->optional = stook__alloc(allocator, sizeof *spec->optional);
    if (spec->optional != NULL && spec->optional->hops == NULL)
        spec->optional->hops = stook__hops_new(allocator, spec->url);
    return spec->optional != NULL && spec->optional->hops != NULL ? 0 : STOOK_ENOMEM;
}

/* The header fields that may go along to another origin, by name. */
static const char *names_of(const struct stook__spec *spec, const struct stook__settings *settings)
{
    return spec->optional != NULL && spec->optional->redirect_headers != NULL
               ? spec->optional->redirect_headers
               : settings->redirect_headers;
}

int stook__redirect_follow(struct stook__allocator *allocator, struct stook__spec *spec,
                           const struct stook__settings *settings,
                           const struct stook__settings *client, const struct stook__answer *answer,
                           char why[STOOK__REDIRECT_WHY_MAX])
{
    struct stook__metadata metadata;
    char *url = NULL, *fields = NULL;
    int differ = 0, same = 0;
    *why = '\0';
    stook__metadata_get(&answer->head, &metadata);
    /* Not in the trailer section (RFC 9110 6.5.1). */
    size_t size = metadata.fields - (size_t)metadata.number[STOOK__METADATA_TRAILERS];
    const char *location = find_location(answer->head.data, answer->head.data + size, &differ);
    if (differ)
        return refuse(STOOK_EREDIRECT, "the response has several Location fields", why);
    int error = next_url(allocator, spec->url, location, &same, &url, why);
    const struct field_rule rule = {to_any_origin, names_of(spec, settings)};
    int get = becomes_get(spec, answer->status);
    if (error == 0)
        error = judge(spec, settings, url, get, same, why);
    if (error == 0)
        error = prepare(allocator, spec);
    if (error == 0)
        error = next_fields(allocator, spec, get, same, &rule, &fields);
    if (error == 0)
        error = stook__hops_add(spec->optional->hops, allocator, url, answer->status);
    if (error != 0) {
        stook__free(allocator, fields);
        stook__free(allocator, url);
        return error;
    }
    stook__free(allocator, spec->optional->hops->fields);
    spec->optional->hops->fields = fields;
    spec->url = url;
    spec->method_headers = fields;
    if (get)
        drop_body(spec);
    if (!same)
        drop_credentials(spec->optional, client->peer);
    return 0;
}

/* ----------------------------------------------------------------------------------- mirrors */

int stook__redirect_to_mirror(struct stook__allocator *allocator, struct stook__spec *spec,
                              const struct stook__settings *settings,
                              const struct stook__settings *client, size_t i)
{
    struct stook__optional *optional = spec->optional;
    struct stook__mirrors *mirrors = optional->mirrors;
    const struct field_rule rule = {to_any_mirror, names_of(spec, settings)};
    struct stook__spec added = *spec;
    char *fields = NULL;
    int error = prepare(allocator, spec);
    if (error != 0)
        return error;
    char *url = stook__copy_string(allocator, stook__mirrors_url(mirrors, i));
    if (url == NULL)
        return STOOK_ENOMEM;
    int same = is_same_origin(mirrors->url, url);
    added.method_headers = mirrors->method_headers;
    error = next_fields(allocator, &added, 0, same, &rule, &fields);
    if (error != 0) {
        stook__free(allocator, url);
        return error;
    }
    stook__hops_begin_mirror(optional->hops, allocator, url);
    stook__free(allocator, optional->hops->fields);
    optional->hops->fields = fields;
    spec->url = url;
    spec->method_headers = fields;
    optional->username = mirrors->username;
    optional->password = mirrors->password;
    optional->peer = mirrors->peer;
    if (!same)
        drop_credentials(optional, client->peer);
    mirrors->current = i;
    return 0;
}
