/* SPDX-License-Identifier: MIT */
/*
 * Maps a request onto the options of an easy handle; see easy_options.h. A pooled handle has the
 * options of a plain GET to its origin. What a request sets beside these is noted in
 * stook__easy_settings.changed, and the next request on the handle undoes it. All options that are
 * not set here have libcurl's default, which was checked and is safe.
 */
#include "http/easy_options.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "curl/engine.h"
#include "curl/origin.h"
#include "curl/quirks/quirks.h"
#include "http/body_sink.h"
#include "http/codecs.h"
#include "http/easy_hook.h"
#include "http/peer.h"
#include "http/request_fields.h"
#include "http/upload.h"
#include "request/proxy.h"
#include "request/url.h"

/* Bits of stook__easy_settings.changed: what differs from a plain GET. */
enum {
    BODY = 1,         /* POSTFIELDS */
    METHOD = 2,       /* CUSTOMREQUEST */
    HEAD = 4,         /* NOBODY */
    FIELDS = 8,       /* HTTPHEADER */
    FRESH = 16,       /* FRESH_CONNECT */
    LARGE_READS = 32, /* BUFFERSIZE */
    LAST = 64         /* FORBID_REUSE */
};
static const long LARGE_READ_SIZE = 128 << 10; /* bytes of libcurl's receive buffer */
enum { OWN_MAX = 4 };                          /* lines of own_fields(), with the NULL */

/* -------------------------------------------------------- options of a new easy handle */

static long http_version(const struct stook__attempt *attempt)
{
    int64_t version =
        attempt->http1 || attempt->direct ? STOOK_HTTP_1_1 : attempt->settings->http_version;
    int without_3 = !stook__attempt_is_https(attempt) || attempt->proxy != NULL;
    return attempt->defaults
        ->versions[version == STOOK_HTTP_3 && without_3 ? STOOK_HTTP_2 : version];
}

/*
 * Returns 1 if libcurl has both a file and a directory of authorities by default, as on Debian, and
 * the directory can be left out. With a directory libcurl does not cache the authorities: each new
 * connection takes 23 ms instead of 1. So the file is used alone first, and the directory is added
 * when a certificate's authority is not in the file. From 8.21 on libcurl's default directory
 * cannot be unset.
 */
static int may_omit_directory(const struct stook__attempt *attempt)
{
    char *file = NULL, *directory = NULL;
    if (stook__engine_quirks(attempt->engine) & STOOK__QUIRK_KEEPS_DIRECTORY)
        return 0;
    curl_easy_getinfo(stook__easy_curl(attempt->easy), CURLINFO_CAINFO, &file);
    curl_easy_getinfo(stook__easy_curl(attempt->easy), CURLINFO_CAPATH, &directory);
    return file != NULL && *file != '\0' && directory != NULL && *directory != '\0';
}

static void set_authorities(struct stook__attempt *attempt)
{
    struct stook__easy_settings *state = stook__easy_settings(attempt->easy);
    const char *file = attempt->settings->ca_file;
    if (file != NULL)
        stook__easy_set(attempt->easy, CURLOPT_CAINFO, file);
    state->directory = !stook__peer_own_authorities(attempt->settings) &&
                       (stook__easy_needs_directory(attempt->easy) || !may_omit_directory(attempt));
    /* Authorities of the settings replace those of libcurl, so its directory is unset. */
    if (!state->directory)
        stook__easy_switch_off(attempt->easy, CURLOPT_CAPATH, NULL);
}

