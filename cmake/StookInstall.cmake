# SPDX-License-Identifier: MIT
#
# What `cmake --install` puts where. Two components: stook_runtime is the shared library that
# programs load, stook_development is all that one needs to compile and link them.

include(CMakePackageConfigHelpers)

set(stook_package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/stook)

install(FILES include/stook.h
    DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} COMPONENT stook_development)
install(FILES
    include/stook/base.h
    include/stook/batch.h
    include/stook/client.h
    include/stook/curl.h
    include/stook/debug.h
    include/stook/flow.h
    include/stook/request.h
    include/stook/result.h
    include/stook/stream.h
    include/stook/version.h
    DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/stook COMPONENT stook_development)

# Each kind has an export of its own. A program with the shared library is then not asked for libuv
# and libcurl, and a distribution may ship the static one in a package of its own.
function(stook_install target export)
    install(TARGETS ${target} EXPORT ${export}
        RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR} COMPONENT stook_runtime
        LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT stook_runtime
                NAMELINK_COMPONENT stook_development
        ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT stook_development)
    install(EXPORT ${export} NAMESPACE stook::
        DESTINATION ${stook_package_dir} COMPONENT stook_development)
endfunction()

set(stook_has_static OFF)
if(BUILD_SHARED_LIBS)
    stook_install(stook stookTargets)
    if(STOOK_BUILD_STATIC)
        stook_install(stook_static stookStaticTargets)
        set(stook_has_static ON)
    endif()
else()
    stook_install(stook stookStaticTargets)
    set(stook_has_static ON)
endif()

# ------------------------------------------------------------------------------ find_package(stook)

configure_package_config_file(cmake/stookConfig.cmake.in stookConfig.cmake
    INSTALL_DESTINATION ${stook_package_dir}
    NO_SET_AND_CHECK_MACRO)
write_basic_package_version_file(stookConfigVersion.cmake
    VERSION ${PROJECT_VERSION} COMPATIBILITY SameMinorVersion)
install(FILES
        ${CMAKE_CURRENT_BINARY_DIR}/stookConfig.cmake
        ${CMAKE_CURRENT_BINARY_DIR}/stookConfigVersion.cmake
    DESTINATION ${stook_package_dir} COMPONENT stook_development)
if(stook_has_static)
    install(FILES cmake/StookDependencies.cmake
        DESTINATION ${stook_package_dir} COMPONENT stook_development)
endif()

# --------------------------------------------------------------------------------- pkg-config stook

# The prefix is found from the place of the file itself, so that the whole can be moved. Directories
# that were given as absolute paths are kept, and so is /usr: written plainly, pkg-config knows that
# the compiler looks there anyway.
set(stook_pc_prefix "${CMAKE_INSTALL_PREFIX}")
if(IS_ABSOLUTE "${CMAKE_INSTALL_LIBDIR}")
    set(stook_pc_libdir "${CMAKE_INSTALL_LIBDIR}")
else()
    set(stook_pc_libdir "\${prefix}/${CMAKE_INSTALL_LIBDIR}")
    if(NOT CMAKE_INSTALL_PREFIX STREQUAL "/usr")
        file(RELATIVE_PATH stook_up "/prefix/${CMAKE_INSTALL_LIBDIR}/pkgconfig" "/prefix")
        string(REGEX REPLACE "/$" "" stook_up "${stook_up}")
        set(stook_pc_prefix "\${pcfiledir}/${stook_up}")
    endif()
endif()
if(IS_ABSOLUTE "${CMAKE_INSTALL_INCLUDEDIR}")
    set(stook_pc_includedir "${CMAKE_INSTALL_INCLUDEDIR}")
else()
    set(stook_pc_includedir "\${prefix}/${CMAKE_INSTALL_INCLUDEDIR}")
endif()

# What only the library needs is private; where there is only an archive, its users need it too.
set(stook_pc_requires "libuv >= ${stook_libuv_minimum}, libcurl >= ${stook_libcurl_minimum}")
foreach(name IN LISTS stook_codings)
    string(APPEND stook_pc_requires ", ${stook_${name}_module}")
endforeach()
set(stook_pc_private "-pthread")
if(BUILD_SHARED_LIBS)
    set(stook_pc_links "Requires.private: ${stook_pc_requires}
Libs: -L\${libdir} -lstook
Libs.private: ${stook_pc_private}")
else()
    set(stook_pc_links "Requires: ${stook_pc_requires}
Libs: -L\${libdir} -lstook ${stook_pc_private}")
endif()

configure_file(pkgconfig/stook.pc.in stook.pc @ONLY)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/stook.pc
    DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig COMPONENT stook_development)
