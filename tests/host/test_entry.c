/*
 * test_entry.c - what other loaders tell, sound and absurd, becomes a boot info or a message.
 *
 * Loaders name physical addresses, and the readers use them as they are: so the test has memory at
 * such addresses, LOW and up, and puts the loader's structures there.
 *
 * SOURCES: kernel/entry/adapter.c kernel/entry/multiboot1.c kernel/entry/multiboot2.c
 * SOURCES: kernel/entry/pvh.c boot/stage2/e820.c boot/stage2/tar.c kernel/lib/crc32.c
 * SOURCES: kernel/lib/string.c kernel/lib/printf.c
 * CFLAGS: -Ikernel/entry
 */
#include "host.h"
#include <sys/mman.h>
#define klog shim_klog /* this test wants to read the log */
#include "mm_shim.h"
#undef klog
#include <boot/loader.h>
#include <lib/crc32.h>
#include <mm/pmm.h>
#include "adapter.h"

#define LOW	     0x10000000ULL
#define LOW_SIZE     0x00400000ULL
#define KERNEL_START (LOW + MIB(1))
#define KERNEL_END   (LOW + MIB(2))
#define INFO_AT	     (LOW + 0x1000)
#define MAP_AT	     (LOW + 0x2000)
#define TEXT_AT	     (LOW + 0x3000)
#define LIST_AT	     (LOW + 0x4000)
#define MODULE_AT    (LOW + MIB(3))

static struct boot_info *info;
static char log_text[4096];

void
klog(enum log_level level, const char *fmt, ...)
{
	const size_t n = strlen(log_text);
	va_list ap;

	(void)level;
	va_start(ap, fmt);
	(void)vsnprintf(log_text + n, sizeof(log_text) - n, fmt, ap);
	va_end(ap);
}

/* The real one is for the kernel's addresses. */
paddr_t
virt_to_phys(const void *va)
{
	return (paddr_t)va;
}

static void *
at(uint64_t pa)
{
	return (void *)pa;
}

static int
begin(void **state)
{
	(void)state;
	memset(at(LOW), 0, LOW_SIZE);
	log_text[0] = '\0';
	info = adapter_start(KERNEL_START, KERNEL_END);
	return 0;
}

static void
expect_log(const char *words)
{
	if (strstr(log_text, words) == NULL)
		fail_msg("the log lacks \"%s\": %s", words, log_text);
}

static void
expect_quiet(void)
{
	assert_string_equal(log_text, "");
	assert_int_equal(info->quirks & ~(uint32_t)BOOT_QUIRK_UNVERIFIED, 0);
}

/* Our own check of what came out. */
static void
expect_sound(void)
{
	struct boot_info copy = *info;

	assert_int_equal(info->magic, BOOT_INFO_MAGIC);
	assert_int_equal(info->version, BOOT_INFO_VERSION);
	copy.crc = 0;
	assert_int_equal(info->crc, crc32(0, &copy, sizeof(copy)));
	assert_true(info->map_count > 0);
}

/* A file of @size bytes with the trailer that our image builder appends. */
static void
put_module(uint64_t pa, uint32_t size)
{
	struct file_trailer t = {FILE_TRAILER_MAGIC, size, 0};

	memset(at(pa), 'x', size);
	t.crc = crc32(0, at(pa), size);
	memcpy(at(pa + size), &t, sizeof(t));
}

/* --- Multiboot 1 --- */

static struct multiboot1_info *
mb1(uint32_t flags)
{
	struct multiboot1_info *mb = at(INFO_AT);

	mb->flags = flags;
	return mb;
}

static void
mb1_map(void)
{
	struct multiboot1_info *mb = mb1(((struct multiboot1_info *)at(INFO_AT))->flags | MB1_MAP);
	struct multiboot1_map_entry *e = at(MAP_AT);

	e[0] = (struct multiboot1_map_entry){20, 0, 0x9fc00, BOOT_MEM_RAM};
	e[1] = (struct multiboot1_map_entry){20, LOW, LOW_SIZE, BOOT_MEM_RAM};
	e[2] = (struct multiboot1_map_entry){20, GIB(4), GIB(60), BOOT_MEM_RAM};
	mb->mmap_addr = MAP_AT;
	mb->mmap_length = 3 * sizeof(*e);
}

