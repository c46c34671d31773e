/*
 * serial.c - COM1, a 16550 UART.
 *
 * Transmit: a ring which the interrupt "transmitter empty" drains, a FIFO-full at a time; that
 * interrupt is enabled only while the ring holds something.  Receive: the FIFO interrupts at 8 of
 * its 16 bytes, or when the line has been idle for four characters.  When the console's input queue
 * is full, the receive interrupt is turned off and RTS dropped: a sender that listens to it (QEMU
 * always does) waits, and nothing is lost.  If nobody has read for PAUSE_MAX_NS, bytes are taken and
 * dropped after all: a Ctrl-C may be among them.
 * Spec: National Semiconductor PC16550D, "Register descriptions".
 */
#include <dev/serial.h>
#include <dev/console.h>
#include <kern/clock.h>
#include <kern/irq.h>
#include <kern/spinlock.h>
#include <kern/thread.h>
#include <kern/timer.h>
#include <kern/wait.h>
#include <lib/string.h>
#include <x86/io.h>

#define COM1	 0x3f8
#define COM1_IRQ 4

#define REG_DATA    (COM1 + 0) /* RBR, THR; divisor low with DLAB */
#define REG_IER	    (COM1 + 1) /* divisor high with DLAB */
#define REG_IIR	    (COM1 + 2)
#define REG_FCR	    (COM1 + 2)
#define REG_LCR	    (COM1 + 3)
#define REG_MCR	    (COM1 + 4)
#define REG_LSR	    (COM1 + 5)
#define REG_MSR	    (COM1 + 6)
#define REG_SCRATCH (COM1 + 7)

#define IER_RX	 0x01
#define IER_TX	 0x02
#define IER_LINE 0x04

#define IIR_NONE      0x01
#define IIR_ID	      0x0e
#define IIR_ID_MODEM  0x00
#define IIR_ID_TX     0x02
#define IIR_ID_RX     0x04
#define IIR_ID_LINE   0x06
#define IIR_ID_RX_AGE 0x0c /* bytes below the trigger level have waited long enough */
#define IIR_FIFO      0xc0

#define FCR_ENABLE    0x01
#define FCR_TRIGGER_8 0x80

#define LCR_8N1	 0x03
#define LCR_DLAB 0x80
#define DIVISOR	 1 /* of 115200 baud */

#define MCR_DTR	 0x01
#define MCR_RTS	 0x02
#define MCR_OUT2 0x08 /* on a PC: connects the interrupt line */
#define MCR_LOOP 0x10

#define LSR_DATA    0x01
#define LSR_OVERRUN 0x02
#define LSR_PARITY  0x04
#define LSR_FRAMING 0x08
#define LSR_BREAK   0x10
#define LSR_THRE    0x20 /* the transmit FIFO is empty */
#define LSR_IDLE    0x40 /* the shift register too */

#define RING_SIZE  16384U	   /* power of 2 */
#define RX_TRIES   256U		   /* bytes looked at in one interrupt, kept or not */
#define RING_ROOMY (RING_SIZE / 2) /* wake writers when this much is free */

/*
 * A look at the line status takes about a microsecond on an ISA bus, and the FIFO empties in 1.4 ms
 * at 115200 baud.  A virtual machine's line, though, stands still while its host is busy or its
 * reader pauses: threads, the last flush and a panic report are patient; code that cannot sleep
 * is not.
 */
#define POLLS_SHORT    20000U
#define POLLS_PANIC    1000000U
#define FLUSH_PATIENCE 100 /* times POLLS_SHORT without a byte leaving */
#define ROOM_WAIT_MS   2000
#define PAUSE_MAX_NS   (5 * NS_PER_SEC)
#define IRQ_ROUNDS_MAX 256

static struct spinlock lock = SPINLOCK_INIT("serial");
static struct wait_queue room_queue = WAIT_QUEUE_INIT(room_queue);

static char ring[RING_SIZE];	   /* [lock] */
static uint32_t ring_in, ring_out; /* [lock] free-running */
static uint8_t ier;		   /* [lock] what IER holds */
static bool rx_paused;		   /* [lock] the input queue was full */
static bool rx_discard;		   /* [lock] and has been for long */
static struct timer pause_timer;
static bool polled_in_vain; /* [lock] the line stood still when it was last polled */
static bool panicking;
static struct serial_info info;

static uint32_t
ring_used(void)
{
	return ring_in - ring_out;
}

static uint64_t
take_lock(void) NO_LOCK_ANALYSIS
{
	return panicking ? 0 : spin_lock(&lock);
}

static void
drop_lock(uint64_t flags) NO_LOCK_ANALYSIS
{
	if (!panicking)
		spin_unlock(&lock, flags);
}

/* Reading LSR clears its error bits, so all reads come through here. */
static uint8_t
line_status(void)
{
	const uint8_t lsr = inb(REG_LSR);

	if (lsr & LSR_OVERRUN)
		info.rx_overruns++;
	if (lsr & (LSR_PARITY | LSR_FRAMING | LSR_BREAK))
		info.rx_line_errors++;
	return lsr;
}

