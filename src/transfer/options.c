/* SPDX-License-Identifier: MIT */
/*
 * A request mapped onto an easy handle. A handle that rested has the options of a plain GET of its
 * origin; what a request needs beside that is noted in the slot's kit, and undone by the next.
 * What is not set here has libcurl's default, looked at and found safe.
 */
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "engine/quirks.h"
#include "transfer/codings.h"
#include "transfer/fields.h"
#include "transfer/intake.h"
#include "transfer/upload.h"
#include "transfer/url.h"

enum { BODY = 1, METHOD = 2, HEAD = 4, FIELDS = 8, FRESH = 16, ROOM = 32, LAST = 64 }; /* of kit.changed */
static const long ROOM_SIZE = 128 << 10; /* of libcurl's buffer */
enum { OWN_MAX = 4 };                                            /* lines of own_fields(), with the NULL */

static int is_https(const struct stook__attempt *attempt)
{
    return attempt->origin->key_size > 5 && attempt->origin->key[4] == 's';
}

static long http_version(const struct stook__attempt *attempt)
{
    int64_t version = attempt->policy->http_version;
    return attempt->usual->versions[version == STOOK_HTTP_3 && !is_https(attempt) ? STOOK_HTTP_2 : version];
}

/*
 * Where libcurl has both a file and a directory of authorities by default, as on Debian, the
 * directory keeps it from keeping what it read: 23 ms for each new connection instead of 1. The
 * file is tried alone, and the directory when a certificate's authority is not in the file. From
 * 8.21 on libcurl does not let go of its directory.
 */
static int directory_apart(const struct stook__attempt *attempt)
{
    char *file = NULL, *directory = NULL;
    if (stook__engine_quirks(attempt->engine) & STOOK__QUIRK_KEEPS_DIRECTORY)
        return 0;
    curl_easy_getinfo(stook__slot_easy(attempt->slot), CURLINFO_CAINFO, &file);
    curl_easy_getinfo(stook__slot_easy(attempt->slot), CURLINFO_CAPATH, &directory);
    return file != NULL && *file != '\0' && directory != NULL && *directory != '\0';
}

static void set_authorities(struct stook__attempt *attempt)
{
    struct stook__slot_kit *kit = stook__slot_kit(attempt->slot);
    const char *file = attempt->policy->ca_file;
    if (file != NULL)
        stook__slot_set(attempt->slot, CURLOPT_CAINFO, file);
    kit->directory = !stook__peer_own_authorities(attempt->policy) && (stook__slot_needs_directory(attempt->slot) ||
                                      !directory_apart(attempt));
    /* A file of one's own means these authorities and no others. */
    if (!kit->directory)
        stook__slot_switch_off(attempt->slot, CURLOPT_CAPATH, NULL);
}

