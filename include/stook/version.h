/* SPDX-License-Identifier: MIT */
/* The one place that holds the version of stook. CMake reads it from here. */
#ifndef STOOK_VERSION_H
#define STOOK_VERSION_H

#define STOOK_VERSION_MAJOR 0
#define STOOK_VERSION_MINOR 1
#define STOOK_VERSION_PATCH 0

/** The version as one number that can be compared: 0xMMmmpp. */
#define STOOK_VERSION_NUMBER \
    ((STOOK_VERSION_MAJOR << 16) | (STOOK_VERSION_MINOR << 8) | STOOK_VERSION_PATCH)

#define STOOK_VERSION_TEXT_OF(x) #x
#define STOOK_VERSION_TEXT_PART(x) STOOK_VERSION_TEXT_OF(x)
/** The version as text: "MAJOR.MINOR.PATCH". */
/* clang-format off */
#define STOOK_VERSION \
    STOOK_VERSION_TEXT_PART(STOOK_VERSION_MAJOR) "." \
    STOOK_VERSION_TEXT_PART(STOOK_VERSION_MINOR) "." \
    STOOK_VERSION_TEXT_PART(STOOK_VERSION_PATCH)
/* clang-format on */

#endif
