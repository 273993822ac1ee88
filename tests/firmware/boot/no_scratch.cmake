# A board of one's own, out of the tree, and without a scratch partition: the DK's devicetree less that node. Its
# bootloader shares 48 KiB with its state. cmake -DSOURCE=... -DOUT=... -DKEY=... -DTOOL=... -P no_scratch.cmake
file(READ ${SOURCE}/boards/nrf52840dk/board.dts dts)
string(REGEX REPLACE "scratch_partition: [^}]*};" "" own "${dts}")
if(own STREQUAL dts)
    message(FATAL_ERROR "boards/nrf52840dk/board.dts has no scratch_partition to leave out")
endif()
file(WRITE ${OUT}/nrf52840dk_no_scratch.dts "${own}")
function(run)
    execute_process(COMMAND ${ARGN} WORKING_DIRECTORY ${SOURCE} COMMAND_ERROR_IS_FATAL ANY OUTPUT_QUIET)
endfunction()
run(${CMAKE_COMMAND} --preset nrf52840 -B ${OUT}/build -DSLIPWAY_BOARD=${OUT}/nrf52840dk_no_scratch.dts
    -DSLIPWAY_KEYS=${KEY} -DSLIPWAY_TOOL=${TOOL} -DSLIPWAY_FIRMWARE_DIR=${OUT})
run(${CMAKE_COMMAND} --build ${OUT}/build --target slipway-boot_nrf52840dk_no_scratch_files)
