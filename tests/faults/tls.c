/* SPDX-License-Identifier: MIT */
/*
 * TLS: group T. Each row has a door of its own, with a certificate made for it; the neighbours ask by
 * turns a door in the clear and one whose TLS is well.
 */
#include <curl/curl.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "support/faults.h"
#include "support/life.h"
#include "support/certificates.h"
#include "support/process.h"
#include "support/raw_tls.h"

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

enum { ROWS_MAX = 48, CLEAR = 0, WELL = 1, FIRST = 2 };

struct row {
    struct fault fault;
    struct certificate certificate; /* made for this row if it has an issuer or a name */
    struct raw_tls tls;
    void (*serve)(struct raw_call *call); /* instead of TLS */
    int in_the_clear;                     /* asked for by http:// */
    const char *host;                     /* "127.0.0.1" */
};

static struct raw_door doors[FIRST + ROWS_MAX];

static const char *url_of_row(const struct faults *faults, size_t row)
{
    const struct row *rows = faults->user;
    return text("%s://%s:%d/f/%zu?token=hush-hush-7355608", rows[row].in_the_clear ? "http" : "https",
                rows[row].host ? rows[row].host : "127.0.0.1", doors[FIRST + row].port, row);
}

static const char *url_of_neighbour(const struct faults *faults, size_t row, size_t n)
{
    (void)faults, (void)row;
    return n % 2 ? text("https://127.0.0.1:%d/path/%zu", doors[WELL].port, n)
                 : text("http://127.0.0.1:%d/path/%zu", doors[CLEAR].port, n);
}

static enum raw_then ok(struct raw_call *call)
{
    return raw_answer(call, "ok", 2);
}

static void open_doors(struct row *rows, size_t count, const char *directory)
{
    static struct raw_tls well;
    well = (struct raw_tls){.directory = directory, .certificate = "leaf"};
    doors[WELL] = (struct raw_door){.serve = raw_tls_serve, .arg = &well};
    for (size_t i = 0; i < count; i++) {
        struct row *row = &rows[i];
        if (row->certificate.name) {
            row->tls.certificate = row->certificate.name;
            certificate_make(directory, &row->certificate);
        }
        row->tls.directory = directory;
        if (!row->tls.certificate)
            row->tls.certificate = "leaf";
        doors[FIRST + i].serve = row->serve ? row->serve : raw_tls_serve;
        doors[FIRST + i].arg = &row->tls;
        if (!row->fault.peer.bytes && !row->fault.peer.answer)
            row->fault.peer.answer = ok;
    }
}

static void run(struct row *rows, size_t count, const char *directory, int64_t version)
{
    static struct fault faults[ROWS_MAX];
    char ca[512];
    snprintf(ca, sizeof ca, "%s/authority.pem", directory);
    CHECK(count <= ROWS_MAX);
    open_doors(rows, count, directory);
    for (size_t i = 0; i < count; i++)
        faults[i] = rows[i].fault;
    struct faults all = {.rows = faults, .count = count, .url = url_of_row, .user = rows,
                         .neighbour = url_of_neighbour,
                         .server = faults_server(faults, count, doors, FIRST + count),
                         .client = {.ca_file = ca, .http_version = version}};
    faults_run(&all);
}

static const char *begin(void)
{
    const char *directory = temporary_directory();
    certificates_standard(directory);
    return directory;
}

/* ------------------------------------------------------------- certificates */

#define REFUSED(id_, ...) {.fault = {.id = id_, .error = STOOK_ECERT}, .certificate = {__VA_ARGS__}}

/* 20 authorities, each signed by the one before it; the files of all, from the leaf up. */
static void make_chain(const char *directory)
{
    static char names[22][16];
    const char *parts[24] = {"deep-leaf"};
    for (size_t i = 0; i <= 20; i++) {
        snprintf(names[i], sizeof names[i], "deep-%zu", i);
        struct certificate one = {.name = i == 20 ? "deep-leaf" : names[i], .is_authority = i < 20,
                                  .issuer = i == 0 ? "authority" : names[i - 1]};
        certificate_make(directory, &one);
        if (i < 20)
            parts[20 - i] = names[i];
    }
    certificates_join(directory, "deep", parts);
}

