/* SPDX-License-Identifier: MIT */
/*
 * The cookies of a client in a file; see cookie_file.h. libcurl never gets a path: it would follow
 * links, skip what it cannot read, and write with the mode of the umask. These are calls of the
 * program's own, outside of callbacks, and they block.
 */
#include "http/cookie_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "curl/cookie_line.h"
#include "curl/cookies.h"
#include "curl/public_suffix.h"
#include "http/attempt_state.h"
#include "loop/file.h"

/* libcurl compares each new cookie with those that are there. */
enum { FILE_MAX = 16 << 20, COOKIES_MAX = 10000, TRIES = 100 };

/* Tools that read the format look for the first line. */
static const char title[] = "# Netscape HTTP Cookie File\n\n";

static int fail(int os_error)
{
    errno = os_error;
    return STOOK_EFILE;
}

static int is_expired(const struct stook__cookie_line *line)
{
    return line->expires != 0 && line->expires <= time(NULL);
}

/* --------------------------------------------------------------------------------------- load */

/* Appends what the descriptor holds. */
static int read_all(int fd, struct stook__allocator *allocator, struct stook__buffer *text)
{
    struct stat stat;
    if (fstat(fd, &stat) != 0)
        return fail(errno);
    if (!S_ISREG(stat.st_mode))
        return fail(S_ISDIR(stat.st_mode) ? EISDIR : ENOTSUP);
    if (stat.st_size > FILE_MAX)
        return fail(EFBIG);
    int error = stook__buffer_reserve(text, allocator, (size_t)stat.st_size + 1);
    while (error == 0 && text->size < (size_t)stat.st_size) {
        ssize_t got = read(fd, text->data + text->size, (size_t)stat.st_size - text->size);
        if (got == 0)
            break;
        if (got < 0 && errno != EINTR)
            return fail(errno);
        text->size += got > 0 ? (size_t)got : 0;
    }
    return error;
}

static int read_file(struct stook__allocator *allocator, const char *path,
                     struct stook__buffer *text)
{
    /* O_NONBLOCK: the file may be a FIFO without a writer. */
    int fd = stook__file_open(AT_FDCWD, path, O_RDONLY | O_NONBLOCK, 0);
    if (fd < 0)
        return fail(errno);
    int error = read_all(fd, allocator, text), os_error = errno;
    close(fd);
    errno = os_error;
    return error;
}

static int is_comment(const char *line, size_t size)
{
    return size == 0 || (line[0] == '#' && (size < 10 || memcmp(line, "#HttpOnly_", 10) != 0));
}

/* What the lines of a file become. */
struct lines {
    struct stook__allocator *allocator;
    struct stook__buffer text; /* for libcurl: in sequence, ended by an empty one */
    size_t count;
    struct stook__public_suffix suffix;
    const char *domain; /* the last one that was found to be none */
    size_t domain_size;
};

/* 0; STOOK_EFILE: the cookie is for all subdomains of a public suffix. A file has the cookies of
   one domain in a row. */
static int check_suffix(struct lines *lines, const struct stook__cookie_line *line)
{
    const char *domain = line->at[STOOK__COOKIE_DOMAIN];
    size_t size = line->size[STOOK__COOKIE_DOMAIN];
    int is_suffix = 0;
    if (!stook__cookie_line_is(line, STOOK__COOKIE_SUBDOMAINS, "TRUE") ||
        (size == lines->domain_size && memcmp(domain, lines->domain, size) == 0))
        return 0;
    int error = stook__public_suffix_ask(&lines->suffix, domain, size, &is_suffix);
    if (error == 0 && is_suffix)
        return fail(EBADMSG);
    lines->domain = domain;
    lines->domain_size = error == 0 ? size : 0;
    return error;
}

/* Appends a line to those for libcurl. The domain becomes lower case: libcurl up to 8.4 looks
   public suffixes up as they are written. */
static int take_line(struct lines *lines, const char *text, size_t size)
{
    struct stook__cookie_line line;
    struct stook__buffer *all = &lines->text;
    if (is_comment(text, size))
        return 0;
    if (!stook__cookie_line_split(text, size, &line) || !stook__cookie_line_is_valid(&line))
        return fail(EBADMSG);
    int error = check_suffix(lines, &line);
    if (error != 0 || is_expired(&line))
        return error;
    if (++lines->count > COOKIES_MAX)
        return fail(EFBIG);
    size_t at = all->size + (size_t)(line.at[STOOK__COOKIE_DOMAIN] - text);
    if (stook__buffer_append(all, lines->allocator, text, size) != 0 ||
        stook__buffer_append(all, lines->allocator, "", 1) != 0)
        return STOOK_ENOMEM;
    for (size_t i = at; i < at + line.size[STOOK__COOKIE_DOMAIN]; i++)
        if (all->data[i] >= 'A' && all->data[i] <= 'Z')
            all->data[i] |= 0x20;
    return 0;
}

