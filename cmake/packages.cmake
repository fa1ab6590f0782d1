# SPDX-License-Identifier: Apache-2.0
find_package(Threads REQUIRED)
find_package(PkgConfig REQUIRED)
pkg_check_modules(PCRE2 REQUIRED IMPORTED_TARGET libpcre2-8)
pkg_check_modules(YAML REQUIRED IMPORTED_TARGET yaml-0.1)
pkg_check_modules(UV REQUIRED IMPORTED_TARGET libuv)
pkg_check_modules(ZLIB REQUIRED IMPORTED_TARGET zlib)
pkg_check_modules(ZSTD REQUIRED IMPORTED_TARGET libzstd)
pkg_check_modules(LUAJIT REQUIRED IMPORTED_TARGET luajit)

# mbedtls 2.28 ships no pkg-config file.
find_path(MBEDTLS_INCLUDE mbedtls/gcm.h REQUIRED)
find_library(MBEDCRYPTO_LIBRARY mbedcrypto REQUIRED)
add_library(weir::mbedcrypto INTERFACE IMPORTED)
target_include_directories(weir::mbedcrypto SYSTEM INTERFACE ${MBEDTLS_INCLUDE})
target_link_libraries(weir::mbedcrypto INTERFACE ${MBEDCRYPTO_LIBRARY})

# llhttp: the library where the distribution has one, else the sources that Debian 12 ships with node-llhttp.
pkg_check_modules(LLHTTP QUIET IMPORTED_TARGET libllhttp)
if(LLHTTP_FOUND)
  add_library(weir::llhttp ALIAS PkgConfig::LLHTTP)
else()
  find_path(LLHTTP_SOURCES llhttp.c PATHS /usr/share/llhttp REQUIRED NO_DEFAULT_PATH)
  find_path(LLHTTP_INCLUDE llhttp.h PATHS /usr/share/include/llhttp /usr/include/llhttp REQUIRED)
  add_library(weir_llhttp STATIC ${LLHTTP_SOURCES}/llhttp.c ${LLHTTP_SOURCES}/http.c ${LLHTTP_SOURCES}/api.c)
  target_include_directories(weir_llhttp SYSTEM PUBLIC ${LLHTTP_INCLUDE})
  target_compile_options(weir_llhttp PRIVATE -w)
  target_compile_definitions(weir_llhttp PUBLIC LLHTTP_STRICT_MODE=1) # later releases know no other
  add_library(weir::llhttp ALIAS weir_llhttp)
endif()
