/*
 * pit.c - the 8254 programmable interval timer.
 *
 * Channel 0 interrupts once, when asked to, in mode 4: its output stays high, falls for one count when the time is
 * up, and the rise after that is the interrupt.  (In mode 0 the output would be low from setting it on, and setting
 * it anew would take back an interrupt that the 8259A has not delivered yet, which shows as a spurious one.)
 * Channel 2 counts round and round.
 * Spec: Intel 8254, "Programming the 8254", "Mode Definitions" and "Counter Latch Command".
 */
#include <dev/pit.h>
#include <kern/clock.h>
#include <kern/clock_event.h>
#include <kern/clock_source.h>
#include <kern/irq.h>
#include <kern/spinlock.h>
#include <x86/io.h>

#define PIT_IRQ 0

#define PORT_CHANNEL(n) (0x40 + (n))
#define PORT_COMMAND	0x43
#define PORT_GATE	0x61 /* the PC's: bit 0 = gate of channel 2, bit 1 = loudspeaker on */

#define CMD_CHANNEL(n) ((n) << 6)
#define CMD_LATCH      0
#define CMD_LOW_HIGH   (3 << 4)
#define CMD_RATE       (2 << 1) /* mode 2: counts down from n to 1, again and again */
#define CMD_STROBE     (4 << 1) /* mode 4: counts down once */
#define GATE_2	       1
#define LOUDSPEAKER    2

#define UNCHANGED_MAX 4096 /* readings: at least a millisecond */
#define COUNT_MAX     65535U

/* Counts per nanosecond, 0.32. */
#define COUNTS_PER_NS ((PIT_HZ << 32) / NS_PER_SEC)

static struct spinlock lock = SPINLOCK_INIT("pit"); /* a read is three accesses, a write too */
static bool ruler_runs;				    /* [I] */

static void
load_locked(unsigned channel, unsigned mode, unsigned count)
{
	outb(PORT_COMMAND, (uint8_t)(CMD_CHANNEL(channel) | CMD_LOW_HIGH | mode));
	outb((uint16_t)PORT_CHANNEL(channel), (uint8_t)count);
	outb((uint16_t)PORT_CHANNEL(channel), (uint8_t)(count >> 8));
}

static uint16_t
read_locked(unsigned channel)
{
	uint8_t low;

	outb(PORT_COMMAND, (uint8_t)(CMD_CHANNEL(channel) | CMD_LATCH));
	low = inb((uint16_t)PORT_CHANNEL(channel));
	return (uint16_t)(low | inb((uint16_t)PORT_CHANNEL(channel)) << 8);
}

/* Does the counter move?  One that is not there reads the same for ever. */
static bool
counts_locked(unsigned channel)
{
	const uint16_t first = read_locked(channel);

	for (unsigned i = 0; i < UNCHANGED_MAX; i++) {
		if (read_locked(channel) != first)
			return true;
	}
	return false;
}

/* --- channel 0: interrupts ------------------------------------------------------------------ */

static int
start_periodic(unsigned hz)
{
	const uint64_t flags = spin_lock(&lock);

	load_locked(0, CMD_RATE, (unsigned)((PIT_HZ + hz / 2) / hz));
	spin_unlock(&lock, flags);
	return 0;
}

/* One count more than asked for: the first one begins with the next pulse. */
static void
arm_oneshot(uint64_t delta_ns)
{
	const unsigned count = (unsigned)(delta_ns * COUNTS_PER_NS >> 32) + 1;
	const uint64_t flags = spin_lock(&lock);

	load_locked(0, CMD_STROBE, MIN(count, COUNT_MAX));
	spin_unlock(&lock, flags);
}

/* A command without a count stops the channel until one comes. */
static void
stop(void)
{
	const uint64_t flags = spin_lock(&lock);

	outb(PORT_COMMAND, (uint8_t)(CMD_CHANNEL(0) | CMD_LOW_HIGH | CMD_STROBE));
	spin_unlock(&lock, flags);
}

static const struct clock_event event = {
	.name = "pit",
	.rating = 100,
	.min_ns = 5 * NS_PER_US, /* setting it takes three accesses of about a microsecond each */
	.max_ns = (COUNT_MAX - 1) * NS_PER_SEC / PIT_HZ,
	.start_periodic = start_periodic,
	.arm_oneshot = arm_oneshot,
	.stop = stop,
};

static void
interrupt(void *arg)
{
	(void)arg;
	clock_event_fired();
}

int
pit_init(void)
{
	const uint64_t flags = spin_lock(&lock);
	bool works;
	int result;

	load_locked(0, CMD_RATE, COUNT_MAX);
	works = counts_locked(0);
	spin_unlock(&lock, flags);
	if (!works) {
		log_err("pit: the timer does not count");
		return -ENODEV;
	}
	result = irq_register(PIT_IRQ, "timer", interrupt, NULL);
	return result == 0 ? clock_event_register(&event) : result;
}

/* --- channel 2: a ruler --------------------------------------------------------------------- */

void
pit_ruler_start(void)
{
	uint64_t flags;

	if (ruler_runs)
		return;
	flags = spin_lock(&lock);
	outb(PORT_GATE, (uint8_t)((inb(PORT_GATE) & ~LOUDSPEAKER) | GATE_2));
	load_locked(2, CMD_RATE, 0); /* 0 stands for 65536 */
	ruler_runs = true;
	spin_unlock(&lock, flags);
}

uint16_t
pit_ruler_read(void)
{
	const uint64_t flags = spin_lock(&lock);
	const uint16_t count = read_locked(2);

	spin_unlock(&lock, flags);
	return count;
}

static uint64_t
counted(void)
{
	return (uint16_t)-pit_ruler_read(); /* it counts down */
}

static const struct clock_source source = {
	.name = "pit",
	.rating = CLOCK_RATING_PIT,
	.bits = 16,
	.hz = PIT_HZ,
	.read = counted,
};

int
pit_clock_init(void)
{
	uint64_t flags;
	bool works;

	pit_ruler_start();
	flags = spin_lock(&lock);
	works = counts_locked(2);
	spin_unlock(&lock, flags);
	return works ? clock_source_register(&source) : -ENODEV;
}
