# kernel.mk - the kernel: build/minos.elf.
#
# K_EXTRA= adds sources; the tests use it to prove that a call to libgcc fails the link, which
# takes nothing but our own objects.

# The loader's memory map sweep and tar check serve those who are loaded by others, too.
KDIRS := kernel kernel/lib kernel/entry kernel/proc kernel/x86 kernel/shell mm fs drivers tests/kernel tests/kernel/stress tests/user \
	$(if $(DEBUG),kernel/debug tests/kernel/debug)
KSRC  := $(sort $(wildcard $(addsuffix /*.c,$(KDIRS)) $(addsuffix /*.asm,$(KDIRS)))) \
	boot/stage2/e820.c boot/stage2/tar.c $(K_EXTRA)
KOBJ  := $(KSRC:%=$(BUILD)/%.o) $(BUILD)/syscall_table.c.o

$(BUILD)/syscall_table.c: kernel/syscalls.tbl tools/mksyscalls.py
	@mkdir -p $(@D)
	$(Q)$(PYTHON) tools/mksyscalls.py < $< > $@
$(BUILD)/syscall_table.c.o: $(BUILD)/syscall_table.c $(FLAGS)
	$(Q)$(CFLAGS64) -c $< -o $@

$(BUILD)/%.c.o: %.c $(FLAGS)
	@mkdir -p $(@D)
	$(call say,CC,$<)
	$(Q)$(CFLAGS64) $(K_CFLAGS) -c $< -o $@
	$(if $(filter $(INIT_FILES),$<),$(Q)$(OBJCOPY) $(INIT_SECTIONS) $@)

# Small, not fast: what is there for tests, for the start, for trouble, and for people at the prompt, who do not notice.  The benchmarks
# and what they measure stay as they are.
SMALL := $(filter kernel/shell/%.c kernel/kdb%.c kernel/keep.c kernel/selftest.c kernel/fail_sweep.c \
	kernel/proc/show_%.c kernel/proc/fault_place.c kernel/sys_cred.c kernel/sys_info.c kernel/sys_socket.c fs/procfs.c fs/text.c fs/ustar.c fs/initrd.c \
	fs/locks.c fs/attr.c kernel/proc/args.c kernel/proc/defaults.c kernel/proc/elf.c kernel/panic.c kernel/watchdog%.c \
	kernel/x86/fault.c kernel/x86/mca%.c kernel/x86/hwerr.c kernel/x86/backtrace.c mm/leaks.c mm/slab_debug.c mm/pmm_info.c \
	drivers/acpi%.c drivers/pci%.c drivers/mp%.c drivers/rtc.c drivers/kbd%.c drivers/hwerr.c \
	$(filter-out tests/kernel/bench%,$(wildcard tests/kernel/*.c tests/kernel/stress/*.c tests/user/*.c)),$(KSRC))
$(SMALL:%=$(BUILD)/%.o): K_CFLAGS := -Os

# What reports undefined behaviour and smashed stacks is not checked itself.  The later option wins.
$(BUILD)/kernel/debug/%.c.o: K_CFLAGS := -fno-sanitize=all -fno-stack-protector

# Files that serve the start alone: all their code and constants go to .init (kern/init.h) - but
# only code with DEBUG=1, where UBSan's descriptions, which stay, point to constants.
INIT_FILES := $(wildcard kernel/entry/*.c) boot/stage2/e820.c boot/stage2/tar.c mm/vmm_init.c
INIT_SECTIONS := $(foreach s,.text .text.unlikely $(if $(DEBUG),,.rodata .rodata.cst8 .rodata.cst16 \
	.rodata.str1.1 .rodata.str1.8),--rename-section $(s)=.init$(s))
$(INIT_FILES:%=$(BUILD)/%.o): K_CFLAGS := $(if $(DEBUG),-fno-jump-tables)

$(BUILD)/%.asm.o: %.asm $(BUILD)/offsets.inc $(FLAGS)
	@mkdir -p $(@D)
	$(call say,NASM,$<)
	$(Q)$(NASM) $(AFLAGS_ELF) -f elf64 -MD $(@:.o=.d) -MT $@ -MP $< -o $@
	$(Q)$(PYTHON) tools/nasm-dwarf.py $@

# The vDSO is a program of its own: position-independent, linked alone, its bytes part of the kernel.
VDSO_CFLAGS = $(filter-out -mcmodel=kernel -mno-red-zone -fno-pic -fno-pie -fsanitize% -fno-sanitize% -fstack-protector% \
	-mstack-protector%,$(CFLAGS64)) -fPIC -fno-stack-protector
$(BUILD)/vdso.o: kernel/x86/vdso/vdso.c $(FLAGS)
	@mkdir -p $(@D)
	$(call say,CC,$<)
	$(Q)$(VDSO_CFLAGS) -c $< -o $@
$(BUILD)/vdso.so: $(BUILD)/vdso.o kernel/x86/vdso/vdso.lds
	$(Q)$(LD) -m elf_x86_64 -shared -nostdlib -soname linux-vdso.so.1 --hash-style=both --build-id=none -z noexecstack \
		-z max-page-size=4096 -z norelro -T kernel/x86/vdso/vdso.lds $< -o $@.new
	$(Q)$(OBJCOPY) --strip-all $@.new $@
$(BUILD)/kernel/x86/vdso_image.asm.o: $(BUILD)/vdso.so

# Constants and structure offsets for the assembler, from the C headers: they cannot drift apart.
# Rewritten only when a value changed.
$(BUILD)/offsets.s: tools/offsets.c $(FLAGS)
	@mkdir -p $(@D)
	$(Q)$(CFLAGS64) $(if $(CC_IS_CLANG),-fno-integrated-as) -MT $@ -MF $(BUILD)/offsets.d -S $< -o $@
$(BUILD)/offsets.inc: $(BUILD)/offsets.s
	$(Q)sed -n 's/^[^A-Za-z0-9_]*->\([A-Za-z0-9_]*\) [^0-9-]*\([-0-9]*\).*/%define \1 \2/p' $< > $@.new
	$(Q)if cmp -s $@.new $@; then rm $@.new; else mv $@.new $@; fi

# Linked twice: the symbol table is made from the first result and stands behind everything else,
# so that no address moves between the two.
$(BUILD)/ksyms0.c: tools/mksyms.py
	@mkdir -p $(@D)
	$(Q)$(PYTHON) tools/mksyms.py < /dev/null > $@
$(BUILD)/ksyms.c: $(BUILD)/kernel0.elf tools/mksyms.py
	$(call say,SYMS,$@)
	$(Q)$(NM) -n $< | $(PYTHON) tools/mksyms.py > $@
$(BUILD)/ksyms%.o: $(BUILD)/ksyms% $(FLAGS)
	$(Q)$(CFLAGS64) -Wno-missing-prototypes -c $< -o $@

KLD = $(LD) -m elf_x86_64 -nostdlib -static --no-dynamic-linker -z max-page-size=4096 -z noexecstack \
	--build-id=none --orphan-handling=error -T linker.ld
$(BUILD)/kernel0.elf: $(KOBJ) $(BUILD)/ksyms0.c.o linker.ld $(OBJECTS)
	$(Q)$(KLD) $(KOBJ) $(BUILD)/ksyms0.c.o -o $@
$(BUILD)/minos.elf: $(KOBJ) $(BUILD)/ksyms.c.o linker.ld tools/check-init.py
	$(call say,LD,$@)
	$(Q)$(KLD) $(KOBJ) $(BUILD)/ksyms.c.o -o $@
	$(Q)$(NM) -n $@ | $(PYTHON) tools/mksyms.py --check $(BUILD)/ksyms.c
	$(Q)$(PYTHON) tools/check-init.py $(KOBJ)
