# BearSSL for the target, from the source that tools/bootstrap fetches as Debian's source package;
# nothing of it is kept in this repository. Only what hashing and verifying need is compiled.
set(SLIPWAY_BEARSSL_DIR "${PROJECT_SOURCE_DIR}/.tools/bearssl" CACHE PATH "Folder with BearSSL's inc/ and src/")
if(NOT EXISTS "${SLIPWAY_BEARSSL_DIR}/src/hash/sha2small.c")
    message(FATAL_ERROR "BearSSL's source is not in ${SLIPWAY_BEARSSL_DIR}: run tools/bootstrap firmware first")
endif()
set(bearssl_sources
    codec/ccopy.c codec/dec32be.c codec/enc32be.c
    ec/ec_p256_m31.c ec/ec_secp256r1.c ec/ec_secp384r1.c ec/ec_secp521r1.c
    ec/ecdsa_i31_bits.c ec/ecdsa_i31_vrfy_raw.c
    hash/sha2small.c
    int/i31_add.c int/i31_bitlen.c int/i31_decmod.c int/i31_decode.c int/i31_encode.c int/i31_fmont.c
    int/i31_iszero.c int/i31_modpow.c int/i31_montmul.c int/i31_muladd.c int/i31_ninv31.c
    int/i31_rshift.c int/i31_sub.c int/i31_tmont.c int/i32_div32.c)
list(TRANSFORM bearssl_sources PREPEND ${SLIPWAY_BEARSSL_DIR}/src/)
add_library(slipway_bearssl STATIC EXCLUDE_FROM_ALL ${bearssl_sources})
target_include_directories(slipway_bearssl SYSTEM PUBLIC ${SLIPWAY_BEARSSL_DIR}/inc)
target_include_directories(slipway_bearssl PRIVATE ${SLIPWAY_BEARSSL_DIR}/src ${PROJECT_SOURCE_DIR}/arch/cortex_m4/libc)
target_compile_options(slipway_bearssl PRIVATE -w -ffunction-sections -fdata-sections)
