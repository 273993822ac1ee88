# A thin front to CMake and its presets. `make help` lists the targets.
SHELL := /bin/bash
JOBS ?= $(shell nproc)
.DEFAULT_GOAL := all

all: bootstrap-firmware ## build everything: build/slipway, build/firmware/BOARD/*.hex
	@cmake --preset host-release >/dev/null
	@cmake --build --preset host-release -j $(JOBS)
	@ln -sfn host-release/host/cli/slipway build/slipway
	@cmake --preset nrf52840 >/dev/null
	@cmake --build --preset nrf52840 -j $(JOBS)

host: bootstrap-build ## build only what runs on this machine: build/slipway
	@cmake --preset host-release >/dev/null
	@cmake --build --preset host-release -j $(JOBS)
	@ln -sfn host-release/host/cli/slipway build/slipway

demo: all ## set up, then the whole story on a board in this machine: sign, upload, swap, confirm, revert
	@build/slipway demo

check: all bootstrap-tests ## set up, then all tests (what CI runs)
	@tools/check

docs: all ## docs/doctor/: a page for each rule of the doctor, from its table
	@tools/rule-pages

size: all ## what the bootloader takes: text, data, bss, worst stack, against its budget
	@tools/size build/firmware/nrf52840dk/slipway-boot.elf firmware/boot/budget.txt \
		build/nrf52840/firmware/boot/slipway-boot_nrf52840dk.elf.ltrans0.ltrans.ci

help: ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1\t\2/' | expand -t 20

bootstrap-build:
	@tools/bootstrap build
bootstrap-firmware:
	@tools/bootstrap firmware
bootstrap-tests:
	@tools/bootstrap tests

clean: ## remove build/
	rm -rf build

.PHONY: all host demo check docs size help clean bootstrap-build bootstrap-firmware bootstrap-tests
