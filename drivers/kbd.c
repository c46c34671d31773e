/*
 * kbd.c - the 8042 keyboard controller and the keyboard behind it.
 *
 * At start the controller is tested and set up polling, every wait bounded: laptops and virtual
 * machines come without one, and then port 64h reads FFh or never becomes ready.  Afterwards the
 * interrupt handler feeds scancodes to the decoder.  The LED command needs an answer from the
 * keyboard, so it is a little state machine in the same handler; a timer gives up on it.
 * Spec: IBM PS/2 Hardware Interface Technical Reference, "Keyboard/Auxiliary Device Controller"
 * and "Keyboards (101- and 102-Key)".
 */
#include <dev/kbd.h>
#include <dev/console.h>
#include <dev/ansi.h>
#include <dev/power.h>
#include <kern/clock.h>
#include <kern/cmdline.h>
#include <kern/irq.h>
#include <kern/spinlock.h>
#include <kern/timer.h>
#include <kern/work.h>
#include <lib/string.h>
#include <x86/io.h>

#define KBD_IRQ 1

#define PORT_DATA    0x60
#define PORT_STATUS  0x64 /* read */
#define PORT_COMMAND 0x64 /* write */

#define STATUS_OUT_FULL 0x01 /* a byte for us */
#define STATUS_IN_FULL	0x02 /* it has not taken ours yet */
#define STATUS_AUX	0x20 /* the byte is the mouse's */
#define STATUS_ERRORS	0xc0 /* timeout, parity */

#define CTRL_READ_CONFIG  0x20
#define CTRL_WRITE_CONFIG 0x60
#define CTRL_DISABLE_AUX  0xa7
#define CTRL_SELF_TEST	  0xaa
#define CTRL_TEST_PORT	  0xab
#define CTRL_DISABLE_KBD  0xad
#define CTRL_ENABLE_KBD	  0xae
#define SELF_TEST_OK	  0x55

#define CONFIG_KBD_IRQ	 0x01
#define CONFIG_AUX_IRQ	 0x02
#define CONFIG_KBD_OFF	 0x10
#define CONFIG_AUX_OFF	 0x20
#define CONFIG_TRANSLATE 0x40

#define KBD_SET_LEDS	  0xed
#define KBD_SET_TYPEMATIC 0xf3
#define KBD_ENABLE	  0xf4
#define KBD_ACK		  0xfa
#define KBD_RESEND	  0xfe

#define TYPEMATIC_500MS_30HZ 0x20 /* delay in bits 5-6, rate in 0-4 */

#define TIMEOUT_US	     20000
#define TIMEOUT_SELF_TEST_US 500000
#define DRAIN_MAX	     32 /* bytes that may be left over from before */
#define IRQ_BYTES_MAX	     16
#define RESEND_MAX	     3
#define LED_TIMEOUT_NS	     (500 * NS_PER_MS)

#define VIEW_STEP (ANSI_ROWS - 1) /* lines that Shift-PgUp moves */

enum led_state { LED_IDLE, LED_COMMAND, LED_VALUE };

static struct spinlock lock = SPINLOCK_INIT("keyboard");
static struct kbd_decoder decoder = {.layout = &kbd_layout_us}; /* [lock] */
static struct kbd_info info;					/* [lock] */

static enum led_state led_state; /* [lock] what the keyboard is to acknowledge */
static uint8_t led_sent;	 /* [lock] value last sent */
static unsigned led_tries;	 /* [lock] */
static struct timer led_timer;

static void reboot_work(struct work *w);
static struct work reboot = WORK_INIT(reboot, reboot_work);

/* --- controller ------------------------------------------------------------------------------- */

/*
 * Wait until (status & @mask) == @value.  A status read takes about a microsecond, so the reads
 * alone are a bound; but where firmware imitates the controller each can take fifty.
 */
static bool
wait_status(uint8_t mask, uint8_t value, unsigned timeout_us)
{
	const uint64_t deadline = clock_us() + timeout_us;

	for (unsigned i = 0; i < timeout_us && clock_us() <= deadline; i++) {
		if ((inb(PORT_STATUS) & mask) == value)
			return true;
		cpu_relax();
	}
	return false;
}

/* The next byte for us, or -ETIMEDOUT. */
static int
read_polling(unsigned timeout_us)
{
	if (!wait_status(STATUS_OUT_FULL, STATUS_OUT_FULL, timeout_us))
		return -ETIMEDOUT;
	return inb(PORT_DATA);
}

