# `cmake --install` and find_package(slipway): the program, the boards it knows, slipway::boot and
# slipway::smp with a public header each (include/slipway/), and slipway_board_header().
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/slipway)
set(header_dir ${CMAKE_INSTALL_INCLUDEDIR}/slipway)
foreach(module base crypto flash image boot smp zcbor)
    set_target_properties(slipway_${module} PROPERTIES EXPORT_NAME ${module})
    add_library(slipway::${module} ALIAS slipway_${module})
    install(TARGETS slipway_${module} EXPORT slipway ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
endforeach()
target_include_directories(slipway_base INTERFACE
    $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include>
    $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}> $<INSTALL_INTERFACE:${header_dir}>)
target_include_directories(slipway_zcbor SYSTEM INTERFACE $<INSTALL_INTERFACE:${header_dir}/zcbor>)

if(TARGET slipway)
    install(TARGETS slipway EXPORT slipway)
endif()
install(DIRECTORY ${PROJECT_SOURCE_DIR}/include/slipway DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(DIRECTORY ${PROJECT_SOURCE_DIR}/core DESTINATION ${header_dir}
    FILES_MATCHING PATTERN "*.h" PATTERN "*_priv.h" EXCLUDE)
install(DIRECTORY ${SLIPWAY_ZCBOR_DIR}/include/ DESTINATION ${header_dir}/zcbor FILES_MATCHING PATTERN "*.h")
install(DIRECTORY ${PROJECT_SOURCE_DIR}/boards DESTINATION ${CMAKE_INSTALL_DATADIR}/slipway
    FILES_MATCHING PATTERN "*.dts" PATTERN "*.dtsi")
install(EXPORT slipway NAMESPACE slipway:: DESTINATION ${package_dir} FILE slipway-targets.cmake)
install(FILES ${PROJECT_SOURCE_DIR}/cmake/SlipwayBoard.cmake DESTINATION ${package_dir})
write_basic_package_version_file(${PROJECT_BINARY_DIR}/slipway-config-version.cmake
    COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_SOURCE_DIR}/cmake/slipway-config.cmake
    ${PROJECT_BINARY_DIR}/slipway-config-version.cmake DESTINATION ${package_dir})
