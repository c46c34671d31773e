/*
 * pager.h - output a screenful at a time (`| more`).
 */
#pragma once
#include <kern/base.h>

struct pager {
	unsigned cols, rows; /* of the terminal */
	unsigned row, col;   /* rows printed since the last stop; column */
	unsigned escape;     /* inside an escape sequence: 1 behind ESC, 2 behind ESC [ */
	bool quit;	     /* q was typed: nothing more is shown */
};

void pager_init(struct pager *p);
/* Print to the console; stops for a key when the screen is full.  Context: thread. */
void pager_write(struct pager *p, const char *s, size_t n);
