/* SPDX-License-Identifier: MIT */
/* Refuses a first header line that begins with a blank; see obs_fold.h. */
#include "curl/quirks/obs_fold.h"

#include "curl/easy_state.h"
#include "curl/engine_state.h"
#include "curl/quirks/quirks.h"

static int has_quirk(const struct stook__easy *easy)
{
    return (easy->engine->quirks & STOOK__QUIRK_OBS_FOLD_INTO_FREED) != 0;
}

static int is_blank(char byte)
{
    return byte == ' ' || byte == '\t';
}

/* libcurl refuses a line that begins with a NUL, whatever follows. */
static int on_debug(CURL *curl, curl_infotype type, char *data, size_t size, void *user)
{
    (void)curl;
    (void)user;
    if (type == CURLINFO_HEADER_IN && size > 0 && is_blank(data[0]))
        data[0] = '\0';
    return 0;
}

/* The option is set only when it changes: a call costs more than the comparison. */
static void set_verbose(struct stook__easy *easy, int on)
{
    if (easy->traced != on)
        curl_easy_setopt(easy->curl, CURLOPT_VERBOSE, (long)on);
    easy->traced = on;
}

void stook__obs_fold_init(struct stook__easy *easy)
{
    if (has_quirk(easy))
        stook__easy_set(easy, CURLOPT_DEBUGFUNCTION, on_debug);
}

void stook__obs_fold_begin(struct stook__easy *easy)
{
    set_verbose(easy, 0);
    easy->obs_fold = has_quirk(easy) ? STOOK__STATUS_IS_NEXT : STOOK__OBS_FOLD_SAFE;
}

void stook__obs_fold_line(struct stook__easy *easy, const char *line, size_t size)
{
    int is_empty = size == 0 || line[0] == '\r' || line[0] == '\n';
    if (easy->obs_fold == STOOK__STATUS_IS_NEXT) {
        easy->obs_fold = STOOK__FIELD_IS_NEXT;
        set_verbose(easy, 1);
    } else if (is_empty) { /* an interim response without a field; another status line follows */
        easy->obs_fold = STOOK__STATUS_IS_NEXT;
    } else {
        easy->obs_fold = STOOK__OBS_FOLD_SAFE;
        set_verbose(easy, 0);
    }
}
