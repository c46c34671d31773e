/*
 * selftest.c - runs the in-kernel tests, each in a thread of its own.
 *
 * A failed CHECK() notes what failed and ends the thread it is in, be it the test's or a helper's.
 * A test that does not end in time is a failure too: its thread is shown, told to die, and if it
 * does not, taken off the CPU for good, with whatever it held.
 */
#include <kern/selftest.h>
#include <kern/irq.h>
#include <kern/sched.h>
#include <kern/shell.h>
#include <kern/thread.h>
#include <lib/printf.h>
#include <lib/string.h>
#include <mm/vmm.h>
#include <x86/switch.h>
#include <x86/trap.h>

#define KILL_GRACE_MS 500

/* One selftest_catch() in progress. */
struct catch
{
	struct jump_buf jump;
	struct catch *outer;
	uint64_t rflags;
	unsigned preempt_count;
};

static volatile bool failed; /* the test that is running */
static char failure[200];    /* why: the first failure counts */
static char panic_text[200];

/* --- one test ------------------------------------------------------------------------------- */

static void
run_one(void *arg)
{
	const struct selftest *test = arg;

	test->fn();
}

static void note_failure(const char *fmt, ...) PRINTF(1, 2);

static void
note_failure(const char *fmt, ...)
{
	va_list ap;

	if (failed)
		return;
	failed = true;
	va_start(ap, fmt);
	(void)vsnprintf(failure, sizeof(failure), fmt, ap);
	va_end(ap);
}

void
selftest_fail(const char *file, int line, const char *fmt, ...)
{
	char text[160];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	note_failure("%s:%d: %s", file, line, text);
	if (in_irq() || !irqs_on())
		panic("self-test failed where it cannot be ended: %s", failure);
	thread_self()->catch = NULL;
	sched_preempt_count = 0;
	if (LOCK_ORDER)
		lock_order_exit(true); /* whatever it held stays locked */
	thread_exit(1);
}

static void
put_away(struct thread *t)
{
	note_failure("still running after %d ms", SELFTEST_LIMIT_MS);
	(void)thread_backtrace(t->id);
	(void)thread_kill(t->id);
	if (thread_join_timeout(t, KILL_GRACE_MS) == -ETIMEDOUT)
		sched_freeze(t);
}

static bool
passes(const struct selftest *test)
{
	struct thread *t;

	failed = false;
	t = thread_create("test", run_one, (void *)test);
	if (t == NULL)
		note_failure("no memory for its thread");
	else if (thread_join_timeout(t, SELFTEST_LIMIT_MS) == -ETIMEDOUT)
		put_away(t);
	if (failed)
		printf("[FAIL] %s: %s\n", test->name, failure);
	else
		printf("[ok] %s\n", test->name);
	return !failed;
}

/* "kernel" stands for all that are not user.*: the two tiers are run and reported apart. */
static bool
selected(const char *name, const char *prefix)
{
	if (strcmp(prefix, "kernel") == 0)
		return strncmp(name, "user.", 5) != 0;
	return strncmp(name, prefix, strlen(prefix)) == 0;
}

unsigned
selftest_run(const char *prefix)
{
	unsigned good = 0, bad = 0;

	for (size_t i = 0; i < nr_selftests && !sh_interrupted(); i++) {
		if (!selected(selftests[i].name, prefix))
			continue;
		if (passes(&selftests[i]))
			good++;
		else
			bad++;
	}
	printf("%u passed, %u failed\n", good, bad);
	if (good + bad == 0 && !sh_interrupted()) {
		printf("no self-test's name begins with '%s'\n", prefix);
		return 1;
	}
	return bad;
}

/* --- catching traps and panics -------------------------------------------------------------- */

int
selftest_catch(void (*fn)(void *), void *arg)
{
	struct thread *t = thread_self();
	struct catch c = {
		.outer = t->catch,
		.rflags = read_rflags(),
		.preempt_count = sched_preempt_count,
	};
	int result;

	t->catch = &c;
	result = jump_save(&c.jump);
	if (result == 0) {
		fn(arg);
	} else {
		sched_preempt_count = c.preempt_count;
		irq_restore(c.rflags);
	}
	t->catch = c.outer;
	return result - 1;
}

const char *
selftest_panic_text(void)
{
	return panic_text;
}

/* The catch that is to have what just happened. */
static const struct catch *
catcher(void)
{
	void *catch = NULL;

	/* The thread pointer may be what is broken. */
	if (in_irq() || vmm_probe_read(&catch, (vaddr_t)&thread_self()->catch, sizeof(catch)) != 0)
		return NULL;
	return catch;
}

void
selftest_trap_hook(const struct trapframe *tf)
{
	const struct catch *c = catcher();

	if (c != NULL)
		jump_to(&c->jump, (int)tf->vector + 1);
}

void
selftest_panic_hook(const char *text)
{
	const struct catch *c = catcher();

	if (c == NULL)
		return;
	(void)strlcpy(panic_text, text, sizeof(panic_text));
	jump_to(&c->jump, SELFTEST_PANIC + 1);
}
