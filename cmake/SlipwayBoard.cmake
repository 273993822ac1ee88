# slipway_board_header(TARGET BOARD): compiles TARGET with the layout of a board.
#
# BOARD is a folder name below boards/ or the path of a devicetree file. The header slipway_board.h
# (SPEC.md, "Generated layout") is written at build time, again whenever the file changes; a layout with
# errors fails the build with the file, the line and the fix. SLIPWAY_TOOL may name the program to run;
# without it the one of this build or of the installed package is used.
set(SLIPWAY_TOOL "" CACHE FILEPATH "The slipway program that writes board headers (empty: this build's)")
# In this tree, or where this file is installed as lib/[TRIPLET/]cmake/slipway/SlipwayBoard.cmake.
set(SLIPWAY_BOARD_FOLDERS
    "${CMAKE_CURRENT_LIST_DIR}/../boards"
    "${CMAKE_CURRENT_LIST_DIR}/../../../share/slipway/boards"
    "${CMAKE_CURRENT_LIST_DIR}/../../../../share/slipway/boards")

# The devicetree file of a board into `out`.
function(slipway_board_file out board)
    get_filename_component(path "${board}" ABSOLUTE BASE_DIR "${CMAKE_CURRENT_SOURCE_DIR}")
    if(EXISTS "${path}/board.dts")
        set(path "${path}/board.dts")
    endif()
    foreach(folder ${SLIPWAY_BOARD_FOLDERS})
        if(EXISTS "${folder}/${board}/board.dts" AND NOT EXISTS "${path}")
            get_filename_component(path "${folder}/${board}/board.dts" ABSOLUTE)
        endif()
    endforeach()
    if(NOT EXISTS "${path}")
        message(FATAL_ERROR "there is no board ${board}: it is neither a devicetree file nor a folder below "
            "${SLIPWAY_BOARD_FOLDERS}")
    endif()
    set(${out} "${path}" PARENT_SCOPE)
endfunction()

function(slipway_board_header target board)
    slipway_board_file(file "${board}")
    set(tool "${SLIPWAY_TOOL}")
    set(depends "${SLIPWAY_TOOL}")
    if(NOT tool AND TARGET slipway::slipway)
        set(tool $<TARGET_FILE:slipway::slipway>)
        set(depends slipway::slipway)
    endif()
    if(NOT tool)
        message(FATAL_ERROR "no slipway program to write the header of ${board}: set SLIPWAY_TOOL")
    endif()
    set(dir "${CMAKE_CURRENT_BINARY_DIR}/${target}.board")
    file(MAKE_DIRECTORY "${dir}")
    add_custom_command(
        OUTPUT "${dir}/slipway_board.h"
        COMMAND ${tool} -q layout "${file}" --header "${dir}/slipway_board.h"
        DEPENDS "${file}" ${depends}
        COMMENT "Layout of ${board}"
        VERBATIM)
    add_custom_target(${target}_board DEPENDS "${dir}/slipway_board.h")
    add_dependencies(${target} ${target}_board)
    target_include_directories(${target} PRIVATE "${dir}")
endfunction()
