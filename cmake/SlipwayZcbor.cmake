# CBOR on the device and in the client is zcbor's C runtime. tools/bootstrap unpacks the pinned
# wheel from PyPI below .tools/; nothing of it is kept in this repository.
set(SLIPWAY_ZCBOR_DIR "${PROJECT_SOURCE_DIR}/.tools/zcbor/zcbor" CACHE PATH
    "Folder with zcbor's include/ and src/")
if(NOT EXISTS "${SLIPWAY_ZCBOR_DIR}/src/zcbor_decode.c")
    message(FATAL_ERROR "zcbor's C runtime is not in ${SLIPWAY_ZCBOR_DIR}: run tools/bootstrap first")
endif()
add_library(slipway_zcbor STATIC
    ${SLIPWAY_ZCBOR_DIR}/src/zcbor_common.c
    ${SLIPWAY_ZCBOR_DIR}/src/zcbor_decode.c
    ${SLIPWAY_ZCBOR_DIR}/src/zcbor_encode.c)
target_include_directories(slipway_zcbor SYSTEM PUBLIC
    $<BUILD_INTERFACE:${SLIPWAY_ZCBOR_DIR}/include>)
target_compile_options(slipway_zcbor PRIVATE -w -ffunction-sections -fdata-sections)
if(CMAKE_CROSSCOMPILING)
    target_include_directories(slipway_zcbor SYSTEM PRIVATE ${PROJECT_SOURCE_DIR}/arch/cortex_m4/libc)
else()
    set_target_properties(slipway_zcbor PROPERTIES POSITION_INDEPENDENT_CODE ON)
endif()
