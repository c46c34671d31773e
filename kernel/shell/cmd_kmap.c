/*
 * cmd_kmap.c - the command kmap: ranges of kernel addresses that were given out, and to whom.
 */
#include <kern/ksym.h>
#include <lib/printf.h>
#include <mm/kmap.h>
#include <mm/kstack.h>
#include <mm/vmm.h>
#include "cmds.h"

#define BATCH 16 /* ranges copied at a time */

static const char *
caller_name(uint64_t caller)
{
	const char *name = ksym_lookup(caller - 1, NULL); /* the call, not what follows it */

	return name != NULL ? name : "?";
}

static void
print_range(const struct kmap_info *r)
{
	if (r->pa == PADDR_NONE)
		sh_printf("%016lx  %-9s memory             %s\n", r->start, size_text(r->len).s,
			  caller_name(r->caller));
	else
		sh_printf("%016lx  %-9s %-3s  %012lx  %s\n", r->start, size_text(r->len).s,
			  pat_name(r->type), r->pa, caller_name(r->caller));
}

static void
print_totals(void)
{
	struct kmap_stats s;

	kmap_stats(&s);
	sh_printf("%zu ranges, %s; each is followed by an unmapped page.  %zu thread stacks.\n",
		  s.ranges, size_text(s.bytes).s, kstack_count());
	sh_printf("%lu searches looked at %lu ranges; the fullest hash bucket holds %zu.\n",
		  s.searches, s.looked_at, s.longest);
}

int
cmd_kmap(int argc, char **argv)
{
	struct kmap_info batch[BATCH];
	vaddr_t from = 0;
	size_t n;

	if (argc > 1)
		return -EINVAL;
	sh_printf("START             SIZE      TYPE PHYSICAL      MADE BY\n");
	do {
		n = kmap_snapshot(from, batch, BATCH);
		for (size_t i = 0; i < n && !sh_interrupted(); i++) {
			print_range(&batch[i]);
			from = batch[i].start + 1;
		}
	} while (n == BATCH && !sh_interrupted());
	print_totals();
	return 0;
}
