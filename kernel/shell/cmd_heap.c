/*
 * cmd_heap.c - the parts of `mem` that ask what the heap's memory is in use for.
 */
#include <lib/string.h>
#include <mm/kmalloc.h>
#include <mm/leaks.h>
#include <mm/shrink.h>
#include "cmds.h"

#define MAX_SITES   256
#define MAX_DAMAGED 8
#define CHAIN_WIDTH 57 /* columns left for the calls, and the end of the text */

static struct heap_site sites[MAX_SITES]; /* [the shell's thread] */

static void
print_sites(bool since_mark)
{
	char text[CHAIN_WIDTH];
	struct heap_usage u;

	heap_sites(sites, MAX_SITES, since_mark, &u);
	sh_printf("   COUNT       BYTES  ALLOCATED BY < CALLED BY < ...\n");
	for (size_t i = 0; i < u.nr_sites && !sh_interrupted(); i++)
		sh_printf("%8zu  %10zu  %s\n", sites[i].count, sites[i].bytes,
			  heap_trace_text(&sites[i].trace, HEAP_SITE_DEPTH, text, sizeof(text)));
	sh_printf("%8zu  %10zu  in all, by %zu call sites%s\n", u.count, u.bytes, u.nr_sites,
		  u.nr_sites == MAX_SITES ? " (there are more)" : "");
}

/* Builds that do not know the owners: how many objects there are is known anyway. */
static void
print_caches(bool since_mark)
{
	struct slab_info info;

	sh_printf("Only large blocks have their owner in this build; those of small objects\n"
		  "are kept with make DEBUG=1.  %s, by cache:\n",
		  since_mark ? "Since the mark" : "In use");
	for (size_t i = 0; slab_info(i, &info); i++) {
		const int64_t n = (int64_t)(info.in_use - (since_mark ? info.marked : 0));

		if (n != 0)
			sh_printf("%8ld  %10ld  objects of %s\n", n, n * (int64_t)info.object_size,
				  info.name);
	}
}

static int
leaks(bool since_mark)
{
	print_sites(since_mark);
	if (!SLAB_DEBUG)
		print_caches(since_mark);
	return 0;
}

static int
mark(void)
{
	size_t objects, large;

	heap_mark();
	heap_count_at_mark(&objects, &large);
	sh_printf("marked: %zu objects and %zu large blocks in use; see `mem leaks since`\n",
		  objects, large);
	return 0;
}

static int
check(void)
{
	static struct heap_damage damaged[MAX_DAMAGED];
	const size_t n = heap_check(damaged, MAX_DAMAGED);
	char text[CHAIN_WIDTH];

	if (!SLAB_DEBUG) {
		sh_printf(
			"Nothing to check: only make DEBUG=1 puts something around the objects.\n");
		return 0;
	}
	for (size_t i = 0; i < MIN(n, MAX_DAMAGED); i++) {
		const struct heap_damage *d = &damaged[i];

		sh_printf("%p, %s: %s\n", d->obj, d->cache, d->what);
		sh_printf("    allocated by %s\n",
			  heap_trace_text(&d->allocated, HEAP_SITE_DEPTH, text, sizeof(text)));
		sh_printf("    freed by     %s\n",
			  heap_trace_text(&d->freed, HEAP_SITE_DEPTH, text, sizeof(text)));
	}
	sh_printf("%zu objects damaged\n", n);
	return n == 0 ? 0 : -EIO;
}

static int
shrink(void)
{
	const size_t got = mm_shrink(SIZE_MAX);
	struct shrinker s;

	for (size_t i = 0; shrinker_info(i, &s); i++)
		sh_printf("  %-16s %6zu calls %8zu frames so far\n", s.name, s.calls, s.frames);
	sh_printf("%zu frames given back\n", got);
	return 0;
}

const char *
complete_mem(unsigned arg, unsigned i)
{
	static const char *const words[] = {"leaks", "mark", "check", "shrink"};
	static const char *const since[] = {"since"};

	if (arg == 2)
		return list_candidate(since, ARRAY_SIZE(since), i);
	return arg == 1 ? list_candidate(words, ARRAY_SIZE(words), i) : NULL;
}

int
cmd_mem_heap(int argc, char **argv)
{
	if (strcmp(argv[1], "leaks") == 0 && argc == 2)
		return leaks(false);
	if (strcmp(argv[1], "leaks") == 0 && argc == 3 && strcmp(argv[2], "since") == 0)
		return leaks(true);
	if (argc != 2)
		return -EINVAL;
	if (strcmp(argv[1], "mark") == 0)
		return mark();
	if (strcmp(argv[1], "check") == 0)
		return check();
	return strcmp(argv[1], "shrink") == 0 ? shrink() : -EINVAL;
}
