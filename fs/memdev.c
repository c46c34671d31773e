/*
 * memdev.c - /dev: the nodes, and the devices that are nothing but memory: null, zero, full, random.
 */
#include <fs/device.h>
#include <kern/boot_trace.h>
#include <kern/random.h>
#include "internal.h"

#define MAJOR_MEM 1
enum { MEM_NULL = 3, MEM_ZERO = 5, MEM_FULL = 7, MEM_RANDOM = 8, MEM_URANDOM = 9 };

static ssize_t
mem_read(struct file *f, struct iobuf *b, uint64_t *pos)
{
	const unsigned minor = device_minor(f->inode->rdev);
	uint8_t piece[256];
	ssize_t total = 0;

	(void)pos;
	if (minor == MEM_NULL)
		return 0;
	while (b->left > 0) {
		ssize_t n;

		if (minor == MEM_ZERO || minor == MEM_FULL) {
			n = iobuf_put_zeros(b, MIN(b->left, MIB(1)));
		} else {
			random_bytes(piece, sizeof(piece));
			n = iobuf_put(b, piece, sizeof(piece));
		}
		if (n <= 0)
			return total > 0 ? total : n;
		total += n;
		if (task_self() != NULL && signal_pending())
			break;
	}
	return total;
}

static ssize_t
mem_write(struct file *f, struct iobuf *b, uint64_t *pos)
{
	const size_t n = b->left;
	uint8_t piece[64];

	(void)pos;
	switch (device_minor(f->inode->rdev)) {
	case MEM_FULL: return -ENOSPC;
	case MEM_RANDOM:
	case MEM_URANDOM:
		while (b->left > 0) {
			const ssize_t got = iobuf_take(b, piece, sizeof(piece));

			if (got <= 0)
				return got;
			random_stir(piece[0]);
		}
		return (ssize_t)n;
	default: iobuf_skip(b, n); return (ssize_t)n;
	}
}

static unsigned
mem_poll(struct file *f, struct poll_table *pt)
{
	(void)f;
	(void)pt;
	return POLLIN | POLLOUT | POLLRDNORM | POLLWRNORM;
}

static int
mem_open(struct inode *i, struct file *f)
{
	(void)f;
	switch (device_minor(i->rdev)) {
	case MEM_NULL:
	case MEM_ZERO:
	case MEM_FULL:
	case MEM_RANDOM:
	case MEM_URANDOM: return 0;
	default: return -ENXIO;
	}
}

static const struct file_ops ops = {
	.open = mem_open, .read = mem_read, .write = mem_write, .poll = mem_poll};

static const struct {
	const char *name;
	uint32_t mode;
	unsigned major, minor;
} nodes[] = {
	{"/dev/null", 0666, MAJOR_MEM, MEM_NULL},
	{"/dev/zero", 0666, MAJOR_MEM, MEM_ZERO},
	{"/dev/full", 0666, MAJOR_MEM, MEM_FULL},
	{"/dev/random", 0666, MAJOR_MEM, MEM_RANDOM},
	{"/dev/urandom", 0666, MAJOR_MEM, MEM_URANDOM},
	{"/dev/tty", 0666, 5, 0},
	{"/dev/console", 0600, 5, 1},
	{"/dev/tty1", 0620, 4, 1},
	{"/dev/tty2", 0620, 4, 2},
	{"/dev/tty3", 0620, 4, 3},
	{"/dev/tty4", 0620, 4, 4},
	{"/dev/ttyS0", 0660, 4, 64},
};

/* What an archive brought already stays as it is. */
int
devices_init(void)
{
	int result = vfs_mkdir(NULL, "/dev", 0755);

	if (result != 0 && result != -EEXIST)
		return result;
	device_register(MAJOR_MEM, &ops);
	for (size_t i = 0; i < ARRAY_SIZE(nodes); i++) {
		result = vfs_mknod(NULL, nodes[i].name, S_IFCHR | nodes[i].mode,
				   device_number(nodes[i].major, nodes[i].minor));
		if (result != 0 && result != -EEXIST)
			log_warn("dev: %s: error %d", nodes[i].name, -result);
	}
	(void)vfs_symlink("/proc/self/fd", NULL, "/dev/fd");
	return 0;
}
