/* SPDX-License-Identifier: MIT */
/* The body of a request, checked and copied; see body.h. */
#include "request/body.h"

#include "request/pack.h"
#include "request/validate.h"

static int bodies_given(const struct stook_request *request)
{
    return (request->body != NULL) + (request->json != NULL) + (request->form != NULL) +
           (request->parts != NULL) + (request->body_file != NULL) + (request->body_read != NULL);
}

int stook__body_is_given(const struct stook_request *request)
{
    return bodies_given(request) > 0;
}

int stook__body_validate(const struct stook_request *request, const char **ret_why)
{
    size_t n = 0;
    if (bodies_given(request) > 1)
        return stook__validate_refuse(STOOK__ARG("more than one body is given"), ret_why);
    /* A body that became empty without a word, or the bytes behind an empty buffer, would be
       sent. */
    if (request->body != NULL && request->body_size == 0)
        return stook__validate_refuse(
            STOOK__ARG("body is given with a body_size of 0: STOOK_AUTO measures a "
                       "string, STOOK_NONE is an empty body"),
            ret_why);
    if (request->body_release != NULL && request->body == NULL)
        return stook__validate_refuse(STOOK__ARG("body_release is given without a body"), ret_why);
    if (request->body_rewind != NULL && request->body_read == NULL)
        return stook__validate_refuse(STOOK__ARG("body_rewind is given without body_read"),
                                      ret_why);
    if (request->json != NULL && *request->json == '\0')
        return stook__validate_refuse(STOOK__ARG("json is empty"), ret_why);
    if (request->body_file != NULL && *request->body_file == '\0')
        return stook__validate_refuse(STOOK__ARG("body_file is empty"), ret_why);
    while (request->form != NULL && request->form[n] != NULL)
        n++;
    return n % 2 != 0 ? stook__validate_refuse(STOOK__ARG("a name in form has no value"), ret_why)
                      : 0;
}

int stook__body_size(const struct stook_request *request, size_t *ret_size, const char **ret_why)
{
    *ret_size = 0;
    if (request->body != NULL && request->body_size == STOOK_AUTO)
        *ret_size = strlen(request->body);
    else if (request->body != NULL && request->body_size == STOOK_NONE)
        *ret_size = 0;
    else if (request->body_size < 0 ||
             (request->body_size > 0 && request->body == NULL && request->body_read == NULL) ||
             (uint64_t)request->body_size > PTRDIFF_MAX)
        return stook__validate_refuse("body_size is out of range, or there is no body", ret_why);
    else
        *ret_size = (size_t)request->body_size;
    return 0;
}

/* application/x-www-form-urlencoded as the WHATWG's URL standard encodes it. */
static void pack_encoded(struct stook__pack *pack, const char *text)
{
    static const char digits[] = "0123456789ABCDEF";
    for (const unsigned char *c = (const unsigned char *)text; *c != '\0'; c++) {
        if ((*c >= '0' && *c <= '9') || ((*c | 0x20) >= 'a' && (*c | 0x20) <= 'z') ||
            strchr("*-._", *c) != NULL)
            stook__pack_bytes(pack, c, 1);
        else if (*c == ' ')
            stook__pack_bytes(pack, "+", 1);
        else
            stook__pack_bytes(pack, (char[]){'%', digits[*c >> 4], digits[*c & 15]}, 3);
    }
}

/* The body that `json` or `form` stand for. An odd name in `form` is skipped: it was refused. */
static void pack_implied(struct stook__pack *pack, const struct stook_request *request)
{
    if (request->json != NULL)
        stook__pack_bytes(pack, request->json, strlen(request->json));
    for (const char *const *pair = request->form;
         pair != NULL && pair[0] != NULL && pair[1] != NULL; pair += 2) {
        if (pair != request->form)
            stook__pack_bytes(pack, "&", 1);
        pack_encoded(pack, pair[0]);
        stook__pack_bytes(pack, "=", 1);
        pack_encoded(pack, pair[1]);
    }
}

static int copy_implied(struct stook__allocator *allocator, struct stook__spec *spec,
                        const struct stook_request *request)
{
    struct stook__pack pack = {NULL, 0};
    pack_implied(&pack, request);
    if (pack.size == 0)
        return 0;
    spec->body = pack.at = stook__resize(allocator, NULL, pack.size);
    if (pack.at == NULL)
        return STOOK_ENOMEM;
    spec->body_size = pack.size;
    pack_implied(&pack, request);
    return 0;
}

int stook__body_copy(struct stook__allocator *allocator, struct stook__spec *spec,
                     const struct stook_request *request, size_t size)
{
    if (request->body == NULL)
        return copy_implied(allocator, spec, request);
    if (request->body_release != NULL) {
        spec->body = (char *)request->body;
        spec->body_size = size;
        return 0;
    }
    if (size == 0)
        return 0;
    spec->body = stook__resize(allocator, NULL, size);
    if (spec->body == NULL)
        return STOOK_ENOMEM;
    memcpy(spec->body, request->body, size);
    spec->body_size = size;
    return 0;
}