static void set_policy(struct stook__attempt *attempt)
{
    struct stook__slot *slot = attempt->slot;
    stook__slot_set(slot, CURLOPT_PROTOCOLS_STR, attempt->usual->has_tls ? "http,https" : "http");
    /* An empty proxy: those of the environment are not asked. */
    stook__slot_switch_off(slot, CURLOPT_PROXY, "");
    stook__slot_switch_off(slot, CURLOPT_NOPROXY, "*");
    set_authorities(attempt);
    if (attempt->usual->has_tls)
        stook__slot_set(slot, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    stook__slot_set(slot, CURLOPT_HTTP_VERSION, http_version(attempt));
    /* libcurl formats a User-Agent that is an option twice for each request. */
    stook__slot_set(slot, CURLOPT_HTTPHEADER, attempt->usual->headers);
    stook__slot_set(slot, CURLOPT_CURLU, stook__slot_kit(slot)->url);
}

/* Whether a connection may come to speak HTTP/2, which is agreed in TLS: 1; or even HTTP/3: 2. */
int stook__options_may_be_h2(const struct stook__attempt *attempt)
{
    long version = http_version(attempt);
    if (!is_https(attempt) || version == CURL_HTTP_VERSION_1_1)
        return 0;
    return version == CURL_HTTP_VERSION_3 ? 2 : 1;
}

/* Whether the handle is no different from that of other requests when this one is over. */
static int may_rest(const struct stook__attempt *attempt, int secret)
{
    const struct stook__policy *policy = attempt->policy, *usual = attempt->usual->policy;
    const struct stook__extra *extra = attempt->spec->extra;
    return !secret && policy->ca_file == usual->ca_file && policy->peer == usual->peer &&
           policy->http_version == usual->http_version && !stook__spec_has_source(attempt->spec) &&
           (extra == NULL || (extra->unix_socket == NULL && extra->username == NULL && extra->on_progress == NULL)); /* progress cannot be switched off again */
}

static int refuse_url(struct stook__attempt *attempt, int error, const char *why, const char *scheme,
                      struct stook__outcome *ret_outcome)
{
    char text[80];
    if (scheme[0] != '\0') {
        snprintf(text, sizeof text, "the scheme is %s; %s", scheme, why);
        why = text;
    }
    stook__outcome_set(attempt->heap, ret_outcome, error, why);
    return error;
}

/* Whoever asks for the same again, as those do who poll, is spared 600 instructions. */
static void note_url(struct stook__slot_kit *kit, const char *url)
{
    size_t size = strlen(url) + 1;
    if (size <= sizeof kit->text)
        memcpy(kit->text, url, size);
}

static int take_new(struct stook__attempt *attempt, struct stook__trust *trust, int rest, struct stook__outcome *ret_outcome)
{
    const char *why = NULL, *url = attempt->spec->url;
    char scheme[16];
    attempt->slot = stook__slot_new(trust, &stook__receive_events, attempt);
    if (attempt->slot == NULL)
        return STOOK_ENOMEM;
    int error = stook__url_parse(stook__slot_kit(attempt->slot)->url, url, &why, scheme);
    if (error != 0)
        return refuse_url(attempt, error, why, scheme, ret_outcome);
    note_url(stook__slot_kit(attempt->slot), url);
    error = stook__peer_join(attempt, stook__options_may_be_h2(attempt), rest);
    if (error != 0)
        return error;
    set_policy(attempt);
    stook__peer_set(attempt);
    return 0;
}

/* A slot with the URL and the policy set: one that rested, if it can be had, else a new one. */
static int take_slot(struct stook__attempt *attempt, int rest, struct stook__outcome *ret_outcome)
{
    const char *why, *url = attempt->spec->url;
    char scheme[16];
    struct stook__trust *trust = stook__peer_trust(attempt->usual, attempt->policy);
    if (trust == NULL)
        return STOOK_ENOMEM;
    if (rest)
        attempt->slot = stook__slot_take(trust, attempt->origin, stook__options_may_be_h2(attempt), &stook__receive_events, attempt);
    if (attempt->slot != NULL && stook__slot_needs_directory(attempt->slot) && !stook__slot_kit(attempt->slot)->directory) {
        stook__slot_give_back(attempt->slot);
        attempt->slot = NULL;
    }
    if (attempt->slot == NULL)
        return take_new(attempt, trust, rest, ret_outcome);
    struct stook__slot_kit *kit = stook__slot_kit(attempt->slot);
    if (strcmp(kit->text, url) == 0)
        return 0;
    kit->text[0] = '\0';
    int error = stook__url_move(kit->url, url + stook__url_origin(url)) ? 0 : stook__url_parse(kit->url, url, &why, scheme);
    if (error != 0)
        return refuse_url(attempt, error, why, scheme, ret_outcome);
    note_url(kit, url);
    return 0;
}

/* Back to a plain GET, where the last attempt of this handle was something else. */
static void undo(CURL *easy, unsigned changed, const struct stook__usual *usual)
{
    if (changed & (BODY | HEAD)) {
        curl_easy_setopt(easy, CURLOPT_POSTFIELDS, NULL);
        curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)-1);
        curl_easy_setopt(easy, CURLOPT_NOBODY, 0L);
        curl_easy_setopt(easy, CURLOPT_HTTPGET, 1L);
    }
    if (changed & METHOD)
        curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, NULL);
    if (changed & FIELDS)
        curl_easy_setopt(easy, CURLOPT_HTTPHEADER, usual->headers);
    if (changed & FRESH)
        curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, 0L);
    if (changed & ROOM)
        curl_easy_setopt(easy, CURLOPT_BUFFERSIZE, (long)CURL_MAX_WRITE_SIZE);
    if (changed & LAST)
        curl_easy_setopt(easy, CURLOPT_FORBID_REUSE, 0L);
}

