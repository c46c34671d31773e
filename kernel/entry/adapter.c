/*
 * adapter.c - from another loader's information to our boot info.
 *
 * The readers (multiboot1.c, multiboot2.c, pvh.c) hand over what they find piece by piece.  All is
 * copied into this file's memory, which belongs to the kernel image: nothing of the loader's has to
 * be kept but the initrd, and that is reserved like our own loader's.
 *
 * Runs on the tables of entry32.asm, physical addresses below 4 GiB being mapped 1:1, before
 * anything has started.  docs/entry.md.
 */
#include "adapter.h"
#include <boot/e820.h>
#include <boot/loader.h>
#include <boot/tar.h>
#include <lib/crc32.h>
#include <lib/string.h>
#include <mm/image.h>
#include <mm/pmm.h>
#include <x86/cpu.h>

#define MAPPED	      GIB(4)
#define RSDP_MAX      36 /* ACPI 2.0 and later; 20 before */
#define BDA_MODE      0x449
#define MODE_TEXT     3 /* 80 x 25, colour */
#define NR_TRACE      2
#define RAW_LIMIT_KIB 640

static struct boot_info info;
static struct boot_mem raw[BOOT_RAW_MAP_MAX];
static struct boot_mem map[BOOT_MAP_MAX];
static struct boot_trace_entry trace[NR_TRACE];
static uint8_t rsdp_copy[RSDP_MAX];
static uint32_t lower_kib, upper_kib;
static uint64_t module_start, module_end;
static bool have_module;

const void *
adapter_at(uint64_t pa, uint64_t size)
{
	if (pa == 0 || pa >= MAPPED || size > MAPPED - pa)
		return NULL;
	return (const void *)pa;
}

/* At most @size bytes of the string at @pa; false if it is longer, or nowhere. */
static bool
copy_string(char *dst, uint64_t pa, size_t size)
{
	const char *s = adapter_at(pa, size);

	dst[0] = '\0';
	if (s == NULL)
		return false;
	for (size_t i = 0; i < size; i++) {
		dst[i] = s[i];
		if (s[i] == '\0')
			return true;
	}
	dst[size - 1] = '\0';
	return false;
}

void
adapter_source(uint32_t source, uint64_t name)
{
	info.source = source;
	if (name != 0)
		(void)copy_string(info.loader, name, sizeof(info.loader)); /* cut: no matter */
}

void
adapter_memory(uint64_t start, uint64_t size, uint32_t type)
{
	if (info.raw_map_count == BOOT_RAW_MAP_MAX) {
		info.quirks |= BOOT_QUIRK_MAP_CUT;
		return;
	}
	raw[info.raw_map_count++] = (struct boot_mem){start, size, type, 1};
}

void
adapter_sizes(uint32_t lower, uint32_t upper)
{
	lower_kib = MIN(lower, (uint32_t)RAW_LIMIT_KIB);
	upper_kib = upper;
}

void
adapter_cmdline(uint64_t text)
{
	if (text == 0 || copy_string(info.cmdline, text, sizeof(info.cmdline)))
		return;
	info.quirks |= BOOT_QUIRK_CMDLINE;
	if (info.cmdline[0] != '\0')
		log_warn("entry: command line longer than %d bytes: the rest is ignored",
			 BOOT_CMDLINE_MAX - 1);
	else
		log_warn("entry: command line at %#lx cannot be read", text);
}

void
adapter_module(uint64_t start, uint64_t end)
{
	if (have_module) {
		log_warn("entry: module at %#lx ignored: the first one is the initrd", start);
		info.quirks |= BOOT_QUIRK_MODULE;
		return;
	}
	have_module = true;
	module_start = start;
	module_end = end;
}

void
adapter_rsdp(uint64_t pa)
{
	info.rsdp = pa;
}

void
adapter_rsdp_copy(const void *rsdp, size_t size)
{
	memcpy(rsdp_copy, rsdp, MIN(size, sizeof(rsdp_copy)));
	info.rsdp = virt_to_phys(rsdp_copy);
}

void
adapter_screen(const struct adapter_screen *screen)
{
	if (screen->type == MB_FB_TEXT) {
		info.display = BOOT_DISPLAY_TEXT;
		return;
	}
	info.display = BOOT_DISPLAY_FRAMEBUFFER;
	info.framebuffer.base = screen->base;
	info.framebuffer.width = screen->width;
	info.framebuffer.height = screen->height;
	info.framebuffer.pitch = screen->pitch;
	info.framebuffer.bpp = screen->bpp;
}

/* --- memory ---------------------------------------------------------------------------------- */

static void
clean_map(const char *who)
{
	if (info.raw_map_count == 0 && upper_kib != 0) {
		log_warn("entry: %s gave no memory map, only sizes: %u KiB and %u KiB", who,
			 lower_kib, upper_kib);
		adapter_memory(0, KIB(lower_kib), BOOT_MEM_RAM);
		adapter_memory(MIB(1), KIB(upper_kib), BOOT_MEM_RAM);
		info.quirks |= BOOT_QUIRK_MAP_SIZES;
	}
	if (info.raw_map_count == 0)
		panic("%s tells nothing of the machine's memory: neither a map nor sizes", who);
	info.map_count = (uint32_t)e820_clean(raw, info.raw_map_count, map, BOOT_MAP_MAX,
					      &info.quirks);
}

