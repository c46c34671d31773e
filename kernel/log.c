/*
 * log.c - the kernel log: a ring of records, oldest overwritten.
 *
 * Texts lie one after the other in a byte ring, positions counted since boot; a slot per record
 * says where.  Record number n is in slot n % LOG_SLOTS, so reading is as quick as writing.  A
 * record is gone when its slot was reused or its text overwritten.  The console gets its copy
 * after the lock is released: output may be slow, and may fail with a panic of its own.
 */
#include <kern/log.h>
#include <kern/clock.h>
#include <kern/log_keep.h>
#include <kern/spinlock.h>
#include <dev/console.h>
#include <lib/printf.h>
#include <lib/string.h>

#define LOG_SLOTS 512
#define LOG_BYTES 32768

struct slot {
	uint64_t time_ns;
	uint64_t start; /* position of the text, bytes since boot */
	uint16_t len;
	uint8_t level;
};

static struct spinlock lock = SPINLOCK_INIT("log");
static struct slot slots[LOG_SLOTS]; /* [lock] */
static char bytes[LOG_BYTES];	     /* [lock] */
static uint64_t next_seq;	     /* [lock] */
static uint64_t end;		     /* [lock] position after the newest text */
static volatile enum log_level console_level = LOG_INFO;

static void
append_locked(enum log_level level, uint64_t time_ns, const char *text, size_t len)
{
	struct slot *s = &slots[next_seq++ % LOG_SLOTS];

	*s = (struct slot){
		.time_ns = time_ns, .start = end, .len = (uint16_t)len, .level = (uint8_t)level};
	for (size_t i = 0; i < len; i++)
		bytes[end++ % LOG_BYTES] = text[i];
}

static uint64_t
oldest_locked(void)
{
	uint64_t seq = next_seq > LOG_SLOTS ? next_seq - LOG_SLOTS : 0;

	while (seq < next_seq && slots[seq % LOG_SLOTS].start + LOG_BYTES < end)
		seq++;
	return seq;
}

bool
log_read(uint64_t seq, struct log_record *out)
{
	const uint64_t flags = spin_lock(&lock);
	bool found;

	seq = MAX(seq, oldest_locked());
	found = seq < next_seq;
	if (found) {
		const struct slot *s = &slots[seq % LOG_SLOTS];

		out->seq = seq;
		out->time_ns = s->time_ns;
		out->level = (enum log_level)s->level;
		for (size_t i = 0; i < s->len; i++)
			out->text[i] = bytes[(s->start + i) % LOG_BYTES];
		out->text[s->len] = '\0';
	}
	spin_unlock(&lock, flags);
	return found;
}

int
log_stamp(char *buf, size_t size, uint64_t time_ns)
{
	return snprintf(buf, size, "[%5llu.%06u] ", (unsigned long long)(time_ns / NS_PER_SEC),
			(unsigned)(time_ns % NS_PER_SEC / 1000));
}

/* The whole line in one piece, so that lines of two threads do not mix. */
static void
show(uint64_t time_ns, const char *text, size_t len)
{
	char line[LOG_LINE_MAX + 32];
	size_t n = (size_t)log_stamp(line, sizeof(line), time_ns);

	memcpy(line + n, text, len);
	n += len;
	line[n++] = '\n';
	console_write(line, n);
}

void
klog(enum log_level level, const char *fmt, ...)
{
	const uint64_t now = clock_ns();
	char text[LOG_LINE_MAX];
	uint64_t flags;
	size_t len;
	va_list ap;

	va_start(ap, fmt);
	len = (size_t)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	len = MIN(len, sizeof(text) - 1);
	while (len > 0 && text[len - 1] == '\n')
		len--;

	flags = spin_lock(&lock);
	append_locked(level, now, text, len);
	log_keep_line(level, now, text, len);
	spin_unlock(&lock, flags);
	if (level <= console_level)
		show(now, text, len);
}

void
log_set_console_level(enum log_level level)
{
	console_level = level;
}

enum log_level
log_console_level(void)
{
	return console_level;
}