static bool
command(uint8_t c)
{
	if (!wait_status(STATUS_IN_FULL, 0, TIMEOUT_US))
		return false;
	outb(PORT_COMMAND, c);
	return true;
}

static bool
write_data(uint8_t v)
{
	if (!wait_status(STATUS_IN_FULL, 0, TIMEOUT_US))
		return false;
	outb(PORT_DATA, v);
	return true;
}

static void
drain(void)
{
	for (unsigned i = 0; i < DRAIN_MAX && (inb(PORT_STATUS) & STATUS_OUT_FULL) != 0; i++)
		(void)inb(PORT_DATA);
}

static bool
write_config(uint8_t config)
{
	return command(CTRL_WRITE_CONFIG) && write_data(config);
}

/* Send one byte to the keyboard and wait for its acknowledgement. */
static bool
tell_keyboard(uint8_t v)
{
	for (unsigned try = 0; try < RESEND_MAX; try++) {
		int answer = -ETIMEDOUT;

		if (!write_data(v))
			return false;
		/* A key pressed just now may come before the answer. */
		for (unsigned i = 0; i < DRAIN_MAX; i++) {
			answer = read_polling(TIMEOUT_US);
			if (answer < 0 || answer == KBD_ACK || answer == KBD_RESEND)
				break;
		}
		if (answer == KBD_ACK)
			return true;
		if (answer != KBD_RESEND)
			return false;
	}
	return false;
}

/*
 * Find the controller and leave it translating to set 1, its interrupts off and the mouse disabled.
 * Returns its configuration byte.  Failed tests are only reported: firmware that imitates a
 * controller for a USB keyboard does not imitate all of it.
 */
static int
controller_init(void)
{
	int config;

	if (inb(PORT_STATUS) == 0xff || !command(CTRL_DISABLE_KBD) || !command(CTRL_DISABLE_AUX))
		return -ENODEV;
	drain();
	if (!command(CTRL_READ_CONFIG))
		return -ENODEV;
	config = read_polling(TIMEOUT_US);
	if (config < 0)
		return -ENODEV;
	config = (config & ~(CONFIG_KBD_IRQ | CONFIG_AUX_IRQ | CONFIG_KBD_OFF)) | CONFIG_TRANSLATE |
		 CONFIG_AUX_OFF;
	if (!command(CTRL_SELF_TEST) || read_polling(TIMEOUT_SELF_TEST_US) != SELF_TEST_OK)
		log_notice("kbd: the controller's self-test failed");
	/* The self-test resets the configuration on some controllers: write it afterwards. */
	if (!write_config((uint8_t)config))
		return -EIO;
	if (!command(CTRL_TEST_PORT) || read_polling(TIMEOUT_US) != 0)
		log_notice("kbd: the test of the keyboard's line failed");
	drain();
	return command(CTRL_ENABLE_KBD) ? config : -EIO;
}

/*
 * Repeat after 500 ms, 30 times a second; all LEDs off.  A keyboard that takes no such command
 * still types.
 */
static bool
keyboard_init(void)
{
	if (!tell_keyboard(KBD_ENABLE))
		return false;
	if (tell_keyboard(KBD_SET_TYPEMATIC))
		(void)tell_keyboard(TYPEMATIC_500MS_30HZ);
	if (tell_keyboard(KBD_SET_LEDS))
		(void)tell_keyboard(0);
	return true;
}

/* --- LEDs ------------------------------------------------------------------------------------- */

static void
led_send_locked(void)
{
	led_sent = decoder.locks;
	led_state = LED_COMMAND;
	led_tries = 0;
	if (write_data(KBD_SET_LEDS)) {
		timer_arm(&led_timer, clock_ns() + LED_TIMEOUT_NS);
		return;
	}
	led_state = LED_IDLE;
	info.led_failures++;
}

static void
led_give_up(void *arg)
{
	const uint64_t flags = spin_lock(&lock);

	if (led_state != LED_IDLE) {
		led_state = LED_IDLE;
		info.led_failures++;
	}
	spin_unlock(&lock, flags);
}

static void
leds_changed_locked(void)
{
	if (info.keyboard && led_state == LED_IDLE)
		led_send_locked();
}

