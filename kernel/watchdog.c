/*
 * watchdog.c - notices when the machine lives but gets nowhere: what the timer's tick can see.
 *
 *	a thread keeps the CPU	preemption off, others due: look after look finds the same thread
 *	interrupts stay off	no tick comes; an NMI sees it at the time, else the late tick afterwards
 *	an interrupt storm	a line comes more often than any device should, look after look
 *
 * and, in watchdog_blocked.c, threads that wait for a lock for ever.
 *
 * It must not cry wolf on a slow or emulated machine, whose host may stop it for seconds.  So time
 * alone proves nothing: a thread is a hog only when as many *looks* found it as fit into the limit, a
 * storm takes several in a row, and a late tick is somebody's fault only if it came in at the very
 * instruction after an STI (or an NMI had seen interrupts off): a machine that stood still takes its
 * overdue tick wherever it happens to be.
 *
 * All of this runs in the tick, with interrupts off: on one CPU nobody else touches the state here.
 */
#include <kern/watchdog.h>
#include <kern/clock.h>
#include <kern/cmdline.h>
#include <kern/irq.h>
#include <kern/ksym.h>
#include <kern/sched.h>
#include <lib/printf.h>
#include <lib/string.h>
#include <mm/vmm.h>
#include <x86/fault.h>
#include <x86/interrupted.h>
#include <x86/trap.h>

#define DEFAULT_LIMIT_S	  10
#define MAX_LIMIT_S	  3600
#define DEFAULT_IRQ_LIMIT 20000 /* per second: one each 50 us */
#define MAX_IRQ_LIMIT	  10000000
#define LOOK_NS		  (80 * NS_PER_MS)
#define STORM_LOOKS	  4  /* in a row make a storm */
#define HOLD_LOOKS	  12 /* for so long its line stays masked: about a second */
#define NMIS_TO_BE_SURE	  3
#define CHAIN_MAX	  12
#define LOOKS_PER_SECOND  12 /* about */

uint64_t watchdog_limit_ns = DEFAULT_LIMIT_S * NS_PER_SEC;
uint64_t watchdog_tick_ns;
uint64_t watchdog_next_ns = LOOK_NS;

static unsigned irq_limit = DEFAULT_IRQ_LIMIT; /* [I] per second */
static unsigned reports;		       /* [c] */

/* The thread that the last ticks found, while others were due. */
static struct {
	const struct thread *thread;
	uint64_t switches; /* its, then: another number means that it was off the CPU */
	uint64_t since_ns;
	unsigned looks;
	bool reported;
} hog; /* [c] */

/* What NMIs saw since the last tick. */
static struct {
	unsigned seen;
	struct trapframe tf;
} nmi; /* [c] */

static struct {
	uint64_t count; /* interrupts at the last look */
	unsigned storm; /* looks in a row that found one */
	unsigned held;	/* looks left until it is let go */
	bool reported;
} lines[IRQ_MAX]; /* [c] */

/* Debug builds: a spinlock that was held too long, to be told when it is free. */
static struct {
	const char *name; /* NULL = none */
	uint64_t site, ns;
} slow_lock; /* [c] */

/* --- settings ------------------------------------------------------------------------------- */

/* Digits up to @end, as a number from 1 to @max; 0 if it is not that. */
static uint64_t
number(const char *s, const char *end, uint64_t max)
{
	uint64_t n = 0;

	for (; s < end; s++) {
		if (*s < '0' || *s > '9')
			return 0;
		n = n * 10 + (uint64_t)(*s - '0');
		if (n > max)
			return 0;
	}
	return n;
}

int
watchdog_configure(void)
{
	char value[24];
	const char *comma, *end;
	uint64_t seconds, per_second = irq_limit;

	if (cmdline_get("watchdog", value, sizeof(value)) == -ENOENT)
		return 0;
	if (strcmp(value, "off") == 0) {
		watchdog_limit_ns = UINT64_MAX;
		return 0;
	}
	end = value + strlen(value);
	comma = strchr(value, ',');
	if (comma != NULL)
		per_second = number(comma + 1, end, MAX_IRQ_LIMIT);
	seconds = number(value, comma != NULL ? comma : end, MAX_LIMIT_S);
	if (seconds == 0 || per_second == 0) {
		log_warn("cmdline: watchdog=%s: off, or SECONDS[,INTERRUPTS] expected", value);
		return -EINVAL;
	}
	watchdog_limit_ns = seconds * NS_PER_SEC;
	irq_limit = (unsigned)per_second;
	return 0;
}

struct watchdog_state
watchdog_state(void)
{
	return (struct watchdog_state){watchdog_limit_ns, irq_limit, reports};
}