static void set_from_settings(struct stook__attempt *attempt)
{
    struct stook__easy *easy = attempt->easy;
    stook__easy_set(easy, CURLOPT_PROTOCOLS_STR,
                    attempt->defaults->has_tls ? "http,https" : "http");
    set_authorities(attempt);
    if (attempt->direct)
        stook__easy_set(easy, CURLOPT_CONNECT_ONLY, 1L);
    if (attempt->defaults->has_tls)
        stook__easy_set(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    stook__easy_set(easy, CURLOPT_HTTP_VERSION, http_version(attempt));
    /* The User-Agent is a field of the list: as CURLOPT_USERAGENT libcurl would format it twice for
       each request. */
    stook__easy_set(easy, CURLOPT_HTTPHEADER, attempt->defaults->headers);
    stook__easy_set(easy, CURLOPT_CURLU, stook__easy_settings(easy)->url);
}

int stook__options_may_be_h2(const struct stook__attempt *attempt)
{
    long version = http_version(attempt);
    if (!stook__attempt_is_https(attempt) || version == CURL_HTTP_VERSION_1_1)
        return 0;
    return version == CURL_HTTP_VERSION_3 ? 2 : 1;
}

/* Which of the tables of its trust the origin of an attempt is in. */
static int kind_of(const struct stook__attempt *attempt)
{
    return attempt->direct ? STOOK__CURL_DIRECT : stook__options_may_be_h2(attempt);
}

/* ------------------------------------------------------------------ taking an easy handle */

/* Returns 1 if the handle may return to the pool: after the request it is like that of any
   other. */
static int may_pool(const struct stook__attempt *attempt, int secret)
{
    const struct stook__settings *settings = attempt->settings,
                                 *defaults = attempt->defaults->settings;
    const struct stook__optional *optional = attempt->spec->optional;
    if (attempt->direct)
        return 1; /* its options are those of its trust and its origin */
    return !secret && attempt->defaults->call_easy == NULL &&
           settings->ca_file == defaults->ca_file && settings->peer == defaults->peer &&
           settings->http_version == defaults->http_version &&
           !stook__spec_has_source(attempt->spec) &&
           (optional == NULL ||
            (optional->unix_socket == NULL && optional->username == NULL &&
             optional->on_progress == NULL)); /* the progress callback cannot be unset */
}

/* Sets the message for a URL that cannot be used, with its scheme if there is one. */
static int refuse_url(struct stook__attempt *attempt, int error, const char *why,
                      const char *scheme, struct stook__outcome *ret_outcome)
{
    char text[80];
    if (scheme[0] != '\0') {
        snprintf(text, sizeof text, "the scheme is %s; %s", scheme, why);
        why = text;
    }
    stook__outcome_set(attempt->allocator, ret_outcome, error, why);
    return error;
}

/* What of the URL decides whether a handle of its origin has the same one already. */
static const char *text_of_url(const struct stook__attempt *attempt)
{
    return attempt->plain_path != NULL ? attempt->plain_path : attempt->spec->url;
}

/* Stores that, so that a handle that gets the same URL again does not set it: 600 instructions. */
static void note_url(struct stook__easy_settings *state, const char *text)
{
    size_t size = strlen(text) + 1;
    if (size <= sizeof state->text)
        memcpy(state->text, text, size);
}

/* Makes an easy handle with the URL and all options of settings and peer. */
static int make_easy(struct stook__attempt *attempt, const struct stook__attempt_events *events,
                     struct stook__trust *trust, int pool, struct stook__outcome *ret_outcome)
{
    const char *why = NULL, *url = attempt->spec->url;
    char scheme[STOOK__SCHEME_MAX];
    attempt->easy = stook__easy_new(trust, events, attempt);
    if (attempt->easy == NULL)
        return STOOK_ENOMEM;
    int error = stook__easy_hook(attempt, ret_outcome);
    if (error != 0)
        return error;
    stook__easy_set_options(attempt->easy);
    error = stook__url_parse(stook__easy_settings(attempt->easy)->url, url, &why, scheme);
    if (error != 0)
        return refuse_url(attempt, error, why, scheme, ret_outcome);
    note_url(stook__easy_settings(attempt->easy), text_of_url(attempt));
    error = stook__peer_join(attempt, kind_of(attempt), pool);
    if (error != 0)
        return error;
    set_from_settings(attempt);
    stook__peer_set(attempt);
    return 0;
}

/* Takes an easy handle with the options of the settings, from the pool or a new one, and sets the
   URL. */
static int take_easy(struct stook__attempt *attempt, const struct stook__attempt_events *events,
                     int pool, struct stook__outcome *ret_outcome)
{
    const char *why, *text = text_of_url(attempt);
    char scheme[STOOK__SCHEME_MAX];
    struct stook__trust *trust = stook__peer_trust(attempt);
    if (trust == NULL)
        return STOOK_ENOMEM;
    if (pool && !(attempt->direct && attempt->fresh))
        attempt->easy = stook__easy_take(trust, attempt->origin, kind_of(attempt), events, attempt);
    if (attempt->easy != NULL && attempt->direct)
        return 0; /* it is connected, and nothing else of it is for this request alone */
    if (attempt->easy != NULL && stook__easy_needs_directory(attempt->easy) &&
        !stook__easy_settings(attempt->easy)->directory) {
        stook__easy_give_back(attempt->easy);
        attempt->easy = NULL;
    }
    if (attempt->easy == NULL)
        return make_easy(attempt, events, trust, pool, ret_outcome);
    struct stook__easy_settings *state = stook__easy_settings(attempt->easy);
    if (strcmp(state->text, text) == 0)
        return 0;
    state->text[0] = '\0';
    int error = attempt->plain_path != NULL && stook__url_set_path(state->url, attempt->plain_path)
                    ? 0
                    : stook__url_parse(state->url, attempt->spec->url, &why, scheme);
    if (error != 0)
        return refuse_url(attempt, error, why, scheme, ret_outcome);
    note_url(state, text);
    return 0;
}

/* ------------------------------------------------------------- options of one request */

/* Resets the handle to a plain GET after an attempt that was something else. */
static void undo(CURL *curl, unsigned changed, const struct stook__defaults *defaults)
{
    if (changed & (BODY | HEAD)) {
        curl_easy_setopt(curl, CURLOPT_POSTFIELDS, NULL);
        curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)-1);
        curl_easy_setopt(curl, CURLOPT_NOBODY, 0L);
        curl_easy_setopt(curl, CURLOPT_HTTPGET, 1L);
    }
    if (changed & METHOD)
        curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, NULL);
    if (changed & FIELDS)
        curl_easy_setopt(curl, CURLOPT_HTTPHEADER, defaults->headers);
    if (changed & FRESH)
        curl_easy_setopt(curl, CURLOPT_FRESH_CONNECT, 0L);
    if (changed & LARGE_READS)
        curl_easy_setopt(curl, CURLOPT_BUFFERSIZE, (long)CURL_MAX_WRITE_SIZE);
    if (changed & LAST)
        curl_easy_setopt(curl, CURLOPT_FORBID_REUSE, 0L);
}

