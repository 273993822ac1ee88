# find_package(slipway): slipway::boot, slipway::smp, slipway_board_header(); slipway::slipway is the program.
include(${CMAKE_CURRENT_LIST_DIR}/slipway-targets.cmake)
include(${CMAKE_CURRENT_LIST_DIR}/SlipwayBoard.cmake)
