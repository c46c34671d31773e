/*
 * text.c - text that grows as it is written: the contents of files of /proc.
 */
#include <fs/procfs.h>
#include <lib/printf.h>
#include <lib/string.h>
#include <mm/kmalloc.h>

#define FIRST_ROOM 1024
#define ROOM_MAX   MIB(16)

/* Room for @n bytes more. */
static bool
grow(struct text *t, size_t n)
{
	size_t room = t->room != 0 ? t->room : FIRST_ROOM;
	char *buf;

	while (room < t->len + n)
		room *= 2;
	if (room == t->room)
		return true;
	buf = room <= ROOM_MAX ? kmalloc(room) : NULL;
	if (buf == NULL) {
		t->failed = true;
		return false;
	}
	if (t->len > 0)
		memcpy(buf, t->buf, t->len);
	kfree(t->buf);
	t->buf = buf;
	t->room = room;
	return true;
}

void
text_bytes(struct text *t, const void *bytes, size_t n)
{
	if (!grow(t, n))
		return;
	memcpy(t->buf + t->len, bytes, n);
	t->len += n;
}

void
text_printf(struct text *t, const char *fmt, ...)
{
	va_list ap, again;
	int n;

	if (!grow(t, 1))
		return;
	va_start(ap, fmt);
	va_copy(again, ap);
	n = vsnprintf(t->buf + t->len, t->room - t->len, fmt, ap);
	va_end(ap);
	if ((size_t)n >= t->room - t->len && grow(t, (size_t)n + 1))
		n = vsnprintf(t->buf + t->len, t->room - t->len, fmt, again);
	va_end(again);
	if ((size_t)n < t->room - t->len)
		t->len += (size_t)n;
}
