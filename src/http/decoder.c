/* SPDX-License-Identifier: MIT */
/* Layers, each with what it has read from the one below it; see decoder.h. */
#include "http/decoder.h"

#include <string.h>
#include <strings.h>

#include "http/codecs.h"

enum { PIECE = 16384, READ = 2048 }; /* produced by a layer for another; read by one, at once */

struct layer {
    const struct stook__codec *codec;
    void *state;
    const unsigned char *in; /* what it has not read yet */
    size_t in_size;
    unsigned char *piece; /* where the layer below writes for it; NULL: it is the lowest */
    int64_t produced;     /* bytes, ever */
    int begun;            /* bytes were read */
    int ended;            /* it has had an end, and no other has begun */
    int junk;             /* what came behind them is none */
};

struct stook__decoder {
    struct stook__allocator *allocator;
    struct layer layers[STOOK__DECODER_LAYERS]; /* the last coding that was applied first */
    size_t count;
    struct stook__decoder_limits limits;
    int64_t fed;     /* bytes, ever */
    const char *why; /* of an error */
};

static int is_listed(char c)
{
    return c == ' ' || c == '\t' || c == ',';
}

/* Names of a list, from its end: the last was applied last. 0: no more. */
static size_t last_name(const char *list, size_t *end, const char **ret_name)
{
    while (*end > 0 && is_listed(list[*end - 1]))
        (*end)--;
    size_t stop = *end;
    while (*end > 0 && !is_listed(list[*end - 1]))
        (*end)--;
    *ret_name = list + *end;
    return stop - *end;
}

static int open_layer(struct stook__decoder *decoder, const struct stook__codec *codec)
{
    struct layer *layer = &decoder->layers[decoder->count];
    layer->codec = codec;
    layer->in = (const unsigned char *)"";
    layer->state = codec->open(decoder->allocator);
    if (layer->state == NULL)
        return STOOK_ENOMEM;
    decoder->count++;
    if (decoder->count == 1)
        return 0;
    layer->piece = stook__resize(decoder->allocator, NULL, PIECE);
    return layer->piece != NULL ? 0 : STOOK_ENOMEM;
}

/* How many codings there are to be taken off; -1: one of them is not known. */
static int count_known(const char *list)
{
    const char *name;
    size_t end = strlen(list), size;
    int count = 0;
    while ((size = last_name(list, &end, &name)) > 0) {
        if (size == 8 && strncasecmp(name, "identity", 8) == 0)
            continue;
        if (stook__codec_find(name, size) == NULL)
            return -1;
        count++;
    }
    return count;
}

int stook__decoder_new(struct stook__allocator *allocator, const char *list,
                       const struct stook__decoder_limits *limits,
                       struct stook__decoder **ret_decoder)
{
    const char *name;
    size_t end = strlen(list), size;
    int count = count_known(list), error = 0;
    *ret_decoder = NULL;
    if (count > STOOK__DECODER_LAYERS)
        return STOOK_EDECODE;
    if (count <= 0)
        return 0;
    struct stook__decoder *decoder = stook__alloc(allocator, sizeof *decoder);
    if (decoder == NULL)
        return STOOK_ENOMEM;
    decoder->allocator = allocator;
    decoder->limits = *limits;
    while (error == 0 && (size = last_name(list, &end, &name)) > 0) {
        const struct stook__codec *codec = stook__codec_find(name, size);
        error = codec != NULL ? open_layer(decoder, codec) : 0;
    }
    if (error != 0)
        stook__decoder_free(decoder);
    else
        *ret_decoder = decoder;
    return error;
}

void stook__decoder_free(struct stook__decoder *decoder)
{
    if (decoder == NULL)
        return;
    for (size_t i = 0; i < decoder->count; i++) {
        decoder->layers[i].codec->close(decoder->layers[i].state, decoder->allocator);
        stook__free(decoder->allocator, decoder->layers[i].piece);
    }
    stook__free(decoder->allocator, decoder);
}

void stook__decoder_feed(struct stook__decoder *decoder, const void *data, size_t size)
{
    decoder->layers[0].in = data;
    decoder->layers[0].in_size = size;
    decoder->fed += (int64_t)size;
}

static int fail(struct stook__decoder *decoder, int error, const char *why)
{
    decoder->why = why;
    return error;
}

