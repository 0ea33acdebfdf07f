/* SPDX-License-Identifier: MIT */
/*
 * The options of an easy handle: what is set, and what libcurl refused. http/ sets most of them,
 * the files of this room the rest.
 */
#ifndef STOOK_CURL_EASY_SETTINGS_H
#define STOOK_CURL_EASY_SETTINGS_H

#include <curl/curl.h>
#include <stddef.h>
#include <stdint.h>

#include "util/metadata.h"

struct stook__easy;

/* The address and port of a peer. */
struct stook__remote {
    char text[STOOK__REMOTE_MAX];
    size_t ip_size;
    int port;
};

/* The first option that the libcurl that runs rejected, and its error. */
struct stook__refusal {
    CURLcode code;
    const char *option;
};

/* What the last attempt set on a pooled handle. The attempt maintains it, so that the next attempt
   sets only what differs. */
struct stook__easy_settings {
    CURLU *url;       /* libcurl reads it when the transfer starts, so no two handles share it */
    char text[128];   /* its path and query, or the URL if they are not plain; "" if too long */
    unsigned changed; /* options that differ from those of a plain GET */
    int64_t connect_ms;
    struct curl_slist *connect_to; /* libcurl keeps the pointer */
    struct stook__remote remote;   /* the peer of the last connection */
    int directory;                 /* libcurl's default directory of CA certificates is used too */
    struct stook__refusal refusal; /* if there is one, the handle must not be started */
};

CURL *stook__easy_curl(struct stook__easy *easy);
struct stook__easy_settings *stook__easy_settings(struct stook__easy *easy);

/* Sets an option of libcurl. An error is recorded in the settings. */
#define stook__easy_set(easy, option, value) \
    stook__easy_note(easy, curl_easy_setopt(stook__easy_curl(easy), option, value), #option)
/* Switches a feature off. A libcurl that was built without the feature rejects the option: only a
   lack of memory is an error here. */
#define stook__easy_switch_off(easy, option, value) \
    stook__easy_note_memory(easy, curl_easy_setopt(stook__easy_curl(easy), option, value), #option)
void stook__easy_note(struct stook__easy *easy, CURLcode code, const char *option);
void stook__easy_note_memory(struct stook__easy *easy, CURLcode code, const char *option);

#endif
