# Cross compiler of the nRF52840: Debian's arm-none-eabi-gcc, without a C library (arch/cortex_m4/libc
# has the four functions that the compiler itself calls). Nothing here computes with floats, so the
# soft ABI keeps the FPU off and every exception frame short.
set(CMAKE_SYSTEM_NAME Generic)
set(CMAKE_SYSTEM_PROCESSOR cortex-m4)
find_program(SLIPWAY_ARM_GCC arm-none-eabi-gcc)
if(NOT SLIPWAY_ARM_GCC)
    message(FATAL_ERROR "arm-none-eabi-gcc is missing (Debian: gcc-arm-none-eabi): run tools/bootstrap firmware first")
endif()
set(CMAKE_C_COMPILER ${SLIPWAY_ARM_GCC})
set(CMAKE_ASM_COMPILER ${SLIPWAY_ARM_GCC})
set(CMAKE_TRY_COMPILE_TARGET_TYPE STATIC_LIBRARY)
set(CMAKE_C_FLAGS_INIT "-mcpu=cortex-m4 -mthumb -mfloat-abi=soft -ffreestanding -fbuiltin -fno-math-errno")
set(CMAKE_C_FLAGS_MINSIZEREL_INIT "-Os -g")
set(CMAKE_EXE_LINKER_FLAGS_INIT "-nostdlib -Wl,--gc-sections -Wl,--fatal-warnings")
# At link time the whole image is seen at once: 2.4 KB of the bootloader.
set(CMAKE_INTERPROCEDURAL_OPTIMIZATION ON)
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
