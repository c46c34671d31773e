# run.mk - what is done with the result: QEMU, Bochs, gdb, tests, lint, figures, a stick.

IMG := $(BUILD)/minos.img
QEMU ?= qemu-system-x86_64
ACCEL ?=
MEM ?= 128M
QEMU_EXTRA ?=
APPEND ?= console=both
export BUILD PYTHON NASM QEMU ACCEL MEM QEMU_EXTRA

.PHONY: run run-serial run-kernel debug debug-kernel record replay bochs test test-boot boot-matrix \
	smoke lint bench bench-check screenshot timeline usb toolchain reproducible
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
# RUN and FROM come by the environment, where the shell does not look into them.
record replay: export RUN ?=
record replay: export FROM ?=
record: all ## record a run: the serial line on this terminal, or RUN="ps; crash corrupt"
	@$(PYTHON) tools/rr.py record $${RUN:+--run "$$RUN"} "$$BUILD/record"
replay: ## run a recording again, with gdb: build/record, or FROM=folder
	@$(PYTHON) tools/rr.py replay "$${FROM:-$$BUILD/record}" $(GDB_ARGS)
bochs: all ## boot in Bochs, without a window, until the prompt appears in the serial log
	@tools/bochs $(BUILD)

test: ## all tests: host, kernel, user, boot and system; ends with `N passed, N failed`
	@$(PYTHON) tests/run.py $(T)
test-boot: all floppy ## the whole boot matrix: media, machines, misbehaviours (T=word: those cases)
	@$(PYTHON) tests/boot/matrix_run.py $(T)
boot-matrix: ## docs/boot-matrix.md, from the tables that test-boot runs
	@$(PYTHON) tests/boot/matrix_doc.py
smoke: all ## quick look: boot and one command answered
	@$(PYTHON) tests/boot/smoke.py
reproducible: ## build twice in two folders and compare the results byte by byte
	@tools/reproducible
lint: ## formatting, layers, static analysis, locks, -Werror builds under gcc and clang
	@$(PYTHON) tools/lint.py $(T)

bench: all floppy ## figures: boot phases, instructions per operation, sizes; writes docs/performance.md
	@$(PYTHON) tools/bench.py
bench-check: all ## instructions per operation against tests/budgets.txt: 3% worse fails
	@$(PYTHON) tools/bench_check.py
screenshot: all ## docs/screenshot.png: the shell after a few commands
	@$(PYTHON) tools/screenshot.py docs/screenshot.png
timeline: all ## the boot as a picture, to scale: build/boot.svg; refreshes docs/boot-timeline.svg
	@$(PYTHON) tools/timeline.py $(BUILD)/boot.svg docs/boot-timeline.svg
usb: all ## write the image to a USB stick: make usb DEV=/dev/sdX
	@$(PYTHON) tools/usb.py $(IMG) $(DEV)
# PREFIX counts only when it is given to this make: many people have one in their environment.
toolchain: ## build x86_64-elf-gcc from Debian's sources (PREFIX=folder, build/toolchain/cross)
	@tools/toolchain.sh '$(if $(filter command line,$(origin PREFIX)),$(PREFIX),$(BUILD)/toolchain/cross)' \
		$(BUILD)/toolchain/work

# The exercises of docs/exercises; N= is the number.  The check builds by itself.
.PHONY: exercise exercise-check exercise-solution exercise-reset exercise-rom
EXERCISE = @MAKE='$(MAKE)' $(PYTHON) tools/exercise.py
exercise: ## exercises for a course: list them; N=3: start that one
	$(EXERCISE) $(if $(N),start '$(N)',list)
exercise-check: ## build, and see whether the active exercise is solved
	$(EXERCISE) check $(N)
exercise-solution: ## put the reference solution of the active exercise in place
	$(EXERCISE) solution $(N)
exercise-reset: ## end the active exercise: its files as they were before
	$(EXERCISE) reset $(N)
exercise-rom: ## an option ROM that makes the BIOS err: ROM="FAIL_FIRST=1 TRASH"
	$(EXERCISE) rom $(ROM)
