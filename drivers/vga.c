/*
 * vga.c - the PC's text screen.
 *
 * Three copies of the screen: the terminal's cells (dev/ansi.h), `shown`, which is what video
 * memory holds, and video memory itself, which is slow and never read after the start.  vga_show()
 * compares the changed lines with `shown` and writes only the differences, four cells at a time.
 * How often it is called is the console's business.
 * Spec: IBM VGA technical reference, "CRT Controller" and "Attribute Controller".
 */
#include <dev/vga.h>
#include <dev/ansi.h>
#include <dev/ansi_screen.h>
#include <lib/string.h>
#include <x86/io.h>

#define CRTC_INDEX	   0x3d4
#define CRTC_DATA	   0x3d5
#define CRTC_MAX_SCAN_LINE 0x09
#define CRTC_CURSOR_START  0x0a
#define CRTC_CURSOR_END	   0x0b
#define CRTC_START_HIGH	   0x0c
#define CRTC_START_LOW	   0x0d
#define CRTC_CURSOR_HIGH   0x0e
#define CRTC_CURSOR_LOW	   0x0f
#define CURSOR_OFF	   0x20 /* in CRTC_CURSOR_START */

#define INPUT_STATUS_1	0x3da
#define ATTR_INDEX	0x3c0 /* also takes the data */
#define ATTR_READ	0x3c1
#define ATTR_MODE	0x10
#define ATTR_PALETTE_ON 0x20 /* in the index: the palette drives the screen */
#define ATTR_MODE_BLINK 0x08

#define CURSOR_HIDDEN UINT16_MAX

#define WORDS_PER_LINE (ANSI_COLS * sizeof(uint16_t) / sizeof(uint64_t))

static struct ansi terminal;
static uint64_t shown[ANSI_ROWS][WORDS_PER_LINE];
static volatile uint64_t *video; /* NULL: no screen */
static unsigned view;		 /* lines the screen looks back */
static unsigned cursor_shown = UINT32_MAX;
static uint64_t words_written;

static uint8_t
crtc_read(uint8_t reg)
{
	outb(CRTC_INDEX, reg);
	return inb(CRTC_DATA);
}

static void
crtc_write(uint8_t reg, uint8_t v)
{
	outb(CRTC_INDEX, reg);
	outb(CRTC_DATA, v);
}

static void
show_word(unsigned row, unsigned i, uint64_t word)
{
	if (word == shown[row][i])
		return;
	shown[row][i] = word;
	video[row * WORDS_PER_LINE + i] = word;
	words_written++;
}

/* Most words are as they were, so four are compared at a time. */
static void
show_line(unsigned row)
{
	const uint64_t *now = (const uint64_t *)ansi_view_line(&terminal, view, row);
	const uint64_t *was = shown[row];

	_Static_assert(WORDS_PER_LINE % 4 == 0, "groups of four");
	for (unsigned i = 0; i < WORDS_PER_LINE; i += 4) {
		if (likely(((now[i] ^ was[i]) | (now[i + 1] ^ was[i + 1]) |
			    (now[i + 2] ^ was[i + 2]) | (now[i + 3] ^ was[i + 3])) == 0))
			continue;
		for (unsigned k = i; k < i + 4; k++)
			show_word(row, k, now[k]);
	}
}

/* Where the cursor is to be seen; CURSOR_HIDDEN if nowhere. */
static unsigned
cursor_wanted(void)
{
	if (!terminal.cursor_visible || view != 0)
		return CURSOR_HIDDEN;
	return terminal.row * ANSI_COLS + terminal.col;
}

static void
show_cursor(void)
{
	const unsigned at = cursor_wanted();
	const bool visible = at != CURSOR_HIDDEN;
	const bool was_hidden = cursor_shown >= CURSOR_HIDDEN;

	if (at == cursor_shown)
		return;
	if (!visible || was_hidden) {
		const uint8_t height = crtc_read(CRTC_MAX_SCAN_LINE) & 0x1f;

		/* An underline: the two lowest scan lines of the cell. */
		crtc_write(CRTC_CURSOR_START,
			   (uint8_t)((height > 0 ? height - 1 : 0) | (visible ? 0 : CURSOR_OFF)));
		crtc_write(CRTC_CURSOR_END, height);
	}
	if (visible) {
		crtc_write(CRTC_CURSOR_HIGH, (uint8_t)(at >> 8));
		crtc_write(CRTC_CURSOR_LOW, (uint8_t)at);
	}
	cursor_shown = at;
}

