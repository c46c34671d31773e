# MinOS - build, run, test.  `make help` lists the targets.
#
# Everything is built into $(BUILD); the sources are found by folder, so a new .c needs no line here.

BUILD ?= build
V     ?= 0
Q     := $(if $(filter 1,$(V)),,@)

.DEFAULT_GOAL := all
.DELETE_ON_ERROR:
.SUFFIXES:
.SECONDARY:

# --- toolchain: x86_64-elf-gcc, else this x86-64 host's gcc, else clang with lld -----------------
ifeq ($(origin CC),default)
  HOST_GCC := $(if $(filter x86_64 amd64,$(shell uname -m)),gcc)
  CC := $(firstword $(foreach c,x86_64-elf-gcc $(HOST_GCC) clang,$(shell command -v $(c) 2>/dev/null)) gcc)
endif
CC_IS_CLANG := $(if $(findstring clang,$(notdir $(firstword $(CC)))),y)
ifeq ($(CC_IS_CLANG),y)
  CC64    := $(CC) --target=x86_64-unknown-none-elf
  CC32    := $(CC) --target=i386-unknown-none-elf
  LD      := ld.lld
  OBJCOPY := $(firstword $(foreach c,llvm-objcopy objcopy,$(shell command -v $(c) 2>/dev/null)) llvm-objcopy)
  NM      := $(firstword $(foreach c,llvm-nm nm,$(shell command -v $(c) 2>/dev/null)) llvm-nm)
else
  CROSS   := $(if $(findstring x86_64-elf-gcc,$(CC)),$(patsubst %gcc,%,$(CC)))
  CC64    := $(CC) -m64
  CC32    := $(CC) -m32
  LD      := $(CROSS)ld
  OBJCOPY := $(CROSS)objcopy
  NM      := $(CROSS)nm
endif
NASM   ?= nasm
PYTHON ?= $(firstword $(wildcard /usr/bin/python3) python3)
WERROR ?= $(if $(CI),-Werror)

# --- flags ---------------------------------------------------------------------------------------
WARN := -Wall -Wextra -Wshadow -Wundef -Wstrict-prototypes -Wmissing-prototypes -Wwrite-strings \
	-Wpointer-arith -Wvla -Wno-unused-parameter $(WERROR)
COMMON := -std=gnu11 -ffreestanding -fno-pic -fno-pie -fno-stack-protector -fno-strict-aliasing \
	-fno-common -fno-asynchronous-unwind-tables -fcf-protection=none -nostdinc -Iinclude \
	-ffile-prefix-map=$(CURDIR)/= -g -MMD -MP $(WARN)
# The compiler's own stdarg.h, stdint.h, stdbool.h and stddef.h are the only foreign headers.
GCC_INC  = -isystem $(shell $(CC) -print-file-name=include)
CFLAGS64 = $(CC64) $(COMMON) $(GCC_INC) -O2 -mcmodel=kernel -mno-red-zone -mgeneral-regs-only \
	-fno-omit-frame-pointer -fno-optimize-sibling-calls $(if $(DEBUG),-DDEBUG) $(KFLAGS)
CFLAGS32 = $(CC32) $(COMMON) $(GCC_INC) -Os -march=i386 -mgeneral-regs-only -fomit-frame-pointer \
	-DSTAGE2 $(S2FLAGS)
AFLAGS  := -Iinclude/ -I$(BUILD)/ -Werror=orphan-labels -g -F dwarf

