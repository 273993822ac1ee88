# What a firmware image is made of, for firmware/boot and firmware/app:
#
#   slipway_firmware_boards(OUT)           the boards to build for: SLIPWAY_BOARD, else all below boards/
#   slipway_firmware(TARGET NAME BOARD PART source... [LIBS library...])
#                                          an image NAME (slipway-boot, slipway-app) for a board, linked
#                                          for PART (boot, slot0), with its hex and bin files in
#                                          SLIPWAY_FIRMWARE_DIR/BOARD
#   slipway_firmware_sign(TARGET ...)      the signed image of one for slot 0
#
# Host and target are two builds. The slipway program that writes the board's header and signs comes
# from the host's: built on demand in build/host-release, or named by SLIPWAY_TOOL.
set(SLIPWAY_BOARD "" CACHE STRING "Board to build for: a folder below boards/ or a devicetree file (empty: all below boards/)")
set(SLIPWAY_KEYS "" CACHE STRING "PEM files of the keys whose images the firmware accepts (empty: a throw-away key is made)")
set(SLIPWAY_SIGN_KEY "" CACHE FILEPATH "Private PEM that signs the application (empty: the throw-away key, if that is used)")
set(SLIPWAY_FIRMWARE_DIR "${PROJECT_BINARY_DIR}/firmware" CACHE PATH "Where the images go, a folder a board")
set(SLIPWAY_APP_VERSION "0.1.0" CACHE STRING "Version in the header of slipway-app.signed.bin")
set(SLIPWAY_HEADER_SIZE 0x200) # of an image: its vector table is aligned to 512 bytes

# What -Os does for speed all the same, and what gcc 12 takes for smaller and is not: 1.2 KB of the bootloader
# altogether. Found by trying each optimization on and off; the loops that move flash are not slower
# (docs/measurements.md). At link time too, where most of the code is made.
set(small -fno-inline-small-functions -fno-caller-saves -fno-schedule-insns2 -fno-tree-tail-merge -fno-if-conversion
    -fno-reorder-blocks -fno-tree-scev-cprop -fno-bit-tests -fno-tree-fre -ftree-vectorize -fno-thread-jumps
    -fno-tree-dominator-opts)
add_compile_options(${small})
add_link_options(${small})

# ---- the program of the host -------------------------------------------------------------------
if(NOT SLIPWAY_TOOL)
    set(host_dir ${PROJECT_SOURCE_DIR}/build/host-release)
    set(SLIPWAY_TOOL ${host_dir}/host/cli/slipway)
    add_custom_target(slipway_host
        COMMAND ${CMAKE_COMMAND} -S ${PROJECT_SOURCE_DIR} -B ${host_dir} --preset host-release
        COMMAND ${CMAKE_COMMAND} --build ${host_dir} --target slipway
        WORKING_DIRECTORY ${PROJECT_SOURCE_DIR}
        BYPRODUCTS ${SLIPWAY_TOOL}
        COMMENT "The slipway program of this machine"
        VERBATIM USES_TERMINAL)
endif()

# ---- keys --------------------------------------------------------------------------------------
set(keys ${SLIPWAY_KEYS})
set(sign_key ${SLIPWAY_SIGN_KEY})
if(NOT keys)
    set(throwaway ${SLIPWAY_FIRMWARE_DIR}/throw-away-key.pem)
    set(keys ${throwaway})
    if(NOT sign_key)
        set(sign_key ${throwaway})
    endif()
    message(STATUS "No SLIPWAY_KEYS: images are accepted that ${throwaway} signed. It is made by this build and good for trying only")
    add_custom_command(OUTPUT ${throwaway}
        COMMAND ${CMAKE_COMMAND} -E make_directory ${SLIPWAY_FIRMWARE_DIR}
        # Kept as long as it is there: neither a new program nor a new build folder is a reason for another key.
        COMMAND sh -c "test -e '${throwaway}' || '${SLIPWAY_TOOL}' -q keygen '${throwaway}'"
        COMMENT "A throw-away key" VERBATIM)
    add_custom_target(slipway_throwaway_key DEPENDS ${throwaway})
    if(TARGET slipway_host)
        add_dependencies(slipway_throwaway_key slipway_host)
    endif()
endif()
set(key_files)
foreach(key ${keys})
    get_filename_component(key "${key}" ABSOLUTE BASE_DIR "${CMAKE_SOURCE_DIR}")
    list(APPEND key_files "${key}")
endforeach()
add_custom_command(OUTPUT ${PROJECT_BINARY_DIR}/keys.c
    COMMAND ${PROJECT_SOURCE_DIR}/tools/keys2c ${SLIPWAY_TOOL} ${PROJECT_BINARY_DIR}/keys.c ${key_files}
    DEPENDS ${key_files} ${PROJECT_SOURCE_DIR}/tools/keys2c ${SLIPWAY_TOOL}
    COMMENT "Keys that may sign: ${keys}" VERBATIM)
add_library(slipway_keys_c STATIC ${PROJECT_BINARY_DIR}/keys.c)
target_link_libraries(slipway_keys_c PUBLIC slipway_flags)