void
vga_show(void)
{
	if (!video)
		return;
	for (unsigned row = 0; terminal.dirty >> row != 0; row++)
		if (terminal.dirty >> row & 1)
			show_line(row);
	terminal.dirty = 0;
	show_cursor();
}

bool
vga_dirty(void)
{
	return video && (terminal.dirty != 0 || cursor_wanted() != cursor_shown);
}

/* Attribute bit 7 means a bright background, not blinking. */
static void
blink_off(void)
{
	uint8_t mode;

	(void)inb(INPUT_STATUS_1); /* the next write to 3C0h is an index */
	outb(ATTR_INDEX, ATTR_MODE | ATTR_PALETTE_ON);
	mode = inb(ATTR_READ);
	outb(ATTR_INDEX, mode & (uint8_t)~ATTR_MODE_BLINK);
	(void)inb(INPUT_STATUS_1);
	outb(ATTR_INDEX, ATTR_PALETTE_ON);
}

/* Is there memory at B8000h, and a CRTC in colour text mode at 3D4h? */
static bool
detect(volatile uint64_t *memory)
{
	const uint64_t old = memory[0];
	const uint64_t probe = 0x0741075507aa0769ULL;
	uint8_t low;
	bool found;

	memory[0] = probe;
	found = memory[0] == probe;
	memory[0] = old;
	if (!found)
		return false;
	low = crtc_read(CRTC_CURSOR_LOW);
	crtc_write(CRTC_CURSOR_LOW, low ^ 0x5a);
	found = crtc_read(CRTC_CURSOR_LOW) == (low ^ 0x5a);
	crtc_write(CRTC_CURSOR_LOW, low);
	return found;
}

/* Go on below what firmware and loader printed. */
static void
take_over(void)
{
	unsigned cursor;

	for (unsigned row = 0; row < ANSI_ROWS; row++) {
		for (unsigned i = 0; i < WORDS_PER_LINE; i++)
			shown[row][i] = video[row * WORDS_PER_LINE + i];
		memcpy(ansi_line(&terminal, row), shown[row], sizeof(shown[row]));
	}
	terminal.dirty = 0;
	cursor = (unsigned)crtc_read(CRTC_CURSOR_HIGH) << 8 | crtc_read(CRTC_CURSOR_LOW);
	if (cursor >= ANSI_ROWS * ANSI_COLS)
		cursor = 0;
	terminal.row = cursor / ANSI_COLS;
	terminal.col = cursor % ANSI_COLS;
	if (terminal.col != 0)
		vga_write("\n", 1);
}

int
vga_init(void)
{
	volatile uint64_t *memory = (volatile uint64_t *)VGA_TEXT_VA;

	if (video)
		return 0;
	if (!detect(memory))
		return -ENODEV;
	ansi_init(&terminal);
	video = memory;
	blink_off();
	/* Keep the visible screen at B8000h, wherever the firmware left it. */
	crtc_write(CRTC_START_HIGH, 0);
	crtc_write(CRTC_START_LOW, 0);
	take_over();
	vga_show();
	return 0;
}

void
vga_panic(void)
{
	view = 0;
	/* Whoever was writing may have been stopped anywhere. */
	ansi_soft_reset(&terminal);
	terminal.state = ANSI_GROUND;
	terminal.utf8 = (struct utf8){0};
	terminal.cursor_visible = true;
	if (terminal.row >= ANSI_ROWS || terminal.col >= ANSI_COLS)
		terminal.row = terminal.col = 0;
	if (terminal.top >= ANSI_LINES || terminal.history > ANSI_HISTORY)
		terminal.top = terminal.history = 0;
	terminal.dirty = ANSI_DIRTY_ALL;
}

bool
vga_present(void)
{
	return video != NULL;
}

void
vga_write(const char *s, size_t n)
{
	if (!video)
		return;
	if (view != 0) {
		view = 0;
		terminal.dirty = ANSI_DIRTY_ALL;
	}
	ansi_write(&terminal, s, n);
}

void
vga_scroll_view(int lines)
{
	const int wanted = (int)view + lines;
	const unsigned old = view;

	if (!video)
		return;
	view = wanted < 0 ? 0 : MIN((unsigned)wanted, terminal.history);
	if (view == old)
		return;
	terminal.dirty = ANSI_DIRTY_ALL;
	vga_show();
}

void
vga_set_reply(void (*reply)(void *arg, const char *s, size_t n))
{
	terminal.reply = reply;
}

void
vga_info(struct vga_info *out)
{
	*out = (struct vga_info){
		.row = terminal.row,
		.col = terminal.col,
		.history = terminal.history,
		.view = view,
		.cells_written = words_written,
	};
}