void stook__options_last(struct stook__attempt *attempt, int last)
{
    stook__easy_settings(attempt->easy)->changed |= LAST;
    curl_easy_setopt(stook__easy_curl(attempt->easy), CURLOPT_FORBID_REUSE, (long)last);
}

/* Returns 1 for a POST without content and with credentials. As a POST, libcurl would send it a
   second time when the server asks for no Digest, as if it had held back a body. So it is sent as a
   custom method with Content-Length: 0. */
static int is_post_for_digest(const struct stook__attempt *attempt)
{
    const struct stook__optional *optional = attempt->spec->optional;
    return optional != NULL && optional->username != NULL && strcmp(attempt->method, "POST") == 0 &&
           (!stook__spec_has_body(attempt->spec) || stook__upload_is_empty(attempt));
}

static int set_method(struct stook__attempt *attempt, unsigned *changed)
{
    struct stook__easy *easy = attempt->easy;
    const struct stook__spec *spec = attempt->spec;
    const char *method = attempt->method, *defaults = "GET";
    if (stook__spec_method(spec) == NULL && !stook__spec_has_body(spec))
        return 0; /* undo() has made it a GET */
    if (stook__spec_has_source(spec) && !is_post_for_digest(attempt)) {
        int error = stook__upload_begin(attempt);
        if (error != 0)
            return error;
        defaults = "POST";
    } else if (strcmp(method, "HEAD") == 0 && spec->body_size == 0) {
        /* As a custom method, libcurl would wait for a body that never comes. */
        *changed |= HEAD;
        stook__easy_set(easy, CURLOPT_NOBODY, 1L);
        defaults = method;
    } else if (spec->body_size > 0 ||
               (strcmp(method, "POST") == 0 && !is_post_for_digest(attempt))) {
        *changed |= BODY;
        stook__easy_set(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)spec->body_size);
        stook__easy_set(easy, CURLOPT_POSTFIELDS, spec->body != NULL ? spec->body : "");
        defaults = "POST";
    }
    if (strcmp(method, defaults) != 0) {
        *changed |= METHOD;
        stook__easy_set(easy, CURLOPT_CUSTOMREQUEST, method);
    }
    return 0;
}

/* Sets the time to connect, which libcurl divides among the addresses of a name. The scheduler has
   the timer that ends the attempt. With a warm connection the option is unset, because libcurl's
   timer costs 1,300 instructions. */
