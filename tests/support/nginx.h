/* SPDX-License-Identifier: MIT */
/*
 * nginx, a server that is not ours: HTTP/1.1 without TLS, HTTP/1.1 and HTTP/2 over TLS, with an authority
 * and a certificate made for this test. Where nginx is not installed, the test is skipped.
 *
 *   /ok           "ok"
 *   /number/N     "N"
 *   /moved/PATH   302 to /PATH
 *   /status/404   an empty response of that status; /status/503 too
 *   /big          a body of nginx_big_size bytes, each the last digit of its place
 *   /method       the method of the request
 *   /header       the request's X-Test
 *   /taken        the number of bytes of the request's body, when all have arrived
 *   /host         the request's Host
 *   /slow         a body as that of /big, with a thousand bytes a second
 *   /pid          the number of the process that answers
 *   /brief        "ok", on a connection that nginx closes after 20 ms without a request
 */
#ifndef STOOK_TEST_NGINX_H
#define STOOK_TEST_NGINX_H

enum { nginx_big_size = 1000000 };

struct nginx {
    int port;           /* in the clear */
    int tls_port;       /* over TLS; offers h2 and http/1.1. On 127.0.0.2 too, an address that
                           the certificate does not name; and on 127.0.0.3, where each
                           connection serves seven requests and no more; and on 127.0.0.4, where
                           every path answers how the client's certificate was found, "NONE:" or
                           "SUCCESS:CN=name". The certificate names service.example too */
    const char *ca;     /* PEM file of the authority that signed it */
    const char *other;  /* PEM file of one that did not */
};

/* The ways to ask it. */
struct way {
    const char *protocol;
    int tls, version;
};
enum { nginx_ways_size = 3 };
extern const struct way nginx_ways[nginx_ways_size];

/* Ends with the test. */
struct nginx *nginx_start(void);
/* The same with a master and two workers, which nginx_signal() reaches. Where the kernel allows no process
   namespace, in which they end with the test, the test is skipped. */
struct nginx *nginx_start_with_workers(void);
/* Sends a signal to it, or to its master. */
void nginx_signal(const struct nginx *nginx, int number);
/* Kills it with its connections, by SIGKILL; the ports refuse from then on. */
void nginx_kill(struct nginx *nginx);
/* Starts it again, at the same ports, and waits until it answers. */
void nginx_revive(struct nginx *nginx);
/* Where the program is. Where it is not, the test is skipped. */
const char *nginx_program(void);
/* Makes /path/0, /path/1, ... respond with "/path/0", ... */
void nginx_serve_files(const struct nginx *nginx, int count);
/* Waits until no connection to it is open. */
void nginx_wait_until_alone(const struct nginx *nginx);
/* A file in its directory, such as "leaf.pem", "leaf.key", or the socket "nginx.sock" that answers as
   `port` does; valid as text() is. */
const char *nginx_file(const struct nginx *nginx, const char *name);
/* A certificate for a client of that name, "NAME.pem" and "NAME.key". */
void nginx_make_client(const struct nginx *nginx, const char *name);
const char *nginx_url(const struct nginx *nginx, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
const char *nginx_tls_url(const struct nginx *nginx, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
