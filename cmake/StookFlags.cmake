# SPDX-License-Identifier: MIT
#
# Compiler and linker flags of this project. None leaves it: they are given to targets PRIVATE, and
# the sanitizers to this directory and those below.

include(CheckCCompilerFlag)

if(STOOK_SANITIZE)
    add_compile_options(-fsanitize=${STOOK_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
    add_link_options(-fsanitize=${STOOK_SANITIZE})
endif()

if(STOOK_BUILD_FUZZERS)
    if(NOT CMAKE_C_COMPILER_ID STREQUAL "Clang")
        message(FATAL_ERROR "STOOK_BUILD_FUZZERS needs clang: -DCMAKE_C_COMPILER=clang")
    endif()
    add_compile_options(-fsanitize=fuzzer-no-link)
    add_link_options(-fsanitize=fuzzer-no-link)
endif()

# Also for the tests and examples.
set(STOOK_WARNINGS "")
if(CMAKE_C_COMPILER_ID MATCHES "GNU|Clang")
    set(STOOK_WARNINGS -Wall -Wextra -Wpedantic -Wshadow -Wstrict-prototypes -Wmissing-prototypes
        -Wold-style-definition -Wvla -Wundef -Wpointer-arith -Wwrite-strings
        -Wformat=2 -Wimplicit-fallthrough)
    if(STOOK_WERROR)
        list(APPEND STOOK_WARNINGS -Werror)
    endif()
endif()

# Two builds in two places give the same bytes. The last map that fits wins, and the build's
# directory may lie within the source's, so it comes last.
set(STOOK_PREFIX_MAPS "")
check_c_compiler_flag(-ffile-prefix-map=a=b STOOK_HAVE_FILE_PREFIX_MAP)
if(STOOK_HAVE_FILE_PREFIX_MAP)
    set(STOOK_PREFIX_MAPS
        "-ffile-prefix-map=${PROJECT_SOURCE_DIR}=."
        "-ffile-prefix-map=${CMAKE_BINARY_DIR}=.")
endif()

# Export what the map lists and nothing else, under its version; leave nothing undefined; stay loaded.
function(stook_link_shared target map)
    if(APPLE OR NOT UNIX)
        return()
    endif()
    target_link_options(${target} PRIVATE "LINKER:--version-script=${PROJECT_SOURCE_DIR}/${map}")
    set_property(TARGET ${target} APPEND PROPERTY LINK_DEPENDS "${PROJECT_SOURCE_DIR}/${map}")
    # Never unloaded: a loop of the program's, or a thread of libcurl's, may still call into it.
    target_link_options(${target} PRIVATE LINKER:-z,nodelete)
    if(NOT STOOK_SANITIZE) # clang leaves its run-time library to the program
        target_link_options(${target} PRIVATE LINKER:-z,defs)
    endif()
endfunction()