static int take_lines(struct lines *lines, const struct stook__buffer *text)
{
    const char *at = text->data, *end = text->data + text->size;
    int error = 0;
    while (error == 0 && at < end) {
        const char *newline = memchr(at, '\n', (size_t)(end - at));
        const char *line_end = newline != NULL ? newline : end;
        size_t size = (size_t)(line_end - at);
        if (size > 0 && at[size - 1] == '\r')
            size--;
        error = take_line(lines, at, size);
        at = newline != NULL ? newline + 1 : end;
    }
    return error == 0 ? stook__buffer_append(&lines->text, lines->allocator, "", 1) : error;
}

int stook__cookie_file_load(struct stook__defaults *defaults, const char *path)
{
    struct stook__buffer text = {0};
    struct lines lines = {.allocator = defaults->allocator};
    if (!defaults->has_psl)
        return STOOK_EUNSUPPORTED;
    int error = read_file(defaults->allocator, path, &text);
    if (error == 0)
        error = take_lines(&lines, &text);
    int os_error = errno;
    if (error == 0)
        error = stook__cookies_add(defaults->engine, lines.text.data);
    if (error == 0)
        stook__cookies_limit(defaults->engine, 1);
    stook__public_suffix_end(&lines.suffix);
    stook__buffer_free(&text, defaults->allocator);
    stook__buffer_free(&lines.text, defaults->allocator);
    errno = os_error;
    return error;
}

/* --------------------------------------------------------------------------------------- save */

/* Makes the text of the file. */
static int list(struct stook__defaults *defaults, struct stook__buffer *text)
{
    struct curl_slist *cookies;
    int error = stook__buffer_append(text, defaults->allocator, title, sizeof title - 1);
    stook__cookies_limit(defaults->engine, 1);
    if (error == 0)
        error = stook__cookies_list(defaults->engine, &cookies);
    if (error != 0)
        return error;
    for (const struct curl_slist *at = cookies; error == 0 && at != NULL; at = at->next) {
        struct stook__cookie_line line;
        size_t size = strlen(at->data);
        if (!stook__cookie_line_split(at->data, size, &line) ||
            !stook__cookie_line_is_valid(&line) || is_expired(&line))
            continue;
        error = stook__buffer_append(text, defaults->allocator, at->data, size);
        if (error == 0)
            error = stook__buffer_append(text, defaults->allocator, "\n", 1);
    }
    curl_slist_free_all(cookies);
    return error;
}

/* Opens a new file beside `path`, with a name that no other process takes. */
static int open_beside(struct stook__allocator *allocator, const char *path, char **ret_name)
{
    int fd = -1;
    errno = EEXIST;
    for (int i = 0; i < TRIES && fd < 0 && errno == EEXIST; i++) {
        stook__free(allocator, *ret_name);
        *ret_name = stook__format(allocator, "%s.%ld-%d", path, (long)getpid(), i);
        if (*ret_name == NULL)
            return -1;
        fd = stook__file_open(AT_FDCWD, *ret_name, O_WRONLY | O_CREAT | O_EXCL, 0600);
    }
    return fd;
}

/* 0 or an errno. */
static int write_all(int fd, const struct stook__buffer *text)
{
    for (size_t done = 0; done < text->size;) {
        ssize_t size = write(fd, text->data + done, text->size - done);
        if (size < 0 && errno != EINTR)
            return errno;
        done += size > 0 ? (size_t)size : 0;
    }
    return fsync(fd) == 0 ? 0 : errno;
}

/* A link would be replaced, and what it leads to would stay as it is. 0 or an errno. */
static int check_target(const char *path)
{
    struct stat stat;
    if (lstat(path, &stat) != 0)
        return errno == ENOENT ? 0 : errno;
    if (S_ISREG(stat.st_mode))
        return 0;
    return S_ISDIR(stat.st_mode) ? EISDIR : S_ISLNK(stat.st_mode) ? ELOOP : ENOTSUP;
}

static int write_file(struct stook__allocator *allocator, const char *path,
                      const struct stook__buffer *text)
{
    char *name = NULL;
    int os_error = check_target(path);
    if (os_error != 0)
        return fail(os_error);
    int fd = open_beside(allocator, path, &name);
    if (name == NULL)
        return STOOK_ENOMEM;
    os_error = fd < 0 ? errno : write_all(fd, text);
    if (fd >= 0 && close(fd) != 0 && os_error == 0)
        os_error = errno;
    if (os_error == 0 && rename(name, path) != 0)
        os_error = errno;
    if (fd >= 0 && os_error != 0)
        unlink(name);
    stook__free(allocator, name);
    return os_error != 0 ? fail(os_error) : 0;
}

int stook__cookie_file_save(struct stook__defaults *defaults, const char *path)
{
    struct stook__buffer text = {0};
    if (!defaults->has_psl)
        return STOOK_EUNSUPPORTED;
    int error = list(defaults, &text);
    if (error == 0)
        error = write_file(defaults->allocator, path, &text);
    int os_error = errno;
    stook__buffer_free(&text, defaults->allocator);
    errno = os_error;
    return error;
}
