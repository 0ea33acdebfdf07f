/* SPDX-License-Identifier: MIT */
/*
 * The layers of a decoder; see decoder.h. Each layer holds the input that it has not read, from the
 * layer below it or, the lowest, from the owner. body_sink.c calls this.
 */
#include "http/decoder.h"

#include <assert.h>
#include <string.h>
#include <strings.h>

#include "http/codecs.h"
#include "util/trace.h"

enum {
    PIECE = 16384, /* Bytes that a layer produces at a time for the layer above. */
    READ = 2048    /* Bytes that a layer reads at a time, so that it cannot overspend the budget. */
};

enum layer_state {
    EMPTY,  /* No byte was read. */
    STREAM, /* Inside a stream. */
    ENDED,  /* A stream has ended and no other has started. */
    JUNK    /* Bytes followed the end that start no stream. They and all after them are ignored. */
};

struct layer {
    const struct stook__codec *codec;
    void *stream; /* The codec's. */
    enum layer_state state;
    const unsigned char *in; /* The input that it has not read. */
    size_t in_size;
    unsigned char *piece; /* Where the layer below writes its output; NULL in the lowest layer. */
    int64_t produced;     /* Bytes in all. */
};

struct stook__decoder {
    struct stook__allocator *allocator;
    struct layer layers[STOOK__DECODER_LAYERS]; /* The first one decodes what was encoded last. */
    size_t count;
    struct stook__decoder_limits limits;
    int64_t fed;     /* Bytes in all. */
    const char *why; /* The reason of the last error. */
};

/* Moves a layer; decoder.h has the picture. */
static void move(struct layer *layer, enum layer_state state)
{
    static const unsigned allowed[] = {[EMPTY] = 1 << STREAM | 1 << ENDED,
                                       [STREAM] = 1 << ENDED,
                                       [ENDED] = 1 << STREAM | 1 << JUNK,
                                       [JUNK] = 0};
    assert(allowed[layer->state] >> state & 1);
    (void)allowed;
    static const char *const names[] = {"empty", "stream", "ended", "junk"};
    (void)names; /* in release builds */
    STOOK__TRACE("http", "layer %p: %s -> %s", (void *)layer, names[layer->state], names[state]);
    layer->state = state;
}

/* ------------------------------------------------------------------------ the layers */

static int is_separator(char c)
{
    return c == ' ' || c == '\t' || c == ',';
}

/* Cuts the last name off a list: the coding that was applied last. Returns its size; 0: no more. */
static size_t cut_last_name(const char *list, size_t *end, const char **ret_name)
{
    while (*end > 0 && is_separator(list[*end - 1]))
        (*end)--;
    size_t stop = *end;
    while (*end > 0 && !is_separator(list[*end - 1]))
        (*end)--;
    *ret_name = list + *end;
    return stop - *end;
}

static int open_layer(struct stook__decoder *decoder, const struct stook__codec *codec)
{
    struct layer *layer = &decoder->layers[decoder->count];
    layer->codec = codec;
    layer->in = (const unsigned char *)"";
    layer->stream = codec->open(decoder->allocator);
    if (layer->stream == NULL)
        return STOOK_ENOMEM;
    decoder->count++;
    if (decoder->count == 1)
        return 0;
    layer->piece = stook__resize(decoder->allocator, NULL, PIECE);
    return layer->piece != NULL ? 0 : STOOK_ENOMEM;
}

