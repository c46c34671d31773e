# toolchain.mk - x86_64-elf-gcc, else this x86-64 host's gcc, else clang with lld; and the flags.

ifeq ($(origin CC),default)
  HOST_GCC := $(if $(filter x86_64 amd64,$(shell uname -m)),$(if $(filter Linux,$(shell uname -s)),gcc))
  CC := $(firstword $(foreach c,x86_64-elf-gcc $(HOST_GCC) clang,$(shell command -v $(c) 2>/dev/null)) gcc)
endif
CC_IS_CLANG := $(if $(findstring clang,$(notdir $(firstword $(CC)))),y)
# $(call tool,a b c): the first of these programs that is installed, or the first.
tool = $(firstword $(foreach c,$(1),$(shell command -v $(c) 2>/dev/null)) $(1))
ifeq ($(CC_IS_CLANG),y)
  CC64    := $(CC) --target=x86_64-unknown-none-elf
  CC32    := $(CC) --target=i386-unknown-none-elf
  LD      := $(call tool,ld.lld ld.lld-14 ld.lld-15 ld.lld-16)
  OBJCOPY := $(call tool,llvm-objcopy llvm-objcopy-14 x86_64-elf-objcopy objcopy)
  NM      := $(call tool,llvm-nm llvm-nm-14 x86_64-elf-nm nm)
else
  CROSS   := $(if $(findstring x86_64-elf-gcc,$(CC)),$(patsubst %gcc,%,$(CC)))
  CC64    := $(CC) -m64
  # x86_64-elf-gcc makes uint32_t an unsigned long with -m32, which %u does not take.
  CC32    := $(CC) -m32 -U__UINT32_TYPE__ -D__UINT32_TYPE__=unsigned -U__INT32_TYPE__ -D__INT32_TYPE__=int
  LD      := $(CROSS)ld
  OBJCOPY := $(CROSS)objcopy
  NM      := $(CROSS)nm
endif
# Stage 2 is one segment, loaded as it is: binutils 2.39 and later would warn of its rights.
RWX := $(shell $(LD) --help 2>/dev/null | grep -q -e --no-warn-rwx-segments && echo --no-warn-rwx-segments)
NASM   ?= nasm
LZ4    ?= lz4
PYTHON ?= $(firstword $(wildcard /usr/bin/python3) python3)
# A newer compiler's new warning must not stop a user; in CI and lint it does.
WERROR ?= $(if $(CI),-Werror)

WARN := -Wall -Wextra -Wshadow -Wundef -Wstrict-prototypes -Wmissing-prototypes -Wwrite-strings \
	-Wpointer-arith -Wvla -Wno-unused-parameter $(WERROR)
# No path of this machine gets into the debug information or __FILE__: builds are reproducible.
PREFIX_MAP := $(if $(filter /%,$(BUILD)),-ffile-prefix-map=$(BUILD)=build) "-ffile-prefix-map=$(CURDIR)=."
# The compiler's own stdarg.h, stdint.h, stdbool.h and stddef.h are the only foreign headers.
CC_INC := $(shell $(CC) -print-file-name=include 2>/dev/null)
# gcc 12 takes small constant addresses for null pointers; ours are the BIOS data area and VGA memory.
LOW_MEMORY := $(if $(CC_IS_CLANG),,$(shell $(CC) --param=min-pagesize=0 -x c -c /dev/null \
	-o /dev/null 2>/dev/null && echo --param=min-pagesize=0))
COMMON := -std=gnu11 -ffreestanding -fno-pic -fno-pie -fno-stack-protector -fno-strict-aliasing \
	-fno-common -fno-asynchronous-unwind-tables -fcf-protection=none -nostdinc -Iinclude \
	-isystem $(CC_INC) $(PREFIX_MAP) $(LOW_MEMORY) -g -MMD -MP $(WARN)
# docs/testing.md, "The kernel that checks itself".
DEBUG_FLAGS := -DDEBUG -fstack-protector-strong -mstack-protector-guard=global \
	-fsanitize=undefined -fno-sanitize-recover=undefined
# The limit is KSTACK_FRAME_MAX (include/mm/kstack.h): stacks are 16 KiB.
CFLAGS64 := $(CC64) $(COMMON) -Wframe-larger-than=1536 -O2 -mcmodel=kernel -mno-red-zone -mgeneral-regs-only \
	-fno-omit-frame-pointer -fno-optimize-sibling-calls $(if $(DEBUG),$(DEBUG_FLAGS)) $(if $(IRQSOFF),-DIRQSOFF) \
	$(KFLAGS)
CFLAGS32 := $(CC32) $(COMMON) -Os -march=i386 -mgeneral-regs-only -fomit-frame-pointer \
	-DSTAGE2 $(S2FLAGS)
AFLAGS := -Iinclude/ -I$(BUILD)/ -Werror=orphan-labels $(if $(CI),-Werror) $(NASMFLAGS)
AFLAGS_ELF := $(AFLAGS) -g -F dwarf

# Every object depends on this file, which changes only when the compiler or a flag does.
FLAGS := $(BUILD)/flags
CC_VERSION := $(shell $(CC) --version 2>/dev/null | head -n 1)
$(FLAGS): FORCE
	@mkdir -p $(@D)
	@printf '%s\n' '$(CC_VERSION)' '$(CFLAGS64)' '$(INIT_FILES) $(INIT_SECTIONS)' '$(SMALL)' '$(CFLAGS32)' '$(AFLAGS)' '$(S2DEFS)' '$(LD)' \
		'$(HOST_CC) $(HOST_CFLAGS)' > $@.new
	@if cmp -s $@.new $@; then rm $@.new; else mv $@.new $@; fi
# The same for the lists of objects: taking a source away must link again.
OBJECTS := $(BUILD)/objects
$(OBJECTS): FORCE
	@mkdir -p $(@D)
	@printf '%s\n' $(KOBJ) - $(S2OBJ) > $@.new
	@if cmp -s $@.new $@; then rm $@.new; else mv $@.new $@; fi
ifeq ($(MAKELEVEL),0)
ifeq ($(filter help clean,$(MAKECMDGOALS))$(SETUP_MISSING),)
$(info MinOS: compiler $(CC) ($(CC_VERSION)), linker $(LD))
endif
endif