static void
set_ier(uint8_t v)
{
	if (v == ier)
		return;
	ier = v;
	outb(REG_IER, v);
}

/* Refill the transmit FIFO if it is empty.  Returns whether it was. */
static bool
pump_locked(void)
{
	uint32_t n = MIN(ring_used(), info.fifo);

	if ((line_status() & LSR_THRE) == 0)
		return false;
	info.stuck = polled_in_vain = false;
	info.tx += n;
	while (n-- > 0)
		outb(REG_DATA, (uint8_t)ring[ring_out++ % RING_SIZE]);
	return true;
}

/* Look at most @polls times whether the FIFO is empty, and refill it. */
static bool
pump_polling_locked(unsigned polls)
{
	for (; polls > 0; polls--) {
		if (pump_locked())
			return true;
		cpu_relax();
	}
	return false;
}

/* For who cannot sleep.  Time is spent on a line that stands still once, not for each byte. */
static bool
make_room_locked(void)
{
	unsigned polls = panicking ? POLLS_PANIC : POLLS_SHORT;

	if (info.stuck || polled_in_vain)
		polls = 1;
	if (pump_polling_locked(polls))
		return true;
	polled_in_vain = true;
	return false;
}

static void
kick_locked(void)
{
	if (panicking) {
		while (ring_used() > 0 && make_room_locked())
			;
	} else if (info.irq_driven) {
		/* Also when the interrupt is due anyway: on some UARTs it gets lost. */
		(void)pump_locked();
		if (ring_used() > 0)
			set_ier(ier | IER_TX);
	} else {
		while (ring_used() > 0 && pump_locked())
			;
	}
}

/* Copy what fits into the ring, without wrapping.  Returns how much that was. */
static size_t
fill_locked(const char *s, size_t n)
{
	const uint32_t at = ring_in % RING_SIZE;
	const size_t room = RING_SIZE - ring_used();

	n = MIN(n, room);
	n = MIN(n, RING_SIZE - at);
	memcpy(ring + at, s, n);
	ring_in += (uint32_t)n;
	return n;
}

void
serial_put(const char *s, size_t n)
{
	uint64_t flags;

	if (!info.present)
		return;
	flags = take_lock();
	while (n > 0) {
		const size_t put = fill_locked(s, n);

		s += put;
		n -= put;
		if (put == 0 && !make_room_locked()) {
			info.tx_dropped += n;
			break;
		}
	}
	kick_locked();
	drop_lock(flags);
}

static bool
has_room(size_t n)
{
	return RING_SIZE - ring_used() >= n;
}

/* Somebody who waits must be a thread that may be taken off the CPU. */
static bool
can_sleep(void)
{
	return irqs_on() && !in_irq() && sched_preempt_count == 0;
}

void
serial_wait_room(size_t n)
{
	if (!info.irq_driven || info.stuck || panicking || has_room(n))
		return;
	if (!can_sleep())
		return;
	if (wait_event_timeout(&room_queue, has_room(n) || info.stuck, ROOM_WAIT_MS) == -ETIMEDOUT)
		info.stuck = true; /* until it moves again, see pump_locked() */
}

void
serial_flush(void)
{
	unsigned patience = FLUSH_PATIENCE;

	if (!info.present)
		return;
	while (ring_used() > 0 && patience > 0) {
		const uint64_t flags = take_lock();
		const bool moved = pump_polling_locked(info.stuck ? 1 : POLLS_SHORT);

		drop_lock(flags);
		if (!moved)
			patience = info.stuck ? 0 : patience - 1;
	}
	for (unsigned i = 0; i < POLLS_SHORT && (inb(REG_LSR) & LSR_IDLE) == 0; i++)
		cpu_relax();
}

void
serial_panic(void)
{
	panicking = true;
	spin_break(&lock);
	info.stuck = polled_in_vain = false;
	if (ring_used() > RING_SIZE) /* whoever was writing it was interrupted, or worse */
		ring_out = ring_in;
	if (info.present)
		outb(REG_MCR, MCR_DTR | MCR_RTS | MCR_OUT2); /* whoever types may go on */
}

int
serial_poll(void)
{
	const uint8_t lsr = inb(REG_LSR);
	uint8_t byte;

	/* Without a UART the port reads FFh: all errors at once. */
	if ((lsr & LSR_DATA) == 0 || lsr == 0xff)
		return -1;
	byte = inb(REG_DATA);
	return (lsr & (LSR_BREAK | LSR_FRAMING)) == 0 ? byte : -1;
}

static void
listen_locked(void)
{
	outb(REG_MCR, MCR_DTR | MCR_RTS | MCR_OUT2);
	set_ier(ier | IER_RX | IER_LINE);
}

