/* SPDX-License-Identifier: MIT */
/* The options of an easy handle; see easy_settings.h. */
#include "curl/easy_settings.h"

#include "curl/easy_state.h"

CURL *stook__easy_curl(struct stook__easy *easy)
{
    return easy->curl;
}

struct stook__easy_settings *stook__easy_settings(struct stook__easy *easy)
{
    return &easy->settings;
}

void stook__easy_note(struct stook__easy *easy, CURLcode code, const char *option)
{
    if (code != CURLE_OK && easy->settings.refusal.code == CURLE_OK)
        easy->settings.refusal = (struct stook__refusal){code, option};
}

void stook__easy_note_memory(struct stook__easy *easy, CURLcode code, const char *option)
{
    if (code == CURLE_OUT_OF_MEMORY)
        stook__easy_note(easy, code, option);
}
