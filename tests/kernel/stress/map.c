/*
 * map.c - `stress`: page tables and ranges of kernel addresses.
 *
 * Each worker has a window of addresses in the lower half, where nobody else maps anything, and
 * two frames that it shows there in turn, hides, protects; what is seen through the window must be
 * what stands in the frame.  The window is small: an address comes back soon, with the other
 * frame, so that a translation that the CPU kept is found out.  Ranges from vmm_alloc() are shared ground.
 */
#include "stress.h"
#include <kern/selftest.h>
#include <mm/pmm.h>
#include <mm/vmm.h>
#include <x86/trap.h>

#define WINDOW_BASE  0x100000000UL
#define WINDOW_PAGES 4
#define FRAMES	     2
#define RANGES	     2
#define RANGE_PAGES  3

struct map_state {
	paddr_t frame[FRAMES]; /* PADDR_NONE = none yet */
	unsigned current;      /* the frame that is, or will be, shown */
	vaddr_t at;	       /* where it is shown; 0 = nowhere */
	bool read_only;
	uint8_t *range[RANGES];
	size_t range_len[RANGES];
};

static struct map_state states[STRESS_WORKERS];

int
stress_map_begin(void)
{
	for (unsigned i = 0; i < STRESS_WORKERS; i++)
		states[i] = (struct map_state){.frame = {PADDR_NONE, PADDR_NONE}};
	return 0;
}

static void
show(struct stress_worker *w, struct map_state *s)
{
	const vaddr_t va = WINDOW_BASE + w->me * GIB(1) + stress_below(w, WINDOW_PAGES) * PAGE_SIZE;
	paddr_t *pa;
	uint64_t *frame;

	s->current ^= 1;
	pa = &s->frame[s->current];
	if (*pa == PADDR_NONE)
		*pa = pmm_alloc(PMM_TEST);
	if (*pa == PADDR_NONE || vmm_map(va, *pa, PAGE_SIZE, VM_WRITE) != 0) {
		w->refused++;
		return;
	}
	s->at = va;
	s->read_only = false;
	frame = phys_to_virt(*pa);
	frame[5] = va ^ w->rng;
	STRESS_CHECK(((volatile uint64_t *)va)[5] == frame[5],
		     "%#lx does not show frame %#lx: stale translation", va, *pa);
}

static void
write_byte(void *at)
{
	*(volatile uint8_t *)at = 1;
}

static void
change_rights(struct stress_worker *w, struct map_state *s)
{
	uint64_t value = w->rng;
	int result;

	if (vmm_protect(s->at, PAGE_SIZE, s->read_only ? VM_WRITE : VM_READ) != 0) {
		w->refused++;
		return;
	}
	s->read_only = !s->read_only;
	result = vmm_probe_write(s->at, &value, sizeof(value));
	STRESS_CHECK(result == (s->read_only ? -EFAULT : 0), "a write to %#lx (%s) gave %d", s->at,
		     s->read_only ? "read-only" : "writable", result);
	/* The probe walks the tables; the CPU may still know better. */
	result = selftest_catch(write_byte, (void *)s->at);
	STRESS_CHECK(result == (s->read_only ? TRAP_PF : -1),
		     "storing to %#lx (%s) gave exception %d: stale translation", s->at,
		     s->read_only ? "read-only" : "writable", result);
}

static void
hide(struct map_state *s)
{
	uint64_t value;

	vmm_unmap(s->at, PAGE_SIZE);
	STRESS_CHECK(vmm_translate(s->at, NULL) == -ENOENT, "%#lx is still mapped", s->at);
	STRESS_CHECK(vmm_probe_read(&value, s->at, sizeof(value)) == -EFAULT,
		     "%#lx can still be read", s->at);
	s->at = 0;
}

static void
window_step(struct stress_worker *w, struct map_state *s)
{
	if (s->at == 0)
		show(w, s);
	else if (stress_below(w, 3) == 0)
		change_rights(w, s);
	else
		hide(s);
}

static void
give_range(struct stress_worker *w, struct map_state *s, unsigned i)
{
	uint8_t *p = s->range[i];
	const size_t len = s->range_len[i];

	s->range[i] = NULL;
	STRESS_CHECK(p[0] == w->me + 1 && p[len - 1] == w->me + 1, "range %p was written to",
		     (void *)p);
	vmm_free(p, len);
}

static void
take_range(struct stress_worker *w, struct map_state *s, unsigned i)
{
	const size_t len = 1 + stress_below(w, RANGE_PAGES * PAGE_SIZE);
	uint8_t *p = vmm_alloc(len);

	if (p == NULL) {
		w->refused++;
		return;
	}
	STRESS_CHECK(p[0] == 0 && p[len / 2] == 0 && p[len - 1] == 0, "vmm_alloc() at %p: no zeros",
		     (void *)p);
	p[0] = p[len - 1] = (uint8_t)(w->me + 1);
	s->range[i] = p;
	s->range_len[i] = len;
}

void
stress_map_step(struct stress_worker *w)
{
	struct map_state *s = &states[w->me];
	const unsigned i = stress_below(w, RANGES);

	if (stress_below(w, 4) != 0)
		window_step(w, s);
	else if (s->range[i] != NULL)
		give_range(w, s, i);
	else
		take_range(w, s, i);
}

void
stress_map_end(struct stress_worker *w)
{
	struct map_state *s = &states[w->me];

	if (s->at != 0)
		hide(s);
	for (unsigned i = 0; i < FRAMES; i++) {
		if (s->frame[i] != PADDR_NONE)
			pmm_free(s->frame[i]);
		s->frame[i] = PADDR_NONE;
	}
	for (unsigned i = 0; i < RANGES; i++) {
		if (s->range[i] != NULL)
			give_range(w, s, i);
	}
}
