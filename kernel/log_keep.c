/*
 * log_keep.c - where the log is kept over a reboot, and whether that place may be used.
 *
 * The place: 64 KiB that neither the firmware's warm start nor a loader has a use for.  SeaBIOS, as
 * the PMM specification asks, clears all below 640 KiB and works at the top of RAM; our loader puts
 * the kernel at 1 MiB, the initrd behind this place.  Below 4 MiB there is RAM in any machine that
 * runs this.  mm/pmm.c keeps it out of its hands.  Another loader may have put something there, and
 * then the log is not kept.
 */
#include <kern/log_keep.h>
#include <kern/boot_trace.h>
#include <boot/boot_info.h>
#include <lib/string.h>
#include <mm/pmm.h>

_Static_assert(LOG_KEEP_PHYS == BOOT_KEEP_ADDR && LOG_KEEP_SIZE == BOOT_KEEP_SIZE,
	       "what the loader leaves free");

static struct keep keep;      /* [log] */
static struct keep_past past; /* [I] */
static bool on;		      /* [log] */
static const char *problem = "the log is not kept yet";

static struct keep_area *
area(void)
{
	return phys_to_virt(LOG_KEEP_PHYS); /* it moves when vmm_init() makes the direct map */
}

static bool
overlaps(uint64_t start, uint64_t end)
{
	return start < LOG_KEEP_PHYS + LOG_KEEP_SIZE && LOG_KEEP_PHYS < end;
}

static const char *
find_problem(void)
{
	const struct boot_info *bi = boot_info();
	size_t n;
	const struct boot_mem *map = boot_map(&n);

	if (overlaps(bi->kernel_start, bi->kernel_end) ||
	    overlaps(bi->initrd_start, bi->initrd_end) ||
	    overlaps(bi->tables_start, bi->tables_end))
		return "the loader has put something into its place";
	for (size_t i = 0; i < n; i++) {
		if (map[i].type == BOOT_MEM_RAM && map[i].start <= LOG_KEEP_PHYS &&
		    map[i].start + map[i].size >= LOG_KEEP_PHYS + LOG_KEEP_SIZE)
			return NULL;
	}
	return "its place is not RAM";
}

/* What was logged before there was a place for it. */
static void
catch_up(void)
{
	struct log_record r;

	for (uint64_t seq = 0; log_read(seq, &r); seq = r.seq + 1)
		log_keep_line(r.level, r.time_ns, r.text, strlen(r.text));
}

void
log_keep_init(void)
{
	problem = find_problem();
	if (problem != NULL)
		return;
	keep_find(area(), &past);
	keep_begin(&keep, area(), &past);
	on = true;
	catch_up();
}

static void
append(unsigned kind, enum log_level level, uint64_t time_ns, const char *s, size_t n)
{
	struct keep_record r = {.time_ns = time_ns, .level = (uint8_t)level, .kind = (uint8_t)kind};

	keep_append(&keep, area(), &r, s, n);
}

void
log_keep_line(enum log_level level, uint64_t time_ns, const char *text, size_t len)
{
	if (on)
		append(KEEP_LINE, level, time_ns, text, len);
}

void
log_keep_text(const char *s, size_t n)
{
	while (on && n > 0) {
		const size_t piece = MIN(n, (size_t)KEEP_TEXT_MAX);

		append(KEEP_TEXT, LOG_ERR, 0, s, piece);
		s += piece;
		n -= piece;
	}
}

void
log_keep_stop(void)
{
	on = false;
}

int
log_keep_read(uint64_t *pos, struct keep_record *r, char *text)
{
	if (!past.found)
		return past.refused ? -EINVAL : -ENOENT;
	if (*pos == 0)
		*pos = past.header.start;
	return keep_read(&past, area(), pos, r, text);
}

uint64_t
log_keep_boot(void)
{
	return past.found ? past.header.boot : 0;
}

const char *
log_keep_problem(void)
{
	return problem;
}
