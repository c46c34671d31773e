/*
 * map.c - `stress`: page tables and ranges of kernel addresses.
 *
 * Each worker has a window of addresses in the lower half, where nobody else maps anything, and
 * two frames that it shows there, hides, protects; what is seen through the window must be what
 * stands in the frame.  Ranges from vmm_alloc() are shared ground.
 */
#include "stress.h"
#include <mm/pmm.h>
#include <mm/vmm.h>

#define WINDOW_BASE  0x100000000UL
#define WINDOW_PAGES 64
#define RANGES	     2
#define RANGE_PAGES  3

struct map_state {
	paddr_t frame; /* PADDR_NONE = none yet */
	vaddr_t at;    /* where it is shown; 0 = nowhere */
	bool read_only;
	uint8_t *range[RANGES];
	size_t range_len[RANGES];
};

static struct map_state states[STRESS_WORKERS];

int
stress_map_begin(void)
{
	for (unsigned i = 0; i < STRESS_WORKERS; i++)
		states[i] = (struct map_state){.frame = PADDR_NONE};
	return 0;
}

static void
show(struct stress_worker *w, struct map_state *s)
{
	const vaddr_t va = WINDOW_BASE + w->me * GIB(1) + stress_below(w, WINDOW_PAGES) * PAGE_SIZE;
	uint64_t *frame;

	if (s->frame == PADDR_NONE)
		s->frame = pmm_alloc();
	if (s->frame == PADDR_NONE || vmm_map(va, s->frame, PAGE_SIZE, VM_WRITE) != 0) {
		w->refused++;
		return;
	}
	s->at = va;
	s->read_only = false;
	frame = phys_to_virt(s->frame);
	frame[5] = va ^ w->done[0];
	STRESS_CHECK(((volatile uint64_t *)va)[5] == frame[5],
		     "%#lx does not show frame %#lx: stale translation", va, s->frame);
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
	if (s->frame != PADDR_NONE)
		pmm_free(s->frame);
	s->frame = PADDR_NONE;
	for (unsigned i = 0; i < RANGES; i++) {
		if (s->range[i] != NULL)
			give_range(w, s, i);
	}
}
