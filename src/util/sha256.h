/* SPDX-License-Identifier: MIT */
/* The digest SHA-256 (FIPS 180-4). It is here because no dependency offers one to every build. */
#ifndef STOOK_UTIL_SHA256_H
#define STOOK_UTIL_SHA256_H

#include <stddef.h>
#include <stdint.h>

enum {
    STOOK__SHA256_DIGITS = 64, /* hexadecimal digits of a digest */
    STOOK__SHA256_WHY_MAX = 96 /* bytes of the text of stook__sha256_differs() */
};

/* A digest of the bytes so far. */
struct stook__sha256 {
    uint32_t state[8];
    uint64_t size;           /* bytes so far */
    unsigned char block[64]; /* the last size % 64 of them */
};

void stook__sha256_init(struct stook__sha256 *digest);
void stook__sha256_add(struct stook__sha256 *digest, const void *data, size_t size);
/* Writes the digest of the bytes so far as lower-case digits with a NUL. More may be added. */
void stook__sha256_text(const struct stook__sha256 *digest, char text[STOOK__SHA256_DIGITS + 1]);

/* Returns 1 if the text is 64 hexadecimal digits, in either case. */
int stook__sha256_is_text(const char *text);
/* Returns 1 if the digest of the bytes so far is not the expected one, which is such a text, and
   explains that in `why`. */
int stook__sha256_differs(const struct stook__sha256 *digest, const char *expected,
                          char why[STOOK__SHA256_WHY_MAX]);

#endif
