/* SPDX-License-Identifier: MIT */
/* No fold in front of the first field; see obs_fold.h. */
#include "curl/quirks/obs_fold.h"

#include "curl/quirks/quirks.h"

static int is_wanted(const struct stook__easy *easy)
{
    return (easy->engine->quirks & STOOK__QUIRK_OBS_FOLD_INTO_FREED) != 0;
}

static int is_blank(char byte)
{
    return byte == ' ' || byte == '\t';
}

/* libcurl refuses a line with a NUL in front, and does not look behind it. */
static int on_trace(CURL *curl, curl_infotype type, char *data, size_t size, void *user)
{
    (void)curl;
    (void)user;
    if (type == CURLINFO_HEADER_IN && size > 0 && is_blank(data[0]))
        data[0] = '\0';
    return 0;
}

static void trace(struct stook__easy *easy, int on)
{
    if (easy->traced != on)
        curl_easy_setopt(easy->curl, CURLOPT_VERBOSE, (long)on);
    easy->traced = on;
}

void stook__obs_fold_init(struct stook__easy *easy)
{
    if (is_wanted(easy))
        stook__easy_set(easy, CURLOPT_DEBUGFUNCTION, on_trace);
}

void stook__obs_fold_begin(struct stook__easy *easy)
{
    trace(easy, 0);
    easy->obs_fold = is_wanted(easy) ? STOOK__STATUS_IS_NEXT : STOOK__OBS_FOLD_SAFE;
}

void stook__obs_fold_line(struct stook__easy *easy, const char *line, size_t size)
{
    int is_empty = size == 0 || line[0] == '\r' || line[0] == '\n';
    if (easy->obs_fold == STOOK__STATUS_IS_NEXT) {
        easy->obs_fold = STOOK__FIELD_IS_NEXT;
        trace(easy, 1);
    } else if (is_empty) { /* of an interim head without a field */
        easy->obs_fold = STOOK__STATUS_IS_NEXT;
    } else {
        easy->obs_fold = STOOK__OBS_FOLD_SAFE;
        trace(easy, 0);
    }
}
