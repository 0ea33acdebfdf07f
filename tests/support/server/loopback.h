/* SPDX-License-Identifier: MIT */
/*
 * A listening socket on 127.0.0.1, on a port that is free.
 */
#ifndef STOOK_SERVER_LOOPBACK_H
#define STOOK_SERVER_LOOPBACK_H

#include <uv.h>

/**
 * Listen on 127.0.0.1, on a free port between 10240 and 32767.
 * @param listener initialised here; the caller closes it, also after a failure
 * @return the port, or a negative libuv error
 */
int loopback_listen(uv_loop_t *loop, uv_tcp_t *listener, uv_connection_cb on_connection);

#endif
