/*
 * vga.h - the PC's text screen: 80x25 cells at B8000h, with scrollback.
 *
 * The visible screen always starts at physical B8000h (CRTC start address 0), so that a dump of
 * those 4000 bytes is the screen.  Implementation: drivers/vga.c over the terminal of dev/ansi.h.
 * No locks of its own: drivers/console.c serialises.
 */
#pragma once
#include <kern/base.h>

/*
 * Look for a text screen and take over what the loader printed there.  0 or -ENODEV.  Works before
 * memory management.
 */
int vga_init(void);
bool vga_present(void);

/*
 * Take in UTF-8 text and escape sequences; the view returns to the newest line.  What changes is
 * seen at the next vga_show().  Without a screen nothing happens.  Context: any, console lock held.
 */
void vga_write(const char *s, size_t n);
/* Bring the screen up to date. */
void vga_show(void);
/* Is it out of date? */
bool vga_dirty(void);
/* Look @lines further back (negative: forward) in the history, at once; clamped. */
void vga_scroll_view(int lines);
/* Bring the terminal into a known state, its text kept: somebody was stopped while writing to it. */
void vga_panic(void);
/* Who gets the answers to DSR and DA. */
void vga_set_reply(void (*reply)(void *arg, const char *s, size_t n));

struct vga_info {
	unsigned row, col;	/* cursor, from 0 */
	unsigned history;	/* lines above the screen */
	unsigned view;		/* lines the view is moved back */
	uint64_t cells_written; /* 8-byte writes to video memory since boot */
};
void vga_info(struct vga_info *out);