static void
mb1_module(uint32_t start, uint32_t end)
{
	struct multiboot1_info *mb = at(INFO_AT);
	struct multiboot1_module *m = at(LIST_AT);

	mb->flags |= MB1_MODULES;
	m[mb->mods_count++] = (struct multiboot1_module){start, end, 0, 0};
	mb->mods_addr = LIST_AT;
}

static void
mb1_finish(void)
{
	multiboot1_read(INFO_AT);
	adapter_finish("the test");
	expect_sound();
}

static void
mb1_everything(void **state)
{
	struct multiboot1_info *mb = mb1(MB1_CMDLINE | MB1_LOADER_NAME | MB1_FRAMEBUFFER);

	(void)state;
	strcpy(at(TEXT_AT), "console=both quiet");
	strcpy(at(TEXT_AT + 0x100), "GRUB 9.99");
	mb->cmdline = TEXT_AT;
	mb->loader_name = TEXT_AT + 0x100;
	mb->fb_addr = 0xfd000000;
	mb->fb_width = 1024;
	mb->fb_height = 768;
	mb->fb_pitch = 4096;
	mb->fb_bpp = 32;
	mb->fb_type = MB_FB_RGB;
	mb1_map();
	put_module(MODULE_AT, 5000);
	mb1_module(MODULE_AT, MODULE_AT + 5000 + sizeof(struct file_trailer));
	mb1_finish();
	expect_quiet();
	assert_int_equal(info->source, BOOT_SOURCE_MULTIBOOT);
	assert_string_equal(info->loader, "GRUB 9.99");
	assert_string_equal(info->cmdline, "console=both quiet");
	assert_int_equal(info->map_count, 3);
	assert_int_equal(info->initrd_start, MODULE_AT);
	assert_int_equal(info->initrd_end, MODULE_AT + 5000);
	assert_int_equal(info->display, BOOT_DISPLAY_FRAMEBUFFER);
	assert_int_equal(info->framebuffer.width, 1024);
}

static void
mb1_qemus_file_name(void **state)
{
	struct multiboot1_info *mb = mb1(MB1_CMDLINE | MB1_LOADER_NAME);

	(void)state;
	strcpy(at(TEXT_AT + 0x100), "qemu");
	strcpy(at(TEXT_AT), "build/minos.elf quiet");
	mb->cmdline = TEXT_AT;
	mb->loader_name = TEXT_AT + 0x100;
	mb1_map();
	mb1_finish();
	assert_string_equal(info->cmdline, "quiet");
	begin(NULL);
	mb = mb1(MB1_CMDLINE | MB1_LOADER_NAME);
	strcpy(at(TEXT_AT + 0x100), "qemu");
	strcpy(at(TEXT_AT), "build/minos.elf");
	mb->cmdline = TEXT_AT;
	mb->loader_name = TEXT_AT + 0x100;
	mb1_map();
	mb1_finish();
	assert_string_equal(info->cmdline, "");
	expect_quiet();
}

static void
mb1_sizes_alone(void **state)
{
	struct multiboot1_info *mb = mb1(MB1_MEMORY);

	(void)state;
	mb->mem_lower = 639;
	mb->mem_upper = 64 << 10;
	mb1_finish();
	expect_log("no memory map");
	assert_int_equal(info->quirks, BOOT_QUIRK_MAP_SIZES);
	assert_int_equal(info->map_count, 2);
}

static void
nothing_of_memory(void **state)
{
	(void)state;
	mb1(0);
	multiboot1_read(INFO_AT);
	EXPECT_PANIC(adapter_finish("the test"), "the test tells nothing of the machine's memory");
}

/* Addresses that lead nowhere: a message, and what can be had is had. */
static void
mb1_absurd_pointers(void **state)
{
	struct multiboot1_info *mb = mb1(MB1_CMDLINE | MB1_MODULES | MB1_MEMORY | MB1_MAP);

	(void)state;
	mb->mem_lower = 639;
	mb->mem_upper = 64 << 10;
	mb->cmdline = 0xfffffff0;
	mb->mods_addr = 0xffffff00;
	mb->mods_count = 0xffffffff;
	mb->mmap_addr = 0xfffff000;
	mb->mmap_length = 0xffffffff;
	mb1_finish();
	expect_log("command line at");
	expect_log("modules at");
	expect_log("memory map at");
	assert_int_equal(info->initrd_end, 0);
	assert_true(info->quirks & BOOT_QUIRK_CMDLINE);
	begin(NULL);
	multiboot1_read(0xffffffffULL);
	expect_log("cannot be read");
}

