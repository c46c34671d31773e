/*
 * test_kbd.c - the keyboard decoder: every key of every layout, dead keys, modifiers, special keys,
 * lost and stray bytes.
 *
 * SOURCES: drivers/kbd_decode.c drivers/kbd_layout_us.c drivers/kbd_layout_de.c
 * SOURCES: drivers/kbd_layout_fr.c drivers/utf8.c kernel/lib/string.c kernel/lib/printf.c
 */
#include "host.h"
#include <dev/kbd.h>
#include <lib/string.h>

#define SHIFT "\x2a"
#define CAPS  "\x3a\xba"

static struct kbd_decoder dec;
static char typed[512];
static enum kbd_action last_action;

static void
byte(uint8_t b)
{
	struct kbd_event ev;
	const size_t used = strlen(typed);

	kbd_decode(&dec, b, &ev);
	assert_true(ev.len <= sizeof(ev.text));
	assert_true(used + ev.len < sizeof(typed));
	memcpy(typed + used, ev.text, ev.len);
	typed[used + ev.len] = '\0';
	if (ev.action != KBD_ACTION_NONE)
		last_action = ev.action;
}

static void
bytes(const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++)
		byte((uint8_t)s[i]);
}
#define send(literal) bytes(literal, sizeof(literal) - 1)

static const char *
take(void)
{
	static char out[sizeof(typed)];

	strlcpy(out, typed, sizeof(out));
	typed[0] = '\0';
	return out;
}

static void
use(const struct kbd_layout *layout)
{
	kbd_decoder_init(&dec, layout);
	typed[0] = '\0';
	last_action = KBD_ACTION_NONE;
}

static int
fresh(void **state)
{
	use(&kbd_layout_us);
	return 0;
}

static void
tap(uint8_t key)
{
	byte(key);
	byte(key | 0x80);
}

/* --- what the keycaps say: the rows as printed on keyboards ----------------------------------- */

/* Scancodes of the rows, from left to right. */
/* clang-format off */
static const uint8_t rows[4][13] = {
	{0x29, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x08, 0x09, 0x0a, 0x0b, 0x0c, 0x0d},
	{0x10, 0x11, 0x12, 0x13, 0x14, 0x15, 0x16, 0x17, 0x18, 0x19, 0x1a, 0x1b},
	{0x1e, 0x1f, 0x20, 0x21, 0x22, 0x23, 0x24, 0x25, 0x26, 0x27, 0x28, 0x2b},
	{0x56, 0x2c, 0x2d, 0x2e, 0x2f, 0x30, 0x31, 0x32, 0x33, 0x34, 0x35},
};
/* clang-format on */
static const unsigned row_keys[4] = {13, 12, 12, 11};

/* clang-format off */
/* Keys are separated by spaces; DEADx is a dead key; under AltGr, NO is nothing. */
static const struct {
	const struct kbd_layout *layout;
	const char *row[4][3]; /* plain, shifted, AltGr */
} keycaps[] = {
	{&kbd_layout_us,
	 {{"` 1 2 3 4 5 6 7 8 9 0 - =", "~ ! @ # $ % ^ & * ( ) _ +", NULL},
	  {"q w e r t y u i o p [ ]", "Q W E R T Y U I O P { }", NULL},
	  {"a s d f g h j k l ; ' \\", "A S D F G H J K L : \" |", NULL},
	  {"< z x c v b n m , . /", "> Z X C V B N M < > ?", NULL}}},
	{&kbd_layout_de,
	 {{"DEAD^ 1 2 3 4 5 6 7 8 9 0 ß DEAD´", "° ! \" § $ % & / ( ) = ? DEAD`",
	   "NO NO ² ³ NO NO NO { [ ] } \\ NO"},
	  {"q w e r t z u i o p ü +", "Q W E R T Z U I O P Ü *",
	   "@ NO € NO NO NO NO NO NO NO NO ~"},
	  {"a s d f g h j k l ö ä #", "A S D F G H J K L Ö Ä '", NULL},
	  {"< y x c v b n m , . -", "> Y X C V B N M ; : _",
	   "| NO NO NO NO NO NO µ NO NO NO"}}},
	{&kbd_layout_fr,
	 {{"² & é \" ' ( - è _ ç à ) =", "~ 1 2 3 4 5 6 7 8 9 0 ° +",
	   "¬ NO ~ # { [ | ` \\ ^ @ ] }"},
	  {"a z e r t y u i o p DEAD^ $", "A Z E R T Y U I O P DEAD¨ £",
	   "NO NO € NO NO NO NO NO œ NO NO ¤"},
	  {"q s d f g h j k l m ù *", "Q S D F G H J K L M % µ",
	   "æ NO NO NO NO NO NO NO NO NO NO NO"},
	  {"< w x c v b n , ; : !", "> W X C V B N ? . / §",
	   "NO « » © NO NO NO NO NO NO NO"}}},
};
/* clang-format on */

