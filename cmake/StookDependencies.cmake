# SPDX-License-Identifier: MIT
#
# What libstook links to, as imported targets: stook::libuv, stook::libcurl, Threads::Threads.
#
# The build includes this file, and so does the installed package for programs that link to
# libstook.a. It never fails: what was not found is listed in `stook_missing`.
#
# Both libraries stand behind targets of ours, because they come under several names: libuv from its
# own CMake package or from pkg-config, libcurl from its own or from CMake's FindCURL.

set(stook_libuv_minimum 1.42)
set(stook_libcurl_minimum 7.85)
set(stook_missing "")

# Inside another project the library's targets are used from directories that are not below ours.
set(stook_scope "")
if(DEFINED STOOK_TOP AND NOT STOOK_TOP)
    set(stook_scope GLOBAL)
endif()

find_package(Threads QUIET)
if(NOT Threads_FOUND)
    list(APPEND stook_missing "threads")
endif()

if(NOT TARGET stook::libuv)
    set(stook_target "")
    set(stook_version "")
    find_package(libuv CONFIG QUIET)
    foreach(name libuv::uv libuv::uv_a)
        if(TARGET ${name} AND NOT stook_target)
            set(stook_target ${name})
        endif()
    endforeach()
    if(stook_target)
        # Not every libuv says its version in its package; its header always does.
        get_target_property(stook_includes ${stook_target} INTERFACE_INCLUDE_DIRECTORIES)
        foreach(dir IN LISTS stook_includes)
            if(EXISTS "${dir}/uv/version.h")
                file(READ "${dir}/uv/version.h" stook_header)
                string(REGEX MATCH "UV_VERSION_MAJOR ([0-9]+)" stook_match "${stook_header}")
                set(stook_version "${CMAKE_MATCH_1}")
                string(REGEX MATCH "UV_VERSION_MINOR ([0-9]+)" stook_match "${stook_header}")
                set(stook_version "${stook_version}.${CMAKE_MATCH_1}")
            endif()
        endforeach()
        if(stook_version AND stook_version VERSION_LESS stook_libuv_minimum)
            set(stook_target "")
        endif()
    else()
        find_package(PkgConfig QUIET)
        if(PKG_CONFIG_FOUND)
            pkg_check_modules(STOOK_LIBUV QUIET IMPORTED_TARGET ${stook_scope}
                libuv>=${stook_libuv_minimum})
            if(STOOK_LIBUV_FOUND)
                set(stook_target PkgConfig::STOOK_LIBUV)
            endif()
        endif()
    endif()
    if(stook_target)
        add_library(stook::libuv INTERFACE IMPORTED ${stook_scope})
        set_target_properties(stook::libuv PROPERTIES INTERFACE_LINK_LIBRARIES ${stook_target})
    else()
        list(APPEND stook_missing "libuv ${stook_libuv_minimum} or newer (Debian: libuv1-dev and pkg-config)")
    endif()
endif()

if(NOT TARGET stook::libcurl)
    set(stook_known FALSE)
    if(TARGET CURL::libcurl)
        set(stook_known TRUE)
    endif()
    find_package(CURL QUIET)
    set(stook_version "${CURL_VERSION_STRING}")
    if(NOT stook_version)
        set(stook_version "${CURL_VERSION}")
    endif()
    if(TARGET CURL::libcurl AND NOT stook_version VERSION_LESS stook_libcurl_minimum)
        if(stook_scope AND NOT stook_known)
            # An alias, as libcurl's own package may have it, cannot be promoted and need not be.
            get_target_property(stook_aliased CURL::libcurl ALIASED_TARGET)
            if(NOT stook_aliased)
                set_target_properties(CURL::libcurl PROPERTIES IMPORTED_GLOBAL TRUE)
            endif()
        endif()
        add_library(stook::libcurl INTERFACE IMPORTED ${stook_scope})
        set_target_properties(stook::libcurl PROPERTIES INTERFACE_LINK_LIBRARIES CURL::libcurl)
    else()
        list(APPEND stook_missing
            "libcurl ${stook_libcurl_minimum} or newer (Debian: libcurl4-openssl-dev)")
    endif()
endif()

foreach(name scope target version includes header match known aliased)
    unset(stook_${name})
endforeach()