static void
mb1_map_entry_sizes(void **state)
{
	struct multiboot1_map_entry *e = at(MAP_AT);

	(void)state;
	mb1(0);
	mb1_map();
	e[1].size = 0; /* would never end */
	mb1_finish();
	expect_log("ends early");
	assert_int_equal(info->raw_map_count, 1);
	begin(NULL);
	mb1(0);
	mb1_map();
	e[1].size = 0xfffffffc; /* past the end, and past 32 bits */
	mb1_finish();
	expect_log("ends early");
}

static void
too_many_map_entries(void **state)
{
	struct multiboot1_info *mb = mb1(MB1_MAP);
	struct multiboot1_map_entry *e = at(LOW + MIB(2));

	(void)state;
	for (unsigned i = 0; i < 1000; i++)
		e[i] = (struct multiboot1_map_entry){20, MIB(i + 1), MIB(1) / 2, BOOT_MEM_RAM};
	mb->mmap_addr = LOW + MIB(2);
	mb->mmap_length = 1000 * sizeof(*e);
	mb1_finish();
	assert_int_equal(info->raw_map_count, BOOT_RAW_MAP_MAX);
	assert_true(info->quirks & BOOT_QUIRK_MAP_CUT);
}

static void
overlapping_map(void **state)
{
	struct multiboot1_map_entry *e = at(MAP_AT);
	const struct boot_mem *map;

	(void)state;
	mb1(0);
	mb1_map();
	e[0] = (struct multiboot1_map_entry){20, LOW + MIB(2), MIB(1), BOOT_MEM_RESERVED};
	mb1_finish();
	assert_true(info->quirks & BOOT_QUIRK_MAP_OVERLAP);
	map = at(info->map);
	assert_int_equal(map[1].type, BOOT_MEM_RESERVED);
	assert_int_equal(map[1].start, LOW + MIB(2));
}

static void
long_command_line(void **state)
{
	struct multiboot1_info *mb = mb1(MB1_CMDLINE);

	(void)state;
	memset(at(TEXT_AT), 'a', 0x1000);
	mb->cmdline = TEXT_AT;
	mb1_map();
	mb1_finish();
	expect_log("longer than 511 bytes");
	assert_int_equal(strlen(info->cmdline), BOOT_CMDLINE_MAX - 1);
	assert_int_equal(info->quirks, BOOT_QUIRK_CMDLINE);
}

/* --- modules --- */

static void
refused(uint64_t start, uint64_t end, const char *why)
{
	begin(NULL);
	adapter_memory(LOW, LOW_SIZE, BOOT_MEM_RAM);
	adapter_module(start, end);
	adapter_finish("the test");
	expect_sound();
	expect_log(why);
	assert_int_equal(info->quirks, BOOT_QUIRK_MODULE);
	assert_int_equal(info->initrd_start, 0);
	assert_int_equal(info->initrd_end, 0);
}

static void
misplaced_modules(void **state)
{
	(void)state;
	refused(MODULE_AT, MODULE_AT, "empty");
	refused(MODULE_AT, MODULE_AT - 1, "empty");
	refused(0, 4096, "between 0 and 4 GiB");
	refused(GIB(5), GIB(5) + 4096, "between 0 and 4 GiB");
	refused(GIB(4) - 4096, GIB(4) + 1, "between 0 and 4 GiB");
	refused(KERNEL_START - 4096, KERNEL_START + 1, "overlaps the kernel");
	refused(KERNEL_END - 1, KERNEL_END + 4096, "overlaps the kernel");
	refused(LOW + LOW_SIZE - 4096, LOW + LOW_SIZE + 1, "not lie in RAM");
	refused(MIB(64), MIB(65), "not lie in RAM");
}

