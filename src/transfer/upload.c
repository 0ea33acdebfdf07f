/* SPDX-License-Identifier: MIT */
/* Bodies that are not in memory; see upload.h. */
#include "transfer/upload.h"

#include <stdio.h>
#include <string.h>

#include "transfer/feed.h"
#include "transfer/file.h"
#include "transfer/parts.h"

struct stook__upload {
    curl_mime *mime;
    size_t count;
    struct stook__file *files[];
};

/* ---------------------------------------------------------------- inside libcurl */

static size_t on_read(char *buffer, size_t one, size_t room, void *user)
{
    ptrdiff_t size = stook__file_read(user, buffer, one * room);
    return size >= 0 ? (size_t)size : size == -1 ? CURL_READFUNC_PAUSE : CURL_READFUNC_ABORT;
}

static int on_seek(void *user, curl_off_t offset, int origin)
{
    return origin == SEEK_SET && stook__file_seek(user, offset) ? CURL_SEEKFUNC_OK : CURL_SEEKFUNC_FAIL;
}

/* ------------------------------------------------------------------- setting up */

static int open_file(struct stook__attempt *attempt, const char *path)
{
    struct stook__upload *upload = attempt->upload;
    int error = stook__file_new(attempt, path, &upload->files[upload->count]);
    upload->count += error == 0;
    return error;
}

int stook__upload_open(struct stook__attempt *attempt)
{
    const struct stook__extra *extra = attempt->spec->extra;
    size_t count = extra->n_parts > 0 ? extra->n_parts : 1;
    int error = 0;
    if (extra->body_read != NULL)
        return 0;
    attempt->upload = stook__alloc(attempt->heap, sizeof *attempt->upload + count * sizeof *attempt->upload->files);
    if (attempt->upload == NULL)
        return STOOK_ENOMEM;
    if (extra->body_file != NULL)
        return open_file(attempt, extra->body_file);
    for (size_t i = 0; error == 0 && i < extra->n_parts; i++)
        if (extra->parts[i].file != NULL)
            error = open_file(attempt, extra->parts[i].file);
    return error;
}

int stook__upload_opening(const struct stook__attempt *attempt)
{
    const struct stook__upload *upload = attempt->upload;
    for (size_t i = 0; upload != NULL && i < upload->count; i++)
        if (stook__file_opening(upload->files[i]))
            return 1;
    return 0;
}

int stook__upload_is_empty(const struct stook__attempt *attempt)
{
    return attempt->spec->extra->body_file != NULL && attempt->upload != NULL && stook__file_size(attempt->upload->files[0]) == 0;
}

static int set_file(struct stook__attempt *attempt)
{
    struct stook__file *file = attempt->upload->files[0];
    stook__slot_set(attempt->slot, CURLOPT_POST, 1L);
    stook__slot_set(attempt->slot, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)stook__file_size(file));
    stook__slot_set(attempt->slot, CURLOPT_READFUNCTION, on_read);
    stook__slot_set(attempt->slot, CURLOPT_READDATA, (void *)file);
    stook__slot_set(attempt->slot, CURLOPT_SEEKFUNCTION, on_seek);
    stook__slot_set(attempt->slot, CURLOPT_SEEKDATA, (void *)file);
    return 0;
}

static const char *last_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash != NULL ? slash + 1 : path;
}

/* libcurl would open a file by itself, wait for the disk, and leave it open to the children of the program. */
static int add_part(struct stook__attempt *attempt, const struct stook__part *from, struct stook__file *file)
{
    curl_mimepart *part = curl_mime_addpart(attempt->upload->mime);
    const char *filename = from->filename;
    if (part == NULL || curl_mime_name(part, from->name) != CURLE_OK)
        return STOOK_ENOMEM;
    CURLcode code = CURLE_OK;
    if (from->file != NULL) {
        code = curl_mime_data_cb(part, stook__file_size(file), on_read, on_seek, NULL, file);
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

static int set_parts(struct stook__attempt *attempt)
{
    const struct stook__extra *extra = attempt->spec->extra;
    struct stook__upload *upload = attempt->upload;
    size_t n_files = 0;
    int error = 0;
    /* A libcurl without forms refuses this; of curl_mime_init it has NULL, which could be memory. */
    stook__slot_set(attempt->slot, CURLOPT_MIMEPOST, NULL);
    upload->mime = curl_mime_init(stook__slot_easy(attempt->slot));
    if (upload->mime == NULL)
        return STOOK_ENOMEM;
    for (size_t i = 0; error == 0 && i < extra->n_parts; i++)
        error = add_part(attempt, &extra->parts[i], extra->parts[i].file != NULL ? upload->files[n_files++] : NULL);
    if (error == 0)
        stook__slot_set(attempt->slot, CURLOPT_MIMEPOST, upload->mime);
    return error;
}

int stook__upload_begin(struct stook__attempt *attempt)
{
    const struct stook__extra *extra = attempt->spec->extra;
    if (extra->body_read != NULL)
        return stook__feed_begin(attempt);
    return extra->n_parts > 0 ? set_parts(attempt) : set_file(attempt);
}

void stook__upload_go_on(struct stook__attempt *attempt)
{
    struct stook__upload *upload = attempt->upload;
    for (size_t i = 0; upload != NULL && i < upload->count; i++)
        if (stook__file_goes_on(upload->files[i]))
            stook__slot_send_on(attempt->slot);
}

void stook__upload_renew(struct stook__attempt *attempt)
{
    struct stook__upload *upload = attempt->upload;
    stook__feed_end(attempt);
    if (upload == NULL)
        return;
    curl_mime_free(upload->mime);
    upload->mime = NULL;
    for (size_t i = 0; i < upload->count; i++)
        stook__file_seek(upload->files[i], 0);
}

void stook__upload_end(struct stook__attempt *attempt)
{
    struct stook__upload *upload = attempt->upload;
    stook__feed_end(attempt);
    if (upload == NULL)
        return;
    curl_mime_free(upload->mime);
    for (size_t i = 0; i < upload->count; i++)
        stook__file_end(upload->files[i]);
    stook__free(attempt->heap, upload);
    attempt->upload = NULL;
}
