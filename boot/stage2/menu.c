/*
 * menu.c - which entry of MINOS.CFG boots, and with what command line.
 *
 * The list and the line below it are printed like anything else and then printed over, in place:
 * the same on the screen and on a terminal at COM1.  For users: docs/config.md.
 */
#include <lib/printf.h>
#include <lib/string.h>
#include "config.h"
#include "edit.h"
#include "keys.h"
#include "stage2.h"

#define TICKS(tenths) (((tenths)*182 + 50) / 100) /* 18.2 a second */
#define SHOWN_SECONDS 9				  /* the last ones are counted aloud */
#define EDIT_PROMPT   "cmdline: "

/* True as soon as a key is pressed within @timeout tenths of a second. */
static bool
key_in_time(uint32_t timeout)
{
	say("menu: press a key (%u.%u s)", timeout / 10, timeout % 10);
	for (uint32_t left = timeout; left > 0;) {
		const uint32_t step = left % 10 ? left % 10 : 10;

		if (step == 10 && left / 10 <= SHOWN_SECONDS)
			say(" %u", left / 10);
		if (input_key(TICKS(step)) != KEY_NONE) {
			say("\n");
			return true;
		}
		left -= step;
	}
	say("\n");
	return false;
}

static void
show_entry(const struct boot_entry *e, bool chosen)
{
	out_inverse(chosen);
	say("%c %s", chosen ? '>' : ' ', e->name[0] ? e->name : e->kernel);
	out_inverse(false);
	out_clear_line();
	say("\n");
}

static void
show_list(const struct boot_config *c, uint32_t chosen)
{
	for (uint32_t i = 0; i < c->count; i++)
		show_entry(&c->entries[i], i == chosen);
}

static void
show_edit(const struct edit *e)
{
	char view[EDIT_WIDTH + 1];

	edit_view(e, view);
	out_column(0);
	say(EDIT_PROMPT "%s", view);
	out_clear_line();
	out_column(sizeof(EDIT_PROMPT) - 1 + e->cursor - e->scroll);
}

/* Edit the command line; true if it is to be booted, false if it stays as it was. */
static bool
edit_cmdline(struct boot_entry *entry)
{
	static char text[BOOT_CMDLINE_MAX];
	struct edit e;
	int key;

	strlcpy(text, entry->cmdline, sizeof(text));
	edit_start(&e, text, sizeof(text));
	for (;;) {
		show_edit(&e);
		key = input_key(INPUT_FOREVER);
		if (key == KEY_ENTER || key == KEY_ESC)
			break;
		edit_key(&e, key);
	}
	out_column(0);
	if (key == KEY_ESC) {
		out_clear_line();
		return false;
	}
	say("\n");
	strlcpy(entry->cmdline, text, sizeof(entry->cmdline));
	return true;
}

/* Let somebody choose, for as long as it takes.  Returns the entry's index. */
static uint32_t
choose(struct boot_config *c)
{
	uint32_t chosen = c->preset;

	input_drop(); /* the key that opened it, and its repetitions */
	say("menu: Up and Down choose, Enter boots, e edits the command line (Esc: back)\n");
	for (;;) {
		int key;

		show_list(c, chosen);
		key = input_key(INPUT_FOREVER);
		if (key == KEY_ENTER || (key == 'e' && edit_cmdline(&c->entries[chosen])))
			return chosen;
		if (key == KEY_UP && chosen > 0)
			chosen--;
		else if (key == KEY_DOWN && chosen + 1 < c->count)
			chosen++;
		else if (key == KEY_HOME)
			chosen = 0;
		else if (key == KEY_END)
			chosen = c->count - 1;
		out_up(c->count);
	}
}

/* The kernel finds the entry's name in front of its command line. */
static void
hand_over(const struct boot_entry *e)
{
	const size_t size = sizeof(info->cmdline);
	size_t n;

	if (e->name[0]) {
		n = (size_t)snprintf(info->cmdline, size, "entry=\"%s\" %s", e->name, e->cmdline);
		if (n < size)
			return;
		say("menu: the command line leaves no room for entry=\"%s\"\n", e->name);
	}
	strlcpy(info->cmdline, e->cmdline, size);
}

const struct boot_entry *
menu_choose(struct boot_config *c)
{
	uint32_t chosen = c->preset;
	bool open = input_waiting();

	if (!open && c->timeout > 0)
		open = key_in_time(c->timeout);
	if (open)
		chosen = choose(c);
	if (open || c->timeout > 0) {
		a20_keep(); /* the BIOS was called */
		trace("menu");
	}
	hand_over(&c->entries[chosen]);
	return &c->entries[chosen];
}
