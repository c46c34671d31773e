/*
 * pit.c - the 8254 programmable interval timer.
 *
 * Spec: Intel 8254, "Programming the 8254", "Mode Definitions" and "Counter Latch Command".
 */
#include <dev/pit.h>
#include <kern/clock.h>
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
#define GATE_2	       1
#define LOUDSPEAKER    2

#define UNCHANGED_MAX 4096 /* readings: at least a millisecond */

#define DIVISOR ((unsigned)((PIT_HZ + CLOCK_HZ / 2) / CLOCK_HZ))

static struct spinlock lock = SPINLOCK_INIT("pit"); /* a read is three accesses */
static bool ticking;				    /* [I] */

static void
program(unsigned channel, unsigned divisor)
{
	outb(PORT_COMMAND, (uint8_t)(CMD_CHANNEL(channel) | CMD_LOW_HIGH | CMD_RATE));
	outb((uint16_t)PORT_CHANNEL(channel), (uint8_t)divisor);
	outb((uint16_t)PORT_CHANNEL(channel), (uint8_t)(divisor >> 8));
}

static uint16_t
read_locked(unsigned channel)
{
	uint8_t low;

	outb(PORT_COMMAND, (uint8_t)(CMD_CHANNEL(channel) | CMD_LATCH));
	low = inb((uint16_t)PORT_CHANNEL(channel));
	return (uint16_t)(low | inb((uint16_t)PORT_CHANNEL(channel)) << 8);
}

static void
tick(void *arg)
{
	(void)arg;
	clock_tick();
}

/* Does the counter move?  One that is not there reads the same for ever. */
static bool
counts_locked(void)
{
	const uint16_t first = read_locked(0);

	for (unsigned i = 0; i < UNCHANGED_MAX; i++) {
		if (read_locked(0) != first)
			return true;
	}
	return false;
}

int
pit_init(void)
{
	const uint64_t flags = spin_lock(&lock);

	program(0, DIVISOR);
	ticking = counts_locked();
	spin_unlock(&lock, flags);
	if (!ticking) {
		log_err("pit: the timer does not count");
		return -ENODEV;
	}
	return irq_register(PIT_IRQ, "timer", tick, NULL);
}

int
pit_read(void)
{
	uint64_t flags;
	int count;

	if (!ticking)
		return -1;
	flags = spin_lock(&lock);
	count = read_locked(0);
	spin_unlock(&lock, flags);
	return count;
}

unsigned
pit_reload(void)
{
	return DIVISOR;
}

void
pit_ruler_start(void)
{
	outb(PORT_GATE, (uint8_t)((inb(PORT_GATE) & ~LOUDSPEAKER) | GATE_2));
	program(2, 0); /* 0 stands for 65536 */
}

uint16_t
pit_ruler_read(void)
{
	return read_locked(2);
}

void
pit_ruler_stop(void)
{
	outb(PORT_GATE, (uint8_t)(inb(PORT_GATE) & ~GATE_2));
}
