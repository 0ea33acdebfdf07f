/* SPDX-License-Identifier: MIT */
/* Bodies that are not in memory; see upload.h. */
#include "transfer/upload.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "transfer/feed.h"
#include "transfer/file.h"
#include "transfer/parts.h"

/* One file with whose attempt it is: what libcurl's callbacks are given. */
struct source {
    struct stook__file file;
    struct stook__attempt *attempt;
};

struct stook__upload {
    curl_mime *mime;
    size_t count;
    struct source sources[];
};

/* ---------------------------------------------------------------- inside libcurl */

static size_t on_read(char *buffer, size_t one, size_t room, void *user)
{
    struct source *source = user;
    struct stook__attempt *attempt = source->attempt;
    const char *why = NULL;
    int error = 0;
    ptrdiff_t size = stook__file_read(&source->file, buffer, one * room, &error, &why);
    if (size >= 0)
        return (size_t)size;
    attempt->error = STOOK_EARG;
    attempt->why = why;
    attempt->os_error = error;
    return CURL_READFUNC_ABORT;
}

static int on_seek(void *user, curl_off_t offset, int origin)
{
    struct source *source = user;
    return origin == SEEK_SET && stook__file_seek(&source->file, offset) ? CURL_SEEKFUNC_OK : CURL_SEEKFUNC_FAIL;
}

/* ------------------------------------------------------------------- setting up */

static int refuse_file(struct stook__attempt *attempt, const char *path, int os_error, struct stook__outcome *ret_outcome)
{
    int error = os_error == EMFILE || os_error == ENFILE ? STOOK_ENOFD : os_error == ENOMEM ? STOOK_ENOMEM : STOOK_EARG;
    char *why = stook__format(attempt->heap, "%s: %s", path,
                              os_error == ENOTSUP ? "not a regular file" : strerror(os_error));
    stook__outcome_set(attempt->heap, ret_outcome, error, why);
    stook__free(attempt->heap, why);
    ret_outcome->os_error = os_error;
    return error;
}

static struct source *open_source(struct stook__attempt *attempt, const char *path, struct stook__outcome *ret_outcome)
{
    struct stook__upload *upload = attempt->upload;
    struct source *source = &upload->sources[upload->count];
    int error = stook__file_open(&source->file, path);
    if (error != 0) {
        refuse_file(attempt, path, error, ret_outcome);
        return NULL;
    }
    source->attempt = attempt;
    upload->count++;
    return source;
}

static int set_file(struct stook__attempt *attempt, struct stook__outcome *ret_outcome)
{
    struct source *source = open_source(attempt, attempt->spec->extra->body_file, ret_outcome);
    if (source == NULL)
        return ret_outcome->error;
    stook__slot_set(attempt->slot, CURLOPT_POST, 1L);
    stook__slot_set(attempt->slot, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)source->file.size);
    stook__slot_set(attempt->slot, CURLOPT_READFUNCTION, on_read);
    stook__slot_set(attempt->slot, CURLOPT_READDATA, (void *)source);
    stook__slot_set(attempt->slot, CURLOPT_SEEKFUNCTION, on_seek);
    stook__slot_set(attempt->slot, CURLOPT_SEEKDATA, (void *)source);
    return 0;
}

static const char *last_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash != NULL ? slash + 1 : path;
}

/* libcurl would open a file by itself, and leave it open to the children of the program. */
static int add_part(struct stook__attempt *attempt, const struct stook__part *from, struct stook__outcome *ret_outcome)
{
    curl_mimepart *part = curl_mime_addpart(attempt->upload->mime);
    const char *filename = from->filename;
    if (part == NULL || curl_mime_name(part, from->name) != CURLE_OK)
        return STOOK_ENOMEM;
    CURLcode code = CURLE_OK;
    if (from->file != NULL) {
        struct source *source = open_source(attempt, from->file, ret_outcome);
        if (source == NULL)
            return ret_outcome->error;
        code = curl_mime_data_cb(part, source->file.size, on_read, on_seek, NULL, source);
        if (filename == NULL)
            filename = last_of(from->file);
    } else {
        code = curl_mime_data(part, from->value, from->value_size);
    }
    if (code == CURLE_OK && filename != NULL)
        code = curl_mime_filename(part, filename);
    if (code == CURLE_OK && from->type != NULL)
        code = curl_mime_type(part, from->type);
    return code == CURLE_OK ? 0 : STOOK_ENOMEM;
}

static int set_parts(struct stook__attempt *attempt, struct stook__outcome *ret_outcome)
{
    const struct stook__extra *extra = attempt->spec->extra;
    int error = 0;
    /* A libcurl without forms refuses this; of curl_mime_init it has NULL, which could be memory. */
    stook__slot_set(attempt->slot, CURLOPT_MIMEPOST, NULL);
    attempt->upload->mime = curl_mime_init(stook__slot_easy(attempt->slot));
    if (attempt->upload->mime == NULL)
        return STOOK_ENOMEM;
    for (size_t i = 0; error == 0 && i < extra->n_parts; i++)
        error = add_part(attempt, &extra->parts[i], ret_outcome);
    if (error == 0)
        stook__slot_set(attempt->slot, CURLOPT_MIMEPOST, attempt->upload->mime);
    return error;
}

int stook__upload_begin(struct stook__attempt *attempt, struct stook__outcome *ret_outcome)
{
    const struct stook__extra *extra = attempt->spec->extra;
    if (extra->body_read != NULL)
        return stook__feed_begin(attempt);
    size_t count = extra->n_parts > 0 ? extra->n_parts : 1;
    struct stook__upload *upload = stook__alloc(attempt->heap, sizeof *upload + count * sizeof *upload->sources);
    if (upload == NULL)
        return STOOK_ENOMEM;
    attempt->upload = upload;
    return extra->n_parts > 0 ? set_parts(attempt, ret_outcome) : set_file(attempt, ret_outcome);
}

void stook__upload_end(struct stook__attempt *attempt)
{
    struct stook__upload *upload = attempt->upload;
    stook__feed_end(attempt);
    if (upload == NULL)
        return;
    curl_mime_free(upload->mime);
    for (size_t i = 0; i < upload->count; i++)
        stook__file_close(&upload->sources[i].file);
    stook__free(attempt->heap, upload);
    attempt->upload = NULL;
}
