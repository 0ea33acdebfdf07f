/* SPDX-License-Identifier: MIT */
/* SHA-256 as FIPS 180-4 describes it, section by section; see sha256.h. */
#include "util/sha256.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

enum { BLOCK = 64, ROUNDS = 64 };

/* 4.2.2 */
static const uint32_t constants[ROUNDS] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

static uint32_t rotate(uint32_t word, int bits)
{
    return word >> bits | word << (32 - bits);
}

static uint32_t read_word(const unsigned char *at)
{
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

static void write_word(unsigned char *at, uint32_t word)
{
    for (int i = 0; i < 4; i++)
        at[i] = (unsigned char)(word >> (24 - 8 * i));
}

/* 6.2.2, step 1 */
static void schedule(uint32_t words[ROUNDS], const unsigned char *block)
{
    for (int i = 0; i < 16; i++)
        words[i] = read_word(block + (size_t)i * 4);
    for (int i = 16; i < ROUNDS; i++) {
        uint32_t a = words[i - 15], b = words[i - 2];
        words[i] = words[i - 16] + (rotate(a, 7) ^ rotate(a, 18) ^ a >> 3) + words[i - 7] +
                   (rotate(b, 17) ^ rotate(b, 19) ^ b >> 10);
    }
}

/* 6.2.2, steps 2 to 4. Eight rounds at a time leave each variable in its place, so that none has to
   be moved. */
static void add_block(uint32_t state[8], const unsigned char *block)
{
    uint32_t words[ROUNDS];
    uint32_t a = state[0], b = state[1], c = state[2], d = state[3], e = state[4], f = state[5],
             g = state[6], h = state[7];
    schedule(words, block);
#define ROUND(a, b, c, d, e, f, g, h, i)                                                       \
    h += (rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25)) + (g ^ (e & (f ^ g))) + constants[i] + \
         words[i];                                                                             \
    d += h;                                                                                    \
    h += (rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22)) + ((a & b) | (c & (a | b)))
    for (int i = 0; i < ROUNDS; i += 8) {
        ROUND(a, b, c, d, e, f, g, h, i);
        ROUND(h, a, b, c, d, e, f, g, i + 1);
        ROUND(g, h, a, b, c, d, e, f, i + 2);
        ROUND(f, g, h, a, b, c, d, e, i + 3);
        ROUND(e, f, g, h, a, b, c, d, i + 4);
        ROUND(d, e, f, g, h, a, b, c, i + 5);
        ROUND(c, d, e, f, g, h, a, b, i + 6);
        ROUND(b, c, d, e, f, g, h, a, i + 7);
    }
#undef ROUND
    const uint32_t sums[8] = {a, b, c, d, e, f, g, h};
    for (int i = 0; i < 8; i++)
        state[i] += sums[i];
}

void stook__sha256_init(struct stook__sha256 *digest)
{
    /* 5.3.3 */
    *digest = (struct stook__sha256){.state = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                               0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19}};
}

void stook__sha256_add(struct stook__sha256 *digest, const void *data, size_t size)
{
    const unsigned char *at = data;
    size_t used = digest->size % BLOCK;
    digest->size += size;
    if (used > 0) {
        size_t piece = size < BLOCK - used ? size : BLOCK - used;
        if (piece > 0)
            memcpy(digest->block + used, at, piece);
        if (used + piece < BLOCK)
            return;
        add_block(digest->state, digest->block);
        at += piece;
        size -= piece;
    }
    for (; size >= BLOCK; at += BLOCK, size -= BLOCK)
        add_block(digest->state, at);
    if (size > 0)
        memcpy(digest->block, at, size);
}

void stook__sha256_text(const struct stook__sha256 *digest, char text[STOOK__SHA256_DIGITS + 1])
{
    static const unsigned char padding[BLOCK] = {0x80};
    struct stook__sha256 end = *digest;
    unsigned char bits[8];
    /* 5.1.1 */
    write_word(bits, (uint32_t)(digest->size >> 29));
    write_word(bits + 4, (uint32_t)(digest->size << 3));
    size_t used = digest->size % BLOCK;
    stook__sha256_add(&end, padding, used < BLOCK - 8 ? BLOCK - 8 - used : 2 * BLOCK - 8 - used);
    stook__sha256_add(&end, bits, sizeof bits);
    for (int i = 0; i < 8; i++)
        snprintf(text + (size_t)i * 8, 9, "%08x", (unsigned)end.state[i]);
}

int stook__sha256_is_text(const char *text)
{
    return strspn(text, "0123456789abcdefABCDEF") == STOOK__SHA256_DIGITS &&
           text[STOOK__SHA256_DIGITS] == '\0';
}

int stook__sha256_differs(const struct stook__sha256 *digest, const char *expected,
                          char why[STOOK__SHA256_WHY_MAX])
{
    char text[STOOK__SHA256_DIGITS + 1];
    stook__sha256_text(digest, text);
    if (strcasecmp(text, expected) == 0)
        return 0;
    snprintf(why, STOOK__SHA256_WHY_MAX, "the SHA-256 is %.16s..., expected was %.16s...", text,
             expected);
    return 1;
}
