/*
 * ansi_screen.h - what the terminal's functions do to its cells; between drivers/ansi*.c only.
 *
 * Rows and columns count from 0.  Numbers may be anything: they are clamped.
 */
#pragma once
#include <dev/ansi.h>

/* Write @n characters of code page 437, wrapping and scrolling as needed. */
void ansi_put(struct ansi *t, const uint8_t *s, size_t n);
void ansi_goto(struct ansi *t, int row, int col);
/* Relative moves; they stop at the scroll region's margins (CUU, CUD) and the screen's edges. */
void ansi_move_rows(struct ansi *t, int by);
void ansi_move_cols(struct ansi *t, int by);
/* Down (IND) or up (RI) one line, scrolling at the margin. */
void ansi_index(struct ansi *t);
void ansi_reverse_index(struct ansi *t);
/* Scroll the lines [@first, margin bottom] by @n, blank lines coming in. */
void ansi_scroll_up(struct ansi *t, unsigned first, unsigned n);
void ansi_scroll_down(struct ansi *t, unsigned first, unsigned n);
/* Erase the cells [@from, @to) of @row. */
void ansi_erase(struct ansi *t, unsigned row, unsigned from, unsigned to);
void ansi_erase_rows(struct ansi *t, unsigned from, unsigned to);
/* Shift the rest of the cursor's line right (ICH) or left (DCH) by @n. */
void ansi_insert_cells(struct ansi *t, unsigned n);
void ansi_delete_cells(struct ansi *t, unsigned n);
void ansi_tab(struct ansi *t, int n); /* n stops on, or back if negative */
void ansi_save(struct ansi *t);
void ansi_restore(struct ansi *t);
/* Modes, margins, tabs, colours and character sets as after power-on (DECSTR). */
void ansi_soft_reset(struct ansi *t);

/* Apply the parameters of CSI ... m. */
void ansi_select_rendition(struct ansi *t);
/* Recompute t->attr and t->blank from t->sgr. */
void ansi_sgr_update(struct ansi *t);