/* --- reports -------------------------------------------------------------------------------- */

void
watchdog_say(const char *fmt, ...)
{
	char text[LOG_LINE_MAX];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	log_warn("watchdog: %s", text);
	reports++;
}

void
watchdog_chain(const struct trapframe *tf)
{
	uint64_t chain[CHAIN_MAX];
	const unsigned n = backtrace_collect(tf, chain, CHAIN_MAX);

	for (unsigned i = 0; i < n; i++) {
		/* But for the first, they are return addresses: the call stands before. */
		const uint64_t behind = i > 0 ? 1 : 0;
		uint64_t offset = 0;
		const char *name = ksym_lookup(chain[i] - behind, &offset);

		if (name != NULL)
			log_warn("  %016lx %s+%#lx", chain[i], name, offset + behind);
		else
			log_warn("  %016lx", chain[i]);
	}
}

static unsigned long
to_ms(uint64_t ns)
{
	return ns / NS_PER_MS;
}

/* --- a thread keeps the CPU ----------------------------------------------------------------- */

static void
report_hog(const struct thread *t, uint64_t ns)
{
	struct trapframe tf;

	watchdog_say("thread %u \"%s\" keeps the CPU for %lu ms while others are due, preemption "
		     "disabled %u times",
		     t->id, t->name, to_ms(ns), sched_preempt_count);
	if (LOCK_ORDER && sched_preempt_count != 0)
		log_warn("  disabled since %s", ksym_text(sched_preempt_site).s);
	if (interrupted_frame(&tf))
		watchdog_chain(&tf);
}

static void
check_hog(uint64_t now_ns)
{
	const struct thread *t = sched_current;

	if (likely(!sched_need_switch) || t != hog.thread || t->switches != hog.switches) {
		hog.thread = t;
		hog.switches = t->switches;
		hog.since_ns = now_ns;
		hog.looks = 0;
		hog.reported = false;
		return;
	}
	hog.looks++;
	if (hog.looks * LOOK_NS < watchdog_limit_ns || now_ns - hog.since_ns < watchdog_limit_ns ||
	    hog.reported)
		return;
	hog.reported = true;
	report_hog(t, now_ns - hog.since_ns);
}

/* --- interrupts stay off -------------------------------------------------------------------- */

/*
 * What irq_restore() compiles to: a jump over the STI - JE, or JAE where the compiler tests RFLAGS.IF by BT,
 * as it does for size; and the same at the end of a function.
 */
#define OPCODE_JAE 0x73
#define OPCODE_JE  0x74
static const uint8_t over_sti[] = {0x01, 0xfb}, over_sti_ret[] = {0x01, 0xfb, 0xc3};

#define OPCODE_CALL  0xe8 /* followed by 32 bits: how far from the next instruction */
#define CALL_SIZE    5
#define BEFORE_MAX   10	  /* the jump, STI and one instruction more */
#define FUNCTION_MAX 2048 /* bytes of a function that are looked at */

/* Is such a jump, going on with @what (of at most 3 bytes), somewhere in [start, end)?  Returns where, or 0. */
static uint64_t
find_jump(uint64_t start, uint64_t end, const uint8_t *what, size_t n)
{
	for (uint64_t at = start; at + 1 + n <= end; at++) {
		uint8_t bytes[4];

		if (vmm_probe_read(bytes, at, 1 + n) != 0)
			return 0;
		if ((bytes[0] == OPCODE_JE || bytes[0] == OPCODE_JAE) &&
		    memcmp(bytes + 1, what, n) == 0)
			return at;
	}
	return 0;
}

/* Does the function that was called right before @rip end by turning interrupts on? */
static bool
callee_ends_with_sti(uint64_t rip)
{
	uint8_t call[CALL_SIZE];
	uint64_t callee, at, offset = 0;
	int32_t distance;

	if (vmm_probe_read(call, rip - CALL_SIZE, sizeof(call)) != 0 || call[0] != OPCODE_CALL)
		return false;
	memcpy(&distance, call + 1, sizeof(distance));
	callee = rip + (uint64_t)(int64_t)distance;
	if (!ksym_is_code(callee))
		return false;
	at = find_jump(callee, callee + FUNCTION_MAX, over_sti_ret, sizeof(over_sti_ret));
	return at != 0 && ksym_lookup(at, &offset) != NULL && at - offset == callee;
}

/*
 * Did the code before @rip turn interrupts on with the last instruction but one?  STI takes effect
 * after the instruction that follows it, which may be the RET of a function that was called.
 * Spec: Intel SDM vol. 2B, "STI - Set Interrupt Flag".
 */
