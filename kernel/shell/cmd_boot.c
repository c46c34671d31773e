/*
 * cmd_boot.c - commands about how the machine came up: dmesg, boot, e820.
 */
#include <kern/boot_trace.h>
#include <kern/clock.h>
#include <kern/log.h>
#include <kern/log_keep.h>
#include <lib/printf.h>
#include <lib/string.h>
#include "cmds.h"

/* --- dmesg --------------------------------------------------------------------------------------- */

static const char *const options[] = {"-n", "-p"};
static const char *const level_names[] = {"err", "warn", "notice", "info", "debug"};

const char *
complete_dmesg(unsigned arg, unsigned i)
{
	if (arg == 1 && i >= ARRAY_SIZE(level_names))
		return list_candidate(options, ARRAY_SIZE(options),
				      i - (unsigned)ARRAY_SIZE(level_names));
	return arg <= 2 ? list_candidate(level_names, ARRAY_SIZE(level_names), i) : NULL;
}

static bool
parse_level(const char *s, enum log_level *out)
{
	for (unsigned i = 0; i < ARRAY_SIZE(level_names); i++) {
		if (strcmp(s, level_names[i]) == 0 || (s[0] == (char)('0' + i) && s[1] == '\0')) {
			*out = (enum log_level)i;
			return true;
		}
	}
	sh_printf("'%s' is no level: err, warn, notice, info or debug\n", s);
	return false;
}

static void
print_log(enum log_level up_to)
{
	static struct log_record r; /* the shell thread's: large for a stack */
	bool any = false;

	for (uint64_t seq = 0; !sh_interrupted() && log_read(seq, &r); seq = r.seq + 1) {
		if (seq == 0 && r.seq > 0)
			sh_printf("(the first %lu lines are no longer in the log)\n", r.seq);
		if (r.level > up_to)
			continue;
		sh_printf("%s[%5lu.%06lu] %s%s\n",
			  r.level == LOG_ERR	? "\033[31m"
			  : r.level == LOG_WARN ? "\033[33m"
						: "",
			  r.time_ns / 1000000000, r.time_ns / 1000 % 1000000, r.text,
			  r.level <= LOG_WARN ? sh_normal() : "");
		any = true;
	}
	if (!any)
		sh_printf("no line of level %s or graver\n", level_names[up_to]);
}

/* Why there is no log of the boot before, or how it ends.  0, or -EIO. */
static int
past_log_end(int result)
{
	if (result == 0)
		return 0;
	if (log_keep_problem() != NULL)
		sh_printf("none: %s\n", log_keep_problem());
	else if (result == -ENOENT)
		sh_printf("none: memory holds no log of an earlier boot\n");
	else if (result == -EINVAL)
		sh_printf("refused: there is one, but its checksum is wrong\n");
	else
		sh_printf("\n(the rest is damaged)\n");
	return result == -EIO ? 0 : -EIO;
}

static int
print_past_log(void)
{
	static char text[KEEP_TEXT_MAX + 1];
	struct keep_record r;
	uint64_t pos = 0;
	int result = -ENOENT;

	if (log_keep_boot() != 0)
		sh_printf("The log of boot %lu, the one before this:\n", log_keep_boot());
	while (!sh_interrupted() && (result = log_keep_read(&pos, &r, text)) > 0) {
		char stamp[24] = "";

		text[r.len] = '\0';
		if (r.kind == KEEP_LINE)
			(void)log_stamp(stamp, sizeof(stamp), r.time_ns);
		sh_printf("%s%s%s", stamp, text, r.kind == KEEP_LINE ? "\n" : "");
	}
	return past_log_end(MIN(result, 0));
}

int
cmd_dmesg(int argc, char **argv)
{
	enum log_level level = LOG_DEBUG;

	if (argc == 3 && strcmp(argv[1], "-n") == 0) {
		if (!parse_level(argv[2], &level))
			return -EINVAL;
		log_set_console_level(level);
		return 0;
	}
	if (argc == 2 && strcmp(argv[1], "-p") == 0)
		return print_past_log();
	if (argc > 2)
		return -EINVAL;
	if (argc == 2 && !parse_level(argv[1], &level))
		return -EINVAL;
	print_log(level);
	return 0;
}

/* --- boot: what the loader said ------------------------------------------------------------------ */

static const char *
choose(const char *const *names, size_t n, uint32_t i)
{
	return i < n ? names[i] : "unknown";
}

