/* SPDX-License-Identifier: MIT */
/*
 * Lines of cookie files: what is accepted is what libcurl makes of it. The input is a line.
 *
 *   libcurl keeps one cookie of an accepted line, with the same fields, unless it has expired
 *   no accepted line has a control byte but its six tabs
 *   what libcurl lists is accepted again
 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include <curl/curl.h>
#include <stook.h>

#include "curl/cookie_line.h"
#include "fuzz.h"

static void check_same(const struct stook__cookie_line *line, const struct stook__cookie_line *kept, enum stook__cookie_field field)
{
    size_t size = line->size[field];
    /* Newer versions keep "/a/" as "/a", which is the same. */
    if (field == STOOK__COOKIE_PATH && size > 1 && line->at[field][size - 1] == '/' && kept->size[field] == size - 1)
        size--;
    CHECK_EQ_SIZE(kept->size[field], size);
    CHECK(strncasecmp(kept->at[field], line->at[field], size) == 0);
}

static void check_kept(const char *text, const struct stook__cookie_line *line)
{
    struct stook__cookie_line kept;
    struct curl_slist *lines = NULL;
    CURL *curl = curl_easy_init();
    CHECK(curl != NULL);
    CHECK_EQ_INT(curl_easy_setopt(curl, CURLOPT_COOKIELIST, text), CURLE_OK);
    CHECK_EQ_INT(curl_easy_getinfo(curl, CURLINFO_COOKIELIST, &lines), CURLE_OK);
    if (lines == NULL && line->expires != 0 && line->expires <= time(NULL)) {
        curl_easy_cleanup(curl); /* 8.23; 8.14 lists it */
        return;
    }
    CHECK(lines != NULL && lines->next == NULL);
    test_note("%s", lines->data);
    CHECK(stook__cookie_line_split(lines->data, strlen(lines->data), &kept) && stook__cookie_line_is_valid(&kept));
    for (int i = 0; i < STOOK__COOKIE_FIELDS; i++)
        if (i != STOOK__COOKIE_EXPIRES)
            check_same(line, &kept, i);
    CHECK(kept.expires == line->expires);
    curl_slist_free_all(lines);
    curl_easy_cleanup(curl);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct stook__cookie_line line;
    size_t tabs = 0;
    if (!stook__cookie_line_split((const char *)data, size, &line) || !stook__cookie_line_is_valid(&line))
        return 0;
    for (size_t i = 0; i < size; i++)
        tabs += data[i] == '\t';
    CHECK_EQ_SIZE(tabs, 6);
    for (size_t i = 0; i < size; i++)
        CHECK((data[i] >= 0x20 && data[i] != 0x7f) || data[i] == '\t');
    char *text = malloc(size + 1);
    CHECK(text != NULL);
    memcpy(text, data, size);
    text[size] = '\0';
    check_kept(text, &line);
    free(text);
    return 0;
}