static void
check_key(uint8_t key, const char *expected)
{
	tap(key);
	if (strcmp(expected, "NO") == 0) {
		assert_string_equal(take(), "");
	} else if (strncmp(expected, "DEAD", 4) == 0) {
		assert_string_equal(take(), "");
		tap(0x39); /* dead and space: the accent itself */
		assert_string_equal(take(), expected + 4);
	} else {
		assert_string_equal(take(), expected);
	}
}

static void
check_row(const char *expected, const uint8_t *keys, unsigned n)
{
	char copy[256], *at = copy;

	strlcpy(copy, expected, sizeof(copy));
	for (unsigned i = 0; i < n; i++) {
		char *end = strchr(at, ' ');

		assert_true(end || i == n - 1);
		if (end)
			*end = '\0';
		check_key(keys[i], at);
		if (end)
			at = end + 1;
	}
}

static void
every_key_of_every_layout(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(keycaps); i++) {
		for (unsigned row = 0; row < 4; row++) {
			use(keycaps[i].layout);
			check_row(keycaps[i].row[row][0], rows[row], row_keys[row]);
			byte(0x2a);
			check_row(keycaps[i].row[row][1], rows[row], row_keys[row]);
			byte(0xaa);
			if (!keycaps[i].row[row][2])
				continue;
			send("\xe0\x38");
			check_row(keycaps[i].row[row][2], rows[row], row_keys[row]);
			send("\xe0\xb8");
			tap(0x12);
			assert_string_equal(take(), "e");
		}
	}
}

static void
all_of_ascii_can_be_typed(void **state)
{
	for (size_t l = 0; kbd_layout_at(l) != NULL; l++) {
		bool seen[128] = {false};

		for (unsigned key = 1; key < KBD_KEYS; key++)
			for (unsigned level = 0; level < KBD_LEVELS; level++) {
				use(kbd_layout_at(l));
				if (level & 1)
					byte(0x36);
				if (level & 2)
					send("\xe0\x38");
				tap((uint8_t)key);
				byte(0xb6);
				tap(0x39); /* completes a dead key */
				if ((typed[0] & 0x80) == 0)
					seen[(uint8_t)typed[0]] = true;
			}
		for (unsigned c = ' '; c < 0x7f; c++)
			if (!seen[c])
				fail_msg("layout %s cannot type %c", kbd_layout_at(l)->name, c);
	}
}

static void
national_letters(void **state)
{
	use(&kbd_layout_de);
	send("\x28\x27\x1a\x0c" SHIFT "\x28\x27\x1a\xaa");
	assert_string_equal(take(), "äöüßÄÖÜ");
	send(CAPS "\x28\x27\x1a\x0c\x02" SHIFT "\x28\x02\xaa" CAPS);
	assert_string_equal(take(), "ÄÖÜß1ä!");
	use(&kbd_layout_fr);
	send("\x03\x08\x0a\x0b\x28");
	assert_string_equal(take(), "éèçàù");
	send(CAPS "\x03\x08\x0a\x0b\x28\x10" SHIFT "\x03\x10\xaa" CAPS);
	assert_string_equal(take(), "ÉÈÇÀÙA2a");
}

static void
dead_keys(void **state)
{
	use(&kbd_layout_fr);
	send("\x1a\x12\x1a\x10\x1a\x17\x1a\x18\x1a\x16"); /* ^e ^a ^i ^o ^u */
	assert_string_equal(take(), "êâîôû");
	send(SHIFT "\x1a\xaa\x12" SHIFT "\x1a\x17\xaa" SHIFT "\x1a\xaa\x15"); /* ¨e ¨I ¨y */
	assert_string_equal(take(), "ëÏÿ");
	send("\x1a\x1a"); /* twice: the accent */
	assert_string_equal(take(), "^");
	send("\x1a" SHIFT "\x1a\xaa\x12"); /* another one in between: the first by itself */
	assert_string_equal(take(), "^ë");
	send("\x1a\x13"); /* ^ and r do not combine */
	assert_string_equal(take(), "^r");
	send("\x1a\x39\x39");
	assert_string_equal(take(), "^ ");
	send("\x1a\x0e\x12"); /* Backspace takes it back */
	assert_string_equal(take(), "\x7f"
				    "e");
	use(&kbd_layout_de);
	send("\x0d\x12" SHIFT "\x0d\xaa\x1e\x29\x18" SHIFT "\x0d\x12\xaa");
	assert_string_equal(take(), "éàôÈ");
	send(CAPS "\x0d\x12" CAPS);
	assert_string_equal(take(), "É");
	send("\x29\x29\x0d\x0d");
	assert_string_equal(take(), "^´");
}

