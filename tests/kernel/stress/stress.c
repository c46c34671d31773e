/*
 * stress.c - runs the workers of `stress`, and looks whether all that they took came back.
 *
 * Each worker draws kinds by weight from a generator of its own, so that its sequence of kinds depends
 * on the seed alone.  A short round before the counted one fills what grows once and stays
 * (slabs in stock, page tables of the mapping area); what is missing after the real round is a leak.
 */
#include "stress.h"
#include <kern/clock.h>
#include <kern/shell.h>
#include <lib/printf.h>
#include <lib/string.h>
#include <mm/kmalloc.h>
#include <mm/kstack.h>
#include <mm/pmm.h>

#define WARM_UP	      4000 /* operations */
#define LOOK_EVERY_MS 50
#define TABLES_MAX    64 /* frames: page tables of kernel addresses stay, once made (docs/memory.md) */
#define KILL_AFTER_MS 60000

/* clang-format off */
static const struct stress_kind kinds[] = {
	{"frames",   12, NULL,		      stress_frames_step, stress_frames_end, NULL},
	{"heap",     12, NULL,		      stress_heap_step,	  stress_heap_end,   NULL},
	{"objects",  10, stress_objects_begin, stress_objects_step, stress_objects_end, stress_objects_finish},
	{"mappings",  8, stress_map_begin,    stress_map_step,	  stress_map_end,    NULL},
	{"threads",   6, stress_threads_begin, stress_threads_step, NULL,	     stress_threads_finish},
	{"timers",   10, stress_timers_begin, stress_timers_step, stress_timers_end, NULL},
	{"locks",    12, stress_locks_begin,  stress_locks_step,  NULL,		     stress_locks_finish},
	{"waits",    10, stress_waits_begin,  stress_waits_step,  NULL,		     stress_waits_finish},
	{"work",      7, stress_work_begin,   stress_work_step,	  NULL,		     stress_work_finish},
	{"console",   6, NULL,		      stress_console_step, NULL,	     NULL},
	{"log",	      7, NULL,		      stress_log_step,	  NULL,		     NULL},
};
/* clang-format on */
_Static_assert(ARRAY_SIZE(kinds) <= STRESS_KINDS_MAX, "the report has a place for each");

static struct stress_worker workers[STRESS_WORKERS];
static volatile bool stop;   /* [a] a failure, or Ctrl-C */
static char failure[200];    /* [failed] */
static volatile bool failed; /* [a] whoever set it first writes the failure */
static int only_kind;	     /* [I] while workers run */

const char *
stress_kind_name(size_t i)
{
	return i < ARRAY_SIZE(kinds) ? kinds[i].name : NULL;
}

/* SplitMix64: the state is a counter, the mixing does the rest. */
static uint32_t
below(uint64_t *state, uint32_t n)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15ULL;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ z >> 27) * 0x94d049bb133111ebULL;
	return (uint32_t)(((z ^ z >> 31) >> 32) * n >> 32);
}

uint32_t
stress_below(struct stress_worker *w, uint32_t n)
{
	return below(&w->rng, n);
}

void
stress_fail(const char *file, int line, const char *fmt, ...)
{
	size_t n;
	va_list ap;

	if (__atomic_exchange_n(&failed, true, __ATOMIC_ACQ_REL))
		return;
	n = (size_t)snprintf(failure, sizeof(failure), "%s:%d: ", file, line);
	va_start(ap, fmt);
	(void)vsnprintf(failure + n, sizeof(failure) - n, fmt, ap);
	va_end(ap);
	stop = true;
}

/* From a generator that nothing else draws from: what others did does not change the mixture. */
static size_t
draw_kind(struct stress_worker *w)
{
	uint32_t at;

	if (only_kind >= 0)
		return (size_t)only_kind;
	at = below(&w->plan, 100);
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		if (at < kinds[i].weight)
			return i;
		at -= kinds[i].weight;
	}
	panic("the weights of stress's kinds are %u short of 100", at + 1);
}

/* Time never goes back, whatever else goes on. */
static void
check_clock(struct stress_worker *w)
{
	const uint64_t now = clock_ns();

	STRESS_CHECK(now >= w->last_ns, "the clock went back from %lu to %lu", w->last_ns, now);
	w->last_ns = now;
}

static void
work_through(void *arg)
{
	struct stress_worker *w = arg;

	for (; w->left > 0 && !stop; w->left--) {
		const size_t k = draw_kind(w);

		kinds[k].step(w);
		w->done[k]++;
		check_clock(w);
	}
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		if (kinds[i].end != NULL)
			kinds[i].end(w);
	}
}

/* --- what must be the same before and after --------------------------------------------------- */