void stook__options_last(struct stook__attempt *attempt, int last)
{
    stook__slot_kit(attempt->slot)->changed |= LAST;
    curl_easy_setopt(stook__slot_easy(attempt->slot), CURLOPT_FORBID_REUSE, (long)last);
}

/* What libcurl takes for a POST it sends again when a Digest was not asked for, as if it had left a body out. */
static int is_post_for_digest(const struct stook__attempt *attempt)
{
    const struct stook__extra *extra = attempt->spec->extra;
    return extra != NULL && extra->username != NULL && strcmp(attempt->method, "POST") == 0 &&
           (!stook__spec_has_body(attempt->spec) || stook__upload_is_empty(attempt));
}

static int set_method(struct stook__attempt *attempt, unsigned *changed)
{
    struct stook__slot *slot = attempt->slot;
    const struct stook__spec *spec = attempt->spec;
    const char *method = attempt->method, *usual = "GET";
    if (stook__spec_method(spec) == NULL && !stook__spec_has_body(spec))
        return 0; /* what undo() has left */
    if (stook__spec_has_source(spec) && !is_post_for_digest(attempt)) {
        int error = stook__upload_begin(attempt);
        if (error != 0)
            return error;
        usual = "POST";
    } else if (strcmp(method, "HEAD") == 0 && spec->body_size == 0) {
        /* Has to be told as such, or libcurl waits for a body that never comes. */
        *changed |= HEAD;
        stook__slot_set(slot, CURLOPT_NOBODY, 1L);
        usual = method;
    } else if (spec->body_size > 0 || (strcmp(method, "POST") == 0 && !is_post_for_digest(attempt))) {
        *changed |= BODY;
        stook__slot_set(slot, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)spec->body_size);
        stook__slot_set(slot, CURLOPT_POSTFIELDS, spec->body != NULL ? spec->body : "");
        usual = "POST";
    }
    if (strcmp(method, usual) != 0) {
        *changed |= METHOD;
        stook__slot_set(slot, CURLOPT_CUSTOMREQUEST, method);
    }
    return 0;
}

/* libcurl shares this time among the addresses of a name; the clock itself is sched's. Where nothing
   is to be connected, libcurl is spared a timer, which costs it 1,300 instructions. */
static void set_connect_time(struct stook__attempt *attempt)
{
    struct stook__slot_kit *kit = stook__slot_kit(attempt->slot);
    int64_t ms = attempt->policy->connect_ms;
    if (ms < 0 || ms > INT_MAX)
        ms = INT_MAX;
    if (!attempt->fresh && stook__slot_warm(attempt->slot))
        ms = 0;
    if (kit->connect_ms != ms)
        stook__slot_set(attempt->slot, CURLOPT_CONNECTTIMEOUT_MS, (long)ms);
    kit->connect_ms = ms;
}

/* POST always has one, if an empty one. */
static int has_body(const struct stook__attempt *attempt)
{
    return stook__spec_has_body(attempt->spec) ||
           (stook__spec_method(attempt->spec) != NULL && strcmp(attempt->method, "POST") == 0);
}

/* Lines that the library adds to the program's. */
static const char *const *own_fields(const struct stook__attempt *attempt, const char *own[OWN_MAX])
{
    const char *const *fields = stook__intake_fields(attempt);
    size_t n = 0;
    if (attempt->policy->decode == 1)
        own[n++] = stook__codings_accepted();
    for (; fields != NULL && *fields != NULL && n < OWN_MAX - 1; fields++)
        own[n++] = *fields;
    if (is_post_for_digest(attempt) && n < OWN_MAX - 1)
        own[n++] = "Content-Length: 0";
    own[n] = NULL;
    return own;
}