static void
locks(void **state)
{
	send("\x3a");
	assert_int_equal(last_action, KBD_ACTION_LOCKS);
	assert_int_equal(dec.locks, KBD_CAPS_LOCK);
	send("\x3a\x3a\x3a"); /* repeats */
	assert_int_equal(dec.locks, KBD_CAPS_LOCK);
	send("\xba\x1e\x02" SHIFT "\x1e\x02\xaa\x3a\xba\x1e");
	assert_string_equal(take(), "A1a!a");
	send("\x45\xc5\x46\xc6");
	assert_int_equal(dec.locks, KBD_NUM_LOCK | KBD_SCROLL_LOCK);
}

static void
keypad(void **state)
{
	send("\x47\x48\x49\x4b\x4d\x4f\x50\x51\x52\x53");
	assert_string_equal(take(),
			    "\033[H\033[A\033[5~\033[D\033[C\033[F\033[B\033[6~\033[2~\033[3~");
	send("\x45\xc5\x47\x48\x49\x4b\x4c\x4d\x4f\x50\x51\x52\x53");
	assert_string_equal(take(), "7894561230.");
	send("\x37\x4a\x4e\xe0\x35\xe0\xb5\xe0\x1c\xe0\x9c");
	assert_string_equal(take(), "*-+/\r");
	send(SHIFT "\x47\x49\xaa"); /* Shift undoes Num Lock */
	assert_string_equal(take(), "\033[H\033[5~");
	assert_int_equal(last_action, KBD_ACTION_LOCKS);
	use(&kbd_layout_de);
	send("\x45\xc5\x53");
	assert_string_equal(take(), ",");
}

static void
special_keys(void **state)
{
	send("\xe0\x48\xe0\xc8\xe0\x50\xe0\x4d\xe0\x4b\xe0\x47\xe0\x4f");
	assert_string_equal(take(), "\033[A\033[B\033[C\033[D\033[H\033[F");
	send("\xe0\x52\xe0\x53\xe0\x49\xe0\x51");
	assert_string_equal(take(), "\033[2~\033[3~\033[5~\033[6~");
	send("\x3b\x3c\x3d\x3e\x3f\x40\x41\x42\x43\x44\x57\x58");
	assert_string_equal(take(), "\033OP\033OQ\033OR\033OS\033[15~\033[17~\033[18~\033[19~"
				    "\033[20~\033[21~\033[23~\033[24~");
	send("\x01\x0e\x0f\x1c" SHIFT "\x0f\xaa");
	assert_string_equal(take(), "\033\x7f\t\r\033[Z");
	send("\x1d\xe0\x4d\xe0\x4b\x9d" SHIFT "\xe0\x48\x3b\xaa\x38\xe0\x50\xb8\x1d\x0e\x9d");
	assert_string_equal(take(), "\033[1;5C\033[1;5D\033[1;2A\033[1;2P\033[1;3B\b");
	/* Print Screen and the menu and Windows keys type nothing. */
	send("\xe0\x2a\xe0\x37\xe0\xb7\xe0\xaa\xe0\x5b\xe0\xdb\xe0\x5d\xe0\xdd\x54\xd4");
	assert_string_equal(take(), "");
	assert_int_equal(dec.held, 0);
}

static void
faked_shifts(void **state)
{
	/* Under Num Lock the arrows come wrapped in Shifts that nobody pressed, or released. */
	send("\xe0\x2a\xe0\x48\xe0\xc8\xe0\xaa\x1e");
	assert_string_equal(take(), "\033[Aa");
	send(SHIFT "\xe0\xaa\xe0\x4d\xe0\xcd\xe0\x2a\x1e\xaa\x1e");
	assert_string_equal(take(), "\033[1;2CAa");
}

static void
pause_key(void **state)
{
	send("\xe1\x1d\x45\xe1\x9d\xc5\x1e");
	assert_string_equal(take(), "a");
	assert_int_equal(dec.held, 0);
	assert_int_equal(dec.locks, 0);
	send("\xe0\x46\xe0\xc6\x1e"); /* Ctrl-Pause: Break */
	assert_string_equal(take(), "a");
	assert_int_equal(dec.locks, 0);
}