# --- kernel --------------------------------------------------------------------------------------
KDIRS := kernel kernel/lib kernel/x86 kernel/shell mm drivers tests/kernel tests/user
KSRC  := $(sort $(wildcard $(addsuffix /*.c,$(KDIRS)) $(addsuffix /*.asm,$(KDIRS))))
KOBJ  := $(KSRC:%=$(BUILD)/%.o)

$(BUILD)/%.c.o: %.c
	@mkdir -p $(@D)
	$(if $(Q),@echo "  CC    $<")
	$(Q)$(CFLAGS64) -c $< -o $@

$(BUILD)/%.asm.o: %.asm $(BUILD)/offsets.inc
	@mkdir -p $(@D)
	$(if $(Q),@echo "  NASM  $<")
	$(Q)$(NASM) $(AFLAGS) -f elf64 -MD $(@:.o=.d) -MT $@ -MP $< -o $@

# Constants and structure offsets for the assembler, from the C headers: they cannot drift apart.
$(BUILD)/offsets.inc: tools/offsets.c
	@mkdir -p $(@D)
	$(Q)$(CFLAGS64) -MT $@ -MF $(BUILD)/offsets.d -S $< -o $(BUILD)/offsets.s
	$(Q)sed -n 's/^[^A-Za-z0-9_]*->\([A-Za-z0-9_]*\) [^0-9-]*\([-0-9]*\).*/%define \1 \2/p' $(BUILD)/offsets.s > $@

# Linked twice: the symbol table is made from the first result and stands behind everything else,
# so that no address moves between the two.
$(BUILD)/ksyms0.c:
	@mkdir -p $(@D)
	$(Q)$(PYTHON) tools/mksyms.py < /dev/null > $@
$(BUILD)/ksyms.c: $(BUILD)/kernel0.elf tools/mksyms.py
	$(if $(Q),@echo "  SYMS  $@")
	$(Q)$(NM) -n $< | $(PYTHON) tools/mksyms.py > $@
$(BUILD)/ksyms%.c.o $(BUILD)/ksyms.c.o: CFLAGS64 += -Wno-missing-prototypes
$(BUILD)/ksyms0.c.o: $(BUILD)/ksyms0.c
	$(Q)$(CFLAGS64) -c $< -o $@
$(BUILD)/ksyms.c.o: $(BUILD)/ksyms.c
	$(Q)$(CFLAGS64) -c $< -o $@
KLD = $(LD) -m elf_x86_64 -nostdlib -static --no-dynamic-linker -z max-page-size=4096 -z noexecstack \
	--build-id=none --orphan-handling=error -T linker.ld
$(BUILD)/kernel0.elf: $(KOBJ) $(BUILD)/ksyms0.c.o linker.ld
	$(Q)$(KLD) $(KOBJ) $(BUILD)/ksyms0.c.o -o $@
$(BUILD)/minos.elf: $(KOBJ) $(BUILD)/ksyms.c.o linker.ld
	$(if $(Q),@echo "  LD    $@")
	$(Q)$(KLD) $(KOBJ) $(BUILD)/ksyms.c.o -o $@

# --- loader --------------------------------------------------------------------------------------
S2SRC := $(sort $(wildcard boot/stage2/*.c boot/stage2/*.asm)) kernel/lib/string.c kernel/lib/printf.c kernel/lib/crc32.c
S2OBJ := $(S2SRC:%=$(BUILD)/s2/%.o)

$(BUILD)/s2/%.c.o: %.c
	@mkdir -p $(@D)
	$(if $(Q),@echo "  CC32  $<")
	$(Q)$(CFLAGS32) -Iboot/stage2 -c $< -o $@
$(BUILD)/s2/%.asm.o: %.asm $(BUILD)/offsets.inc
	@mkdir -p $(@D)
	$(if $(Q),@echo "  NASM  $<")
	$(Q)$(NASM) $(AFLAGS) -Iboot/stage2/ -f elf32 -MD $(@:.o=.d) -MT $@ -MP $< -o $@
$(BUILD)/stage2.elf: $(S2OBJ) boot/stage2/stage2.ld
	$(if $(Q),@echo "  LD    $@")
	$(Q)$(LD) -m elf_i386 -nostdlib -static --build-id=none -z noexecstack -T boot/stage2/stage2.ld $(S2OBJ) -o $@
$(BUILD)/stage2.bin: $(BUILD)/stage2.elf
	$(Q)$(OBJCOPY) -O binary $< $@
$(BUILD)/stage1.bin: boot/stage1.asm $(BUILD)/offsets.inc
	$(if $(Q),@echo "  NASM  $<")
	$(Q)$(NASM) -Iinclude/ -I$(BUILD)/ -f bin -MD $(@:.bin=.d) -MT $@ -MP $< -l $(@:.bin=.lst) -o $@

# --- image ---------------------------------------------------------------------------------------
# The kernel as it is loaded: without debug information, with a length and CRC-32 trailer.
$(BUILD)/image/MINOS.ELF: $(BUILD)/minos.elf tools/mkimage.py
	@mkdir -p $(@D)
	$(Q)$(OBJCOPY) --strip-all $< $(BUILD)/minos.stripped
	$(Q)$(PYTHON) tools/mkimage.py trailer $(BUILD)/minos.stripped $@
INITRD_FILES := $(sort $(wildcard README.md LICENSE))
$(BUILD)/image/INITRD.TAR: $(INITRD_FILES) tools/mkimage.py
	@mkdir -p $(@D)
	$(Q)tar --format=ustar --sort=name --owner=0:0 --numeric-owner --mtime=@0 --mode=0644 -cf $(BUILD)/initrd.plain $(INITRD_FILES)
	$(Q)$(PYTHON) tools/mkimage.py trailer $(BUILD)/initrd.plain $@
$(BUILD)/image/MINOS.CFG: boot/minos.cfg
	@mkdir -p $(@D)
	$(Q)cp $< $@
IMAGE_FILES := $(addprefix $(BUILD)/image/,MINOS.CFG MINOS.ELF INITRD.TAR)
$(BUILD)/minos.img: $(BUILD)/stage1.bin $(BUILD)/stage2.bin $(IMAGE_FILES) tools/mkimage.py
	$(if $(Q),@echo "  IMAGE $@")
	$(Q)$(PYTHON) tools/mkimage.py disk --stage1 $(BUILD)/stage1.bin --stage2 $(BUILD)/stage2.bin -o $@ $(IMAGE_FILES)

.PHONY: all run clean
all: $(BUILD)/minos.img $(BUILD)/minos.elf

run: all
	qemu-system-x86_64 -cpu max -m 128 -drive file=$(BUILD)/minos.img,format=raw -serial mon:stdio $(QEMU_EXTRA)

clean:
	rm -rf $(BUILD)

include tools/host-tests.mk

-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)
