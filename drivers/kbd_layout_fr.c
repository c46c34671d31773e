/*
 * kbd_layout_fr.c - the French layout (AZERTY), as Linux and Windows have it.
 *
 * Indexed by the key's scancode (set 1), by rows of the keyboard.
 * With Caps Lock the digit row's letters become capitals (É È Ç À), which Shift cannot type.
 */
#include <dev/kbd.h>

/* clang-format off */
const struct kbd_layout kbd_layout_fr = {
	.name = "fr",
	.what = "French",
	.altgr = true,
	.decimal = '.',
	.map = {
		[0x29] = {0x00b2, '~', 0x00ac}, /* ² ~ ¬ */
		[0x02] = {'&', '1'},
		[0x03] = {0x00e9, '2', '~'}, /* é 2 ~ */
		[0x04] = {'"', '3', '#'},
		[0x05] = {'\'', '4', '{'},
		[0x06] = {'(', '5', '['},
		[0x07] = {'-', '6', '|'},
		[0x08] = {0x00e8, '7', '`'}, /* è 7 ` */
		[0x09] = {'_', '8', '\\'},
		[0x0a] = {0x00e7, '9', '^'}, /* ç 9 ^ */
		[0x0b] = {0x00e0, '0', '@'}, /* à 0 @ */
		[0x0c] = {')', 0x00b0, ']'}, /* ) ° ] */
		[0x0d] = {'=', '+', '}'},

		[0x10] = {'a', 'A'},
		[0x11] = {'z', 'Z'},
		[0x12] = {'e', 'E', 0x20ac}, /* e E € */
		[0x13] = {'r', 'R'},
		[0x14] = {'t', 'T'},
		[0x15] = {'y', 'Y'},
		[0x16] = {'u', 'U'},
		[0x17] = {'i', 'I'},
		[0x18] = {'o', 'O', 0x0153, 0x0152}, /* o O œ Œ */
		[0x19] = {'p', 'P'},
		[0x1a] = {KBD_DEAD_CIRCUMFLEX, KBD_DEAD_DIAERESIS},
		[0x1b] = {'$', 0x00a3, 0x00a4}, /* $ £ ¤ */

		[0x1e] = {'q', 'Q', 0x00e6, 0x00c6}, /* q Q æ Æ */
		[0x1f] = {'s', 'S'},
		[0x20] = {'d', 'D'},
		[0x21] = {'f', 'F'},
		[0x22] = {'g', 'G'},
		[0x23] = {'h', 'H'},
		[0x24] = {'j', 'J'},
		[0x25] = {'k', 'K'},
		[0x26] = {'l', 'L'},
		[0x27] = {'m', 'M'},
		[0x28] = {0x00f9, '%'}, /* ù % */
		[0x2b] = {'*', 0x00b5}, /* * µ */

		[0x56] = {'<', '>'},
		[0x2c] = {'w', 'W', 0x00ab, 0x201c}, /* w W « “ */
		[0x2d] = {'x', 'X', 0x00bb, 0x201d}, /* x X » ” */
		[0x2e] = {'c', 'C', 0x00a9}, /* c C © */
		[0x2f] = {'v', 'V'},
		[0x30] = {'b', 'B'},
		[0x31] = {'n', 'N'},
		[0x32] = {',', '?'},
		[0x33] = {';', '.'},
		[0x34] = {':', '/'},
		[0x35] = {'!', 0x00a7}, /* ! § */
		[0x39] = {' ', ' ', ' ', ' '},
	},
};
/* clang-format on */