/* The key types one byte, NUL. */
static void
assert_nul(uint8_t key)
{
	struct kbd_event ev;

	kbd_decode(&dec, key, &ev);
	assert_int_equal(ev.len, 1);
	assert_int_equal(ev.text[0], 0);
}

static void
control_and_alt(void **state)
{
	send("\x1d\x2e\x1e\x26\x1a\x2b\x1b\x07\x0c\x35\x9d");
	assert_string_equal(take(), "\x03\x01\x0c\x1b\x1c\x1d\x1e-\x1f");
	send("\xe0\x1d\x2e\xe0\x9d\x2e");
	assert_string_equal(take(), "\x03"
				    "c");
	send(SHIFT "\x1d\x0c\x9d\xaa"); /* Ctrl-_ */
	assert_string_equal(take(), "\x1f");
	send("\x38\x30\x21\x0e\x1c\xb8\xe0\x38\x20\xe0\xb8");
	assert_string_equal(take(), "\033b\033f\033\x7f\033\r\033d");
	byte(0x1d);
	assert_nul(0x39); /* Ctrl-Space */
	assert_nul(0x03); /* Ctrl-2, which is Ctrl-@ */
	byte(0x9d);
	use(&kbd_layout_fr);
	send("\x1d\x10\x2e\x1a\x9d"); /* letters, not places; dead keys do not wait */
	assert_string_equal(take(), "\x01\x03\x1e");
	send("\x1d\xe0\x38\x06\x09\xe0\xb8\x9d"); /* Ctrl-[ and Ctrl-\ through AltGr */
	assert_string_equal(take(), "\x1b\x1c");
}

static void
actions(void **state)
{
	send(SHIFT "\xe0\x49\xe0\xc9");
	assert_int_equal(last_action, KBD_ACTION_SCROLL_UP);
	send("\xe0\x51\xe0\xd1\xaa");
	assert_int_equal(last_action, KBD_ACTION_SCROLL_DOWN);
	assert_string_equal(take(), "");
	send("\x1d\x38\xe0\x53");
	assert_int_equal(last_action, KBD_ACTION_REBOOT);
	fresh(NULL);
	send("\x1d\x38\x53");
	assert_int_equal(last_action, KBD_ACTION_REBOOT);
	assert_string_equal(take(), "");
}

static void
two_modifiers_of_a_kind(void **state)
{
	send("\x2a\x36\xaa\x1e\xb6\x1e");
	assert_string_equal(take(), "Aa");
	send("\x1d\xe0\x1d\x9d\x2e\xe0\x9d\x2e");
	assert_string_equal(take(), "\x03"
				    "c");
}

static void
lost_bytes(void **state)
{
	/* The keyboard's buffer ran over: whatever was held is taken for released. */
	send("\x2a\x1d\x38\xff\x1e");
	assert_string_equal(take(), "a");
	send("\x2a\x00");
	send("\x1e");
	assert_string_equal(take(), "a");
	/* A release without a press, of keys and of modifiers. */
	send("\x9e\xaa\xb6\x9d\xe0\x9d\xb8\xe0\xb8\xba\x1e");
	assert_string_equal(take(), "a");
	/* A modifier that is stuck since its release was lost: pressing it once more frees it. */
	send("\x2a\x1e\x2a\xaa\x1e");
	assert_string_equal(take(), "Aa");
	/* E0 with nothing sensible behind it does no harm to what follows. */
	send("\xe0\x01\xe0\xe0\x48\x1e");
	assert_string_equal(take(), "\033[Aa");
}

static void
random_bytes(void **state)
{
	uint64_t seed = 7;

	for (size_t l = 0; kbd_layout_at(l) != NULL; l++) {
		use(kbd_layout_at(l));
		for (unsigned i = 0; i < 300000; i++) {
			seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
			typed[0] = '\0';
			byte((uint8_t)(seed >> 40));
			assert_int_equal(dec.locks & ~7, 0);
		}
		/* All released: an e is an e. */
		kbd_decoder_release(&dec);
		dec.locks = 0;
		typed[0] = '\0';
		tap(0x12);
		assert_string_equal(take(), "e");
	}
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup(f, fresh)
	const struct CMUnitTest tests[] = {
		T(every_key_of_every_layout),
		T(all_of_ascii_can_be_typed),
		T(national_letters),
		T(dead_keys),
		T(locks),
		T(keypad),
		T(special_keys),
		T(faked_shifts),
		T(pause_key),
		T(control_and_alt),
		T(actions),
		T(two_modifiers_of_a_kind),
		T(lost_bytes),
		T(random_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
