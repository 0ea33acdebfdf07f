/* SPDX-License-Identifier: MIT */
/* The parts of a multipart/form-data body; see multipart.h. */
#include "request/multipart.h"

#include <strings.h>

#include "request/headers.h"
#include "request/validate.h"

enum { PARTS_MAX = 1000 };

static int validate(const struct stook_part *theirs, const char **ret_why)
{
    struct stook_part part;
    int error = stook__validate_struct(&part, sizeof part, theirs);
    if (error == STOOK_EUNSUPPORTED)
        return stook__validate_refuse(
            STOOK__ARG("a part sets a member that this version of stook does not know"), ret_why);
    if (error != 0)
        return stook__validate_refuse(STOOK__ARG("a part has no size: make it with STOOK_PART()"),
                                      ret_why);
    if (part.name == NULL)
        return stook__validate_refuse(STOOK__ARG("a part has no name"), ret_why);
    if ((part.value != NULL) + (part.file != NULL) != 1)
        return stook__validate_refuse(STOOK__ARG("a part has neither value nor file, or both"),
                                      ret_why);
    if (part.value != NULL && part.value_size == 0)
        return stook__validate_refuse(STOOK__ARG("the value of a part is given with a value_size "
                                                 "of 0: STOOK_AUTO measures a string, "
                                                 "STOOK_NONE is an empty value"),
                                      ret_why);
    if (part.value_size < STOOK_AUTO || (part.value_size != 0 && part.value == NULL) ||
        (part.value_size > 0 && (uint64_t)part.value_size > PTRDIFF_MAX))
        return stook__validate_refuse(
            STOOK__ARG("the value_size of a part is out of range, or there is no value"), ret_why);
    if (stook__validate_control(part.name) || stook__validate_control(part.filename) ||
        stook__validate_control(part.type) || stook__validate_control(part.file))
        return stook__validate_refuse(STOOK__ARG("a string of a part contains a control byte"),
                                      ret_why);
    return 0;
}

int stook__parts_validate(const struct stook_request *request, const char **ret_why)
{
    size_t n = 0;
    int error = 0;
    if (request->parts == NULL)
        return 0;
    if (request->parts[0] == NULL)
        return stook__validate_refuse(STOOK__ARG("parts is empty"), ret_why);
    for (; error == 0 && n <= PARTS_MAX && request->parts[n] != NULL; n++)
        error = validate(request->parts[n], ret_why);
    if (error == 0 && n > PARTS_MAX)
        return stook__validate_refuse(STOOK__ARG("there are more than 1000 parts"), ret_why);
    if (error == 0 && stook__headers_contain(request, "Content-Type"))
        return stook__validate_refuse(STOOK__ARG("a Content-Type header is given beside parts"),
                                      ret_why);
    return error;
}

/* Bytes of the value of a valid part; 0 for a file. */
static size_t value_size(const struct stook_part *part)
{
    if (part->value_size == STOOK_AUTO)
        return strlen(part->value);
    return part->value_size > 0 ? (size_t)part->value_size : 0;
}

/* The content type for a file name. libcurl has the same table, but gives no type to other names
   where it does not read the file itself. */
static const char *type_of(const char *name)
{
    static const char *const types[][2] = {
        {".gif", "image/gif"},      {".jpg", "image/jpeg"},    {".jpeg", "image/jpeg"},
        {".png", "image/png"},      {".svg", "image/svg+xml"}, {".txt", "text/plain"},
        {".htm", "text/html"},      {".html", "text/html"},    {".pdf", "application/pdf"},
        {".xml", "application/xml"}};
    size_t size = strlen(name);
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        size_t end = strlen(types[i][0]);
        if (size >= end && strcasecmp(name + size - end, types[i][0]) == 0)
            return types[i][1];
    }
    return "application/octet-stream";
}

static const char *type_of_part(const struct stook_part *part)
{
    const char *name = part->filename != NULL ? part->filename : part->file;
    return part->type != NULL || name == NULL ? part->type : type_of(name);
}

void stook__parts_pack(struct stook__optional *optional, struct stook__pack *pack,
                       const struct stook_request *request)
{
    const char *why;
    if (request->parts == NULL || stook__parts_validate(request, &why) != 0)
        return;
    while (request->parts[optional->n_parts] != NULL)
        optional->n_parts++;
    optional->parts = stook__pack_reserve(pack, optional->n_parts * sizeof *optional->parts);
    for (size_t i = 0; i < optional->n_parts; i++) {
        struct stook_part part;
        stook__validate_struct(&part, sizeof part, request->parts[i]);
        size_t size = value_size(&part);
        struct stook__part copy = {
            .name = stook__pack_text(pack, part.name),
            .value = stook__pack_bytes(pack, part.value != NULL ? part.value : "", size),
            .file = stook__pack_text(pack, part.file),
            .filename = stook__pack_text(pack, part.filename),
            .type = stook__pack_text(pack, type_of_part(&part)),
            .value_size = size,
        };
        if (optional->parts != NULL)
            optional->parts[i] = copy;
    }
}