static const char *many_names(void)
{
    static char names[500 * 24];
    size_t size = 0;
    for (int i = 0; i < 500; i++)
        size += (size_t)sprintf(names + size, "DNS:host-%d.example,", i);
    memcpy(names + size, "IP:127.0.0.1", sizeof "IP:127.0.0.1");
    return names;
}

TEST(certificates)
{
    const char *d = begin();
    struct row rows[] = {
        REFUSED("T01 expired", .name = "expired", .issuer = "authority", .from_days = -30, .days = 20),
        REFUSED("T02 not yet valid", .name = "early", .issuer = "authority", .from_days = 10),
        REFUSED("T03 another host", .name = "other", .issuer = "authority",
                .alt_names = "DNS:example.org"),
        {.fault = {.id = "T03 an address, asked for by name", .error = STOOK_ECERT}, .host = "localhost",
         .certificate = {.name = "address", .issuer = "authority", .alt_names = "IP:127.0.0.1"}},
        REFUSED("T03 its name only in the CN, others beside it", .name = "beside", .common = "127.0.0.1",
                .issuer = "authority", .alt_names = "DNS:example.org"),
        REFUSED("T04 signed by itself", .name = "self"),
        REFUSED("T05 an authority that nobody trusts", .name = "strange", .issuer = "stranger"),
        REFUSED("T06 the link in the middle is missing", .name = "linkless", .issuer = "middle"),
        REFUSED("T07 signed by one who is no authority", .name = "forged", .issuer = "leaf"),
        /* libcurl does not ask GnuTLS to look at it. */
        {.fault = {.id = "T08 for clients only", .error = STOOK_ECERT, .either = 1,
                   .status = FAULT_ANY_STATUS},
         .certificate = {.name = "client", .issuer = "authority", .usage = "clientAuth"}},
        REFUSED("T09 a signature by SHA-1", .name = "sha1", .issuer = "authority", .digest = "SHA1"),
        {.fault = {.id = "T09 a key of 512 bits", .error = STOOK_ECERT, .or_error = STOOK_ETLS},
         .certificate = {.name = "weak", .issuer = "authority", .rsa_bits = 512},
         .tls = {.ciphers = "ALL:@SECLEVEL=0"}},
        /* As documented: libcurl takes it. */
        {.fault = {.id = "T11 its name only in the CN", .or_error = STOOK_ECERT,
                   .status = FAULT_ANY_STATUS},
         .certificate = {.name = "common", .common = "localhost", .issuer = "authority",
                         .alt_names = ""}, .host = "localhost"},
        {.fault = {.id = "T12 500 names", .status = 200, .body = "ok"},
         .certificate = {.name = "many", .issuer = "authority", .alt_names = many_names()}},
        {.fault = {.id = "T12 20 authorities deep", .error = STOOK_ECERT, .or_error = STOOK_ETLS,
                   .either = 1, .status = FAULT_ANY_STATUS}, .tls = {.certificate = "deep", .key = "deep-leaf"}},
        {.fault = {.id = "T12 a chain of 200 KB", .error = STOOK_ETLS, .or_error = STOOK_ECERT},
         .certificate = {.name = "long", .issuer = "authority", .padding = 200000}},
        {.fault = {.id = "T16 one of the client is wanted", .error = STOOK_ETLS,
                   .or_error = STOOK_ERESET},
         .tls = {.wants_certificate = 1, .max = TLS1_2_VERSION}},
        {.fault = {.id = "T16 the same with TLS 1.3", .error = STOOK_ERESET, .or_error = STOOK_ETLS},
         .tls = {.wants_certificate = 1, .min = TLS1_3_VERSION}},
    };
    certificate_make(d, &(struct certificate){.name = "middle", .issuer = "authority", .is_authority = 1});
    make_chain(d);
    run(rows, COUNT(rows), d, STOOK_HTTP_1_1);
}

