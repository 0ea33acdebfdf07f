/* SPDX-License-Identifier: MIT */
/* zlib, brotli and zstd behind one face; see codings.h. Each is there only if the build found it. */
#include "transfer/codings.h"

#include <strings.h>

#ifdef STOOK_HAS_GZIP
#include <zlib.h>

struct gzip {
    z_stream stream;
    struct stook__heap *heap;
};

static void *gzip_alloc(void *heap, unsigned n, unsigned size)
{
    return stook__resize(heap, NULL, (size_t)n * size);
}

static void gzip_free(void *heap, void *block)
{
    stook__free(heap, block);
}

static void *gzip_open(struct stook__heap *heap)
{
    struct gzip *gzip = stook__alloc(heap, sizeof *gzip);
    if (gzip == NULL)
        return NULL;
    gzip->stream.zalloc = gzip_alloc;
    gzip->stream.zfree = gzip_free;
    gzip->stream.opaque = heap;
    if (inflateInit2(&gzip->stream, 16 + MAX_WBITS) == Z_OK)
        return gzip;
    stook__free(heap, gzip);
    return NULL;
}

static enum stook__coded gzip_run(void *state, struct stook__span *span)
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
        return STOOK__CODED_END;
    case Z_OK:
    case Z_BUF_ERROR: /* no progress was possible */
        return STOOK__CODED_MORE;
    case Z_MEM_ERROR:
        return STOOK__CODED_NOMEM;
    default:
        return STOOK__CODED_BROKEN;
    }
}

/* RFC 1952 2.2: a file is one member behind the other. */
static int gzip_again(void *state, unsigned char first)
{
    return first == 0x1f && inflateReset(&((struct gzip *)state)->stream) == Z_OK;
}

static void gzip_close(void *state, struct stook__heap *heap)
{
    inflateEnd(&((struct gzip *)state)->stream);
    stook__free(heap, state);
}
#endif

#ifdef STOOK_HAS_BR
#include <brotli/decode.h>

static void *br_alloc(void *heap, size_t size)
{
    return stook__resize(heap, NULL, size > 0 ? size : 1);
}

static void br_free(void *heap, void *block)
{
    stook__free(heap, block);
}

static void *br_open(struct stook__heap *heap)
{
    return BrotliDecoderCreateInstance(br_alloc, br_free, heap);
}

static int br_no_memory(const BrotliDecoderState *state)
{
    BrotliDecoderErrorCode code = BrotliDecoderGetErrorCode(state);
    return code <= BROTLI_DECODER_ERROR_ALLOC_CONTEXT_MODES && code >= BROTLI_DECODER_ERROR_ALLOC_BLOCK_TYPE_TREES;
}

static enum stook__coded br_run(void *state, struct stook__span *span)
{
    switch (BrotliDecoderDecompressStream(state, &span->in_size, &span->in, &span->out_size, &span->out, NULL)) {
    case BROTLI_DECODER_RESULT_SUCCESS:
        return STOOK__CODED_END;
    case BROTLI_DECODER_RESULT_ERROR:
        return br_no_memory(state) ? STOOK__CODED_NOMEM : STOOK__CODED_BROKEN;
    default:
        return STOOK__CODED_MORE;
    }
}

static int br_again(void *state, unsigned char first)
{
    (void)state;
    (void)first;
    return 0;
}

static void br_close(void *state, struct stook__heap *heap)
{
    (void)heap;
    BrotliDecoderDestroyInstance(state);
}
#endif

#ifdef STOOK_HAS_ZSTD
#include <zstd.h>
#include <zstd_errors.h>

/* RFC 9659: no more than 8 MiB of what was said before has to be remembered. */
enum { ZSTD_WINDOW_LOG = 23 };

/* Its allocator can only be chosen where it is linked statically, so it is malloc's. */
static void *zstd_open(struct stook__heap *heap)
{
    ZSTD_DStream *stream = ZSTD_createDStream();
    (void)heap;
    if (stream != NULL)
        ZSTD_DCtx_setParameter(stream, ZSTD_d_windowLogMax, ZSTD_WINDOW_LOG);
    return stream;
}

static enum stook__coded zstd_run(void *state, struct stook__span *span)
{
    ZSTD_inBuffer in = {span->in, span->in_size, 0};
    ZSTD_outBuffer out = {span->out, span->out_size, 0};
    size_t code = ZSTD_decompressStream(state, &out, &in);
    span->in += in.pos;
    span->in_size -= in.pos;
    span->out += out.pos;
    span->out_size -= out.pos;
    if (code == 0)
        return STOOK__CODED_END;
    if (!ZSTD_isError(code))
        return STOOK__CODED_MORE;
    return ZSTD_getErrorCode(code) == ZSTD_error_memory_allocation ? STOOK__CODED_NOMEM : STOOK__CODED_BROKEN;
}

/* RFC 8878 3: frames follow one another, some to be skipped. */
static int zstd_again(void *state, unsigned char first)
{
    if (first != 0x28 && (first & 0xf0) != 0x50)
        return 0;
    return !ZSTD_isError(ZSTD_DCtx_reset(state, ZSTD_reset_session_only));
}

static void zstd_close(void *state, struct stook__heap *heap)
{
    (void)heap;
    ZSTD_freeDStream(state);
}
#endif

static const struct stook__coding codings[] = {
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

const struct stook__coding *stook__coding_find(const char *name, size_t size)
{
    for (const struct stook__coding *coding = codings; coding->name != NULL; coding++)
        if (strncasecmp(coding->name, name, size) == 0 && coding->name[size] == '\0')
            return coding;
    return NULL;
}

/* As a list, without a comma in front. */
#if defined STOOK_HAS_GZIP && defined STOOK_HAS_BR && defined STOOK_HAS_ZSTD
#define ALL "gzip, br, zstd"
#elif defined STOOK_HAS_GZIP && defined STOOK_HAS_BR
#define ALL "gzip, br"
#elif defined STOOK_HAS_GZIP && defined STOOK_HAS_ZSTD
#define ALL "gzip, zstd"
#elif defined STOOK_HAS_BR && defined STOOK_HAS_ZSTD
#define ALL "br, zstd"
#elif defined STOOK_HAS_GZIP
#define ALL "gzip"
#elif defined STOOK_HAS_BR
#define ALL "br"
#elif defined STOOK_HAS_ZSTD
#define ALL "zstd"
#else
#define ALL "identity"
#endif

const char *stook__codings_accepted(void)
{
    return "Accept-Encoding: " ALL;
}

int stook__codings_any(void)
{
    return codings[0].name != NULL;
}
