# P-256 by p256-m, for an image that has no room for BearSSL's: objects that define p256_verify(), from the source
# that tools/bootstrap fetches of Debian's source package of Mbed TLS; nothing of it is kept in this repository.
set(SLIPWAY_P256M_DIR "${PROJECT_SOURCE_DIR}/.tools/p256-m" CACHE PATH "Folder with p256-m.c and p256-m.h")
if(NOT EXISTS "${SLIPWAY_P256M_DIR}/p256-m.c")
    message(FATAL_ERROR "p256-m's source is not in ${SLIPWAY_P256M_DIR}: run tools/bootstrap firmware first")
endif()
add_library(slipway_p256m_source OBJECT EXCLUDE_FROM_ALL ${SLIPWAY_P256M_DIR}/p256-m.c)
target_compile_definitions(slipway_p256m_source PRIVATE MBEDTLS_PSA_P256M_DRIVER_ENABLED)
target_include_directories(slipway_p256m_source PRIVATE ${PROJECT_SOURCE_DIR}/core/crypto/p256m)
target_compile_options(slipway_p256m_source PRIVATE -w -ffunction-sections -fdata-sections)
if(CMAKE_CROSSCOMPILING)
    target_include_directories(slipway_p256m_source PRIVATE ${PROJECT_SOURCE_DIR}/arch/cortex_m4/libc)
endif()
add_library(slipway_p256m INTERFACE)
target_sources(slipway_p256m INTERFACE ${PROJECT_SOURCE_DIR}/core/crypto/p256_p256m.c
    $<TARGET_OBJECTS:slipway_p256m_source>)
target_link_options(slipway_p256m INTERFACE -Wl,--gc-sections) # its parts that sign ask for functions that nobody has
target_include_directories(slipway_p256m SYSTEM INTERFACE ${SLIPWAY_P256M_DIR})