static void set_connect_time(struct stook__attempt *attempt)
{
    struct stook__easy_settings *state = stook__easy_settings(attempt->easy);
    int64_t ms = attempt->settings->connect_ms;
    if (ms < 0 || ms > INT_MAX)
        ms = INT_MAX;
    if (!attempt->fresh && stook__easy_warm(attempt->easy))
        ms = 0;
    if (state->connect_ms != ms)
        stook__easy_set(attempt->easy, CURLOPT_CONNECTTIMEOUT_MS, (long)ms);
    state->connect_ms = ms;
}

/* Returns 1 if the request has a body. A POST always has one, possibly an empty one. */
static int has_body(const struct stook__attempt *attempt)
{
    return stook__spec_has_body(attempt->spec) ||
           (stook__spec_method(attempt->spec) != NULL && strcmp(attempt->method, "POST") == 0);
}

/* Returns the header lines that the library adds to the program's. */
static const char *const *own_fields(const struct stook__attempt *attempt, const char *own[OWN_MAX])
{
    const char *const *fields = stook__body_sink_fields(attempt);
    size_t n = 0;
    if (attempt->settings->decompress == 1)
        own[n++] = stook__codecs_accepted();
    for (; fields != NULL && *fields != NULL && n < OWN_MAX - 1; fields++)
        own[n++] = *fields;
    if (is_post_for_digest(attempt) && n < OWN_MAX - 1)
        own[n++] = "Content-Length: 0";
    own[n] = NULL;
    return own;
}

/* libcurl would send a Cookie field of the program beside its own. Without public suffixes, a
   server could set cookies for other domains. */
static int check_cookies(const struct stook__attempt *attempt, const char **ret_why)
{
    *ret_why = "this libcurl has no public suffixes (libpsl), which cookies need";
    if (!attempt->defaults->has_psl)
        return STOOK_EUNSUPPORTED;
    *ret_why = "a Cookie header is given beside cookies";
    for (const char *field = stook__spec_headers(attempt->spec); *field != '\0';
         field += strlen(field) + 1)
        if (strncasecmp(field, "Cookie:", 7) == 0)
            return STOOK_EARG;
    return 0;
}

/* Refuses what public_only excludes before there is an address. */
static int check_public_only(const struct stook__attempt *attempt, const char **ret_why)
{
    const struct stook__node *origin = &attempt->origin->node;
    if (attempt->proxy != NULL) /* the proxy would choose the address */
        *ret_why = "public_only excludes a proxy";
    else if (memchr(origin->key, '[', origin->key_size) != NULL && /* RFC 6874 */
             memchr(origin->key, '%', origin->key_size) != NULL)
        *ret_why = "public_only excludes an IPv6 zone";
    else
        return 0;
    return STOOK_EPOLICY;
}

/* Checks that this libcurl can reach the origin through the proxy. */
static int check_proxy(const struct stook__attempt *attempt, const char **ret_why)
{
    const struct stook__defaults *defaults = attempt->defaults;
    if (stook__proxy_kind(attempt->proxy) != STOOK__PROXY_HTTPS)
        return 0;
    if (!defaults->has_https_proxy)
        *ret_why = "this libcurl speaks no TLS to proxies";
    else if (stook__attempt_is_https(attempt) && !defaults->has_tls_in_tls)
        *ret_why = "libcurl with GnuTLS may stall in TLS inside the TLS to a proxy";
    else
        return 0;
    return STOOK_EUNSUPPORTED;
}

