/* SPDX-License-Identifier: MIT */
/**
 * @file stook/curl.h
 * The easy handles of libcurl, for what stook has no member for: netrc, NTLM and Negotiate,
 * ciphers, certificate revocation lists, network interfaces, HSTS. <stook.h> does not include this
 * header, which includes <curl/curl.h>.
 */
#ifndef STOOK_CURL_H
#define STOOK_CURL_H

#include <curl/curl.h>
#include <stook/client.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * `on_easy` of a client. It is called for each attempt of each request, redirects and repeats
 * included, before the attempt starts. It receives a new easy handle without any option. What it
 * sets stays, but stook sets its own options afterwards.
 *
 *     static int on_easy(stook_client *client, CURL *easy, const char *url, void *user)
 *     {
 *         curl_easy_setopt(easy, CURLOPT_NETRC, (long)CURL_NETRC_OPTIONAL);
 *         return 0;
 *     }
 *
 * The following have no effect:
 *
 * - the URL, the method, the header fields, the body, and how redirects are followed;
 * - CURLOPT_CONNECT_ONLY, CURLOPT_CONNECT_TO, CURLOPT_RESOLVE, CURLOPT_DOH_URL, CURLOPT_PORT,
 *   CURLOPT_PROXY, CURLOPT_PROXYTYPE, CURLOPT_NOPROXY, CURLOPT_UNIX_SOCKET_PATH,
 *   CURLOPT_ABSTRACT_UNIX_SOCKET, CURLOPT_PROTOCOLS and their like: where the request goes;
 * - CURLOPT_HTTP_VERSION, CURLOPT_SSLVERSION, and the TLS options that the request has itself;
 * - CURLOPT_ACCEPT_ENCODING, CURLOPT_TRANSFER_ENCODING, CURLOPT_HTTP_TRANSFER_DECODING,
 *   CURLOPT_HTTP09_ALLOWED and CURLOPT_RANGE: how the response is framed and decoded;
 * - timeouts and limits: CURLOPT_TIMEOUT, CURLOPT_CONNECTTIMEOUT, CURLOPT_LOW_SPEED_TIME,
 *   CURLOPT_MAXFILESIZE, CURLOPT_MAXAGE_CONN, CURLOPT_MAXLIFETIME_CONN, CURLOPT_FRESH_CONNECT;
 * - the callbacks that write, read, open and close sockets, run before a request or a look-up, or
 *   report progress; CURLOPT_PRIVATE, CURLOPT_ERRORBUFFER, CURLOPT_SHARE, CURLOPT_NOSIGNAL; before
 *   libcurl 8.1 CURLOPT_VERBOSE and CURLOPT_DEBUGFUNCTION.
 *
 * Cookies of CURLOPT_COOKIEFILE and CURLOPT_COOKIELIST are sent by a request without `cookies`.
 * With `cookies`, those of CURLOPT_COOKIEFILE are added to the client's.
 *
 * curl_easy_reset() has no effect either. A handle that was added to a multi handle makes the
 * result STOOK_ECALLBACK. The function must not call curl_easy_perform() or curl_easy_cleanup() for
 * the handle, and not keep it: it is valid during the call.
 *
 * What a client with `on_easy` loses: an easy handle is made for each attempt and not used again,
 * which costs about as much as the request itself (connections are kept). Connections are shared
 * between its requests as libcurl's rules allow, so options of a connection should be the same for
 * all of them. For an authentication that stook does not know libcurl sends a request again after a
 * 401 or 407, at most twice, whatever its method; stook_result_attempts() counts these.
 * stook_request_to_curl() does not know what the function would set.
 *
 * @param client the client of the request
 * @param easy   a handle of libcurl
 * @param url    of this attempt; valid during the call
 * @param user   of the request
 * @return 0: the attempt starts. Any other number: the result is STOOK_ECALLBACK.
 * Thread: the loop's. It must not call functions of stook other than stook_client_post(),
 * stook_batch_cancel() and stook_client_wake().
 */
typedef int (*stook_easy_fn)(stook_client *client, CURL *easy, const char *url, void *user);

#ifdef __cplusplus
} /* extern "C" */
#endif

#endif
