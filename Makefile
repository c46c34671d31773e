# MinOS - build, run, test.  `make help` lists the targets.
#
# Everything is built into $(BUILD); sources are found by folder, so a new .c needs no line here.
#   tools/mk/toolchain.mk	which compiler, and its flags
#   tools/mk/kernel.mk		build/minos.elf
#   tools/mk/user.mk		the programs that come along
#   tools/mk/image.mk		the loader, build/minos.img, CD and floppy
#   tools/mk/host-tests.mk	tests that run on this machine
#   tools/mk/run.mk		QEMU, Bochs, gdb, tests, lint, figures
#   tools/mk/editor.mk		compile_commands.json, .vscode/

ifeq ($(filter 4.%,$(MAKE_VERSION)),)
  $(error GNU make 4 is needed, this is $(MAKE_VERSION).  On macOS: brew install make, then use gmake)
endif

BUILD ?= build
ifneq ($(words $(BUILD)),1)
  $(error BUILD is one folder, without blanks in its name: `$(BUILD)`)
endif
V     ?= 0
Q     := $(if $(filter 1,$(V)),,@)
# $(call say,CC,file): the short form of a command, when V=1 does not show the long one.
say    = $(if $(Q),@echo "  $(1)	$(2)")

.DEFAULT_GOAL := all
.DELETE_ON_ERROR:
.SUFFIXES:
.SECONDARY:
MAKEFLAGS += --no-builtin-rules
# All processors, unless the command line says otherwise.
ifeq ($(MAKELEVEL),0)
  MAKEFLAGS += -j$(or $(shell getconf _NPROCESSORS_ONLN 2>/dev/null),2)
endif

MK := Makefile $(wildcard tools/mk/*.mk)

include tools/mk/setup.mk
include tools/mk/toolchain.mk
include tools/mk/kernel.mk
include tools/mk/user.mk
include tools/mk/image.mk
include tools/mk/host-tests.mk
include tools/mk/run.mk
include tools/mk/editor.mk

.PHONY: all help clean FORCE
all: $(BUILD)/minos.img $(BUILD)/minos.elf ## build the disk image and the kernel with symbols (default)

help: ## this list
	@echo "MinOS.  Usage: make [target] [VARIABLE=value]"
	@echo
	@awk -F'(:[^#]*## )' '/^[a-z][a-z._ -]*:[^#]*## / { printf "  %-24s%s\n", $$1, $$2 }' $(MK)
	@echo
	@echo "Variables:"
	@awk -F'\t' '/^#: / { printf "  %-24s%s\n", substr($$1, 4), $$2 }' $(MK)

clean: ## remove the build folder
	rm -rf $(BUILD)

FORCE:

#: BUILD=folder	where everything is built (build)
#: V=1	show the commands
#: DEBUG=1	slower kernel that checks itself more (poison, redzones, lock order, stacks, UBSan)
#: IRQSOFF=1	kernel that measures how long interrupts are off (the shell's `irqsoff`)
#: CI=1	warnings are errors
#: CC=compiler	instead of x86_64-elf-gcc, gcc, clang (the first one found)
#: QEMU=program	instead of qemu-system-x86_64
#: QEMU_EXTRA=opts	more options for QEMU
#: APPEND=words	make run-kernel: the kernel's command line (console=both)
#: ACCEL=kvm|tcg	QEMU's accelerator, instead of choosing by /dev/kvm
#: MEM=size	the machine's memory (128M)
#: T=name	make test: only tests whose name contains it; make host-test: only this file
#: RUN="ps; mem"	make record: type these commands, instead of you
#: FROM=folder	make replay: this recording, instead of build/record
#: DEV=/dev/sdX	make usb: the stick to write
#: N=number	make exercise: which one
#: ROM=flags	make exercise-rom: what the BIOS does wrong (tests/boot/firmware.asm)

ifneq ($(wildcard $(BUILD)),)
# The sources of a cross compiler that is being built hold files of that name, too.
-include $(shell find $(BUILD) -path $(BUILD)/toolchain -prune -o -name '*.d' -print)
endif