/* What follows the end of a stream is another one, or nothing that has a meaning. */
static int goes_on(struct layer *layer, int64_t *budget)
{
    if (!layer->ended)
        return 1;
    if (layer->in_size == 0)
        return 0;
    *budget -= STOOK__DECODER_RESTART;
    layer->junk = layer->junk || !layer->codec->again(layer->state, *layer->in);
    if (layer->junk) {
        layer->in_size = 0;
        return 0;
    }
    layer->ended = 0;
    return 1;
}

/* A layer has produced so many bytes more. */
static int count(struct stook__decoder *decoder, struct layer *layer, size_t size)
{
    const struct stook__decoder_limits *limits = &decoder->limits;
    int is_last = layer == &decoder->layers[decoder->count - 1];
    int64_t slack = is_last ? 0 : STOOK__DECODER_FREE;
    layer->produced += (int64_t)size;
    if (limits->bytes >= 0 && layer->produced - slack > limits->bytes)
        return fail(decoder, STOOK_ETOOLARGE,
                    is_last ? "the body is over max_body_bytes"
                            : "a layer of the body's coding is over max_body_bytes");
    if (limits->ratio >= 0 && layer->produced > STOOK__DECODER_FREE &&
        layer->produced / limits->ratio > decoder->fed)
        return fail(decoder, STOOK_ETOOLARGE, "the body swells by more than max_decompress_ratio");
    return 0;
}

/* One step of a layer: bytes into the room, as many as its input gives. */
static int step(struct stook__decoder *decoder, struct layer *layer, unsigned char *room,
                size_t size, int64_t *budget, size_t *ret_size)
{
    *ret_size = 0;
    if (!goes_on(layer, budget))
        return 0;
    size_t given =
        layer->in_size < READ ? layer->in_size : READ; /* no more at once, for the budget's sake */
    struct stook__span span = {layer->in, given, room, size};
    enum stook__codec_status coded = layer->codec->run(layer->state, &span);
    size_t read = given - span.in_size;
    *ret_size = size - span.out_size;
    *budget -= (int64_t)(read * STOOK__DECODER_READ + *ret_size);
    if (coded == STOOK__CODEC_NOMEM)
        return STOOK_ENOMEM;
    layer->begun = layer->begun || read > 0;
    layer->in = span.in;
    layer->in_size -= read;
    layer->ended = coded == STOOK__CODEC_END;
    /* What came out before it broke is counted first, so that one error is told however the bytes come. */
    int error = count(decoder, layer, *ret_size);
    if (error != 0)
        return error;
    /* One that neither reads nor writes would stand still for ever. */
    if (coded == STOOK__CODEC_BROKEN ||
        (coded == STOOK__CODEC_MORE && given > 0 && read == 0 && *ret_size == 0))
        return fail(decoder, STOOK_EDECODE,
                    "the bytes are not of the coding that Content-Encoding names");
    return 0;
}

/* As stook__decoder_pull, of the uppermost of `n` layers. */
static int pull(struct stook__decoder *decoder, size_t n, unsigned char *room, size_t size,
                int64_t *budget, size_t *ret_size)
{
    struct layer *layer = &decoder->layers[n - 1];
    for (;;) {
        int error = step(decoder, layer, room, size, budget, ret_size);
        if (error != 0 || *ret_size > 0 || *budget <= 0)
            return error;
        if (layer->in_size > 0)
            continue; /* it has read something, or come to an end */
        if (n == 1)
            return 0;
        size_t below = 0;
        error = pull(decoder, n - 1, layer->piece, PIECE, budget, &below);
        if (error != 0 || below == 0)
            return error;
        layer->in = layer->piece;
        layer->in_size = below;
    }
}

int stook__decoder_pull(struct stook__decoder *decoder, void *room, size_t size, int64_t *budget,
                        size_t *ret_size)
{
    return pull(decoder, decoder->count, room, size, budget, ret_size);
}

const char *stook__decoder_why(const struct stook__decoder *decoder)
{
    return decoder->why;
}

int stook__decoder_ended(const struct stook__decoder *decoder)
{
    if (!decoder->layers[0].begun)
        return 1;
    for (size_t i = 0; i < decoder->count; i++)
        if (!decoder->layers[i].ended)
            return 0;
    return 1;
}

int stook__decoder_trailed(const struct stook__decoder *decoder)
{
    for (size_t i = 0; i < decoder->count; i++)
        if (decoder->layers[i].junk)
            return 1;
    return 0;
}
