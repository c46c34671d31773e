# image.mk - the boot loader and the media: build/minos.img, minos.iso, minos-floppy.img.
#
# S2_EXTRA= adds sources to stage 2 (the libgcc test), S2DEFS= definitions for C and NASM in it
# (the A20 test).

S2SRC := $(sort $(wildcard boot/stage2/*.c boot/stage2/*.asm)) kernel/lib/string.c kernel/lib/printf.c \
	$(S2_EXTRA)
S2OBJ := $(S2SRC:%=$(BUILD)/s2/%.o)

$(BUILD)/s2/%.c.o: %.c $(FLAGS)
	@mkdir -p $(@D)
	$(call say,CC32,$<)
	$(Q)$(CFLAGS32) $(S2_CFLAGS) $(S2DEFS) -Iboot/stage2 -c $< -o $@
$(BUILD)/s2/%.asm.o: %.asm $(BUILD)/offsets.inc $(FLAGS)
	@mkdir -p $(@D)
	$(call say,NASM,$<)
	$(Q)$(NASM) $(AFLAGS_ELF) $(S2DEFS) -Iboot/stage2/ -f elf32 -MD $(@:.o=.d) -MT $@ -MP $< -o $@
	$(Q)$(PYTHON) tools/nasm-dwarf.py $@
$(BUILD)/stage2.elf: $(S2OBJ) boot/stage2/stage2.ld $(OBJECTS)
	$(call say,LD,$@)
	$(Q)$(LD) -m elf_i386 -nostdlib -static --build-id=none -z noexecstack $(RWX) -T boot/stage2/stage2.ld $(S2OBJ) -o $@
$(BUILD)/stage2.bin: $(BUILD)/stage2.elf
	$(Q)$(OBJCOPY) -O binary $< $@
$(BUILD)/stage1.o: boot/stage1.asm $(BUILD)/offsets.inc $(FLAGS)
	$(call say,NASM,$<)
	$(Q)$(NASM) $(AFLAGS_ELF) -f elf32 -MD $(@:.o=.d) -MT $@ -MP $< -l $(@:.o=.lst) -o $@
	$(Q)$(PYTHON) tools/nasm-dwarf.py $@
$(BUILD)/stage1.elf: $(BUILD)/stage1.o boot/stage1.ld
	$(Q)$(LD) -m elf_i386 -nostdlib -static --build-id=none -z noexecstack $(RWX) -T boot/stage1.ld $< -o $@
$(BUILD)/stage1.bin: $(BUILD)/stage1.elf
	$(Q)$(OBJCOPY) -O binary $< $@

# How fast the loader unpacks the kernel decides whether packing it pays.  The later option wins.
S2_FAST := boot/stage2/lz4.c
$(S2_FAST:%=$(BUILD)/s2/%.o): S2_CFLAGS := -O2

# The kernel as it is loaded: without debug information, packed, with a length and CRC-32 trailer.
# LZ4 in one block, for fewer sequences; the size of what comes out is in the frame's header.  Not
# written by lz4 itself, which would give the result the time of its source.
$(BUILD)/minos.stripped: $(BUILD)/minos.elf
	$(Q)$(OBJCOPY) --strip-all $< $@
$(BUILD)/minos.lz4: $(BUILD)/minos.stripped
	$(Q)$(LZ4) -q -c -12 --favor-decSpeed --content-size --no-frame-crc -B7 $< > $@
$(BUILD)/image/MINOS.ELF: $(BUILD)/minos.lz4 tools/mkimage.py
	@mkdir -p $(@D)
	$(Q)$(PYTHON) tools/mkimage.py trailer $< $@
# The root of programs (user.mk), or INITRD=folder, which is looked at each time.
$(BUILD)/initrd.folder: FORCE
	@mkdir -p $(@D)
	@echo '$(or $(INITRD),$(BUILD)/root)' | cmp -s - $@ || echo '$(or $(INITRD),$(BUILD)/root)' > $@
$(BUILD)/image/INITRD.TAR: $(BUILD)/initrd.folder $(if $(INITRD),FORCE,$(ROOT_STAMP)) tools/mktar.py tools/mkimage.py
	@mkdir -p $(@D)
	$(Q)$(PYTHON) tools/mktar.py $(BUILD)/initrd.plain -C $(or $(INITRD),$(BUILD)/root)
	$(Q)$(PYTHON) tools/mkimage.py trailer $(BUILD)/initrd.plain $@
# A floppy has no room for all that.
INITRD_FILES := $(sort $(wildcard README.md LICENSE))
$(BUILD)/floppy/INITRD.TAR: $(INITRD_FILES) tools/mktar.py tools/mkimage.py
	@mkdir -p $(@D)
	$(Q)$(PYTHON) tools/mktar.py $(BUILD)/floppy/initrd.plain $(INITRD_FILES)
	$(Q)$(PYTHON) tools/mkimage.py trailer $(BUILD)/floppy/initrd.plain $@
$(BUILD)/image/MINOS.CFG: boot/minos.cfg
	@mkdir -p $(@D)
	$(Q)cp $< $@
IMAGE_FILES := $(addprefix $(BUILD)/image/,MINOS.CFG MINOS.ELF INITRD.TAR)
STAGES := $(BUILD)/stage1.bin $(BUILD)/stage2.bin
MKIMAGE = $(PYTHON) tools/mkimage.py $(1) --stage1 $(BUILD)/stage1.bin --stage2 $(BUILD)/stage2.bin
$(BUILD)/minos.img: $(STAGES) $(IMAGE_FILES) tools/mkimage.py
	$(call say,IMAGE,$@)
	$(Q)$(call MKIMAGE,disk) -o $@ $(IMAGE_FILES)
FLOPPY_FILES := $(filter-out %/INITRD.TAR,$(IMAGE_FILES)) $(BUILD)/floppy/INITRD.TAR
$(BUILD)/minos-floppy.img: $(STAGES) $(FLOPPY_FILES) tools/mkimage.py
	$(call say,IMAGE,$@)
	$(Q)$(call MKIMAGE,floppy) -o $@ $(FLOPPY_FILES)
# One image is hard disk, stick and CD: the same bytes under the name that burning programs expect.
$(BUILD)/minos.iso: $(BUILD)/minos.img
	$(Q)cp $< $@

# GRUB instead of our loader, for comparison and for those who have it anyway.
$(BUILD)/minos-grub.iso: $(IMAGE_FILES) $(BUILD)/minos.stripped tools/iso-grub
	$(call say,GRUB,$@)
	$(Q)tools/iso-grub $(BUILD) $@

.PHONY: iso floppy iso-grub
iso-grub: $(BUILD)/minos-grub.iso ## build/minos-grub.iso: a CD on which GRUB loads the kernel
iso: $(BUILD)/minos.iso ## build/minos.iso: the image under a CD's name
floppy: $(BUILD)/minos-floppy.img ## build/minos-floppy.img: 1.44 MB floppy