static bool
behind_sti(uint64_t rip)
{
	return ksym_is_code(rip) &&
	       (find_jump(rip - BEFORE_MAX, rip, over_sti, sizeof(over_sti)) != 0 ||
		callee_ends_with_sti(rip));
}

/* The first tick for @ns: was it kept waiting, or did the whole machine stand still? */
static void
report_late(uint64_t ns)
{
	const struct thread *t = sched_current;
	struct trapframe tf;

	if (slow_lock.name != NULL || !interrupted_frame(&tf))
		return; /* that is the reason, and says more */
	if (nmi.seen > 0) {
		watchdog_say(
			"interrupts were off for %lu ms in thread %u \"%s\"; %u NMIs saw it, the "
			"last one at:",
			to_ms(ns), t->id, t->name, nmi.seen);
		watchdog_chain(&nmi.tf);
	} else if (t != sched_idle && behind_sti(tf.rip)) {
		watchdog_say("interrupts were off for %lu ms in thread %u \"%s\", until:",
			     to_ms(ns), t->id, t->name);
		watchdog_chain(&tf);
	}
}

static void
report_slow_lock(void)
{
	watchdog_say("spinlock \"%s\", taken at %s, was held for %lu ms", slow_lock.name,
		     ksym_text(slow_lock.site).s, to_ms(slow_lock.ns));
	slow_lock.name = NULL;
}

void
watchdog_spinlock(const char *name, uint64_t site, uint64_t ns)
{
	if (likely(ns < watchdog_limit_ns) || slow_lock.name != NULL)
		return;
	slow_lock.name = name;
	slow_lock.site = site;
	slow_lock.ns = ns;
}

bool
watchdog_nmi(const struct trapframe *tf)
{
	const uint64_t now_ns = clock_ns();

	if ((tf->rflags & RFLAGS_IF) != 0 || panic_in_progress() || watchdog_tick_ns == 0 ||
	    now_ns - watchdog_tick_ns < watchdog_limit_ns)
		return false;
	nmi.tf = *tf;
	if (++nmi.seen < NMIS_TO_BE_SURE)
		return true;
	panic_at(tf, "interrupts are off for %lu ms, as %u NMIs saw",
		 to_ms(now_ns - watchdog_tick_ns), nmi.seen);
}

/* --- interrupt storms ----------------------------------------------------------------------- */

static void
check_line(unsigned irq, uint64_t look_ns)
{
	const uint64_t count = irq_count(irq), more = count - lines[irq].count;
	struct irq_stat stat;
	uint64_t per_second;

	lines[irq].count = count;
	if (lines[irq].held > 0) {
		if (--lines[irq].held == 0)
			irq_hold(irq, false);
		return;
	}
	per_second = more == 0 ? 0 : more * NS_PER_SEC / look_ns;
	if (likely(per_second <= irq_limit)) {
		lines[irq].storm = 0;
		lines[irq].reported = false;
		return;
	}
	if (++lines[irq].storm < STORM_LOOKS)
		return;
	irq_hold(irq, true);
	lines[irq].held = HOLD_LOOKS;
	lines[irq].storm = STORM_LOOKS - 1; /* once more is enough to hold it again */
	irq_stat(irq, &stat);
	if (!lines[irq].reported)
		watchdog_say("interrupt line %u (%s) comes %lu times a second: masked for %lu ms, "
			     "and again while it does",
			     irq, stat.name != NULL ? stat.name : "nobody's", per_second,
			     to_ms(HOLD_LOOKS * look_ns));
	lines[irq].reported = true;
}

static void
check_storms(uint64_t now_ns)
{
	static uint64_t last_ns; /* [c] */
	const uint64_t ns = now_ns - last_ns;

	last_ns = now_ns;
	for (unsigned irq = 1; irq < IRQ_MAX; irq++) { /* 0 and that one are the timer's own */
		if (irq != IRQ_LAPIC_TIMER)
			check_line(irq, ns);
	}
}

/* --- the look ------------------------------------------------------------------------------- */

void
watchdog_look(uint64_t now_ns, uint64_t gap_ns)
{
	static unsigned looks; /* [c] */

	if (watchdog_limit_ns == UINT64_MAX)
		return;
	if (gap_ns >= watchdog_limit_ns && gap_ns != now_ns)
		report_late(gap_ns);
	if (slow_lock.name != NULL)
		report_slow_lock();
	nmi.seen = 0;
	if (now_ns < watchdog_next_ns)
		return; /* it was for being late */
	watchdog_next_ns = now_ns + LOOK_NS;
	check_hog(now_ns);
	check_storms(now_ns);
	if (++looks % LOOKS_PER_SECOND == 0)
		watchdog_look_at_blocked(watchdog_limit_ns);
}
