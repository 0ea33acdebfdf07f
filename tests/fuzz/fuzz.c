/* SPDX-License-Identifier: MIT */
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

enum { TEXTS = 256 };

static char *texts[TEXTS];
static size_t n_texts;

/* A check that fails is a crash to libFuzzer, which then keeps the input. */
__attribute__((constructor)) static void abort_at_failures(void)
{
    setenv("TEST_ABORT", "1", 1);
}

unsigned fuzz_byte(struct fuzz_input *input)
{
    if (input->left == 0)
        return 0;
    input->left--;
    return *input->next++;
}

unsigned fuzz_below(struct fuzz_input *input, unsigned bound)
{
    unsigned number = fuzz_byte(input);
    if (bound > 256)
        number = number << 8 | fuzz_byte(input);
    return number % bound;
}

const char *fuzz_text(struct fuzz_input *input, size_t max)
{
    const uint8_t *end = input->left > 0 ? memchr(input->next, 0xff, input->left) : NULL;
    size_t all = end != NULL ? (size_t)(end - input->next) : input->left;
    /* A block of its own size: whoever reads behind the NUL is found. */
    char *text = strndup(input->left > 0 ? (const char *)input->next : "", all < max ? all : max);
    CHECK(n_texts < TEXTS && text != NULL);
    texts[n_texts++] = text;
    input->next += all + (end != NULL);
    input->left -= all + (end != NULL);
    return text;
}

void fuzz_texts_free(void)
{
    while (n_texts > 0)
        free(texts[--n_texts]);
}