static void
damaged_module(void **state)
{
	(void)state;
	begin(NULL);
	put_module(MODULE_AT, 5000);
	*(char *)at(MODULE_AT + 77) ^= 4;
	adapter_memory(LOW, LOW_SIZE, BOOT_MEM_RAM);
	adapter_module(MODULE_AT, MODULE_AT + 5000 + sizeof(struct file_trailer));
	adapter_finish("the test");
	expect_log("checksum is wrong");
	assert_int_equal(info->initrd_end, 0);
	begin(NULL);
	memset(at(MODULE_AT), 'x', 4096); /* neither a trailer nor tar */
	adapter_memory(LOW, LOW_SIZE, BOOT_MEM_RAM);
	adapter_module(MODULE_AT, MODULE_AT + 4096);
	adapter_finish("the test");
	expect_log("no ustar header");
	assert_int_equal(info->initrd_end, 0);
}

static void
second_module(void **state)
{
	(void)state;
	begin(NULL);
	put_module(MODULE_AT, 5000);
	adapter_memory(LOW, LOW_SIZE, BOOT_MEM_RAM);
	adapter_module(MODULE_AT, MODULE_AT + 5000 + sizeof(struct file_trailer));
	adapter_module(MODULE_AT + 8192, MODULE_AT + 9000);
	adapter_finish("the test");
	expect_log("the first one is the initrd");
	assert_int_equal(info->initrd_end, MODULE_AT + 5000);
}

/* --- Multiboot 2 --- */

static uint64_t next_tag;

static void *
tag(uint32_t type, uint32_t size)
{
	struct multiboot2_tag *t = at(next_tag);

	*t = (struct multiboot2_tag){type, size};
	next_tag += ALIGN_UP(size, 8);
	((struct multiboot2_info *)at(INFO_AT))->total_size = (uint32_t)(next_tag - INFO_AT);
	return t;
}

static void
mb2_start(void)
{
	struct multiboot2_map *map;
	struct multiboot2_map_entry *e;

	next_tag = INFO_AT + sizeof(struct multiboot2_info);
	map = tag(MB2_MAP, sizeof(*map) + 2 * sizeof(*e));
	map->entry_size = sizeof(*e);
	e = (struct multiboot2_map_entry *)(map + 1);
	e[0] = (struct multiboot2_map_entry){LOW, LOW_SIZE, BOOT_MEM_RAM, 0};
	e[1] = (struct multiboot2_map_entry){GIB(4), GIB(2), BOOT_MEM_RAM, 0};
}

static void
mb2_finish(void)
{
	multiboot2_read(INFO_AT);
	adapter_finish("the test");
	expect_sound();
}

static void
mb2_everything(void **state)
{
	struct multiboot2_module *m;

	(void)state;
	mb2_start();
	strcpy((char *)tag(MB2_CMDLINE, 8 + 6) + 8, "quiet");
	strcpy((char *)tag(MB2_LOADER_NAME, 8 + 5) + 8, "GRUB");
	memcpy((char *)tag(MB2_RSDP_OLD, 8 + 20) + 8, "RSD PTR ", 8);
	tag(99, 12); /* unknown: skipped */
	m = tag(MB2_MODULE, sizeof(*m) + 1);
	m->start = MODULE_AT;
	m->end = MODULE_AT + 5000 + sizeof(struct file_trailer);
	put_module(MODULE_AT, 5000);
	tag(MB2_END, 8);
	strcpy((char *)tag(MB2_CMDLINE, 8 + 5) + 8, "late"); /* behind the end */
	mb2_finish();
	expect_quiet();
	assert_int_equal(info->source, BOOT_SOURCE_MULTIBOOT2);
	assert_string_equal(info->loader, "GRUB");
	assert_string_equal(info->cmdline, "quiet");
	assert_int_equal(info->map_count, 2);
	assert_int_equal(info->initrd_end, MODULE_AT + 5000);
	assert_memory_equal(at(info->rsdp), "RSD PTR ", 8);
}