/* Is @byte the answer to the LED command?  Then take the next step. */
static bool
led_answer_locked(uint8_t byte)
{
	if (led_state == LED_IDLE || (byte != KBD_ACK && byte != KBD_RESEND))
		return false;
	if (byte == KBD_RESEND && ++led_tries > RESEND_MAX) {
		led_state = LED_IDLE;
		info.led_failures++;
		return true;
	}
	if (byte == KBD_ACK && led_state == LED_VALUE) {
		led_state = LED_IDLE;
		(void)timer_cancel(&led_timer);
		if (led_sent != decoder.locks) /* another lock key in the meantime */
			led_send_locked();
		return true;
	}
	if (byte == KBD_ACK)
		led_state = LED_VALUE;
	(void)write_data(led_state == LED_VALUE ? led_sent : KBD_SET_LEDS);
	return true;
}

/* --- keys ------------------------------------------------------------------------------------- */

static void
reboot_work(struct work *w)
{
	power_reboot();
}

/* Called without the lock: the console has its own. */
static void
deliver(const struct kbd_event *ev)
{
	switch (ev->action) {
	case KBD_ACTION_SCROLL_UP: console_scroll_view(VIEW_STEP); break;
	case KBD_ACTION_SCROLL_DOWN: console_scroll_view(-VIEW_STEP); break;
	case KBD_ACTION_REBOOT: (void)work_queue(&reboot); break;
	default: break;
	}
	if (ev->len == 0 || !console_uses_keyboard())
		return;
	console_scroll_view(INT32_MIN / 2); /* a key returns to the newest line */
	console_input(ev->text, ev->len);
}

static void
feed(uint8_t byte)
{
	struct kbd_event ev = {.len = 0};
	const uint64_t flags = spin_lock(&lock);

	info.bytes++;
	if (!led_answer_locked(byte)) {
		if (byte == 0x00 || byte == 0xff)
			info.errors++;
		kbd_decode(&decoder, byte, &ev);
		if (ev.action == KBD_ACTION_LOCKS)
			leds_changed_locked();
	}
	spin_unlock(&lock, flags);
	deliver(&ev);
}

static void
kbd_irq(void *arg)
{
	for (unsigned i = 0; i < IRQ_BYTES_MAX; i++) {
		const uint8_t status = inb(PORT_STATUS);
		uint8_t byte;

		if ((status & STATUS_OUT_FULL) == 0)
			return;
		byte = inb(PORT_DATA);
		if (status & STATUS_AUX)
			continue;
		if (status & STATUS_ERRORS) {
			info.errors++;
			continue;
		}
		feed(byte);
	}
}

bool
kbd_poll(struct kbd_event *out)
{
	const uint8_t status = inb(PORT_STATUS);
	uint8_t byte;

	if (status == 0xff || (status & STATUS_OUT_FULL) == 0)
		return false;
	byte = inb(PORT_DATA);
	if (status & (STATUS_AUX | STATUS_ERRORS))
		return false;
	*out = (struct kbd_event){.len = 0};
	kbd_decode(&decoder, byte, out);
	return out->len > 0 || out->action != KBD_ACTION_NONE;
}

/* kbd= on the command line. */
static void
choose_layout(void)
{
	char name[8];

	if (cmdline_get("kbd", name, sizeof(name)) > 0 && kbd_set_layout(name) != 0)
		log_warn("kbd: no layout \"%s\"", name);
}

int
kbd_init(void)
{
	const int config = controller_init();
	int result;

	timer_setup(&led_timer, led_give_up, NULL);
	choose_layout();
	if (config < 0)
		return config;
	info.controller = true;
	/* A keyboard may also be plugged in later: go on without one. */
	info.keyboard = keyboard_init();
	if (!info.keyboard)
		log_notice("kbd: controller found, but no keyboard answers");
	drain();
	result = irq_register(KBD_IRQ, "keyboard", kbd_irq, NULL);
	if (result != 0)
		return result;
	return write_config((uint8_t)config | CONFIG_KBD_IRQ) ? 0 : -EIO;
}

int
kbd_set_layout(const char *name)
{
	const struct kbd_layout *layout;

	for (size_t i = 0; (layout = kbd_layout_at(i)) != NULL; i++) {
		if (strcmp(layout->name, name) == 0) {
			const uint64_t flags = spin_lock(&lock);

			decoder.layout = layout;
			decoder.dead = 0;
			spin_unlock(&lock, flags);
			return 0;
		}
	}
	return -ENOENT;
}

const char *
kbd_layout(void)
{
	return decoder.layout->name;
}

void
kbd_info(struct kbd_info *out)
{
	const uint64_t flags = spin_lock(&lock);

	info.layout = decoder.layout->name;
	info.held = decoder.held;
	info.locks = decoder.locks;
	*out = info;
	spin_unlock(&lock, flags);
}