int stook__options_check(struct stook__attempt *attempt, int *ret_secret, struct stook__outcome *ret_outcome)
{
    const char *why = NULL, *own[OWN_MAX];
    int error = stook__spec_method(attempt->spec) != NULL ? stook__method_check(attempt->method, &why) : 0;
    if (error == 0 && stook__spec_has_body(attempt->spec) && strcmp(attempt->method, "HEAD") == 0) {
        error = STOOK_EARG; /* libcurl would wait for the body of an answer that has none */
        why = "a HEAD request has no body";
    }
    if (error == 0 && attempt->usual->versions[attempt->policy->http_version] == 0) {
        error = STOOK_EUNSUPPORTED;
        why = "this libcurl has no HTTP/3";
    }
    if (error == 0 && is_https(attempt) && !attempt->usual->has_tls) {
        error = STOOK_EUNSUPPORTED;
        why = "this libcurl has no TLS";
    }
    if (error == 0 && attempt->policy->decode == 1 && !stook__codings_any()) {
        error = STOOK_EUNSUPPORTED;
        why = "this build decodes no content coding";
    }
    if (error == 0)
        error = stook__fields_list(attempt->spec, has_body(attempt), attempt->usual->agent, own_fields(attempt, own),
                                   &attempt->headers, ret_secret, &why);
    if (error != 0 && error != STOOK_ENOMEM)
        stook__outcome_set(attempt->heap, ret_outcome, error, why);
    return error;
}

/* Bodies that may be large: fewer, larger reads. */
static int goes_elsewhere(const struct stook__spec *spec)
{
    return spec->extra != NULL && (spec->extra->on_body != NULL || spec->extra->output_file != NULL);
}

/* What is refused was left out when libcurl was built, or its value is beyond libcurl's bounds. */
static int refused(struct stook__attempt *attempt, const struct stook__refusal *refusal, struct stook__outcome *ret_outcome)
{
    int bad_value = refusal->code == CURLE_BAD_FUNCTION_ARGUMENT;
    int error = bad_value ? STOOK_EARG : STOOK_EUNSUPPORTED;
    char why[80];
    if (refusal->code == CURLE_OUT_OF_MEMORY)
        return STOOK_ENOMEM;
    snprintf(why, sizeof why, bad_value ? "libcurl does not take the value of %s" : "this libcurl lacks %s", refusal->option);
    stook__outcome_set(attempt->heap, ret_outcome, error, why);
    return error;
}

int stook__options_set(struct stook__attempt *attempt, int fresh, struct stook__outcome *ret_outcome)
{
    int secret = 0;
    int error = stook__options_check(attempt, &secret, ret_outcome);
    if (error == 0)
        error = take_slot(attempt, may_rest(attempt, secret), ret_outcome);
    if (error != 0)
        return error;
    struct stook__slot_kit *kit = stook__slot_kit(attempt->slot);
    undo(stook__slot_easy(attempt->slot), kit->changed, attempt->usual);
    kit->changed = 0;
    error = set_method(attempt, &kit->changed);
    stook__rounds_begin(attempt);
    if (attempt->headers != NULL) {
        kit->changed |= FIELDS;
        stook__slot_set(attempt->slot, CURLOPT_HTTPHEADER, attempt->headers);
    }
    if (fresh) {
        kit->changed |= FRESH;
        stook__slot_set(attempt->slot, CURLOPT_FRESH_CONNECT, 1L);
    }
    if (goes_elsewhere(attempt->spec)) {
        kit->changed |= ROOM;
        /* For speed only: 7.88 refuses it while the handle still has the buffer of its last HTTP/2 transfer. */
        curl_easy_setopt(stook__slot_easy(attempt->slot), CURLOPT_BUFFERSIZE, ROOM_SIZE);
    }
    if (attempt->spec->extra != NULL && attempt->spec->extra->on_progress != NULL)
        stook__slot_watch_sent(attempt->slot);
    set_connect_time(attempt);
    if (kit->refusal.code != CURLE_OK && (error == 0 || error == STOOK_ENOMEM))
        error = refused(attempt, &kit->refusal, ret_outcome);
    return error;
}