static void
print_range(const char *what, uint64_t start, uint64_t end, uint32_t crc)
{
	if (end == 0) {
		sh_printf("%-9s none\n", what);
		return;
	}
	sh_printf("%-9s %08lx-%08lx  %s", what, start, end, size_text(end - start).s);
	if (crc != 0)
		sh_printf(", file's CRC-32 %08x", crc);
	sh_printf("\n");
}

static void
print_quirks(uint32_t quirks)
{
	static const char *const texts[] = {
		"a read succeeded only after a reset and retry",
		"reads by cylinder, head and sector",
		"transfers had to be made smaller",
		"no E820: memory map made from int 15h E801h",
		"no E801 either: memory map made from int 15h 88h",
		"the BIOS passed a wrong drive number",
		"copy A of stage 2 was damaged, copy B is used",
		"the firmware's memory map overlapped or was unsorted",
		"the firmware's memory map had more entries than room",
		"the initrd carries no checksum",
		"MINOS.CFG has a wrong line, or is absent",
		"the loader gave no memory map, only two sizes",
		"a module of the loader's could not be used: see dmesg",
		"the command line was too long, or could not be read",
		"too little memory for the initrd: there are no programs",
	};

	if (quirks == 0)
		sh_printf("quirks    none: everything went the plain way\n");
	for (unsigned i = 0; i < 32; i++)
		if (quirks & BIT(i))
			sh_printf("quirk     %s\n", i < ARRAY_SIZE(texts)
							    ? texts[i]
							    : "of a kind unknown to this kernel");
}

/* What only our own loader knows: where it read from, and how. */
static void
print_medium(const struct boot_info *b)
{
	static const char *const media[] = {"?", "disk", "floppy", "CD"};
	static const char *const a20[] = {"on already", "BIOS call 2401h", "port 92h", "the 8042",
					  "port EEh"};

	if (b->media == 0) {
		sh_printf("medium    not known: this loader tells of no drive and no volume\n"
			  "A20       on when the kernel was entered\n");
		return;
	}
	sh_printf("medium    drive %02xh (%s), %u-byte sectors, disk id %08x\n", b->drive,
		  choose(media, ARRAY_SIZE(media), b->media), b->sector_size, b->disk_id);
	sh_printf("volume    at byte %lu of the medium\n", b->volume_offset);
	sh_printf("reads     %u BIOS calls, %u sectors (%s)\n", b->read_calls, b->read_sectors,
		  size_text((uint64_t)b->read_sectors * b->sector_size).s);
	sh_printf("A20       %s\n", choose(a20, ARRAY_SIZE(a20), b->a20_method));
}

/* "at 1234", or that nobody said so. */
static struct size_text
table_text(uint64_t address)
{
	struct size_text t = {"not told"};

	if (address != 0)
		snprintf(t.s, sizeof(t.s), "at %lx", address);
	return t;
}

static void
print_boot_info(void)
{
	static const char *const sources[] = {
		"?",
		"MinOS' own loader, from the BIOS",
		"UEFI",
		"a Multiboot 1 loader",
		"Limine",
		"a Multiboot 2 loader",
		"a PVH loader",
	};
	static const char *const displays[] = {"none", "text 80x25", "framebuffer"};
	const struct boot_info *b = boot_info();

	sh_printf("started   by %s%s%s\n", choose(sources, ARRAY_SIZE(sources), b->source),
		  b->loader[0] != '\0' ? ": " : "", b->loader);
	print_medium(b);
	print_range("kernel", b->kernel_start, b->kernel_end, b->kernel_crc);
	print_range("initrd", b->initrd_start, b->initrd_end, b->initrd_crc);
	print_range("tables", b->tables_start, b->tables_end, 0);
	sh_printf("firmware  RSDP %s, SMBIOS %s, display %s\n", table_text(b->rsdp).s,
		  table_text(b->smbios).s, choose(displays, ARRAY_SIZE(displays), b->display));
	sh_printf("cmdline   %s\n", b->cmdline);
	print_quirks(b->quirks);
}

/* --- boot: the trace ----------------------------------------------------------------------------- */

