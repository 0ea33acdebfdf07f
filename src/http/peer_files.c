/* SPDX-License-Identifier: MIT */
/*
 * Why a file of certificates or keys could not be used. libcurl reads them when it connects, says of most
 * failures that the certificate is bad, and not always which file it was. So when it has failed the files
 * are looked at: that costs nothing as long as all is well.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "http/attempt_parts.h"

enum { LOOK_BYTES = 65536 }; /* in a file of this size and more nothing is missed for sure */

/* Whether the text "-----BEGIN" of a PEM file (RFC 7468 2) is nowhere in it. */
static int has_no_pem(int fd)
{
    static const char mark[] = "-----BEGIN ";
    char bytes[LOOK_BYTES];
    size_t size = 0;
    ssize_t got;
    while (size < sizeof bytes && (got = read(fd, bytes + size, sizeof bytes - size)) > 0)
        size += (size_t)got;
    for (size_t i = 0; i + sizeof mark - 1 <= size; i++)
        if (memcmp(bytes + i, mark, sizeof mark - 1) == 0)
            return 0;
    return size < sizeof bytes;
}

/* NULL: nothing is known to be wrong with it. */
static const char *fault_of(const char *path, int is_pem, int *ret_os_error)
{
    struct stat stat;
    /* Not to wait for the writer of what turns out to be a pipe. */
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    int os_error = fd < 0 || fstat(fd, &stat) != 0 ? errno : S_ISDIR(stat.st_mode) ? EISDIR : 0;
    int wrong = os_error == 0 && is_pem && S_ISREG(stat.st_mode) && has_no_pem(fd);
    if (fd >= 0)
        close(fd);
    if (os_error == EMFILE || os_error == ENFILE)
        return NULL;
    *ret_os_error = os_error;
    return os_error != 0 ? strerror(os_error) : wrong ? "it is not PEM" : NULL;
}

char *stook__peer_file_fault(struct stook__attempt *attempt, CURLcode code)
{
    static const struct stook__peer nothing;
    const struct stook__settings *policy = attempt->policy;
    const struct stook__peer *peer = policy->peer != NULL ? policy->peer : &nothing;
    int own = stook__peer_own_authorities(policy);
    char *file = NULL;
    if (!own)
        curl_easy_getinfo(stook__easy_curl(attempt->easy), CURLINFO_CAINFO, &file);
    const char *pin = peer->pinned_key;
    const struct {
        const char *member, *path;
        int is_pem;
    } files[] = {
        {own ? "ca_file" : "libcurl's file of authorities", own ? policy->ca_file : file, 1},
        {"client_cert", peer->client_cert, 1},
        {"client_key", peer->client_key, 1},
        {"pinned_key", pin != NULL && strncmp(pin, "sha256//", 8) != 0 ? pin : NULL, 0}};
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        int os_error = 0;
        const char *why =
            files[i].path != NULL ? fault_of(files[i].path, files[i].is_pem, &os_error) : NULL;
        if (why == NULL && i == 0 && files[i].path != NULL && code == CURLE_SSL_CACERT_BADFILE)
            why = "no certificate in it can be read";
        if (why == NULL)
            continue;
        attempt->answer.os_error = (int16_t)os_error;
        return stook__format(attempt->allocator, "%s %s: %s", files[i].member, files[i].path, why);
    }
    return NULL;
}
