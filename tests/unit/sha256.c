/* SPDX-License-Identifier: MIT */
/* The digest against vectors of NIST: the examples of FIPS 180-2, and messages of the CAVP's short and
   long byte-oriented files. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util/sha256.h"

#include "support/harness.h"

static const struct vector {
    const char *message; /* as text, or as digits after a '#' */
    const char *digest;
} vectors[] = {
    {"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
    {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
     "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
    {"abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmnoijklmnopjklmnopqklmnopqrlmnopqrsmnopqrstnopqrstu",
     "cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1"},
    {"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
    {"#d3", "28969cdfa74a12c82f3bad960b0b000aca2ac329deea5c2328ebc6f2ba9802c1"},
    {"#11af", "5ca7133fa735326081558ac312c620eeca9970d1e70a4b95533d956f072d1f98"},
    {"#b4190e", "dff2e73091f6c05e528896c4c831b9448653dc2ff043528f6769437bc7b975c2"},
    {"#74ba2521", "b16aa56be3880d18cd41e68384cf1ec8c17680c45a02b1575dc1518923ae8b0e"},
};

static size_t bytes_of(const char *message, unsigned char *bytes)
{
    if (*message != '#') {
        memcpy(bytes, message, strlen(message));
        return strlen(message);
    }
    size_t size = strlen(++message) / 2;
    for (size_t i = 0; i < size; i++) {
        unsigned byte;
        CHECK_EQ_INT(sscanf(message + 2 * i, "%2x", &byte), 1);
        bytes[i] = (unsigned char)byte;
    }
    return size;
}

/* Whole, and in two pieces at each place. */
TEST(vectors_of_nist)
{
    for (size_t i = 0; i < sizeof vectors / sizeof *vectors; i++) {
        unsigned char bytes[128];
        size_t size = bytes_of(vectors[i].message, bytes);
        for (size_t cut = 0; cut <= size; cut++) {
            struct stook__sha256 digest;
            char text[STOOK__SHA256_DIGITS + 1];
            stook__sha256_init(&digest);
            stook__sha256_add(&digest, bytes, cut);
            stook__sha256_add(&digest, bytes + cut, size - cut);
            stook__sha256_text(&digest, text);
            CHECK_STR(text, vectors[i].digest);
        }
    }
}

static void check_million(size_t piece)
{
    enum { MILLION = 1000000 };
    static char bytes[MILLION];
    char text[STOOK__SHA256_DIGITS + 1];
    struct stook__sha256 digest;
    memset(bytes, 'a', sizeof bytes);
    stook__sha256_init(&digest);
    for (size_t done = 0; done < MILLION; done += piece) {
        size_t left = MILLION - done;
        stook__sha256_add(&digest, bytes, left < piece ? left : piece);
    }
    stook__sha256_text(&digest, text);
    CHECK_STR(text, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST(a_million_a)
{
    static const size_t pieces[] = {1, 55, 63, 64, 65, 127, 4096, 1000000};
    for (size_t i = 0; i < sizeof pieces / sizeof *pieces; i++)
        check_million(pieces[i]);
}

/* Lengths around the ends of a block, where the padding takes another one. These digests were made by
   coreutils' sha256sum of so many bytes of "x". */
TEST(ends_of_blocks)
{
    static const struct {
        size_t size;
        const char *digest;
    } rows[] = {
        {54, "45f316e10b2c99abf374b22bda893cf3300d77263f1e272349ed414680522952"},
        {55, "d5e285683cd4efc02d021a5c62014694958901005d6f71e89e0989fac77e4072"},
        {56, "04c26261370ee7541549d16dee320c723e3fd14671e66a099afe0a377c16888e"},
        {57, "ae14a2563ccf969d99aca69ce6bb74981f734bbf9f655f73b8f06db68cab5217"},
        {63, "75220b47218278e656f2013bb8f0c455a25eaf01e86c64924e9d48d89776d6f2"},
        {64, "7ce100971f64e7001e8fe5a51973ecdfe1ced42befe7ee8d5fd6219506b5393c"},
        {65, "9537c5fdf120482f7d58d25e9ed583f52c02b4e304ea814db1633ad565aed7e9"},
        {119, "000b48d4edf0fa7bee3c6236ecd2785baa5db4eeb8bb54341b029e0d9fa5fb0c"},
        {120, "13f05a0b594787f5ecd315edc96141bd3243203d1b7d4f0836f37308b276ba98"},
        {128, "24da1b81d0b16df6428eee73c69fcb2a93c76bc6df706f0c6670fe6bfe800464"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct stook__sha256 digest;
        char text[STOOK__SHA256_DIGITS + 1];
        stook__sha256_init(&digest);
        for (size_t n = 0; n < rows[i].size; n++)
            stook__sha256_add(&digest, "x", 1);
        stook__sha256_text(&digest, text);
        CHECK_STR(text, rows[i].digest);
    }
}

TEST(more_may_be_added_after_a_text)
{
    struct stook__sha256 digest;
    char text[STOOK__SHA256_DIGITS + 1];
    stook__sha256_init(&digest);
    stook__sha256_text(&digest, text);
    CHECK_STR(text, vectors[3].digest);
    stook__sha256_add(&digest, "ab", 2);
    stook__sha256_text(&digest, text);
    stook__sha256_add(&digest, "c", 1);
    stook__sha256_text(&digest, text);
    CHECK_STR(text, vectors[0].digest);
}

TEST(texts)
{
    static const char digits[] = "BA7816BF8F01CFEA414140DE5DAE2223b00361a396177a9cb410ff61f20015ad";
    char text[80], why[STOOK__SHA256_WHY_MAX] = "";
    struct stook__sha256 digest;
    stook__sha256_init(&digest);
    stook__sha256_add(&digest, "abc", 3);
    CHECK_EQ_INT(stook__sha256_is_text(digits), 1);
    CHECK_EQ_INT(stook__sha256_differs(&digest, digits, why), 0);
    CHECK_STR(why, "");
    CHECK_EQ_INT(stook__sha256_differs(&digest, vectors[3].digest, why), 1);
    CHECK_STR(why, "the SHA-256 is ba7816bf8f01cfea..., expected was e3b0c44298fc1c14...");
    for (size_t i = 0; i < 64; i++) {
        for (const char *wrong = "g/:@`G \n"; *wrong != '\0'; wrong++) {
            snprintf(text, sizeof text, "%s", digits);
            text[i] = *wrong;
            CHECK_EQ_INT(stook__sha256_is_text(text), 0);
        }
        memcpy(text, digits, i);
        text[i] = '\0';
        CHECK_EQ_INT(stook__sha256_is_text(text), 0);
    }
    snprintf(text, sizeof text, "%s0", digits);
    CHECK_EQ_INT(stook__sha256_is_text(text), 0);
}
