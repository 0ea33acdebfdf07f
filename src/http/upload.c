/* SPDX-License-Identifier: MIT */
/*
 * Request bodies that are not in memory; see upload.h. It owns the upload files and the curl_mime
 * of an attempt, and gives libcurl the callbacks that read them. attempt.c calls it.
 */
#include "http/upload.h"

#include <stdio.h>
#include <string.h>

#include "http/attempt_state.h"
#include "http/upload_file.h"
#include "http/upload_source.h"

struct stook__upload {
    curl_mime *mime;
    size_t count;
    struct stook__upload_file *files[];
};

/* ---------------------------------------------------------------- inside libcurl */

static size_t on_read(char *buffer, size_t one, size_t room, void *user)
{
    ptrdiff_t size = stook__upload_file_read(user, buffer, one * room);
    return size >= 0 ? (size_t)size : size == -1 ? CURL_READFUNC_PAUSE : CURL_READFUNC_ABORT;
}

static int on_seek(void *user, curl_off_t offset, int origin)
{
    return origin == SEEK_SET && stook__upload_file_seek(user, offset) ? CURL_SEEKFUNC_OK
                                                                       : CURL_SEEKFUNC_FAIL;
}

/* ------------------------------------------------------------------- setting up */

static int open_file(struct stook__attempt *attempt, const char *path)
{
    struct stook__upload *upload = attempt->upload;
    int error = stook__upload_file_new(attempt, path, &upload->files[upload->count]);
    upload->count += error == 0;
    return error;
}

int stook__upload_open(struct stook__attempt *attempt)
{
    const struct stook__optional *optional = attempt->spec->optional;
    size_t count = optional->n_parts > 0 ? optional->n_parts : 1;
    int error = 0;
    if (optional->body_read != NULL)
        return 0;
    attempt->upload = stook__alloc(attempt->allocator, sizeof *attempt->upload +
                                                           count * sizeof *attempt->upload->files);
    if (attempt->upload == NULL)
        return STOOK_ENOMEM;
    if (optional->body_file != NULL)
        return open_file(attempt, optional->body_file);
    for (size_t i = 0; error == 0 && i < optional->n_parts; i++)
        if (optional->parts[i].file != NULL)
            error = open_file(attempt, optional->parts[i].file);
    return error;
}

int stook__upload_opening(const struct stook__attempt *attempt)
{
    const struct stook__upload *upload = attempt->upload;
    for (size_t i = 0; upload != NULL && i < upload->count; i++)
        if (stook__upload_file_opening(upload->files[i]))
            return 1;
    return 0;
}

int stook__upload_is_empty(const struct stook__attempt *attempt)
{
    return attempt->spec->optional->body_file != NULL && attempt->upload != NULL &&
           stook__upload_file_size(attempt->upload->files[0]) == 0;
}

static int set_file(struct stook__attempt *attempt)
{
    struct stook__upload_file *file = attempt->upload->files[0];
    stook__easy_set(attempt->easy, CURLOPT_POST, 1L);
    stook__easy_set(attempt->easy, CURLOPT_POSTFIELDSIZE_LARGE,
                    (curl_off_t)stook__upload_file_size(file));
    stook__easy_set(attempt->easy, CURLOPT_READFUNCTION, on_read);
    stook__easy_set(attempt->easy, CURLOPT_READDATA, (void *)file);
    stook__easy_set(attempt->easy, CURLOPT_SEEKFUNCTION, on_seek);
    stook__easy_set(attempt->easy, CURLOPT_SEEKDATA, (void *)file);
    return 0;
}

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash != NULL ? slash + 1 : path;
}

/*
 * libcurl itself would block on the disk, and child processes of the program would inherit the
 * file.
 */
static int add_part(struct stook__attempt *attempt, const struct stook__part *from,
                    struct stook__upload_file *file)
{
    curl_mimepart *part = curl_mime_addpart(attempt->upload->mime);
    const char *filename = from->filename;
    if (part == NULL || curl_mime_name(part, from->name) != CURLE_OK)
        return STOOK_ENOMEM;
    CURLcode code = CURLE_OK;
    if (from->file != NULL) {
        code = curl_mime_data_cb(part, stook__upload_file_size(file), on_read, on_seek, NULL, file);
        if (filename == NULL)
            filename = base_name(from->file);
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
    const struct stook__optional *optional = attempt->spec->optional;
    struct stook__upload *upload = attempt->upload;
    size_t n_files = 0;
    int error = 0;
    /* A libcurl without forms refuses this option. Its curl_mime_init() returns NULL, which could
       also mean that there is no memory. */
    stook__easy_set(attempt->easy, CURLOPT_MIMEPOST, NULL);
    upload->mime = curl_mime_init(stook__easy_curl(attempt->easy));
    if (upload->mime == NULL)
        return STOOK_ENOMEM;
    for (size_t i = 0; error == 0 && i < optional->n_parts; i++)
        error = add_part(attempt, &optional->parts[i],
                         optional->parts[i].file != NULL ? upload->files[n_files++] : NULL);
    if (error == 0)
        stook__easy_set(attempt->easy, CURLOPT_MIMEPOST, upload->mime);
    return error;
}

int stook__upload_begin(struct stook__attempt *attempt)
{
    const struct stook__optional *optional = attempt->spec->optional;
    if (optional->body_read != NULL)
        return stook__upload_source_begin(attempt);
    return optional->n_parts > 0 ? set_parts(attempt) : set_file(attempt);
}

void stook__upload_continue(struct stook__attempt *attempt)
{
    struct stook__upload *upload = attempt->upload;
    for (size_t i = 0; upload != NULL && i < upload->count; i++)
        if (stook__upload_file_may_continue(upload->files[i]))
            stook__easy_continue_upload(attempt->easy);
}

void stook__upload_renew(struct stook__attempt *attempt)
{
    struct stook__upload *upload = attempt->upload;
    stook__upload_source_end(attempt);
    if (upload == NULL)
        return;
    curl_mime_free(upload->mime);
    upload->mime = NULL;
    for (size_t i = 0; i < upload->count; i++)
        stook__upload_file_seek(upload->files[i], 0);
}

void stook__upload_end(struct stook__attempt *attempt)
{
    struct stook__upload *upload = attempt->upload;
    stook__upload_source_end(attempt);
    if (upload == NULL)
        return;
    curl_mime_free(upload->mime);
    for (size_t i = 0; i < upload->count; i++)
        stook__upload_file_end(upload->files[i]);
    stook__free(attempt->allocator, upload);
    attempt->upload = NULL;
}
