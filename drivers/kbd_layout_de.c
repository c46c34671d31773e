/*
 * kbd_layout_de.c - the German layout (DIN 2137 T1).
 *
 * Indexed by the key's scancode (set 1), by rows of the keyboard.
 * Spec: DIN 2137-1, keyboard layout T1.
 */
#include <dev/kbd.h>

/* clang-format off */
const struct kbd_layout kbd_layout_de = {
	.name = "de",
	.what = "German",
	.altgr = true,
	.decimal = ',',
	.map = {
		[0x29] = {KBD_DEAD_CIRCUMFLEX, 0x00b0}, /* dead ° */
		[0x02] = {'1', '!'},
		[0x03] = {'2', '"', 0x00b2}, /* 2 " ² */
		[0x04] = {'3', 0x00a7, 0x00b3}, /* 3 § ³ */
		[0x05] = {'4', '$'},
		[0x06] = {'5', '%'},
		[0x07] = {'6', '&'},
		[0x08] = {'7', '/', '{'},
		[0x09] = {'8', '(', '['},
		[0x0a] = {'9', ')', ']'},
		[0x0b] = {'0', '=', '}'},
		[0x0c] = {0x00df, '?', '\\', 0x1e9e}, /* ß ? \ ẞ */
		[0x0d] = {KBD_DEAD_ACUTE, KBD_DEAD_GRAVE},

		[0x10] = {'q', 'Q', '@'},
		[0x11] = {'w', 'W'},
		[0x12] = {'e', 'E', 0x20ac}, /* e E € */
		[0x13] = {'r', 'R'},
		[0x14] = {'t', 'T'},
		[0x15] = {'z', 'Z'},
		[0x16] = {'u', 'U'},
		[0x17] = {'i', 'I'},
		[0x18] = {'o', 'O'},
		[0x19] = {'p', 'P'},
		[0x1a] = {0x00fc, 0x00dc}, /* ü Ü */
		[0x1b] = {'+', '*', '~'},

		[0x1e] = {'a', 'A'},
		[0x1f] = {'s', 'S'},
		[0x20] = {'d', 'D'},
		[0x21] = {'f', 'F'},
		[0x22] = {'g', 'G'},
		[0x23] = {'h', 'H'},
		[0x24] = {'j', 'J'},
		[0x25] = {'k', 'K'},
		[0x26] = {'l', 'L'},
		[0x27] = {0x00f6, 0x00d6}, /* ö Ö */
		[0x28] = {0x00e4, 0x00c4}, /* ä Ä */
		[0x2b] = {'#', '\''},

		[0x56] = {'<', '>', '|'},
		[0x2c] = {'y', 'Y'},
		[0x2d] = {'x', 'X'},
		[0x2e] = {'c', 'C'},
		[0x2f] = {'v', 'V'},
		[0x30] = {'b', 'B'},
		[0x31] = {'n', 'N'},
		[0x32] = {'m', 'M', 0x00b5}, /* m M µ */
		[0x33] = {',', ';'},
		[0x34] = {'.', ':'},
		[0x35] = {'-', '_'},
		[0x39] = {' ', ' ', ' ', ' '},
	},
};
/* clang-format on */