/* @ticks of the TSC as microseconds with one decimal; "-" when that is not known. */
static struct size_text
ticks_text(uint64_t ticks, bool known)
{
	const uint64_t hz = clock_tsc_hz();
	struct size_text t = {"-"};

	if (known && hz != 0) {
		const uint64_t tenths = ticks / hz * 10000000 + ticks % hz * 10000000 / hz;

		snprintf(t.s, sizeof(t.s), "%lu.%lu", tenths / 10, tenths % 10);
	}
	return t;
}

/* From @first to @last, and what was before. */
static void
print_times_summary(const struct boot_trace_entry *first, const struct boot_trace_entry *last)
{
	if (first == NULL || clock_tsc_hz() == 0)
		return;
	sh_printf("From %s to %s: %s us, of which %s us waiting for the disk.\n", first->name,
		  last->name, ticks_text(last->tsc - first->tsc, true).s,
		  ticks_text(last->disk_tsc - first->disk_tsc, true).s);
	sh_printf("Before %s, since reset: %s ticks, %s us of firmware.\n", first->name,
		  num_text(first->tsc).s, ticks_text(first->tsc, true).s);
}

/*
 * When everything happened.  Differences are to the last entry before that has a TSC; the total
 * counts from the first such entry.
 */
static void
print_times(const struct boot_trace_entry *e, size_t n)
{
	const struct boot_trace_entry *first = NULL, *before = NULL;

	sh_printf("\n #  TRANSITION         TICKS SINCE LAST           us  TOTAL us   DISK us\n");
	for (size_t i = 0; i < n && !sh_interrupted(); i++, e++) {
		const bool timed = (e->valid & BOOT_TRACE_TSC) != 0;
		const bool both = timed && before != NULL;
		const uint64_t delta = both ? e->tsc - before->tsc : 0;

		first = first == NULL && timed ? e : first;
		sh_printf("%2zu  %-18s %16s %12s %9s %9s", i, e->name,
			  both ? num_text(delta).s : "-", ticks_text(delta, both).s,
			  ticks_text(timed ? e->tsc - first->tsc : 0, timed).s,
			  ticks_text(both ? e->disk_tsc - before->disk_tsc : 0, both).s);
		if ((e->valid & BOOT_TRACE_RESULT) == 0)
			sh_printf("\n");
		else if (e->result == 0)
			sh_printf("  ok\n");
		else
			sh_printf("  error %d\n", -e->result);
		before = timed ? e : before;
	}
	print_times_summary(first, before);
}

struct hex_text {
	char s[20];
};

/* @value in @width hexadecimal digits, or "-" when @known is false. */
static struct hex_text
hex_text(uint64_t value, int width, bool known)
{
	struct hex_text t;

	if (known)
		snprintf(t.s, sizeof(t.s), "%0*lx", width, value);
	else
		snprintf(t.s, sizeof(t.s), "%*s", width, "-");
	return t;
}

/* The machine as it was at each transition. */
static void
print_states(const struct boot_trace_entry *e, size_t n)
{
	sh_printf("\n #  BITS           CS:IP            SP      CR0      CR3    CR4 EFER RFLAGS "
		  "A20\n");
	for (size_t i = 0; i < n && !sh_interrupted(); i++, e++) {
		const bool cr0 = (e->valid & BOOT_TRACE_CR0) != 0;
		const bool a20 = (e->valid & BOOT_TRACE_A20) != 0;
		char cs_ip[24], rflags[12] = "-";

		if (e->rflags != 0) /* bit 1 is always set: 0 was not read */
			snprintf(rflags, sizeof(rflags), "%lx", e->rflags);
		snprintf(cs_ip, sizeof(cs_ip), "%02x:%s", e->cs, pointer_text(e->ip).s);
		sh_printf("%2zu  %u %17s %13s %8s %8s %6s %4s %6s %s\n", i, e->bits, cs_ip,
			  pointer_text(e->sp).s, hex_text(e->cr0, 8, cr0).s,
			  hex_text(e->cr3, 8, cr0).s,
			  hex_text(e->cr4, 6, (e->valid & BOOT_TRACE_CR4) != 0).s,
			  hex_text(e->efer, 4, (e->valid & BOOT_TRACE_EFER) != 0).s, rflags,
			  !a20	   ? "-"
			  : e->a20 ? "on"
				   : "off");
	}
	sh_printf(
		"All in hexadecimal but BITS, the mode.  ~ stands for ffff, in the kernel's half;\n"
		"- was not read there.  regs cr0, regs cr4, regs efer name the bits.\n");
}

