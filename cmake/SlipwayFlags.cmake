# Compiler flags of every target of ours: warnings are errors, on gcc and clang.
set(CMAKE_C_STANDARD 11)
set(CMAKE_C_STANDARD_REQUIRED ON)
set(CMAKE_C_EXTENSIONS OFF)

add_library(slipway_flags INTERFACE)
target_compile_options(slipway_flags INTERFACE
    -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Wundef -Wstrict-prototypes
    -Wmissing-prototypes -Wvla -Werror -fno-common -ffunction-sections -fdata-sections)
target_include_directories(slipway_flags INTERFACE ${PROJECT_SOURCE_DIR})

# Programs of the host use POSIX; core/ does not get this.
add_library(slipway_host_flags INTERFACE)
target_link_libraries(slipway_host_flags INTERFACE slipway_flags)
target_compile_definitions(slipway_host_flags INTERFACE _GNU_SOURCE)

if(SLIPWAY_SANITIZE) # but what says of itself that it goes without: -fno-sanitize would come before these, and lose
    set(without $<BOOL:$<TARGET_PROPERTY:SLIPWAY_UNSANITIZED>>)
    target_compile_options(slipway_flags INTERFACE
        $<$<NOT:${without}>:-fsanitize=address,undefined> -fno-sanitize-recover=all -fno-omit-frame-pointer)
    target_link_options(slipway_flags INTERFACE -fsanitize=address,undefined)
endif()
if(SLIPWAY_COVERAGE)
    target_compile_options(slipway_flags INTERFACE --coverage -fprofile-update=atomic)
    target_link_options(slipway_flags INTERFACE --coverage)
endif()
if(SLIPWAY_FUZZ)
    target_compile_options(slipway_flags INTERFACE -fsanitize=fuzzer-no-link)
endif()