static bool
is_ram(uint64_t start, uint64_t end)
{
	for (uint32_t i = 0; i < info.map_count; i++) {
		const struct boot_mem *m = &map[i];

		if (m->type == BOOT_MEM_RAM && start >= m->start && end <= m->start + m->size)
			return true;
	}
	return false;
}

/* --- initrd ---------------------------------------------------------------------------------- */

/* Why the module cannot be used where it is, or NULL. */
static const char *
misplaced(void)
{
	if (module_end <= module_start)
		return "it is empty";
	if (adapter_at(module_start, module_end - module_start) == NULL)
		return "it does not lie between 0 and 4 GiB";
	if (module_start < info.kernel_end && module_end > info.kernel_start)
		return "it overlaps the kernel";
	if (!is_ram(module_start, module_end))
		return "it does not lie in RAM";
	return NULL;
}

/* Sets initrd_*; returns what is wrong with the content, or NULL. */
static const char *
check_content(void)
{
	const uint8_t *data = (const uint8_t *)module_start;
	size_t size = module_end - module_start, offset;
	struct file_trailer t = {0};

	if (size >= sizeof(t))
		memcpy(&t, data + size - sizeof(t), sizeof(t));
	if (t.magic == FILE_TRAILER_MAGIC) {
		size -= sizeof(t);
		if (t.length != size || t.crc != crc32(0, data, size))
			return "its checksum is wrong";
	} else {
		const char *why = tar_check(data, size, &offset);

		if (why != NULL)
			return why;
		info.quirks |= BOOT_QUIRK_UNVERIFIED;
	}
	info.initrd_start = module_start;
	info.initrd_end = module_start + size;
	info.initrd_crc = crc32(0, data, size);
	return NULL;
}

static void
take_module(void)
{
	const char *why;

	if (!have_module)
		return;
	why = misplaced();
	if (why == NULL)
		why = check_content();
	if (why == NULL)
		return;
	log_warn("entry: module at %#lx-%#lx ignored, there is no initrd: %s", module_start,
		 module_end, why);
	info.quirks |= BOOT_QUIRK_MODULE;
}

/* --- trace ----------------------------------------------------------------------------------- */

static struct boot_trace_entry *
trace_add(const char *name)
{
	struct boot_trace_entry *e = &trace[info.trace_count++];

	(void)strlcpy(e->name, name, sizeof(e->name));
	e->a20 = 1; /* all the protocols have it on, and the kernel was read above 1 MiB */
	e->valid = BOOT_TRACE_TSC | BOOT_TRACE_CR0 | BOOT_TRACE_CR4 | BOOT_TRACE_EFER |
		   BOOT_TRACE_A20;
	return e;
}

/* All before is the other loader's, and unknown. */
static void
fill_trace(const struct entry_state *state)
{
	struct boot_trace_entry *e = trace_add("32-bit entry");

	e->tsc = state->tsc;
	e->ip = state->eip;
	e->sp = state->esp;
	e->cs = (uint16_t)state->cs;
	e->rflags = state->eflags;
	e->cr0 = state->cr0;
	e->cr4 = state->cr4;
	e->bits = 32;
	e->valid &= ~(uint32_t)BOOT_TRACE_EFER; /* not looked at there */

	e = trace_add("long mode");
	e->tsc = rdtsc();
	e->ip = (uint64_t)__builtin_return_address(0);
	e->sp = (uint64_t)__builtin_frame_address(0);
	e->cs = read_cs();
	e->rflags = read_rflags();
	e->cr0 = (uint32_t)read_cr0();
	e->cr3 = read_cr3();
	e->cr4 = (uint32_t)read_cr4();
	e->efer = rdmsr(MSR_EFER);
	e->bits = 64;
}

/* --- all of it ------------------------------------------------------------------------------- */

static const char *
read_foreign(const struct entry_state *state)
{
	switch (state->magic) {
	case MULTIBOOT1_MAGIC: multiboot1_read(state->info); return "the Multiboot 1 loader";
	case MULTIBOOT2_MAGIC: multiboot2_read(state->info); return "the Multiboot 2 loader";
	case PVH_MAGIC: pvh_read(state->info); return "the PVH loader";
	default:
		panic("entered at the 32-bit entry by an unknown protocol: EAX = %#x, EBX = %#x",
		      state->magic, state->info);
	}
}

static void
fill_known(void)
{
	const uint8_t *mode = (const uint8_t *)BDA_MODE;

	info.magic = BOOT_INFO_MAGIC;
	info.version = BOOT_INFO_VERSION;
	info.size = sizeof(info);
	info.kernel_start = virt_to_phys(kernel_image_start);
	info.kernel_end = virt_to_phys(kernel_image_end);
	info.tables_start = virt_to_phys(entry_tables);
	info.tables_end = virt_to_phys(entry_tables_end);
	info.raw_map = virt_to_phys(raw);
	info.map = virt_to_phys(map);
	info.trace = virt_to_phys(trace);
	if (*mode == MODE_TEXT) /* a loader that says otherwise knows better */
		info.display = BOOT_DISPLAY_TEXT;
}

paddr_t
entry_adapt(const struct entry_state *state)
{
	fill_known();
	fill_trace(state);
	clean_map(read_foreign(state));
	take_module();
	info.crc = crc32(0, &info, sizeof(info)); /* the field itself is 0 so far */
	return virt_to_phys(&info);
}
