/* SPDX-License-Identifier: MIT */
/*
 * The table of sockets, by descriptor. It alone decides which descriptors are watched: what libcurl
 * reports about them (the socket pointer, CURL_POLL_REMOVE) may be missing, late, or about another
 * socket of the same number.
 */
#ifndef STOOK_CURL_SOCKET_H
#define STOOK_CURL_SOCKET_H

#include <curl/curl.h>
#include <stddef.h>

#include "curl/connection_name.h"
#include "util/list.h"

struct stook__easy;
struct stook__engine;
struct stook__multi;
struct stook__poll;
struct stook__sockets;

/*
 * The states of a socket. One function in socket.c moves it.
 *
 *   OPENED, IDLE, PAUSED --announced-------------------> WATCHED
 *   OPENED, WATCHED -------removed---------------------> IDLE
 *   WATCHED ---------------removed during a pause------> PAUSED
 *   OPENED, IDLE ----------paused by the program-------> PAUSED
 *   PAUSED ----------------resumed by the program------> IDLE
 *   OPENED, WATCHED, IDLE--handed over-----------------> DIRECT
 *
 * libcurl announces a socket when it wants events, and removes it when it wants none. The socket
 * may be closed in every state. A descriptor that libcurl opened itself (for a resolver, or to wake
 * up) is in the table only while it is WATCHED.
 */
enum stook__socket_state {
    STOOK__SOCKET_OPENED,  /* libcurl has not announced it; it is not watched */
    STOOK__SOCKET_WATCHED, /* it is watched for what libcurl wants */
    STOOK__SOCKET_PAUSED,  /* libcurl wants no events while the program pauses its transfers */
    STOOK__SOCKET_IDLE,    /* libcurl wants no events; a connection is watched for its end */
    STOOK__SOCKET_DIRECT,  /* we speak on it: events go to `direct`, and libcurl is not asked */
};

struct stook__socket {
    struct stook__engine *engine;
    struct stook__multi *multi;  /* the one whose CURLM has the socket */
    struct stook__poll *watcher; /* NULL: the descriptor may be another socket's; see unwatch() */
    struct stook__easy *opener;  /* NULL: that handle has left its CURLM */
    struct stook__link opened;   /* in the opener's `opened` */
    struct stook__connection_name name;
    int fd;
    enum stook__socket_state state;
    int ours;           /* we opened it, and we close it */
    int connected;      /* it has carried a request; true in any state from then on */
    int dead;           /* it was closed while idle; libcurl may want to use it all the same */
    int alone;          /* tls_close.c: how many checks found it watched and not used */
    int want;           /* the events that libcurl wants; 0: none */
    int program_paused; /* number of its transfers that the program has paused; others may run */
    int unread;         /* nobody reads from it, because its only transfer is paused */
    int errors;         /* error events in a row */
    int64_t last_input; /* when it was last readable */
    int tls, http1;     /* the protocols on it, as far as they are known */
    struct stook__easy *direct; /* DIRECT: the handle that has the connection, and its function */
    void (*on_direct)(struct stook__easy *easy, int events);
};

/* CURLMOPT_SOCKETFUNCTION; `user` is the multi handle. */
int stook__sockets_announced(CURL *curl, curl_socket_t fd, int what, void *user, void *unused);
/* CURLOPT_CLOSESOCKETFUNCTION; `user` is the engine. */
int stook__sockets_close(void *user, curl_socket_t fd);

/* Enters a socket that was opened for an easy handle. Returns 0 or STOOK_ENOMEM; after an error the
   caller still owns the descriptor. */
int stook__sockets_opened(struct stook__easy *easy, int fd);
/* Records that the connection of that name is established on one of the handle's sockets, which is
   therefore watched while idle. */
void stook__sockets_connected(struct stook__easy *easy, const struct stook__connection_name *name);
/* Records which version of HTTP is spoken on the handle's sockets. */
void stook__sockets_note_protocol(const struct stook__easy *easy, int http1);
/* Tells whether one of the handle's sockets is connected. libcurl up to 8 reports it only when TLS
   is negotiated too. */
int stook__sockets_reached(const struct stook__easy *easy);
/* Stops watching the handle's sockets that are not connected, before the handle leaves its CURLM:
   libcurl up to 8.1 closes them without calling us. */
void stook__sockets_give_up(struct stook__easy *easy);
/* Ends the connections that the handle has opened, and has libcurl notice it. Not from inside a
   callback. */
void stook__sockets_break_off(struct stook__easy *easy);
/* Records that the program has paused the transfer of the handle, if it runs. A connection with a
   paused transfer is not idle, and if there is no other transfer it is not read. */
void stook__sockets_program_paused(struct stook__easy *easy);
/* Records that the program has resumed it. */
void stook__sockets_program_resumed(struct stook__easy *easy);
/* Returns when the handle's connection was last readable, if no other transfer can share it; 0 if
   that is not known. */
int64_t stook__sockets_last_input(struct stook__easy *easy);

/* Gives the events of a connected socket to a handle that only connects. */
void stook__sockets_hand_over(struct stook__socket *socket, struct stook__easy *easy,
                              void (*event)(struct stook__easy *easy, int events));
/* Watches a socket that was handed over for exactly these events of loop/poll.h. */
void stook__sockets_watch(struct stook__socket *socket, int events);

/* Returns the entry of a descriptor, or NULL. */
struct stook__socket *stook__sockets_find(const struct stook__sockets *sockets, int fd);
/* Tells whether the process cannot open two more descriptors, which a look-up or a CURLM needs. */
int stook__sockets_exhausted(void);
/* Removes all entries of a multi handle whose CURLM was destroyed: libcurl closes some sockets
   without calling us. */
void stook__sockets_leave(const struct stook__multi *multi);
/* Removes all entries, when no CURLM is left. Does not close descriptors. */
void stook__sockets_free(struct stook__engine *engine);

#endif
