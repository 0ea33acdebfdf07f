/* SPDX-License-Identifier: MIT */
/* The part, its tag, and what a server says to a wish for the rest; see outfile.h. */
#include "transfer/outfile.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { TAG_MAX = 4096, SURE_S = 60 };

struct stook__outfile {
    struct stook__heap *heap;
    const char *path, *url;
    char *part, *tag;
    char *range, *if_range; /* fields of the request */
    const char *fields[3];
    int fd;
    int resumes;   /* what does not become whole is to stay */
    int tagged;    /* there is a tag that fits the part */
    int taken;     /* the body goes here */
    int done;
    int64_t size;  /* of the part when it was opened */
    int64_t total; /* of the whole, if a 206 says so; -1: it does not */
    int64_t left;  /* that a 206 is to bring; -1: not known */
};

/* ---------------------------------------------------------------------------- opening */

/* The part, locked, and certainly still the one of that name: whoever had it before may have just put it in
   its place. 0 or an errno. */
static int open_part(struct stook__outfile *file)
{
    struct stat mine, named;
    for (;;) {
        int fd = open(file->part, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0666);
        if (fd < 0)
            return errno;
        int error = fstat(fd, &mine) != 0 ? errno : !S_ISREG(mine.st_mode) ? ENOTSUP : 0;
        if (error == 0 && flock(fd, LOCK_EX | LOCK_NB) != 0)
            error = errno;
        if (error == 0 && stat(file->part, &named) == 0 && named.st_ino == mine.st_ino && named.st_dev == mine.st_dev &&
            fstat(fd, &mine) == 0) {
            file->fd = fd;
            file->size = mine.st_size;
            return 0;
        }
        close(fd);
        if (error != 0)
            return error;
    }
}

