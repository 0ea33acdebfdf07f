/* SPDX-License-Identifier: MIT */
/* Header fields of a request: which are allowed, and those for JSON, forms, Basic and Bearer; see
   headers.h. */
#include "request/headers.h"

#include <strings.h>

#include "request/validate.h"

/* ---------------------------------------------------------------------------- which are allowed */

int stook__header_is_named(const char *field, size_t size, const char *name)
{
    return strlen(name) == size && strncasecmp(field, name, size) == 0;
}

/* Returns 1 for a field that frames the message or controls the connection. If a program could set
   these, two servers could disagree on where the next request begins (request smuggling). */
static int is_framing(const char *name, size_t size)
{
    static const char *const list[] = {"Content-Length",
                                       "Transfer-Encoding",
                                       "Connection",
                                       "Keep-Alive",
                                       "Proxy-Connection",
                                       "Proxy-Authorization",
                                       "Upgrade",
                                       "HTTP2-Settings",
                                       "TE",
                                       "Trailer",
                                       "Expect",
                                       "Host"};
    for (size_t i = 0; i < sizeof list / sizeof *list; i++)
        if (stook__header_is_named(name, size, list[i]))
            return 1;
    return 0;
}

int stook__header_check(const char *field, size_t *ret_name_size, const char **ret_why)
{
    size_t name_size = *ret_name_size = stook__validate_token(field);
    if (name_size == 0 || field[name_size] != ':')
        return stook__validate_refuse("a header is not of the form \"Name: value\"", ret_why);
    if (is_framing(field, name_size)) {
        *ret_why = "Host and the header fields that frame a message are not allowed";
        return STOOK_EPOLICY;
    }
    for (const unsigned char *c = (const unsigned char *)field + name_size; *c != '\0'; c++)
        if ((*c < 0x20 && *c != '\t') || *c == 0x7f)
            return stook__validate_refuse("a header value contains a control byte", ret_why);
    return 0;
}

int stook__headers_contain(const struct stook_request *request, const char *name)
{
    size_t size = strlen(name);
    for (const char *const *field = request->headers; field != NULL && *field != NULL; field++)
        if (strncasecmp(*field, name, size) == 0 && (*field)[size] == ':')
            return 1;
    return 0;
}

/* ----------------------------------------------------------------------------- redirect_headers */

int stook__redirect_headers_validate(const char *const *names, const char **ret_why)
{
    size_t size = 0;
    for (; names != NULL && *names != NULL; names++) {
        size_t length = strlen(*names);
        if (length == 0 || stook__validate_token(*names) != length)
            return stook__validate_refuse(
                STOOK__ARG("redirect_headers has an entry that is not the name of a field"),
                ret_why);
        size += length + 1;
        if (length > STOOK__HEADERS_MAX || size > STOOK__HEADERS_MAX)
            return stook__validate_refuse(STOOK__ARG("redirect_headers is longer than 64 KiB"),
                                          ret_why);
    }
    return 0;
}

const char *stook__redirect_headers_pack(struct stook__pack *pack, const char *const *names)
{
    const char *first = pack->at;
    if (names == NULL)
        return NULL;
    for (; *names != NULL; names++)
        stook__pack_text(pack, *names);
    stook__pack_bytes(pack, "", 1);
    return first;
}

/* ---------------------------------------------------------------------------------- credentials */

/* The b64token of RFC 6750 2.1. */
static int is_bearer(const char *text)
{
    size_t size =
        strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~+/");
    return size > 0 && text[size + strspn(text + size, "=")] == '\0';
}

int stook__credentials_validate(const struct stook_request *request, const char **ret_why)
{
    if (request->username == NULL && (request->password != NULL || request->auth != 0))
        return stook__validate_refuse(STOOK__ARG("password or auth is given without username"),
                                      ret_why);
    if (request->username != NULL && request->bearer != NULL)
        return stook__validate_refuse(STOOK__ARG("both username and bearer are given"), ret_why);
    if ((request->username != NULL || request->bearer != NULL) &&
        stook__headers_contain(request, "Authorization"))
        return stook__validate_refuse(
            STOOK__ARG("an Authorization header is given beside username or bearer"), ret_why);
    if (stook__validate_control(request->username) || stook__validate_control(request->password))
        return stook__validate_refuse(STOOK__ARG("username or password contains a control byte"),
                                      ret_why);
    if (request->username != NULL && request->auth != STOOK_AUTH_DIGEST &&
        strchr(request->username, ':') != NULL)
        return stook__validate_refuse(
            STOOK__ARG("username contains a colon, which Basic cannot send"), ret_why);
    if (request->bearer != NULL && !is_bearer(request->bearer))
        return stook__validate_refuse(STOOK__ARG("bearer is not a token of RFC 6750"), ret_why);
    return 0;
}

/* Base64 (RFC 4648 4) of "username:password". */
static void pack_base64(struct stook__pack *pack, const char *name, const char *password)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    size_t first = strlen(name), size = first + 1 + strlen(password);
    for (size_t i = 0; i < size; i += 3) {
        unsigned bits = 0;
        for (size_t k = i; k < i + 3; k++) {
            const char *from = k < first ? name + k : k == first ? ":" : password + (k - first - 1);
            bits = bits << 8 | (k < size ? (unsigned char)*from : 0);
        }
        char four[] = {digits[bits >> 18], digits[bits >> 12 & 63],
                       i + 1 < size ? digits[bits >> 6 & 63] : '=',
                       i + 2 < size ? digits[bits & 63] : '='};
        stook__pack_bytes(pack, four, sizeof four);
    }
}

/* ------------------------------------------------------------------------------------- the copy */

/* The fields that other members stand for. */
static void pack_implied(struct stook__pack *pack, const struct stook_request *request)
{
    if (request->json != NULL && !stook__headers_contain(request, "Content-Type"))
        stook__pack_text(pack, "Content-Type: application/json");
    if (request->form != NULL && !stook__headers_contain(request, "Content-Type"))
        stook__pack_text(pack, "Content-Type: application/x-www-form-urlencoded");
    if (request->idempotency_key != NULL) {
        stook__pack_bytes(pack, "Idempotency-Key: ", 17);
        stook__pack_text(pack, request->idempotency_key);
    }
    if (request->bearer != NULL) {
        stook__pack_bytes(pack, "Authorization: Bearer ", 22);
        stook__pack_text(pack, request->bearer);
    }
    if (request->username != NULL && request->auth != STOOK_AUTH_DIGEST) {
        stook__pack_bytes(pack, "Authorization: Basic ", 21);
        pack_base64(pack, request->username, request->password != NULL ? request->password : "");
        stook__pack_bytes(pack, "", 1);
    }
}

size_t stook__headers_size(const struct stook_request *request)
{
    const char *const *headers = request->headers;
    struct stook__pack fields = {NULL, 0};
    pack_implied(&fields, request);
    size_t size = fields.size;
    for (size_t i = 0; headers != NULL && headers[i] != NULL; i++) {
        size_t length = headers[i][0] != '\0' ? strlen(headers[i]) : 1;
        if (i >= STOOK__HEADER_COUNT_MAX || length > STOOK__HEADERS_MAX ||
            size + length + 1 > STOOK__HEADERS_MAX)
            return SIZE_MAX;
        size += length + 1;
    }
    return size;
}

void stook__headers_pack(struct stook__pack *pack, const struct stook_request *request)
{
    const char *const *headers = request->headers;
    for (size_t i = 0; headers != NULL && headers[i] != NULL; i++)
        stook__pack_text(pack, headers[i][0] != '\0' ? headers[i] : ":");
    pack_implied(pack, request);
}