/* Counts the codings to decode. -1: this build lacks the codec of one. */
static int count_codings(const char *list)
{
    const char *name;
    size_t end = strlen(list), size;
    int count = 0;
    while ((size = cut_last_name(list, &end, &name)) > 0) {
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
    int count = count_codings(list), error = 0;
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
    while (error == 0 && (size = cut_last_name(list, &end, &name)) > 0) {
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
        decoder->layers[i].codec->close(decoder->layers[i].stream, decoder->allocator);
        stook__free(decoder->allocator, decoder->layers[i].piece);
    }
    stook__free(decoder->allocator, decoder);
}

/* ------------------------------------------------------------------------ decoding */

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

/* Whether the layer may run. After the end of a stream it starts the next one, if one follows. */
static int start_stream(struct layer *layer, int64_t *budget)
{
    if (layer->state == EMPTY || layer->state == STREAM)
        return 1;
    if (layer->in_size == 0)
        return 0;
    *budget -= STOOK__DECODER_RESTART;
    if (layer->state == ENDED)
        move(layer, layer->codec->again(layer->stream, *layer->in) ? STREAM : JUNK);
    if (layer->state == STREAM)
        return 1;
    layer->in_size = 0;
    return 0;
}

/* Adds bytes that a layer produced, and holds the sum against the limits. */
static int count(struct stook__decoder *decoder, struct layer *layer, size_t size)
{
    const struct stook__decoder_limits *limits = &decoder->limits;
    int is_last = layer == &decoder->layers[decoder->count - 1];
    int64_t slack = is_last ? 0 : STOOK__DECODER_FREE;
    layer->produced += (int64_t)size;
    if (limits->bytes >= 0 && layer->produced - slack > limits->bytes)
        return fail(decoder, STOOK_ETOOLARGE,
                    is_last ? "the body is over max_body_bytes"
                            : "a layer of the body's content coding is over max_body_bytes");
    if (limits->ratio >= 0 && layer->produced > STOOK__DECODER_FREE &&
        layer->produced / limits->ratio > decoder->fed)
        return fail(decoder, STOOK_ETOOLARGE, "the body expands by more than max_decompress_ratio");
    return 0;
}

/* Runs a layer once: it decodes at most READ bytes of its input into `room`. */
static int step(struct stook__decoder *decoder, struct layer *layer, unsigned char *room,
                size_t size, int64_t *budget, size_t *ret_size)
{
    *ret_size = 0;
    if (!start_stream(layer, budget))
        return 0;
    size_t given = layer->in_size < READ ? layer->in_size : READ;
    struct stook__span span = {layer->in, given, room, size};
    enum stook__codec_status status = layer->codec->run(layer->stream, &span);
    size_t read = given - span.in_size;
    *ret_size = size - span.out_size;
    *budget -= (int64_t)(read * STOOK__DECODER_READ + *ret_size);
    if (status == STOOK__CODEC_NOMEM)
        return STOOK_ENOMEM;
    layer->in = span.in;
    layer->in_size -= read;
    if (layer->state == EMPTY && read > 0)
        move(layer, STREAM);
    if (status == STOOK__CODEC_END)
        move(layer, ENDED);
    /* What it produced before an error is counted first: so the error is the same however the bytes
       are cut. */
    int error = count(decoder, layer, *ret_size);
    if (error != 0)
        return error;
    /* A codec that neither reads nor writes would do so for ever. */
    if (status == STOOK__CODEC_BROKEN ||
        (status == STOOK__CODEC_MORE && given > 0 && read == 0 && *ret_size == 0))
        return fail(decoder, STOOK_EDECODE,
                    "the body is not in the coding that Content-Encoding names");
    return 0;
}

/* As stook__decoder_pull(), from the uppermost of the first `n` layers. */
static int pull(struct stook__decoder *decoder, size_t n, unsigned char *room, size_t size,
                int64_t *budget, size_t *ret_size)
{
    struct layer *layer = &decoder->layers[n - 1];
    for (;;) {
        int error = step(decoder, layer, room, size, budget, ret_size);
        if (error != 0 || *ret_size > 0 || *budget <= 0)
            return error;
        if (layer->in_size > 0)
            continue; /* It has read something, or a stream has ended. */
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
    if (decoder->layers[0].state == EMPTY)
        return 1;
    for (size_t i = 0; i < decoder->count; i++)
        if (decoder->layers[i].state != ENDED && decoder->layers[i].state != JUNK)
            return 0;
    return 1;
}

int stook__decoder_trailed(const struct stook__decoder *decoder)
{
    for (size_t i = 0; i < decoder->count; i++)
        if (decoder->layers[i].state == JUNK)
            return 1;
    return 0;
}