int stook__options_check(struct stook__attempt *attempt, int *ret_secret,
                         struct stook__outcome *ret_outcome)
{
    const char *why = NULL, *own[OWN_MAX];
    attempt->proxy = stook__peer_proxy(attempt);
    int error =
        stook__spec_method(attempt->spec) != NULL ? stook__method_check(attempt->method, &why) : 0;
    if (error == 0 && stook__spec_has_body(attempt->spec) && strcmp(attempt->method, "HEAD") == 0) {
        error = STOOK_EARG; /* libcurl would wait for a body that the response does not have */
        why = "a HEAD request has no body";
    }
    if (error == 0 && attempt->defaults->versions[attempt->settings->http_version] == 0) {
        error = STOOK_EUNSUPPORTED;
        why = "this libcurl has no HTTP/3";
    }
    if (error == 0 && stook__attempt_is_https(attempt) && !attempt->defaults->has_tls) {
        error = STOOK_EUNSUPPORTED;
        why = "this libcurl has no TLS";
    }
    if (error == 0 && attempt->proxy != NULL)
        error = check_proxy(attempt, &why);
    if (error == 0 && attempt->settings->cookies == 1)
        error = check_cookies(attempt, &why);
    if (error == 0 && attempt->settings->public_only == 1)
        error = check_public_only(attempt, &why);
    if (error == 0 && attempt->settings->decompress == 1 && !stook__codecs_any()) {
        error = STOOK_EUNSUPPORTED;
        why = "this build decodes no content coding";
    }
    if (error == 0)
        error =
            stook__request_fields(attempt->spec, has_body(attempt), attempt->defaults->agent,
                                  own_fields(attempt, own), &attempt->headers, ret_secret, &why);
    if (error != 0 && error != STOOK_ENOMEM)
        stook__outcome_set(attempt->allocator, ret_outcome, error, why);
    return error;
}

/* Returns 1 if the response may be large, because it is not kept in memory. */
static int may_be_large(const struct stook__spec *spec)
{
    return spec->optional != NULL &&
           (spec->optional->on_body != NULL || spec->optional->output_file != NULL);
}

/* Maps an option that libcurl refused: it was left out of the build, or the value is out of
   range. */
static int refuse_option(struct stook__attempt *attempt, const struct stook__refusal *refusal,
                         struct stook__outcome *ret_outcome)
{
    int bad_value = refusal->code == CURLE_BAD_FUNCTION_ARGUMENT;
    int error = bad_value ? STOOK_EARG : STOOK_EUNSUPPORTED;
    char why[80];
    if (refusal->code == CURLE_OUT_OF_MEMORY)
        return STOOK_ENOMEM;
    snprintf(why, sizeof why,
             bad_value ? "libcurl does not take the value of %s" : "this libcurl lacks %s",
             refusal->option);
    stook__outcome_set(attempt->allocator, ret_outcome, error, why);
    return error;
}

/* Of a handle that only connects, whose request is written by us. */
static int set_direct(struct stook__attempt *attempt, struct stook__outcome *ret_outcome)
{
    const struct stook__easy_settings *state = stook__easy_settings(attempt->easy);
    if (attempt->spec->optional != NULL && attempt->spec->optional->on_progress != NULL)
        stook__easy_watch_sent(attempt->easy);
    if (!stook__easy_is_connected(attempt->easy))
        set_connect_time(attempt);
    return state->refusal.code != CURLE_OK ? refuse_option(attempt, &state->refusal, ret_outcome)
                                           : 0;
}

int stook__options_set(struct stook__attempt *attempt, const struct stook__attempt_events *events,
                       int secret, struct stook__outcome *ret_outcome)
{
    int error = take_easy(attempt, events, may_pool(attempt, secret), ret_outcome);
    if (error != 0)
        return error;
    struct stook__easy_settings *state = stook__easy_settings(attempt->easy);
    if (attempt->direct)
        return set_direct(attempt, ret_outcome);
    undo(stook__easy_curl(attempt->easy), state->changed, attempt->defaults);
    state->changed = 0;
    error = set_method(attempt, &state->changed);
    if (attempt->headers != NULL) {
        state->changed |= FIELDS;
        stook__easy_set(attempt->easy, CURLOPT_HTTPHEADER, attempt->headers);
    }
    if (attempt->fresh) {
        state->changed |= FRESH;
        stook__easy_set(attempt->easy, CURLOPT_FRESH_CONNECT, 1L);
    }
    if (may_be_large(attempt->spec)) {
        state->changed |= LARGE_READS;
        /* Only for speed, so a refusal is ignored: 7.88 refuses it while the handle still has the
           buffer of its last HTTP/2 transfer. */
        curl_easy_setopt(stook__easy_curl(attempt->easy), CURLOPT_BUFFERSIZE, LARGE_READ_SIZE);
    }
    if (attempt->spec->optional != NULL && attempt->spec->optional->on_progress != NULL)
        stook__easy_watch_sent(attempt->easy);
    set_connect_time(attempt);
    if (state->refusal.code != CURLE_OK && (error == 0 || error == STOOK_ENOMEM))
        error = refuse_option(attempt, &state->refusal, ret_outcome);
    return error;
}