/* ------------------------------------------------------------- authorities */

/* GnuTLS says of a file without certificates that nobody is trusted, and names it. */
#define NOT_USABLE(id_, path_)                                                                    \
    {.fault = {.id = id_, .error = STOOK_EFILE, .or_error = STOOK_ECERT, .says = path_,             \
               .request = {.ca_file = path_}}}

TEST(authorities)
{
    const char *d = begin();
    char empty[512], words[512], half[512];
    snprintf(empty, sizeof empty, "%s/empty.pem", d);
    snprintf(words, sizeof words, "%s/words.pem", d);
    snprintf(half, sizeof half, "%s/half.pem", d);
    write_file(empty, "");
    write_file(words, "these are words\n");
    write_file(half, "-----BEGIN CERTIFICATE-----\nMIIB\n");
    struct row rows[] = {
        NOT_USABLE("T26 no such file", "/nonexistent/authorities.pem"),
        NOT_USABLE("T26 an empty file", empty),
        NOT_USABLE("T26 a file that holds something else", words),
        NOT_USABLE("T26 half a certificate", half),
        NOT_USABLE("T26 a directory", d),
    };
    run(rows, COUNT(rows), d, STOOK_HTTP_1_1);
}

/* -------------------------------------------------------------- handshakes */

static void read_some(struct raw_call *call)
{
    char bytes[4096];
    call->receive(call, bytes, sizeof bytes);
}

static void read_to_the_end(struct raw_call *call)
{
    char bytes[4096];
    while (call->receive(call, bytes, sizeof bytes) > 0)
        ;
}

static void reset(struct raw_call *call)
{
    read_some(call);
    setsockopt(call->fd, SOL_SOCKET, SO_LINGER, &(struct linger){.l_onoff = 1}, sizeof(struct linger));
}

static void say_garbage(struct raw_call *call)
{
    read_some(call);
    call->transmit(call, "\x16\x03\x03\x00\x05garbage, no server's hello", 31);
    read_to_the_end(call);
}

static void say_http(struct raw_call *call)
{
    read_some(call);
    call->transmit(call, "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n", 47);
    read_to_the_end(call);
}

static void alert_failure(struct raw_call *call)
{
    read_some(call);
    call->transmit(call, "\x15\x03\x03\x00\x02\x02\x28", 7);
}

static void alert_name(struct raw_call *call)
{
    read_some(call);
    call->transmit(call, "\x15\x03\x03\x00\x02\x02\x70", 7);
}

#define HANDSHAKE(id_, serve_) {.fault = {.id = id_, .error = STOOK_ETLS}, .serve = serve_}

TEST(handshakes)
{
    struct row rows[] = {
        {.fault = {.id = "T14 TLS 1.0 only", .error = STOOK_ETLS}, .tls = {.max = TLS1_VERSION}},
        {.fault = {.id = "T14 TLS 1.1 only", .error = STOOK_ETLS}, .tls = {.max = TLS1_1_VERSION}},
        {.fault = {.id = "T15 no encryption", .error = STOOK_ETLS},
         .tls = {.max = TLS1_2_VERSION, .ciphers = "eNULL:@SECLEVEL=0"}},
        {.fault = {.id = "T15 nobody's certificate", .error = STOOK_ETLS},
         .tls = {.max = TLS1_2_VERSION, .ciphers = "aNULL:@SECLEVEL=0"}},
        HANDSHAKE("T17 HTTP in the clear where TLS is asked for", say_http),
        {.fault = {.id = "T17 TLS where HTTP in the clear is asked for", .error = STOOK_EPROTOCOL,
                   .or_error = STOOK_ERESET, .status = FAULT_ANY_STATUS}, .in_the_clear = 1},
        HANDSHAKE("T18 the end behind the client's hello", read_some),
        {.fault = {.id = "T18 a reset behind it", .error = STOOK_ETLS, .or_error = STOOK_ERESET},
         .serve = reset},
        HANDSHAKE("T18 garbage", say_garbage),
        HANDSHAKE("T18 a fatal alert", alert_failure),
        HANDSHAKE("T18 an unknown name", alert_name),
        {.fault = {.id = "T19 nothing", .error = STOOK_ETIMEOUT_ATTEMPT, .hangs = 1},
         .serve = read_to_the_end},
        {.fault = {.id = "T20 a byte at a time", .status = 200, .body = "ok"}, .tls = {.one_byte = 1}},
    };
    const char *d = begin();
    run(rows, COUNT(rows), d, STOOK_HTTP_1_1);
}

