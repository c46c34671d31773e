/*
 * adapter.c - collects a struct boot_info from what another loader says, piece by piece.
 *
 * The readers (multiboot1.c, multiboot2.c, pvh.c) hand over what they find.  All is copied into
 * this file's memory, which belongs to the kernel image: nothing of the loader's has to be kept but
 * the initrd, and that is reserved like our own loader's.  The addresses that a loader names are
 * physical ones, mapped 1:1 below 4 GiB.  Tested on the host; docs/entry.md.
 */
#include "adapter.h"
#include <boot/e820.h>
#include <boot/loader.h>
#include <boot/tar.h>
#include <lib/crc32.h>
#include <lib/string.h>
#include <mm/pmm.h>

#define MAPPED	  GIB(4)
#define RSDP_MAX  36  /* ACPI 2.0 and later; 20 before */
#define LOWER_MAX 640 /* KiB */

static struct boot_info info;
static struct boot_mem raw[BOOT_RAW_MAP_MAX];
static struct boot_mem map[BOOT_MAP_MAX];
static uint8_t rsdp_copy[RSDP_MAX];
static uint32_t lower_kib, upper_kib;
static uint64_t module_start, module_end;
static bool have_module;

struct boot_info *
adapter_start(uint64_t kernel_start, uint64_t kernel_end)
{
	memset(&info, 0, sizeof(info));
	info.magic = BOOT_INFO_MAGIC;
	info.version = BOOT_INFO_VERSION;
	info.size = sizeof(info);
	info.kernel_start = kernel_start;
	info.kernel_end = kernel_end;
	info.raw_map = virt_to_phys(raw);
	info.map = virt_to_phys(map);
	lower_kib = upper_kib = 0;
	have_module = false;
	return &info;
}

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
	lower_kib = MIN(lower, (uint32_t)LOWER_MAX);
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
		if (!(info.quirks & BOOT_QUIRK_MODULE)) /* said once, however many there are */
			log_warn("entry: modules from %#lx on ignored: the first one is the initrd",
				 start);
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
	info.map_count =
		(uint32_t)e820_clean(raw, info.raw_map_count, map, BOOT_MAP_MAX, &info.quirks);
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

void
adapter_finish(const char *who)
{
	clean_map(who);
	take_module();
	info.crc = 0;
	info.crc = crc32(0, &info, sizeof(info));
}
