/* SPDX-License-Identifier: MIT */
/*
 * What the fuzz targets stand on. A target is a file with a LLVMFuzzerTestOneInput(): libFuzzer gives it
 * inputs (sh tests/fuzz.sh), and replay.c the inputs of its corpus, as a test. It checks with the macros of
 * the harness; a check that fails ends the process, and that is the finding.
 *
 * docs/internals/fuzzing.md says what each target is given and what it holds the library to.
 */
#ifndef STOOK_TEST_FUZZ_H
#define STOOK_TEST_FUZZ_H

#include <stddef.h>
#include <stdint.h>

#include "../support/harness.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The input, read from its beginning; behind its end there are zeros, so that every input is a whole one. */
struct fuzz_input {
    const uint8_t *next;
    size_t left;
};

unsigned fuzz_byte(struct fuzz_input *input);
/* A number below that one, which is 1 to 65536. */
unsigned fuzz_below(struct fuzz_input *input, unsigned bound);
/* A string in memory that fuzz_texts_free() frees: what stands before the next 0xff, at most `max` bytes and
   nothing behind a NUL. */
const char *fuzz_text(struct fuzz_input *input, size_t max);
void fuzz_texts_free(void);

#endif