static void
mb2_bad_tags(void **state)
{
	struct multiboot2_info *mb = at(INFO_AT);

	(void)state;
	mb2_start();
	((struct multiboot2_tag *)tag(MB2_CMDLINE, 16))->size = 0; /* would never end */
	mb2_finish();
	expect_log("says 0 bytes");
	begin(NULL);
	mb2_start();
	((struct multiboot2_tag *)tag(MB2_CMDLINE, 16))->size = 0xffffffff;
	mb2_finish();
	expect_log("says 4294967295 bytes");
	begin(NULL);
	mb2_start();
	tag(MB2_MODULE, 8);
	mb2_finish();
	expect_log("too short");
	begin(NULL);
	mb2_start();
	((struct multiboot2_map *)at(INFO_AT + 8))->entry_size = 0; /* would never end */
	((struct multiboot2_memory *)tag(MB2_MEMORY, sizeof(struct multiboot2_memory)))->upper =
		4096;
	mb2_finish();
	expect_log("entries of 0 bytes");
	begin(NULL);
	mb->total_size = 0xffffffff;
	multiboot2_read(INFO_AT);
	expect_log("cannot be read");
}

/* --- PVH --- */

static struct pvh_start_info *
pvh_start(void)
{
	struct pvh_start_info *pvh = at(INFO_AT);
	struct pvh_map_entry *e = at(MAP_AT);

	e[0] = (struct pvh_map_entry){LOW, LOW_SIZE, BOOT_MEM_RAM, 0};
	*pvh = (struct pvh_start_info){
		.magic = PVH_MAGIC, .version = 1, .map = MAP_AT, .map_entries = 1, .rsdp = 0xf59e0};
	return pvh;
}

static void
pvh_everything(void **state)
{
	struct pvh_start_info *pvh = pvh_start();
	struct pvh_module *m = at(LIST_AT);

	(void)state;
	put_module(MODULE_AT, 5000);
	*m = (struct pvh_module){MODULE_AT, 5000 + sizeof(struct file_trailer), 0, 0};
	pvh->modules = LIST_AT;
	pvh->nr_modules = 1;
	strcpy(at(TEXT_AT), "quiet");
	pvh->cmdline = TEXT_AT;
	pvh_read(INFO_AT);
	adapter_finish("the test");
	expect_sound();
	expect_quiet();
	assert_int_equal(info->source, BOOT_SOURCE_PVH);
	assert_string_equal(info->cmdline, "quiet");
	assert_int_equal(info->initrd_end, MODULE_AT + 5000);
	assert_int_equal(info->rsdp, 0xf59e0);
}

static void
pvh_absurd(void **state)
{
	struct pvh_start_info *pvh = pvh_start();

	(void)state;
	pvh->cmdline = GIB(7);
	pvh->modules = UINT64_MAX - 7;
	pvh->nr_modules = UINT32_MAX;
	pvh_read(INFO_AT);
	adapter_finish("the test");
	expect_log("command line at");
	expect_log("modules at");
	begin(NULL);
	pvh_start()->version = 0; /* has no memory map */
	pvh_read(INFO_AT);
	EXPECT_PANIC(adapter_finish("the test"), "tells nothing");
	begin(NULL);
	pvh_start()->magic = 1;
	pvh_read(INFO_AT);
	expect_log("cannot be read");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(mb1_everything, begin),
		cmocka_unit_test_setup(mb1_qemus_file_name, begin),
		cmocka_unit_test_setup(mb1_sizes_alone, begin),
		cmocka_unit_test_setup(nothing_of_memory, begin),
		cmocka_unit_test_setup(mb1_absurd_pointers, begin),
		cmocka_unit_test_setup(mb1_map_entry_sizes, begin),
		cmocka_unit_test_setup(too_many_map_entries, begin),
		cmocka_unit_test_setup(overlapping_map, begin),
		cmocka_unit_test_setup(long_command_line, begin),
		cmocka_unit_test(misplaced_modules),
		cmocka_unit_test(damaged_module),
		cmocka_unit_test(second_module),
		cmocka_unit_test_setup(mb2_everything, begin),
		cmocka_unit_test_setup(mb2_bad_tags, begin),
		cmocka_unit_test_setup(pvh_everything, begin),
		cmocka_unit_test_setup(pvh_absurd, begin),
	};
	void *low = mmap(at(LOW), LOW_SIZE, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);

	if (low != at(LOW)) {
		fprintf(stderr, "no memory at %#llx\n", (unsigned long long)LOW);
		return 1;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
