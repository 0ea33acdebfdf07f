/* SPDX-License-Identifier: MIT */
/* Runs in the server's process only: what goes wrong in here ends it, and the test sees that. */
#include "raw_tls.h"

#include <openssl/ssl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static void must(int good, const char *what)
{
    if (good)
        return;
    fprintf(stderr, "raw_tls: %s\n", what);
    _exit(1);
}

static int choose(SSL *ssl, const unsigned char **out, unsigned char *size, const unsigned char *in,
                  unsigned in_size, void *arg)
{
    const struct raw_tls *tls = arg;
    size_t n = strlen(tls->alpn);
    int offered = 0;
    (void)ssl;
    for (unsigned i = 0; i < in_size; i += 1u + in[i])
        offered |= in[i] == n && memcmp(in + i + 1, tls->alpn, n) == 0;
    if (tls->falls_back && !offered)
        return SSL_TLSEXT_ERR_NOACK;
    *out = (const unsigned char *)tls->alpn;
    *size = (unsigned char)strlen(tls->alpn);
    return SSL_TLSEXT_ERR_OK;
}

static void load(SSL_CTX *context, const struct raw_tls *tls)
{
    char path[512];
    snprintf(path, sizeof path, "%s/%s.pem", tls->directory, tls->certificate);
    must(SSL_CTX_use_certificate_chain_file(context, path) == 1, path);
    snprintf(path, sizeof path, "%s/%s.key", tls->directory, tls->key ? tls->key : tls->certificate);
    must(SSL_CTX_use_PrivateKey_file(context, path, SSL_FILETYPE_PEM) == 1, path);
    if (!tls->wants_certificate && !tls->asks_for_certificate)
        return;
    snprintf(path, sizeof path, "%s/authority.pem", tls->directory);
    must(SSL_CTX_load_verify_locations(context, path, NULL) == 1, path);
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER | (tls->wants_certificate ? SSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0), NULL);
    /* Or sessions that know a certificate are not resumed. */
    SSL_CTX_set_session_id_context(context, (const unsigned char *)"stook", 5);
}

static SSL_CTX *make_context(const struct raw_tls *tls)
{
    SSL_CTX *context = SSL_CTX_new(TLS_server_method());
    must(context != NULL, "no context");
    SSL_CTX_set_security_level(context, 0); /* what is weak is for the client to refuse */
    load(context, tls);
    SSL_CTX_set_min_proto_version(context, tls->min);
    SSL_CTX_set_max_proto_version(context, tls->max);
    if (tls->ciphers)
        must(SSL_CTX_set_cipher_list(context, tls->ciphers) == 1, tls->ciphers);
    if (tls->alpn) {
        void *arg;
        memcpy(&arg, &tls, sizeof arg); /* it comes back as const */
        SSL_CTX_set_alpn_select_cb(context, choose, arg);
    }
    if (tls->tickets)
        SSL_CTX_set_num_tickets(context, (size_t)tls->tickets);
    if (tls->early_data)
        SSL_CTX_set_max_early_data(context, (unsigned)tls->early_data);
    return context;
}

/* The door's configuration and its context, which keeps the keys of the tickets. */
static SSL_CTX *context_of(struct raw_door *door, const struct raw_tls **ret_tls)
{
    pthread_mutex_lock(&lock);
    *ret_tls = door->arg;
    if (!door->kept)
        door->kept = make_context(*ret_tls);
    SSL_CTX *context = door->kept;
    pthread_mutex_unlock(&lock);
    return context;
}

void raw_tls_become(struct raw_call *call, const struct raw_tls *other)
{
    pthread_mutex_lock(&lock);
    call->door->arg = other;
    call->door->kept = NULL; /* connections may still use it */
    pthread_mutex_unlock(&lock);
}

/* -------------------------------------------------------------- one by one */

static int write_one_by_one(BIO *bio, const char *bytes, int size)
{
    int fd = *(const int *)BIO_get_data(bio);
    for (int i = 0; i < size; i++)
        if (send(fd, bytes + i, 1, MSG_NOSIGNAL) != 1)
            return -1;
    return size;
}

static long control(BIO *bio, int command, long number, void *pointer)
{
    (void)bio, (void)number, (void)pointer;
    return command == BIO_CTRL_FLUSH;
}

static BIO *one_by_one(int *fd)
{
    BIO_METHOD *method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "one by one");
    BIO_meth_set_write(method, write_one_by_one);
    BIO_meth_set_ctrl(method, control);
    BIO *bio = BIO_new(method);
    must(bio != NULL, "no BIO");
    BIO_set_data(bio, fd);
    BIO_set_init(bio, 1);
    return bio;
}

/* ------------------------------------------------------------- connections */

static ssize_t receive(struct raw_call *call, void *bytes, size_t room)
{
    return SSL_read(call->layer, bytes, (int)room);
}

static ssize_t transmit(struct raw_call *call, const void *bytes, size_t size)
{
    return SSL_write(call->layer, bytes, (int)size);
}

void raw_tls_serve(struct raw_call *call)
{
    const struct raw_tls *tls;
    SSL *ssl = SSL_new(context_of(call->door, &tls));
    must(ssl != NULL && SSL_set_fd(ssl, call->fd) == 1, "no connection");
    if (tls->one_byte)
        SSL_set0_wbio(ssl, one_by_one(&call->fd));
    call->layer = ssl;
    call->receive = receive;
    call->transmit = transmit;
    if (SSL_accept(ssl) == 1) {
        if (SSL_session_reused(ssl))
            raw_signal(call->server, "/resumed");
        const unsigned char *chosen = NULL;
        unsigned size = 0;
        SSL_get0_alpn_selected(ssl, &chosen, &size);
        (tls->inside && (!tls->falls_back || size > 0) ? tls->inside : raw_serve)(call);
        if (!tls->silent_end)
            SSL_shutdown(ssl);
    }
    SSL_free(ssl);
}
