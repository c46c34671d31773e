/*
 * vga.h - the PC's text screen: 80x25 cells at B8000h, with scrollback.
 *
 * The visible screen always starts at physical B8000h (CRTC start address 0), so that a dump of
 * those 4000 bytes is the screen.  Implementation: drivers/vga.c over the terminal of dev/ansi.h.
 * No locks of its own: drivers/console.c serialises.
 */
#pragma once
#include <kern/base.h>

/* Look for a text screen and take over what the loader printed there.  0 or -ENODEV.  Works before memory management. */
int vga_init(void);
bool vga_present(void);

/* Show UTF-8 text and escape sequences; returns to the newest line first.  Nothing without a screen.  Context: any, console lock held. */
void vga_write(const char *s, size_t n);
/* Look @lines further back (negative: forward) in the history; clamped.  0 lines changes nothing. */
void vga_scroll_view(int lines);
/* Back to the newest line. */
void vga_view_live(void);
/* Who gets the answers to DSR and DA. */
void vga_set_reply(void (*reply)(void *arg, const char *s, size_t n));

struct vga_info {
	unsigned row, col;	/* cursor, from 0 */
	unsigned history;	/* lines above the screen */
	unsigned view;		/* lines the view is moved back */
	uint64_t cells_written; /* 8-byte writes to video memory since boot */
};
void vga_info(struct vga_info *out);
