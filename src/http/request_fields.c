/* SPDX-License-Identifier: MIT */
/*
 * Checks methods, and makes the lists of header fields for libcurl; see request_fields.h. libcurl
 * sends both unchecked; the rule for a field is in request/headers.c.
 */
#include "http/request_fields.h"

#include <string.h>
#include <strings.h>

#include "request/headers.h"
#include "request/validate.h"

#define AGENT "User-Agent"

static int refuse(int error, const char *why, const char **ret_why)
{
    *ret_why = why;
    return error;
}

int stook__method_check(const char *method, const char **ret_why)
{
    size_t length = stook__validate_token(method);
    if (length == 0 || method[length] != '\0')
        return refuse(STOOK_EARG, "the method is not a token", ret_why);
    if (length > 64)
        return refuse(STOOK_EARG, "the method is longer than 64 bytes", ret_why);
    /* CONNECT makes a tunnel; TRACE returns credentials (RFC 9110 9.3.8). */
    if (strcasecmp(method, "CONNECT") == 0 || strcasecmp(method, "TRACE") == 0)
        return refuse(STOOK_EPOLICY, "the methods CONNECT and TRACE are not allowed", ret_why);
    return 0;
}

int stook__method_idempotent(const char *method)
{
    static const char *const list[] = {"GET", "HEAD", "OPTIONS", "PUT", "DELETE"};
    for (size_t i = 0; i < sizeof list / sizeof *list; i++)
        if (strcmp(method, list[i]) == 0)
            return 1;
    return 0;
}

static int append(struct curl_slist **list, const char *text)
{
    struct curl_slist *longer = curl_slist_append(*list, text);
    if (longer == NULL)
        return STOOK_ENOMEM;
    *list = longer;
    return 0;
}

/* Appends a field. libcurl takes "Name:" without a value as an order to remove its own field, and
   "Name;" as a field with an empty value. */
static int append_field(struct curl_slist **list, const char *field, size_t name_length)
{
    char empty[256];
    const char *value = field + name_length + 1;
    if (value[strspn(value, " \t")] != '\0')
        return append(list, field);
    if (name_length > sizeof empty - 2)
        return STOOK_EARG;
    memcpy(empty, field, name_length);
    memcpy(empty + name_length, ";", 2);
    return append(list, empty);
}

int stook__request_fields_defaults(struct stook__allocator *allocator, const char *user_agent,
                                   char **ret_agent, struct curl_slist **ret_list)
{
    if (user_agent == NULL)
        return 0;
    *ret_agent = stook__format(allocator, AGENT ": %s", user_agent);
    return *ret_agent != NULL ? append_field(ret_list, *ret_agent, sizeof AGENT - 1) : STOOK_ENOMEM;
}

static int is_secret(const char *name, size_t length)
{
    return stook__header_is_named(name, length, "Authorization") ||
           stook__header_is_named(name, length, "Cookie");
}

/* Returns 1 if the field has the name of one of the library's lines. */
static int is_own(const char *const *own, const char *field, size_t name_length)
{
    for (; *own != NULL; own++)
        if (strncasecmp(*own, field, name_length) == 0 && (*own)[name_length] == ':')
            return 1;
    return 0;
}

static int fill(const struct stook__spec *spec, int has_body, const char *agent,
                const char *const *own, struct curl_slist **list, int *ret_secret,
                const char **ret_why)
{
    int has_type = 0, has_agent = agent == NULL, error = 0;
    for (const char *field = stook__spec_headers(spec); error == 0 && *field != '\0';
         field += strlen(field) + 1) {
        size_t name_length;
        error = stook__header_check(field, &name_length, ret_why);
        *ret_secret |= is_secret(field, name_length);
        has_type |= stook__header_is_named(field, name_length, "Content-Type");
        has_agent |= stook__header_is_named(field, name_length, AGENT);
        if (error == 0 && is_own(own, field, name_length))
            error = refuse(STOOK_EARG,
                           "with decompress or resume, Accept-Encoding, Range and If-Range are set "
                           "by the library",
                           ret_why);
        if (error == 0)
            error = append_field(list, field, name_length);
    }
    for (; error == 0 && *own != NULL; own++)
        error = append(list, *own);
    /* By default libcurl calls every body a form, and waits up to a second for 100 Continue before
       it sends a larger one. */
    if (error == 0 && has_body && !has_type &&
        (spec->optional == NULL || spec->optional->n_parts == 0))
        error = append(list, "Content-Type:");
    if (error == 0 && has_body)
        error = append(list, stook__spec_expects(spec) ? "Expect: 100-continue" : "Expect:");
    if (error == 0 && *list != NULL && !has_agent)
        error = append_field(list, agent, sizeof AGENT - 1);
    return error;
}

int stook__request_fields(const struct stook__spec *spec, int has_body, const char *agent,
                          const char *const *own, struct curl_slist **ret_list, int *ret_secret,
                          const char **ret_why)
{
    struct curl_slist *list = NULL;
    *ret_list = NULL;
    if (spec->method_headers == NULL && !has_body && *own == NULL)
        return 0; /* most requests: 40 instructions less */
    *ret_why = "a header name is longer than 254 bytes";
    int error = fill(spec, has_body, agent, own, &list, ret_secret, ret_why);
    if (error != 0)
        curl_slist_free_all(list);
    else
        *ret_list = list;
    return error;
}
