/* SPDX-License-Identifier: MIT */
/*
 * Header fields of a request: those in `headers`, and those that other members stand for. An add
 * checks the members and the total size. Each field is checked when the request starts
 * (http/request_fields.c), so that an add does not read it twice.
 */
#ifndef STOOK_REQUEST_HEADERS_H
#define STOOK_REQUEST_HEADERS_H

#include <stook.h>

#include "request/pack.h"

enum { STOOK__HEADERS_MAX = 65536, STOOK__HEADER_COUNT_MAX = 256 }; /* bytes, fields */

/* Whether a field, "Name: value", is allowed: 0; STOOK_EARG or STOOK_EPOLICY with *ret_why set to
   static text. *ret_name_size: bytes of its name, also after an error. */
int stook__header_check(const char *field, size_t *ret_name_size, const char **ret_why);
/* 1: the name of a field, of that size, is `name`. */
int stook__header_is_named(const char *field, size_t size, const char *name);

/* 1: `headers` contains a field of this name. */
int stook__headers_contain(const struct stook_request *request, const char *name);

/* Checks the names of `redirect_headers`: 0, or STOOK_EARG with *ret_why set. NULL: 0. */
int stook__redirect_headers_validate(const char *const *names, const char **ret_why);
/* Copies these names as strings in sequence, ended by an empty one. Returns the copy; NULL while
   measuring, or for NULL. */
const char *stook__redirect_headers_pack(struct stook__pack *pack, const char *const *names);

/* Checks `username`, `password`, `auth` and `bearer`: 0, or STOOK_EARG with *ret_why set. */
int stook__credentials_validate(const struct stook_request *request, const char **ret_why);

/* Bytes that stook__headers_pack() copies. SIZE_MAX: more than STOOK__HEADERS_MAX or
   STOOK__HEADER_COUNT_MAX allow. */
size_t stook__headers_size(const struct stook_request *request);

/* Copies all header fields as strings in sequence, without the empty string that ends them. An
   empty one is copied as ":", which is refused with its name when the request starts. */
void stook__headers_pack(struct stook__pack *pack, const struct stook_request *request);

#endif