/* "validator\nurl\n": read only if both are whole and the part is of this URL. */
static void read_tag(struct stook__outfile *file)
{
    char text[TAG_MAX];
    int fd = open(file->tag, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    ssize_t size = fd >= 0 ? read(fd, text, sizeof text - 1) : -1;
    if (fd >= 0)
        close(fd);
    if (size <= 0)
        return;
    text[size] = '\0';
    char *end = strchr(text, '\n');
    size_t length = strlen(file->url);
    if (end == NULL || end == text || strncmp(end + 1, file->url, length) != 0 || strcmp(end + 1 + length, "\n") != 0)
        return;
    *end = '\0';
    for (const char *c = text; *c != '\0'; c++)
        if ((unsigned char)*c < 0x20 || *c == 0x7f)
            return;
    file->range = stook__format(file->heap, "Range: bytes=%" PRId64 "-", file->size);
    file->if_range = stook__format(file->heap, "If-Range: %s", text);
    file->tagged = file->range != NULL && file->if_range != NULL;
    file->fields[0] = file->tagged ? file->range : NULL;
    file->fields[1] = file->if_range;
}

static int refuse(struct stook__attempt *attempt, const char *path, int os_error, struct stook__outcome *ret_outcome)
{
    int error = os_error == EMFILE || os_error == ENFILE ? STOOK_ENOFD : STOOK_EARG;
    char *why = stook__format(attempt->heap, "%s: %s", path,
                              os_error == EWOULDBLOCK ? "another request writes it" :
                              os_error == ENOTSUP     ? "not a regular file" :
                                                        strerror(os_error));
    stook__outcome_set(attempt->heap, ret_outcome, error, why);
    stook__free(attempt->heap, why);
    ret_outcome->os_error = os_error;
    return error;
}

int stook__outfile_open(struct stook__attempt *attempt, struct stook__outfile **ret_file, struct stook__outcome *ret_outcome)
{
    struct stook__outfile *file = stook__alloc(attempt->heap, sizeof *file);
    if (file == NULL)
        return STOOK_ENOMEM;
    file->heap = attempt->heap;
    file->path = attempt->spec->extra->output_file;
    file->url = attempt->spec->url;
    file->resumes = attempt->spec->extra->resume;
    file->total = file->left = file->fd = -1;
    file->part = stook__format(file->heap, "%s.part", file->path);
    file->tag = stook__format(file->heap, "%s.part.tag", file->path);
    int error = file->part == NULL || file->tag == NULL ? STOOK_ENOMEM : 0;
    int os_error = error == 0 ? open_part(file) : 0;
    if (os_error != 0)
        error = refuse(attempt, file->part, os_error, ret_outcome);
    if (error == 0 && file->resumes && file->size > 0)
        read_tag(file);
    if (error != 0)
        stook__outfile_close(file);
    else
        *ret_file = file;
    return error;
}

const char *const *stook__outfile_fields(const struct stook__outfile *file)
{
    return file->fields[0] != NULL ? file->fields : NULL;
}

/* --------------------------------------------------------------------------- the answer */

static const char *field_of(const struct stook__attempt *attempt, const char *name)
{
    const char *at = attempt->answer.head.data, *end = at + attempt->answer.head.size;
    while (at < end) {
        const char *value = stook__field_value(at);
        if (strcasecmp(at, name) == 0)
            return value;
        at = value + strlen(value) + 1;
    }
    return NULL;
}

/* What says later that it is still the same (RFC 9110 13.1.5): a strong entity tag, or a date of which it is
   certain that nothing changed within its second (8.8.2.2). */
static const char *validator_of(const struct stook__attempt *attempt)
{
    const char *etag = field_of(attempt, "ETag"), *modified = field_of(attempt, "Last-Modified"), *date = field_of(attempt, "Date");
    if (etag != NULL)
        return etag[0] == '"' ? etag : NULL;
    if (modified == NULL || date == NULL)
        return NULL;
    time_t then = curl_getdate(modified, NULL), now = curl_getdate(date, NULL);
    return then >= 0 && now >= 0 && now - then >= SURE_S ? modified : NULL;
}

static void write_tag(struct stook__outfile *file, const struct stook__attempt *attempt)
{
    const char *validator = validator_of(attempt);
    char *text = validator != NULL ? stook__format(file->heap, "%s\n%s\n", validator, file->url) : NULL;
    size_t size = text != NULL ? strlen(text) : 0;
    int fd = text != NULL && size < TAG_MAX ? open(file->tag, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0666) : -1;
    file->tagged = fd >= 0 && write(fd, text, size) == (ssize_t)size;
    if (fd >= 0)
        close(fd);
    stook__free(file->heap, text);
    if (!file->tagged)
        unlink(file->tag);
}

static int fail(struct stook__attempt *attempt, int error, int os_error, const char *why)
{
    attempt->error = error;
    attempt->os_error = os_error;
    attempt->why = why;
    return -1;
}

/* "bytes 500-999/1234", the last an asterisk if it is not known (RFC 9110 14.4). 1: it is. */
static int parse_range(const char *text, int64_t *ret_first, int64_t *ret_last, int64_t *ret_total)
{
    int64_t *numbers[] = {ret_first, ret_last, ret_total};
    static const char ends[] = {'-', '/', '\0'};
    if (text == NULL || strncasecmp(text, "bytes ", 6) != 0)
        return 0;
    text += 6;
    for (int i = 0; i < 3; i++, text++) {
        *numbers[i] = -1;
        if (i == 2 && strcmp(text, "*") == 0)
            return 1;
        for (; *text >= '0' && *text <= '9'; text++) {
            *numbers[i] = *numbers[i] < 0 ? 0 : *numbers[i];
            if (*numbers[i] > (INT64_MAX - 9) / 10)
                return 0;
            *numbers[i] = *numbers[i] * 10 + *text - '0';
        }
        if (*numbers[i] < 0 || *text != ends[i])
            return 0;
    }
    return 1;
}

static int go_on(struct stook__outfile *file, struct stook__attempt *attempt)
{
    int64_t first, last;
    if (!parse_range(field_of(attempt, "Content-Range"), &first, &last, &file->total) || first != file->size ||
        last < first || (file->total >= 0 && last >= file->total))
        return fail(attempt, STOOK_EPROTOCOL, 0, "Content-Range is not what was asked for");
    if (lseek(file->fd, file->size, SEEK_SET) != file->size)
        return fail(attempt, STOOK_EARG, errno, "the part of the file cannot be written");
    file->left = last - first + 1;
    file->taken = 1;
    attempt->flags |= STOOK_FLAG_RESUMED;
    return 1;
}

static int start_over(struct stook__outfile *file, struct stook__attempt *attempt)
{
    if (ftruncate(file->fd, 0) != 0 || lseek(file->fd, 0, SEEK_SET) != 0)
        return fail(attempt, STOOK_EARG, errno, "the part of the file cannot be written");
    file->size = 0;
    file->taken = 1;
    if (file->resumes)
        write_tag(file, attempt);
    return 1;
}

int stook__outfile_head(struct stook__outfile *file, struct stook__attempt *attempt)
{
    if (file->fields[0] != NULL && attempt->answer.status == 206)
        return go_on(file, attempt);
    if (file->fields[0] != NULL && attempt->answer.status == 416) {
        /* It is longer than the whole, or all of it: only a whole one can tell. */
        file->tagged = 0;
        attempt->anew = 1;
        return fail(attempt, STOOK_ETRUNCATED, 0, "there is no rest to the part of the file");
    }
    if (attempt->answer.status < 200 || attempt->answer.status > 299)
        return 0;
    return start_over(file, attempt);
}

int stook__outfile_write(struct stook__outfile *file, const char *data, size_t size)
{
    if (file->left >= 0 && (file->left -= (int64_t)size) < 0)
        return EFBIG;
    while (size > 0) {
        ssize_t written = write(file->fd, data, size);
        if (written < 0 && errno != EINTR)
            return errno;
        data += written > 0 ? written : 0;
        size -= written > 0 ? (size_t)written : 0;
    }
    return 0;
}

int stook__outfile_finish(struct stook__outfile *file, struct stook__attempt *attempt, const char **ret_why)
{
    struct stat now;
    if (!file->taken)
        return 0;
    if (file->left > 0 || (file->total >= 0 && fstat(file->fd, &now) == 0 && now.st_size != file->total)) {
        *ret_why = "the server sent less than the rest of the file";
        return STOOK_ETRUNCATED;
    }
    if (rename(file->part, file->path) != 0) {
        attempt->answer.os_error = (int16_t)errno;
        *ret_why = "the file cannot be put in its place";
        return STOOK_EARG;
    }
    file->done = 1;
    return 0;
}

void stook__outfile_close(struct stook__outfile *file)
{
    struct stat now;
    if (file == NULL)
        return;
    if (file->fd >= 0) {
        int stays = file->resumes && file->tagged && fstat(file->fd, &now) == 0 && now.st_size > 0;
        if (!file->done && !stays)
            unlink(file->part);
        if (file->done || (file->resumes && !stays))
            unlink(file->tag);
        close(file->fd);
    }
    stook__free(file->heap, file->part);
    stook__free(file->heap, file->tag);
    stook__free(file->heap, file->range);
    stook__free(file->heap, file->if_range);
    stook__free(file->heap, file);
}
