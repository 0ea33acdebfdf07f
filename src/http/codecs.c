/* SPDX-License-Identifier: MIT */
/* zlib, brotli and zstd behind one interface; see codecs.h. The build has those that it found. */
#include "http/codecs.h"

#include <strings.h>

#ifdef STOOK_HAS_GZIP
#include <zlib.h>

struct gzip {
    z_stream stream;
    struct stook__allocator *allocator;
};

static void *gzip_alloc(void *allocator, unsigned n, unsigned size)
{
    return stook__resize(allocator, NULL, (size_t)n * size);
}

static void gzip_free(void *allocator, void *block)
{
    stook__free(allocator, block);
}

static void *gzip_open(struct stook__allocator *allocator)
{
    struct gzip *gzip = stook__alloc(allocator, sizeof *gzip);
    if (gzip == NULL)
        return NULL;
    gzip->stream.zalloc = gzip_alloc;
    gzip->stream.zfree = gzip_free;
    gzip->stream.opaque = allocator;
    if (inflateInit2(&gzip->stream, 16 + MAX_WBITS) == Z_OK)
        return gzip;
    stook__free(allocator, gzip);
    return NULL;
}

static enum stook__codec_status gzip_run(void *state, struct stook__span *span)
{
    z_stream *stream = &((struct gzip *)state)->stream;
    stream->next_in = (unsigned char *)span->in;
    stream->avail_in = (uInt)span->in_size;
    stream->next_out = span->out;
    stream->avail_out = (uInt)span->out_size;
    int code = inflate(stream, Z_NO_FLUSH);
    span->in = stream->next_in;
    span->in_size = stream->avail_in;
    span->out = stream->next_out;
    span->out_size = stream->avail_out;
    switch (code) {
    case Z_STREAM_END:
        return STOOK__CODEC_END;
    case Z_OK:
    case Z_BUF_ERROR: /* No progress was possible. */
        return STOOK__CODEC_MORE;
    case Z_MEM_ERROR:
        return STOOK__CODEC_NOMEM;
    default:
        return STOOK__CODEC_BROKEN;
    }
}

/* RFC 1952 2.2: a file is a series of members. */
static int gzip_again(void *state, unsigned char first)
{
    return first == 0x1f && inflateReset(&((struct gzip *)state)->stream) == Z_OK;
}

static void gzip_close(void *state, struct stook__allocator *allocator)
{
    inflateEnd(&((struct gzip *)state)->stream);
    stook__free(allocator, state);
}
#endif

#ifdef STOOK_HAS_BR
#include <brotli/decode.h>

static void *br_alloc(void *allocator, size_t size)
{
    return stook__resize(allocator, NULL, size > 0 ? size : 1);
}

static void br_free(void *allocator, void *block)
{
    stook__free(allocator, block);
}

static void *br_open(struct stook__allocator *allocator)
{
    return BrotliDecoderCreateInstance(br_alloc, br_free, allocator);
}

static int br_no_memory(const BrotliDecoderState *state)
{
    BrotliDecoderErrorCode code = BrotliDecoderGetErrorCode(state);
    return code <= BROTLI_DECODER_ERROR_ALLOC_CONTEXT_MODES &&
           code >= BROTLI_DECODER_ERROR_ALLOC_BLOCK_TYPE_TREES;
}

static enum stook__codec_status br_run(void *state, struct stook__span *span)
{
    switch (BrotliDecoderDecompressStream(state, &span->in_size, &span->in, &span->out_size,
                                          &span->out, NULL)) {
    case BROTLI_DECODER_RESULT_SUCCESS:
        return STOOK__CODEC_END;
    case BROTLI_DECODER_RESULT_ERROR:
        return br_no_memory(state) ? STOOK__CODEC_NOMEM : STOOK__CODEC_BROKEN;
    default:
        return STOOK__CODEC_MORE;
    }
}

static int br_again(void *state, unsigned char first)
{
    (void)state;
    (void)first;
    return 0;
}

