/* SPDX-License-Identifier: MIT */
/*
 * Public suffixes; see public_suffix.h. A subdomain "sets" a cookie for the domain: libcurl
 * receives a response that was made here, over a pair of Unix datagram sockets, and keeps the
 * cookie or not. The response waits in the socket before libcurl reads, so nothing blocks. Only the
 * two ends can send to each other, and the handle shares nothing with those of requests.
 */
#include "curl/public_suffix.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <stook.h>

enum { DOMAIN_MAX = 253, TEXT_MAX = 512 };

/* The two ends. libcurl gets the first, and closes it. */
struct ends {
    int mine, theirs;
    struct sockaddr_un address; /* of `mine` */
    socklen_t size;
};

/* CURLOPT_OPENSOCKETFUNCTION: libcurl connects the socket, which a datagram socket allows again. */
static curl_socket_t on_open(void *user, curlsocktype purpose, struct curl_sockaddr *address)
{
    struct ends *ends = user;
    (void)purpose;
    int fd = ends->theirs;
    if (fd < 0)
        return CURL_SOCKET_BAD;
    memcpy(&address->addr, &ends->address, ends->size);
    address->addrlen = ends->size;
    ends->theirs = -1;
    return fd;
}

static CURL *make(void)
{
    CURL *curl = curl_easy_init();
    if (curl == NULL)
        return NULL;
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_PROXY, "");
    curl_easy_setopt(curl, CURLOPT_OPENSOCKETFUNCTION, on_open);
    curl_easy_setopt(curl, CURLOPT_FORBID_REUSE, 1L);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, 1000L);
    if (curl_easy_setopt(curl, CURLOPT_UNIX_SOCKET_PATH, "/") == CURLE_OK &&
        curl_easy_setopt(curl, CURLOPT_COOKIEFILE, "") == CURLE_OK)
        return curl;
    curl_easy_cleanup(curl);
    return NULL;
}

/* Makes the pair, with the response in it. 0 or -1. */
static int open_ends(struct ends *ends, const char *response)
{
    int pair[2];
    if (socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) != 0)
        return -1;
    *ends = (struct ends){.mine = pair[0], .theirs = pair[1]};
    ends->address.sun_family = AF_UNIX;
    ends->size = sizeof ends->address;
    /* An address without a name: the kernel makes one (unix(7), autobind). */
    if (bind(pair[0], (struct sockaddr *)&ends->address, sizeof(sa_family_t)) == 0 &&
        getsockname(pair[0], (struct sockaddr *)&ends->address, &ends->size) == 0 &&
        send(pair[0], response, strlen(response), MSG_NOSIGNAL) > 0)
        return 0;
    close(pair[0]);
    close(pair[1]);
    return -1;
}

/* Returns 1 if libcurl has kept the cookie. */
static int is_kept(CURL *curl, struct ends *ends, const char *url)
{
    struct curl_slist *lines = NULL;
    curl_easy_setopt(curl, CURLOPT_COOKIELIST, "ALL");
    curl_easy_setopt(curl, CURLOPT_OPENSOCKETDATA, ends);
    curl_easy_setopt(curl, CURLOPT_URL, url);
    int ok = curl_easy_perform(curl) == CURLE_OK;
    curl_easy_getinfo(curl, CURLINFO_COOKIELIST, &lines);
    int kept = ok && lines != NULL;
    curl_slist_free_all(lines);
    return kept;
}

int stook__public_suffix_ask(struct stook__public_suffix *asked, const char *domain, size_t size,
                             int *ret_is_suffix)
{
    char url[TEXT_MAX], response[TEXT_MAX];
    struct ends ends;
    *ret_is_suffix = 1;
    if (size > DOMAIN_MAX)
        return 0;
    if (asked->curl == NULL)
        asked->curl = make();
    if (asked->curl == NULL)
        return STOOK_ENOMEM;
    snprintf(url, sizeof url, "http://x.%.*s/", (int)size, domain);
    snprintf(response, sizeof response,
             "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nSet-Cookie: x=x; Domain=%.*s\r\n\r\n",
             (int)size, domain);
    if (open_ends(&ends, response) != 0)
        return STOOK_ENOFD;
    *ret_is_suffix = !is_kept(asked->curl, &ends, url);
    close(ends.mine);
    if (ends.theirs >= 0)
        close(ends.theirs);
    return 0;
}

void stook__public_suffix_end(struct stook__public_suffix *asked)
{
    curl_easy_cleanup(asked->curl);
    asked->curl = NULL;
}