# ---- boards ------------------------------------------------------------------------------------
function(slipway_firmware_boards out)
    set(boards ${SLIPWAY_BOARD})
    if(NOT boards)
        file(GLOB files CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/boards/*/board.dts)
        foreach(file ${files})
            get_filename_component(dir ${file} DIRECTORY)
            get_filename_component(name ${dir} NAME)
            list(APPEND boards ${name})
        endforeach()
    elseif(EXISTS "${CMAKE_SOURCE_DIR}/${boards}" OR IS_ABSOLUTE "${boards}")
        get_filename_component(boards "${boards}" ABSOLUTE BASE_DIR "${CMAKE_SOURCE_DIR}")
    endif()
    set(${out} ${boards} PARENT_SCOPE)
endfunction()

# As `slipway layout` names it: the folder of a board.dts, else the file's name up to the first dot.
function(slipway_firmware_board_name out board)
    slipway_board_file(file "${board}")
    get_filename_component(name "${file}" NAME_WE)
    if(file MATCHES "/board\\.dts$")
        get_filename_component(dir "${file}" DIRECTORY)
        get_filename_component(name "${dir}" NAME)
    endif()
    set(${out} "${name}" PARENT_SCOPE)
endfunction()

# ---- images ------------------------------------------------------------------------------------
function(slipway_firmware target name board part)
    cmake_parse_arguments(F "" "" "LIBS" ${ARGN})
    slipway_firmware_board_name(board_name "${board}")
    set(dir ${SLIPWAY_FIRMWARE_DIR}/${board_name})
    set(script ${CMAKE_CURRENT_BINARY_DIR}/${target}.ld)
    set(template ${PROJECT_SOURCE_DIR}/arch/cortex_m4/image.ld.S)
    string(TOUPPER ${part} part)

    add_executable(${target} ${F_UNPARSED_ARGUMENTS})
    slipway_board_header(${target} "${board}")
    add_custom_command(OUTPUT ${script}
        COMMAND ${CMAKE_C_COMPILER} -E -P -x assembler-with-cpp -DIMAGE_OF_${part}=1 -DIMAGE_HEADER=${SLIPWAY_HEADER_SIZE}
            -I${CMAKE_CURRENT_BINARY_DIR}/${target}.board ${template} -o ${script}
        DEPENDS ${template} ${CMAKE_CURRENT_BINARY_DIR}/${target}.board/slipway_board.h
        VERBATIM)
    add_custom_target(${target}_ld DEPENDS ${script})
    add_dependencies(${target}_ld ${target}_board)
    add_dependencies(${target} ${target}_ld)
    target_link_libraries(${target} PRIVATE slipway_flags ${F_LIBS} gcc)
    target_link_options(${target} PRIVATE -T ${script} -Wl,-Map=${CMAKE_CURRENT_BINARY_DIR}/${target}.map)
    set_target_properties(${target} PROPERTIES LINK_DEPENDS ${script} SUFFIX .elf
        BOARD_NAME ${board_name} IMAGE_NAME ${name})
    set(hex ${name}.hex)
    if(part STREQUAL SLOT0) # NAME.hex is what can be flashed: signed
        set(hex ${name}.unsigned.hex)
    endif()
    add_custom_command(OUTPUT ${dir}/${hex} ${dir}/${name}.bin ${dir}/${name}.elf
        COMMAND ${CMAKE_COMMAND} -E make_directory ${dir}
        COMMAND ${CMAKE_OBJCOPY} -O ihex $<TARGET_FILE:${target}> ${dir}/${hex}
        COMMAND ${CMAKE_OBJCOPY} -O binary $<TARGET_FILE:${target}> ${dir}/${name}.bin
        COMMAND ${CMAKE_COMMAND} -E copy $<TARGET_FILE:${target}> ${dir}/${name}.elf
        DEPENDS ${target} COMMENT "${board_name}: ${name}" VERBATIM)
    add_custom_target(${target}_files ALL DEPENDS ${dir}/${hex})
endfunction()

# NAME.signed.bin and NAME.hex (signed, at its place in slot 0) from the image's bin file. Extra
# arguments go to `slipway sign`. Without a private key there is nothing to sign with: NAME.bin is left.
function(slipway_firmware_sign target board)
    get_target_property(board_name ${target} BOARD_NAME)
    get_target_property(name ${target} IMAGE_NAME)
    set(dir ${SLIPWAY_FIRMWARE_DIR}/${board_name})
    if(NOT sign_key)
        message(STATUS "${board_name}: no SLIPWAY_SIGN_KEY, so ${name}.bin is not signed; sign it with `slipway sign --pad-header`")
        return()
    endif()
    slipway_board_file(file "${board}")
    set(sign ${SLIPWAY_TOOL} -q sign --key ${sign_key} --version ${SLIPWAY_APP_VERSION} --board ${file} --pad-header ${ARGN})
    add_custom_command(OUTPUT ${dir}/${name}.signed.bin ${dir}/${name}.hex
        COMMAND ${sign} ${dir}/${name}.unsigned.hex ${dir}/${name}.hex
        COMMAND ${CMAKE_OBJCOPY} -I ihex -O binary ${dir}/${name}.hex ${dir}/${name}.signed.bin
        DEPENDS ${dir}/${name}.unsigned.hex ${sign_key} ${SLIPWAY_TOOL}
        COMMENT "${board_name}: ${name}.signed.bin" VERBATIM)
    add_custom_target(${target}_signed ALL DEPENDS ${dir}/${name}.signed.bin)
endfunction()
