# run.mk - what is done with the result: QEMU, Bochs, gdb, tests, lint, figures, a stick.

IMG := $(BUILD)/minos.img
QEMU ?= qemu-system-x86_64
ACCEL ?=
MEM ?= 128M
QEMU_EXTRA ?=
APPEND ?= console=both
export BUILD PYTHON NASM QEMU ACCEL MEM QEMU_EXTRA

.PHONY: run run-serial run-kernel debug debug-kernel bochs test smoke lint bench screenshot timeline usb \
	toolchain reproducible \
	compile_commands.json
run: all ## boot in QEMU: a window if there can be one, and the serial line on this terminal
	@tools/qemu window $(IMG)
run-serial: all ## the same without a window
	@tools/qemu serial $(IMG)
run-kernel: all ## without our loader: QEMU's -kernel loads build/minos.elf and the initrd (APPEND=)
	@tools/qemu kernel $(BUILD)/minos.elf -initrd $(BUILD)/image/INITRD.TAR -append "$(APPEND)"
debug: all ## QEMU stopped at reset, gdb stopped at the boot sector's first instruction
	@tools/debug $(BUILD) $(GDB_ARGS)
debug-kernel: all ## the same, gdb stopped at kernel_main
	@tools/debug --kernel $(BUILD) $(GDB_ARGS)
bochs: all ## boot in Bochs, without a window, until the prompt appears in the serial log
	@tools/bochs $(BUILD)

test: ## all tests: host, kernel, user, boot and system; ends with `N passed, N failed`
	@$(PYTHON) tests/run.py $(T)
smoke: all ## quick look: boot and one command answered
	@$(PYTHON) tests/boot/smoke.py
reproducible: ## build twice in two folders and compare the results byte by byte
	@tools/reproducible
lint: ## formatting, layers, static analysis, locks, -Werror builds under gcc and clang
	@$(PYTHON) tools/lint.py $(T)

bench: all ## figures: boot phases, instructions per operation, sizes; writes docs/performance.md
	@$(PYTHON) tools/bench.py
screenshot: all ## docs/screenshot.png: the shell after a few commands
	@$(PYTHON) tools/screenshot.py docs/screenshot.png
timeline: all ## the boot as a picture, to scale: build/boot.svg; refreshes docs/boot-timeline.svg
	@$(PYTHON) tools/timeline.py $(BUILD)/boot.svg docs/boot-timeline.svg
usb: all ## write the image to a USB stick: make usb DEV=/dev/sdX
	@$(PYTHON) tools/usb.py $(IMG) $(DEV)
toolchain: ## build x86_64-elf-gcc from Debian's source packages (TOOLCHAIN=folder, build/toolchain/cross)
	@tools/setup toolchain
	@tools/toolchain.sh $(or $(TOOLCHAIN),$(BUILD)/toolchain/cross) $(BUILD)/toolchain/work

# For editors (clangd looks into build/) and the static analysis.
compile_commands.json: $(BUILD)/compile_commands.json ## for editors: build/compile_commands.json
$(BUILD)/compile_commands.json: $(FLAGS) tools/compdb.py FORCE
	@$(PYTHON) tools/compdb.py $@ '$(CFLAGS64)' $(filter %.c,$(KSRC)) \
		-- '$(CFLAGS32) $(S2DEFS) -Iboot/stage2' $(filter %.c,$(S2SRC))