static void br_close(void *state, struct stook__allocator *allocator)
{
    (void)allocator;
    BrotliDecoderDestroyInstance(state);
}
#endif

#ifdef STOOK_HAS_ZSTD
#include <zstd.h>
#include <zstd_errors.h>

/* RFC 9659: the window has at most 8 MiB. */
enum { ZSTD_WINDOW_LOG = 23 };

/* Only a statically linked zstd accepts an allocator, so its state comes from malloc(). */
static void *zstd_open(struct stook__allocator *allocator)
{
    ZSTD_DStream *stream = ZSTD_createDStream();
    (void)allocator;
    if (stream != NULL)
        ZSTD_DCtx_setParameter(stream, ZSTD_d_windowLogMax, ZSTD_WINDOW_LOG);
    return stream;
}

static enum stook__codec_status zstd_run(void *state, struct stook__span *span)
{
    ZSTD_inBuffer in = {span->in, span->in_size, 0};
    ZSTD_outBuffer out = {span->out, span->out_size, 0};
    size_t code = ZSTD_decompressStream(state, &out, &in);
    span->in += in.pos;
    span->in_size -= in.pos;
    span->out += out.pos;
    span->out_size -= out.pos;
    if (code == 0)
        return STOOK__CODEC_END;
    if (!ZSTD_isError(code))
        return STOOK__CODEC_MORE;
    return ZSTD_getErrorCode(code) == ZSTD_error_memory_allocation ? STOOK__CODEC_NOMEM
                                                                   : STOOK__CODEC_BROKEN;
}

/* RFC 8878 3: a stream is a series of frames, some of which are skippable. */
static int zstd_again(void *state, unsigned char first)
{
    if (first != 0x28 && (first & 0xf0) != 0x50)
        return 0;
    return !ZSTD_isError(ZSTD_DCtx_reset(state, ZSTD_reset_session_only));
}

static void zstd_close(void *state, struct stook__allocator *allocator)
{
    (void)allocator;
    ZSTD_freeDStream(state);
}
#endif

static const struct stook__codec codecs[] = {
#ifdef STOOK_HAS_GZIP
    {"gzip", gzip_open, gzip_run, gzip_again, gzip_close},
    {"x-gzip", gzip_open, gzip_run, gzip_again, gzip_close}, /* RFC 9110 8.4.1.3 */
#endif
#ifdef STOOK_HAS_BR
    {"br", br_open, br_run, br_again, br_close},
#endif
#ifdef STOOK_HAS_ZSTD
    {"zstd", zstd_open, zstd_run, zstd_again, zstd_close},
#endif
    {NULL, NULL, NULL, NULL, NULL}};

const struct stook__codec *stook__codec_find(const char *name, size_t size)
{
    for (const struct stook__codec *codec = codecs; codec->name != NULL; codec++)
        if (strncasecmp(codec->name, name, size) == 0 && codec->name[size] == '\0')
            return codec;
    return NULL;
}

/* The names as a list. */
#if defined STOOK_HAS_GZIP && defined STOOK_HAS_BR && defined STOOK_HAS_ZSTD
#define NAMES "gzip, br, zstd"
#elif defined STOOK_HAS_GZIP && defined STOOK_HAS_BR
#define NAMES "gzip, br"
#elif defined STOOK_HAS_GZIP && defined STOOK_HAS_ZSTD
#define NAMES "gzip, zstd"
#elif defined STOOK_HAS_BR && defined STOOK_HAS_ZSTD
#define NAMES "br, zstd"
#elif defined STOOK_HAS_GZIP
#define NAMES "gzip"
#elif defined STOOK_HAS_BR
#define NAMES "br"
#elif defined STOOK_HAS_ZSTD
#define NAMES "zstd"
#else
#define NAMES "identity"
#endif

const char *stook__codecs_accepted(void)
{
    return "Accept-Encoding: " NAMES;
}

int stook__codecs_any(void)
{
    return codecs[0].name != NULL;
}
