/*
 * hpet.c - the high precision event timer: counter and first comparator.
 *
 * Of the counter the lower 32 bits are read: that is one access on every machine, whatever its bus, and
 * they wrap after 43 s at the earliest.  The comparator takes over the PIT's interrupt line
 * ("legacy replacement route"), so that its interrupt is the timer's, whatever controller is in use.
 * Spec: IA-PC HPET 1.0a, "Register Overview".
 */
#include <dev/hpet.h>
#include <dev/acpi.h>
#include <kern/clock.h>
#include <kern/clock_event.h>
#include <kern/clock_source.h>
#include <mm/vmm.h>
#include <x86/cpu.h>

#define REGISTERS_SIZE 1024

/* Offsets of registers. */
#define REG_ID		  0x000 /* period in femtoseconds << 32, abilities */
#define REG_CONFIG	  0x010
#define REG_COUNTER	  0x0f0
#define REG_TIMER_CONF(n) (0x100 + 0x20 * (n))
#define REG_TIMER_COMP(n) (0x108 + 0x20 * (n))

#define ID_REPLACE	BIT(15)
#define ID_TIMERS(id)	(((id) >> 8 & 31) + 1)
#define CONFIG_ENABLE	BIT(0)
#define CONFIG_REPLACE	BIT(1)
#define TIMER_LEVEL	BIT(1)
#define TIMER_INTERRUPT BIT(2)
#define TIMER_PERIODIC	BIT(3)
#define TIMER_32_BITS	BIT(8)
#define TIMER_FSB	BIT(14)

#define FS_PER_SEC    1000000000000000ULL
#define PERIOD_MAX_FS 100000000ULL /* 100 ns, by the specification */
#define PERIOD_MIN_FS 100000ULL	   /* 0.1 ns: a faster one is nonsense */
#define UNCHANGED_MAX 4096

#define TRIAL_NS     (20 * NS_PER_US)
#define TRIAL_MAX_NS (20 * NS_PER_MS)
#define ARM_TRIES    8

static volatile uint8_t *regs; /* [I] */
static uint64_t counts_per_ns; /* [I] 32.32 */

static inline uint64_t
read64(unsigned reg)
{
	return *(volatile uint64_t *)(regs + reg);
}

static inline void
write64(unsigned reg, uint64_t v)
{
	*(volatile uint64_t *)(regs + reg) = v;
}

static inline uint32_t
counter(void)
{
	return *(volatile uint32_t *)(regs + REG_COUNTER);
}

static uint64_t
counted(void)
{
	return counter();
}

static struct clock_source source = {
	.name = "hpet",
	.rating = CLOCK_RATING_HPET,
	.bits = 32,
	.read = counted,
};

/* --- interrupts ----------------------------------------------------------------------------- */

/*
 * The comparator fires when the counter becomes equal to it: a value that has passed by the time it is written would
 * be met a whole round later.  So it is looked at once more, and put further away.
 */
static void
arm_oneshot(uint64_t delta_ns)
{
	uint32_t counts = (uint32_t)(delta_ns * counts_per_ns >> 32) + 1;

	for (unsigned i = 0; i < ARM_TRIES; i++, counts *= 2) {
		const uint32_t at = counter() + counts;

		*(volatile uint32_t *)(regs + REG_TIMER_COMP(0)) = at;
		if ((int32_t)(at - counter()) > 0)
			return;
	}
}

static void
stop(void)
{
	write64(REG_TIMER_CONF(0), read64(REG_TIMER_CONF(0)) & ~TIMER_INTERRUPT);
	write64(REG_CONFIG, read64(REG_CONFIG) & ~CONFIG_REPLACE);
}

static struct clock_event event = {
	.name = "hpet",
	.rating = 150,
	.min_ns = 5 * NS_PER_US,
	.arm_oneshot = arm_oneshot,
	.stop = stop,
};

/* Does its interrupt arrive?  The PIT is cut off meanwhile, so that none can be its. */
static bool
interrupts(void)
{
	const uint64_t flags = irq_save();
	const uint64_t before = clock_event_count(), start = clock_ns();

	write64(REG_CONFIG, read64(REG_CONFIG) | CONFIG_REPLACE);
	write64(REG_TIMER_CONF(0),
		(read64(REG_TIMER_CONF(0)) & ~(TIMER_LEVEL | TIMER_PERIODIC | TIMER_FSB)) |
			TIMER_32_BITS | TIMER_INTERRUPT);
	arm_oneshot(TRIAL_NS);
	irq_restore(flags);
	while (clock_event_count() == before && clock_ns() - start < TRIAL_MAX_NS)
		cpu_relax();
	if (clock_event_count() != before)
		return true;
	stop();
	return false;
}

static void
init_event(void)
{
	struct clock_event_info now;

	clock_event_info(&now);
	/* It would not be used, and the route that it needs takes the RTC's line away, too. */
	if ((read64(REG_ID) & ID_REPLACE) == 0 ||
	    (now.device != NULL && now.device->rating > event.rating))
		return;
	/* Half the counter's range: the comparison in arm_oneshot() is signed. */
	event.max_ns = (BIT(31) - BIT(24)) * NS_PER_SEC / source.hz;
	if (interrupts())
		(void)clock_event_register(&event);
	else
		log_warn("hpet: its interrupt does not arrive");
}

/* --- start ---------------------------------------------------------------------------------- */

/* Registers that nobody answers for read as all ones or zero. */
static int
start_counter(void)
{
	const uint64_t id = read64(REG_ID), period_fs = id >> 32;
	const uint32_t first = counter();

	if (period_fs < PERIOD_MIN_FS || period_fs > PERIOD_MAX_FS)
		return -EIO;
	for (unsigned i = 0; i < ID_TIMERS(id); i++)
		write64(REG_TIMER_CONF(i), read64(REG_TIMER_CONF(i)) & ~TIMER_INTERRUPT);
	write64(REG_CONFIG, (read64(REG_CONFIG) & ~CONFIG_REPLACE) | CONFIG_ENABLE);
	source.hz = (FS_PER_SEC + period_fs / 2) / period_fs;
	counts_per_ns = (source.hz << 32) / NS_PER_SEC;
	for (unsigned i = 0; i < UNCHANGED_MAX; i++) {
		if (counter() != first)
			return 0;
	}
	return -EIO;
}

int
hpet_init(void)
{
	uint32_t length;
	const void *table = acpi_map_table("HPET", &length);
	struct acpi_hpet hpet;
	int result;

	if (table == NULL)
		return -ENODEV;
	result = acpi_parse_hpet(table, length, &hpet);
	acpi_unmap_table(table, length);
	if (result != 0)
		return -ENODEV;
	regs = vmm_map_mmio(hpet.address, REGISTERS_SIZE);
	if (regs == NULL)
		return -ENOMEM;
	result = start_counter();
	if (result != 0) {
		vmm_unmap_mmio((void *)(uintptr_t)regs, REGISTERS_SIZE);
		return result;
	}
	result = clock_source_register(&source);
	init_event();
	return result;
}
