/* SPDX-License-Identifier: MIT */
/*
 * The head of a request over HTTP/1.1 (RFC 9112 2.1): the request line, the header fields and the
 * empty line, with the bytes that libcurl would send. Pure: it allocates nothing, and knows neither
 * the attempt nor the connection.
 */
#ifndef STOOK_HTTP1_WRITER_H
#define STOOK_HTTP1_WRITER_H

#include <stddef.h>
#include <stdint.h>

struct curl_slist;

/* Values of `length` that are not the size of a body. */
enum { STOOK__HTTP1_NO_BODY = -1, STOOK__HTTP1_CHUNKED = -2 };

struct stook__http1_head {
    /* A token. */
    const char *method;
    /* Path and query. An empty one is "/", and one that begins with "?" gets a "/" before it. NULL
       if the size is 0. */
    const char *target;
    size_t target_size;
    /* The value of Host: the host, and the port unless it is the default of the scheme. */
    const char *host;
    size_t host_size;
    /* "http://" for the absolute form, which a proxy gets (RFC 9112 3.2.2). NULL: the target is
       sent as it is. */
    const char *absolute;
    /* Lines as CURLOPT_HTTPHEADER takes them: "Name: value"; "Name:" without a value writes
       nothing, and if it names Accept, no Accept is added; "Name;" writes the field with an empty
       value. NULL: none. */
    const struct curl_slist *fields;
    /* Of the body, in bytes, or one of the values above. A body of 0 bytes is sent with its length,
       no body without. */
    int64_t length;
};

/*
 * Writes the request line, Host, "Accept: * / *" (without the blanks) unless `fields` contains an
 * Accept, the fields in their order, Content-Length or "Transfer-Encoding: chunked", and the empty
 * line. Returns the bytes of the head. If these are more than `size`, nothing is written.
 *
 * The members have been checked by request/url.h and request/headers.h. What would not be one
 * well-formed request is refused here once more, because a server would read two: a byte that is
 * not visible ASCII in method, target or host; a field that is not a token with a value, that has a
 * control byte other than a tab, or that is another Host, Content-Length or Transfer-Encoding. An
 * assertion fails then. Without assertions, nothing is written and 0 is returned.
 */
size_t stook__http1_write_head(const struct stook__http1_head *head, char *room, size_t size);

#endif