struct balance {
	size_t objects, large_bytes, stacks;
	size_t frames; /* in use, other than by slabs, whose number may vary, and by page tables */
	size_t tables;
};

static void
weigh(struct balance *b)
{
	struct pmm_stats pmm;
	struct slab_info slab;
	size_t large_count, slabs = 0;

	*b = (struct balance){.stacks = kstack_count()};
	kmalloc_large_stats(&b->large_bytes, &large_count);
	for (size_t i = 0; slab_info(i, &slab); i++) {
		b->objects += slab.in_use;
		slabs += slab.pages;
	}
	pmm_stats(&pmm);
	b->tables = pmm_owner_count(PMM_PAGE_TABLE);
	b->frames = pmm.total - pmm.free - slabs - b->tables;
}

static void
compare(const struct balance *before)
{
	struct balance after;

	weigh(&after);
	STRESS_CHECK(after.objects == before->objects, "heap objects: %zu before, %zu after",
		     before->objects, after.objects);
	STRESS_CHECK(after.large_bytes == before->large_bytes,
		     "large blocks: %zu bytes before, %zu after", before->large_bytes,
		     after.large_bytes);
	STRESS_CHECK(after.stacks == before->stacks, "thread stacks: %zu before, %zu after",
		     before->stacks, after.stacks);
	STRESS_CHECK(after.frames == before->frames, "frames: %zu before, %zu after",
		     before->frames, after.frames);
	STRESS_CHECK(after.tables <= before->tables + TABLES_MAX,
		     "page tables: %zu before, %zu after", before->tables, after.tables);
}

/* --- rounds ------------------------------------------------------------------------------------ */

/* *@begun: how many kinds have something to finish. */
static int
begin_all(size_t *begun)
{
	for (*begun = 0; *begun < ARRAY_SIZE(kinds); (*begun)++) {
		const struct stress_kind *k = &kinds[*begun];
		const int result = k->begin != NULL ? k->begin() : 0;

		if (result != 0)
			return result;
	}
	return 0;
}

static int
start_workers(uint64_t n, uint64_t seed)
{
	for (unsigned i = 0; i < STRESS_WORKERS; i++) {
		struct stress_worker *w = &workers[i];

		*w = (struct stress_worker){.me = i, .plan = seed + i * 0x632be59bd9b4e019ULL};
		w->rng = ~w->plan;
		w->left = n / STRESS_WORKERS + (i < n % STRESS_WORKERS);
		w->thread = thread_create("stress", work_through, w);
		if (w->thread == NULL)
			return -ENOMEM;
	}
	return 0;
}

/* A worker that still runs long after all were told to stop hangs; it is shown, and given up. */
static void
join_worker(struct stress_worker *w)
{
	uint64_t patience = KILL_AFTER_MS / LOOK_EVERY_MS;

	if (w->thread == NULL)
		return;
	while (thread_join_timeout(w->thread, LOOK_EVERY_MS) == -ETIMEDOUT) {
		if (sh_interrupted())
			stop = true;
		if (!stop || --patience > 0)
			continue;
		stress_fail(__FILE__, __LINE__, "thread %u hangs", w->thread->id);
		(void)thread_backtrace(w->thread->id);
		return;
	}
}

static int
round_of(uint64_t n, uint64_t seed)
{
	size_t begun;
	int result;

	memset(workers, 0, sizeof(workers));
	result = begin_all(&begun);
	if (result == 0)
		result = start_workers(n, seed);
	if (result != 0)
		stop = true;
	for (unsigned i = 0; i < STRESS_WORKERS; i++)
		join_worker(&workers[i]);
	for (size_t i = 0; i < begun; i++) {
		if (kinds[i].finish != NULL)
			kinds[i].finish();
	}
	return result;
}

static void
fill_report(struct stress_report *r, uint64_t start_ns)
{
	for (unsigned i = 0; i < STRESS_WORKERS; i++) {
		r->refused += workers[i].refused;
		for (size_t k = 0; k < ARRAY_SIZE(kinds); k++) {
			r->by_kind[k] += workers[i].done[k];
			r->done += workers[i].done[k];
		}
	}
	r->ns = clock_ns() - start_ns;
	r->interrupted = sh_interrupted();
	(void)strlcpy(r->failure, failed ? failure : "", sizeof(r->failure));
}

int
stress_run(uint64_t n, uint64_t seed, int only, struct stress_report *report)
{
	const uint64_t start = clock_ns();
	struct balance before;
	int result;

	*report = (struct stress_report){0};
	only_kind = only;
	stop = failed = false;
	result = round_of(WARM_UP, ~seed);
	if (result == 0 && !stop) {
		weigh(&before);
		result = round_of(n, seed);
		compare(&before);
	}
	fill_report(report, start);
	return failed ? -EIO : result;
}
