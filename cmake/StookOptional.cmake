# SPDX-License-Identifier: MIT
#
# What only tests and examples ask for. Each is left out by name, and never because it was not found.

set(stook_missing "")

# stook_need(SWITCH FOUND WHAT): an error, unless it was found or switched off.
macro(stook_need switch found what)
    if(${switch} AND NOT ${found})
        list(APPEND stook_missing "${what}, or -D${switch}=OFF to do without it")
    endif()
endmacro()

if(STOOK_CXX)
    include(CheckLanguage)
    check_language(CXX)
    if(CMAKE_CXX_COMPILER)
        enable_language(CXX)
    endif()
    stook_need(STOOK_CXX CMAKE_CXX_COMPILER "a C++ compiler (Debian: g++)")
endif()

if(STOOK_BUILD_EXAMPLES AND STOOK_JANSSON)
    find_package(PkgConfig QUIET)
    if(PKG_CONFIG_FOUND)
        pkg_check_modules(JANSSON QUIET IMPORTED_TARGET GLOBAL jansson)
    endif()
    stook_need(STOOK_JANSSON JANSSON_FOUND "jansson (Debian: libjansson-dev and pkg-config)")
endif()

if(STOOK_BUILD_TESTS)
    find_package(OpenSSL 3.0 QUIET)
    if(NOT OPENSSL_FOUND)
        list(APPEND stook_missing "OpenSSL 3.0 (Debian: libssl-dev)")
    endif()
    # A main loop that clients are turned in.
    find_package(PkgConfig QUIET)
    if(PKG_CONFIG_FOUND)
        pkg_check_modules(GLIB QUIET IMPORTED_TARGET GLOBAL glib-2.0)
    endif()
    if(NOT GLIB_FOUND)
        list(APPEND stook_missing "GLib (Debian: libglib2.0-dev and pkg-config)")
    endif()
    # Makes the bodies that the library decodes.
    if(STOOK_BROTLI)
        find_library(STOOK_BROTLI_ENCODER brotlienc)
        mark_as_advanced(STOOK_BROTLI_ENCODER)
        stook_need(STOOK_BROTLI STOOK_BROTLI_ENCODER "brotli's encoder (Debian: libbrotli-dev)")
    endif()
    # Sanitizers and valgrind are not for one program.
    if(NOT STOOK_SANITIZE)
        find_program(STOOK_VALGRIND valgrind)
        if(STOOK_VALGRIND MATCHES "NOTFOUND$")
            list(APPEND stook_missing "valgrind, or -DSTOOK_VALGRIND=OFF to do without it")
        endif()
    endif()
endif()

if(stook_missing)
    string(REPLACE ";" "\n  " stook_missing "${stook_missing}")
    message(FATAL_ERROR "The tests and examples of stook need\n  ${stook_missing}")
endif()
