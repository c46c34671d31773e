/*
 * cmd_memtest.c - the command memtest: takes every free frame, writes to all, reads all back.
 *
 * It shows two things: that what the allocator hands out is RAM of its own, frame by frame (no
 * address wraps around, none is handed out twice), and - since the machine is still alive
 * afterwards - that nothing in it belonged to the firmware, a device or the kernel.
 *
 * A cache line is what travels to memory and back, so one quadword of each stands for it: an eighth
 * of the time for the same lines.  The last quadword is written, too, for mistakes at the end of a
 * frame.
 */
#include <kern/clock.h>
#include <mm/pmm.h>
#include <mm/shrink.h>
#include "cmds.h"

#define LINE	   (64 / sizeof(uint64_t)) /* quadwords */
#define QUADS	   (PAGE_SIZE / sizeof(uint64_t))
#define LOOK_EVERY 4096 /* frames between looks for Ctrl-C */

/* Taken frames are a list: the first quadword of each is the address of the one before. */
struct taken {
	paddr_t last;
	size_t count;
	paddr_t lowest, highest;
};

/* Different for any two places: the factor is odd, so no two sums have the same product. */
static inline uint64_t
pattern(paddr_t pa, size_t quad)
{
	return (pa + quad) * 0x9e3779b97f4a7c15ULL;
}

static void
fill(paddr_t pa)
{
	uint64_t *p = phys_to_virt(pa);

	for (size_t i = LINE; i < QUADS; i += LINE)
		p[i] = pattern(pa, i);
	p[QUADS - 1] = pattern(pa, QUADS - 1);
}

/* The first quadword that is not as fill() left it, or QUADS. */
static size_t
first_difference(paddr_t pa)
{
	const uint64_t *p = phys_to_virt(pa);

	for (size_t i = LINE; i < QUADS; i += LINE)
		if (p[i] != pattern(pa, i))
			return i;
	return p[QUADS - 1] == pattern(pa, QUADS - 1) ? QUADS : QUADS - 1;
}

/* Until there is none left, or Ctrl-C. */
static void
take_all(struct taken *t)
{
	paddr_t pa;

	*t = (struct taken){.last = PADDR_NONE, .lowest = PADDR_NONE};
	while ((t->count % LOOK_EVERY != 0 || !sh_interrupted()) &&
	       (pa = pmm_alloc(PMM_TEST)) != PADDR_NONE) {
		*(paddr_t *)phys_to_virt(pa) = t->last;
		fill(pa);
		t->last = pa;
		t->count++;
		t->lowest = MIN(t->lowest, pa);
		t->highest = MAX(t->highest, pa);
	}
}

/*
 * Check each and give it back.  Returns the differing frames.  If the list itself was overwritten
 * it cannot be followed: what is left of it is lost, and said.
 */
static size_t
check_all(const struct taken *t)
{
	size_t bad = 0, left = t->count;
	paddr_t pa = t->last;

	for (; left > 0 && pmm_is_ram(pa); left--) {
		const paddr_t before = *(paddr_t *)phys_to_virt(pa);
		const size_t quad = first_difference(pa);

		if (quad != QUADS && bad++ < 10)
			sh_printf("frame %lx: at %lx is %016lx and not %016lx\n", pa,
				  pa + quad * sizeof(uint64_t),
				  ((uint64_t *)phys_to_virt(pa))[quad], pattern(pa, quad));
		pmm_free(pa);
		pa = before;
	}
	if (left > 0 || pa != PADDR_NONE)
		sh_printf("the list of frames was overwritten: %zu are lost, next would be %lx\n",
			  left, pa);
	return bad + left;
}

int
cmd_memtest(int argc, char **argv)
{
	const uint64_t start = clock_ns();
	struct pmm_stats before, after;
	struct taken t;
	size_t bad;

	if (argc > 1)
		return -EINVAL;
	(void)mm_shrink(SIZE_MAX); /* or taking all of it would bring more forth */
	pmm_stats(&before);
	take_all(&t);
	bad = check_all(&t);
	pmm_stats(&after);
	sh_printf("%s of %s free frames (%s) between %lx and %lx, each filled and read back:\n",
		  num_text(t.count).s, num_text(before.free).s,
		  size_text((uint64_t)t.count << PAGE_SHIFT).s, t.lowest, t.highest + PAGE_SIZE);
	sh_printf("%s differ, %s free again, %llu ms\n", num_text(bad).s, num_text(after.free).s,
		  (clock_ns() - start) / NS_PER_MS);
	return bad == 0 ? 0 : -EIO;
}