/* @value in hexadecimal, or "-" when it was not read: a tab before it. */
static void
print_field(uint64_t value, bool known)
{
	sh_printf(known ? "\t%lx" : "\t-", value);
}

/*
 * For programs, tabs between: `trace`, TSC and TSC ticks spent on the disk so far (decimal), mode
 * (bits), CS, IP, SP, CR0, CR3, CR4, EFER, RFLAGS, A20 (hexadecimal), result (decimal), name; "-"
 * stands for what was not read.
 */
static void
print_for_scripts(const struct boot_trace_entry *e, size_t n)
{
	for (size_t i = 0; i < n; i++, e++) {
		const bool cr0 = (e->valid & BOOT_TRACE_CR0) != 0;

		if (e->valid & BOOT_TRACE_TSC)
			sh_printf("trace\t%lu\t%lu\t%u", e->tsc, e->disk_tsc, e->bits);
		else
			sh_printf("trace\t-\t-\t%u", e->bits);
		print_field(e->cs, true);
		print_field(e->ip, true);
		print_field(e->sp, true);
		print_field(e->cr0, cr0);
		print_field(e->cr3, cr0);
		print_field(e->cr4, (e->valid & BOOT_TRACE_CR4) != 0);
		print_field(e->efer, (e->valid & BOOT_TRACE_EFER) != 0);
		print_field(e->rflags, e->rflags != 0);
		print_field(e->a20, (e->valid & BOOT_TRACE_A20) != 0);
		sh_printf(e->valid & BOOT_TRACE_RESULT ? "\t%d" : "\t-", e->result);
		sh_printf("\t%s\n", e->name);
	}
}

static const char *const parts[] = {"info", "times", "state", "-m"};

const char *
complete_boot(unsigned arg, unsigned i)
{
	return arg == 1 ? list_candidate(parts, ARRAY_SIZE(parts), i) : NULL;
}

int
cmd_boot(int argc, char **argv)
{
	size_t n, part = 0;
	const struct boot_trace_entry *trace = boot_trace(&n);

	if (argc > 2)
		return -EINVAL;
	if (argc == 2) {
		while (part < ARRAY_SIZE(parts) && strcmp(argv[1], parts[part]) != 0)
			part++;
		if (part == ARRAY_SIZE(parts))
			return -EINVAL;
	}
	if (argc == 1 || part == 0)
		print_boot_info();
	if (argc == 1 || part == 1)
		print_times(trace, n);
	if (argc == 1 || part == 2)
		print_states(trace, n);
	if (argc == 2 && part == 3)
		print_for_scripts(trace, n);
	return 0;
}

/* --- e820 ---------------------------------------------------------------------------------------- */

static const char *
memory_type(uint32_t type)
{
	static const char *const names[] = {"type 0",	   "RAM",      "reserved",
					    "ACPI tables", "ACPI NVS", "bad RAM"};
	static char other[20];

	if (type < ARRAY_SIZE(names))
		return names[type];
	snprintf(other, sizeof(other), "type %u", type);
	return other;
}

static void
print_map(const char *title, const struct boot_mem *map, size_t n)
{
	uint64_t ram = 0, rest = 0;

	sh_printf("%s\n      START              END (one past it)   SIZE        TYPE\n", title);
	for (size_t i = 0; i < n && !sh_interrupted(); i++) {
		const struct boot_mem *m = &map[i];

		sh_printf("  %2zu  %016lx - %016lx  %-10s  %s", i, m->start, m->start + m->size,
			  size_text(m->size).s, memory_type(m->type));
		if (m->attr != 1)
			sh_printf(" (attributes %x)", m->attr);
		sh_printf("\n");
		if (m->type == BOOT_MEM_RAM)
			ram += m->size;
		else
			rest += m->size;
	}
	sh_printf("      RAM: %s (%s bytes), everything else: %s\n", size_text(ram).s,
		  num_text(ram).s, size_text(rest).s);
}

int
cmd_e820(int argc, char **argv)
{
	const struct boot_mem *map;
	size_t n;

	if (argc > 1)
		return -EINVAL;
	map = boot_raw_map(&n);
	print_map(boot_info()->media != 0 ? "As the firmware gave it:" : "As the loader told it:",
		  map, n);
	map = boot_map(&n);
	print_map("\nSorted, without overlaps, RAM cut to whole pages:", map, n);
	return 0;
}
