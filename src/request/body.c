/* SPDX-License-Identifier: MIT */
/* Members of a request that only stand for header fields and a body: JSON, form, Basic, Bearer. */
#include <strings.h>

#include "request/optional.h"
#include "request/validate.h"

/* The WHATWG's application/x-www-form-urlencoded: of RFC 1866, with fewer bytes left as they are. */
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

void stook__optional_body(struct stook__pack *pack, const struct stook_request *request)
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

/* RFC 4648 4, of two texts with a colon between. */
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

int stook__optional_has_field(const struct stook_request *request, const char *name)
{
    size_t size = strlen(name);
    for (const char *const *field = request->headers; field != NULL && *field != NULL; field++)
        if (strncasecmp(*field, name, size) == 0 && (*field)[size] == ':')
            return 1;
    return 0;
}

void stook__optional_fields(struct stook__pack *pack, const struct stook_request *request)
{
    if (request->json != NULL && !stook__optional_has_field(request, "Content-Type"))
        stook__pack_text(pack, "Content-Type: application/json");
    if (request->form != NULL && !stook__optional_has_field(request, "Content-Type"))
        stook__pack_text(pack, "Content-Type: application/x-www-form-urlencoded");
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

/* RFC 6750 2.1: b64token. */
static int is_token(const char *text)
{
    size_t size =
        strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~+/");
    return size > 0 && text[size + strspn(text + size, "=")] == '\0';
}

int stook__optional_credentials(const struct stook_request *request, const char **ret_why)
{
    if (request->username == NULL && (request->password != NULL || request->auth != 0))
        return stook__validate_refuse(STOOK__ARG("password or auth is given without username"),
                                      ret_why);
    if (request->username != NULL && request->bearer != NULL)
        return stook__validate_refuse(STOOK__ARG("both username and bearer are given"), ret_why);
    if ((request->username != NULL || request->bearer != NULL) &&
        stook__optional_has_field(request, "Authorization"))
        return stook__validate_refuse(
            STOOK__ARG("an Authorization header is given beside username or bearer"), ret_why);
    if (stook__validate_control(request->username) || stook__validate_control(request->password))
        return stook__validate_refuse(STOOK__ARG("username or password contains a control byte"),
                                      ret_why);
    if (request->username != NULL && request->auth != STOOK_AUTH_DIGEST &&
        strchr(request->username, ':') != NULL)
        return stook__validate_refuse(
            STOOK__ARG("username contains a colon, which Basic cannot send"), ret_why);
    if (request->bearer != NULL && !is_token(request->bearer))
        return stook__validate_refuse(STOOK__ARG("bearer is not a token of RFC 6750"), ret_why);
    return 0;
}