/* Nobody reads: make the sender wait. */
static void
pause_receiver(void)
{
	const uint64_t flags = spin_lock(&lock);

	rx_paused = true;
	set_ier(ier & (uint8_t) ~(IER_RX | IER_LINE));
	outb(REG_MCR, MCR_DTR | MCR_OUT2);
	timer_arm(&pause_timer, clock_ns() + PAUSE_MAX_NS);
	spin_unlock(&lock, flags);
}

/* Still nobody. */
static void
pause_over(void *arg)
{
	const uint64_t flags = spin_lock(&lock);

	if (rx_paused) {
		rx_discard = true;
		listen_locked();
	}
	spin_unlock(&lock, flags);
}

/* Fetch what arrived, as far as the console has room. */
static void
receive(void)
{
	char bytes[64];
	size_t n = 0, room = console_input_room();

	if (room == 0 && !rx_discard) {
		pause_receiver();
		return;
	}
	if (room == 0 || room > sizeof(bytes))
		room = sizeof(bytes);
	/* Bounded: bytes that are not kept (breaks, framing errors) make no progress in n. */
	for (unsigned tries = 0; n < room && tries < RX_TRIES; tries++) {
		const uint8_t lsr = line_status();

		if ((lsr & LSR_DATA) == 0)
			break;
		bytes[n] = (char)inb(REG_DATA);
		if ((lsr & (LSR_BREAK | LSR_FRAMING)) == 0)
			n++;
	}
	info.rx += n;
	if (console_uses_serial())
		console_input(bytes, n);
}

void
serial_input_resume(void)
{
	uint64_t flags;

	if (!rx_paused)
		return;
	flags = spin_lock(&lock);
	rx_paused = rx_discard = false;
	listen_locked();
	spin_unlock(&lock, flags);
}

static void
transmit(void)
{
	const uint64_t flags = spin_lock(&lock);
	bool roomy;

	(void)pump_locked();
	if (ring_used() == 0)
		set_ier(ier & (uint8_t)~IER_TX);
	roomy = has_room(RING_ROOMY);
	spin_unlock(&lock, flags);
	if (roomy)
		wake_all(&room_queue);
}

/*
 * The line is edge-triggered: a second cause that comes up while the first is handled makes no new
 * edge, so all causes are handled before returning.
 */
static void
serial_irq(void *arg)
{
	info.irqs++;
	for (unsigned i = 0; i < IRQ_ROUNDS_MAX; i++) {
		const uint8_t iir = inb(REG_IIR);

		if (iir & IIR_NONE)
			return;
		switch (iir & IIR_ID) {
		case IIR_ID_RX:
		case IIR_ID_RX_AGE: receive(); break;
		case IIR_ID_TX: transmit(); break;
		case IIR_ID_LINE: (void)line_status(); break;
		default: (void)inb(REG_MSR); break;
		}
	}
}

/*
 * Is there a UART?  The scratch register keeps what is written, and in loopback the modem control
 * outputs come back as modem status.  This leaves data alone that was typed already.
 * Spec: PC16550D, "Modem Control Register", bit 4.
 */
static bool
detect(void)
{
	uint8_t msr;

	outb(REG_SCRATCH, 0x5a);
	if (inb(REG_SCRATCH) != 0x5a)
		return false;
	outb(REG_SCRATCH, 0xa5);
	if (inb(REG_SCRATCH) != 0xa5)
		return false;
	/* What the loader printed must have left: loopback would cut it off. */
	for (unsigned i = 0; i < POLLS_SHORT && (inb(REG_LSR) & LSR_IDLE) == 0; i++)
		cpu_relax();
	outb(REG_MCR, MCR_LOOP | MCR_OUT2 | MCR_RTS);
	msr = inb(REG_MSR) & 0xf0;
	outb(REG_MCR, MCR_DTR | MCR_RTS | MCR_OUT2);
	return msr == 0x90; /* OUT2 as carrier detect, RTS as clear to send */
}

int
serial_init(void)
{
	if (!detect())
		return -ENODEV;
	outb(REG_IER, 0);
	outb(REG_LCR, LCR_DLAB | LCR_8N1);
	outb(REG_DATA, DIVISOR & 0xff);
	outb(REG_IER, DIVISOR >> 8);
	outb(REG_LCR, LCR_8N1);
	outb(REG_FCR, FCR_ENABLE | FCR_TRIGGER_8);
	info.fifo = (inb(REG_IIR) & IIR_FIFO) == IIR_FIFO ? 16 : 1;
	info.present = true;
	kick_locked();
	return 0;
}

int
serial_start_irq(void)
{
	uint64_t flags;
	int result;

	if (!info.present)
		return -ENODEV;
	timer_setup(&pause_timer, pause_over, NULL);
	result = irq_register(COM1_IRQ, "serial", serial_irq, NULL);
	if (result != 0)
		return result;
	flags = spin_lock(&lock);
	info.irq_driven = true;
	set_ier(IER_RX | IER_LINE | (ring_used() > 0 ? IER_TX : 0));
	spin_unlock(&lock, flags);
	return 0;
}

bool
serial_present(void)
{
	return info.present;
}

void
serial_info(struct serial_info *out)
{
	*out = info;
}