/* -------------------------------------------------------- ends, and what else */

static enum raw_then renegotiate(struct raw_call *call)
{
    SSL_renegotiate(call->layer);
    SSL_do_handshake(call->layer);
    return ok(call);
}

static enum raw_then update_keys(struct raw_call *call)
{
    raw_say(call, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n");
    for (int i = 0; i < 30; i++) { /* OpenSSL's client allows 32 without a byte between them */
        SSL_key_update(call->layer, SSL_KEY_UPDATE_NOT_REQUESTED);
        SSL_do_handshake(call->layer);
    }
    raw_say(call, "ok");
    return RAW_KEEP;
}

#define HEAD(length) "HTTP/1.1 200 OK\r\nContent-Length: " length "\r\n\r\n"

TEST(ends)
{
    struct row rows[] = {
        /* Up to 7.88 OpenSSL's complaint is not passed on. */
        {.fault = {.id = "T22 no notice of the end, no length", .error = STOOK_ERESET, .either = 1,
                   .status = 200, .body = "abc",
                   .peer = {.bytes = "HTTP/1.1 200 OK\r\n\r\nabc", .then = RAW_CLOSE}},
         .tls = {.silent_end = 1}},
        {.fault = {.id = "T23 no notice, half of the length", .status = 200, .body = "abc",
                   .error = STOOK_ETRUNCATED, .or_error = STOOK_ERESET,
                   .peer = {.bytes = HEAD("10") "abc", .then = RAW_CLOSE}},
         .tls = {.silent_end = 1}},
        {.fault = {.id = "T23 no notice, all of the length", .status = 200, .body = "abc",
                   .peer = {.bytes = HEAD("3") "abc", .then = RAW_CLOSE}},
         .tls = {.silent_end = 1}},
        {.fault = {.id = "T23 a notice, half of the length", .status = 200, .body = "abc",
                   .error = STOOK_ETRUNCATED, .peer = {.bytes = HEAD("10") "abc", .then = RAW_CLOSE}}},
        {.fault = {.id = "T23 a reset, half of the length", .status = 200, .body = "abc",
                   .error = STOOK_ERESET, .or_error = STOOK_ETRUNCATED,
                   .peer = {.bytes = HEAD("10") "abc", .then = RAW_RESET}}, .tls = {.silent_end = 1}},
        /* OpenSSL's client does not begin anew by itself, and says no; others may end it. */
        {.fault = {.id = "T24 the server begins anew", .error = STOOK_ERESET, .or_error = STOOK_ETLS,
                   .either = 1, .status = FAULT_ANY_STATUS, .peer = {.answer = renegotiate}},
         .tls = {.max = TLS1_2_VERSION}},
        /* GnuTLS takes no more than a few. */
        {.fault = {.id = "T24 30 new keys", .error = STOOK_ERESET, .either = 1, .status = 200, .body = "ok",
                   .peer = {.answer = update_keys}}, .tls = {.min = TLS1_3_VERSION}},
        {.fault = {.id = "T24 100 tickets", .status = 200, .body = "ok"}, .tls = {.tickets = 100}},
        {.fault = {.id = "T24 early data is offered", .status = 200, .body = "ok"},
         .tls = {.early_data = 16384}},
        {.fault = {.id = "T25 no protocol is chosen", .status = 200, .body = "ok"}},
        {.fault = {.id = "T25 a protocol nobody knows", .error = STOOK_ETLS, .or_error = STOOK_OK,
                   .either = 1, .status = FAULT_ANY_STATUS}, .tls = {.alpn = "spdy/9"}},
        {.fault = {.id = "T25 HTTP/2 is chosen and HTTP/1 is spoken", .error = STOOK_EPROTOCOL,
                   .or_error = STOOK_ERESET, .status = FAULT_ANY_STATUS}, .tls = {.alpn = "h2"}},
    };
    const char *d = begin();
    run(rows, COUNT(rows), d, STOOK_HTTP_2);
}

/* ---------------------------------------------------------- in the long run */

static struct raw_tls before, after;

static enum raw_then turn_over(struct raw_call *call)
{
    raw_tls_become(call, &after);
    raw_answer(call, "ok", 2);
    return RAW_CLOSE;
}

static const struct raw_behaviour turning[] = {{"/turn", .answer = turn_over}, {NULL}};

static void ask(struct life *life, const char *url, int error)
{
    stook_batch *batch = life_batch(life);
    add(batch, url);
    life_gather(life, batch, NULL);
    test_note("%s: %s", url, stook_result_message(stook_batch_result(batch, 0)));
    CHECK_ERROR(stook_result_error(stook_batch_result(batch, 0)), error);
    stook_batch_free(batch);
}

/* T27: the client has a session of the server as it was; the server comes back with other keys, or
   with a certificate that is no good, which no session may hide. */
static void check_turn(struct life *life, const char *directory, const char *certificate, int max,
                       int error)
{
    before = (struct raw_tls){.directory = directory, .certificate = "leaf", .max = max};
    after = before;
    after.certificate = certificate;
    doors[0] = (struct raw_door){.serve = raw_tls_serve, .arg = &before};
    raw_server_open(turning, doors, 1);
    life_open(life, &STOOK_CLIENT(.ca_file = text("%s/authority.pem", directory)));
    int port = doors[0].port;
    ask(life, text("https://127.0.0.1:%d/ok", port), 0);
    ask(life, text("https://127.0.0.1:%d/turn", port), 0);
    ask(life, text("https://127.0.0.1:%d/ok", port), error);
    life_close(life);
}

TEST_BOTH(sessions_of_a_server_that_changed)
{
    const char *d = begin();
    certificate_make(d, &(struct certificate){.name = "self"});
    for (int max = TLS1_2_VERSION; max <= TLS1_3_VERSION; max++) {
        check_turn(life, d, "leaf", max, 0);
        check_turn(life, d, "self", max, STOOK_ECERT);
    }
}

/* T26: a file of authorities that has changed is read by the next client; this one may know it by
   heart. One that was not there is read as soon as it is. */
TEST_BOTH(authorities_that_change)
{
    const char *d = begin();
    static const char *const good[] = {"authority", NULL}, *const bad[] = {"stranger", NULL};
    static struct raw_tls tls;
    char url[64], trusted[512];
    tls = (struct raw_tls){.directory = d, .certificate = "leaf"};
    doors[0] = (struct raw_door){.serve = raw_tls_serve, .arg = &tls};
    raw_server_open(NULL, doors, 1);
    snprintf(url, sizeof url, "https://127.0.0.1:%d/close-after", doors[0].port);
    snprintf(trusted, sizeof trusted, "%s/trusted.pem", d);
    life_open(life, &STOOK_CLIENT(.ca_file = trusted));
    ask(life, url, STOOK_EFILE);
    certificates_join(d, "trusted", bad);
    ask(life, url, STOOK_ECERT);
    certificates_join(d, "trusted", good);
    life_close(life);
    life_open(life, &STOOK_CLIENT(.ca_file = trusted));
    ask(life, url, 0);
    CHECK_EQ_INT(remove(trusted), 0);
    life_close(life);
    life_open(life, &STOOK_CLIENT(.ca_file = trusted));
    ask(life, url, STOOK_EFILE);
    certificates_join(d, "trusted", good);
    ask(life, url, 0);
}
