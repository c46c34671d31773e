/*
 * boot_trace.c - keeps what the loader left, and goes on with the boot trace.
 *
 * The loader's records lie in low memory that is given back later, so everything is copied here
 * first.  The kernel then appends a record per init row: one list from the boot sector to the
 * prompt.
 */
#include <kern/boot_trace.h>
#include <lib/crc32.h>
#include <lib/string.h>
#include <x86/cpu.h>

#define TRACE_MAX (BOOT_TRACE_MAX + 40)

static struct boot_info info;			  /* [I] */
static struct boot_mem raw_map[BOOT_RAW_MAP_MAX]; /* [I] */
static struct boot_mem clean_map[BOOT_MAP_MAX];	  /* [I] */
static struct boot_trace_entry trace[TRACE_MAX];  /* filled while the system starts */
static size_t nr_trace;

static uint32_t
info_crc(const struct boot_info *bi)
{
	static const uint32_t zero;
	uint32_t crc = crc32(0, bi, offsetof(struct boot_info, crc));
	const size_t after = offsetof(struct boot_info, crc) + sizeof(bi->crc);

	crc = crc32(crc, &zero, sizeof(zero));
	return crc32(crc, (const char *)bi + after, sizeof(*bi) - after);
}

int
boot_info_init(paddr_t where)
{
	/* The loader's identity map is still there, up to 4 GiB; no gate would catch a fault yet. */
	const struct boot_info *bi = (const struct boot_info *)where;

	if (where >= GIB(4) - sizeof(*bi))
		return -EINVAL;
	if (bi->magic != BOOT_INFO_MAGIC || bi->version != BOOT_INFO_VERSION ||
	    bi->size != sizeof(*bi) || bi->crc != info_crc(bi))
		return -EINVAL;
	if (bi->raw_map_count > BOOT_RAW_MAP_MAX || bi->map_count > BOOT_MAP_MAX ||
	    bi->trace_count > BOOT_TRACE_MAX)
		return -EINVAL;
	info = *bi;
	info.cmdline[sizeof(info.cmdline) - 1] = '\0';
	memcpy(raw_map, (const void *)bi->raw_map, bi->raw_map_count * sizeof(raw_map[0]));
	memcpy(clean_map, (const void *)bi->map, bi->map_count * sizeof(clean_map[0]));
	memcpy(trace, (const void *)bi->trace, bi->trace_count * sizeof(trace[0]));
	nr_trace = bi->trace_count;
	return 0;
}

const struct boot_info *
boot_info(void)
{
	return &info;
}

const struct boot_mem *
boot_raw_map(size_t *count)
{
	*count = info.raw_map_count;
	return raw_map;
}

const struct boot_mem *
boot_map(size_t *count)
{
	*count = info.map_count;
	return clean_map;
}

void
boot_trace_add(const char *name, int result)
{
	const uint64_t rflags = read_rflags();
	const uint64_t flags = irq_save(); /* no other thread may take the same entry */
	struct boot_trace_entry *e;

	if (nr_trace == TRACE_MAX) {
		irq_restore(flags);
		return;
	}
	e = &trace[nr_trace];
	strlcpy(e->name, name, sizeof(e->name));
	e->tsc = rdtsc();
	e->disk_tsc = nr_trace > 0 ? trace[nr_trace - 1].disk_tsc : 0;
	e->ip = (uint64_t)__builtin_return_address(0);
	e->sp = (uint64_t)__builtin_frame_address(0);
	e->cr0 = (uint32_t)read_cr0();
	e->cr3 = read_cr3();
	e->cr4 = (uint32_t)read_cr4();
	e->efer = rdmsr(MSR_EFER);
	e->rflags = rflags;
	e->cs = read_cs();
	e->a20 = 1; /* long mode runs above 1 MiB: it is on */
	e->bits = 64;
	e->valid = BOOT_TRACE_TSC | BOOT_TRACE_CR0 | BOOT_TRACE_CR4 | BOOT_TRACE_EFER |
		   BOOT_TRACE_A20 | BOOT_TRACE_RESULT;
	e->result = result;
	nr_trace++;
	irq_restore(flags);
}

const struct boot_trace_entry *
boot_trace(size_t *count)
{
	*count = nr_trace;
	return trace;
}
