/* SPDX-License-Identifier: MIT */
/* Certificates for one test: authorities, good leaves, and bad ones. */
#ifndef STOOK_TEST_CERTIFICATES_H
#define STOOK_TEST_CERTIFICATES_H

/* 0 and NULL: as a good leaf for loopback has it. */
struct certificate {
    const char *name;       /* of the files NAME.pem and NAME.key, and the CN unless there is one */
    const char *issuer;     /* its files' name; NULL: itself */
    const char *common;     /* the CN */
    const char *alt_names;  /* "IP:127.0.0.1,DNS:localhost"; "": none */
    const char *usage;      /* "serverAuth" */
    const char *digest;     /* "SHA256" */
    int is_authority;
    int rsa_bits;           /* 0: an elliptic curve */
    long from_days, days;   /* valid from so many days from now, and for so many; 0: since yesterday, for 3 */
    int padding;            /* bytes more, in a comment */
};

void certificate_make(const char *directory, const struct certificate *certificate);
/* authority (CA), stranger (CA that nobody trusts), and leaf (signed by authority). */
void certificates_standard(const char *directory);
/* Files one behind the other: a chain. */
void certificates_join(const char *directory, const char *name, const char *const *parts);

#endif
