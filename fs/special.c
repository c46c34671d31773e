/*
 * special.c - device nodes: from the number in the inode to the driver, when it is opened.
 */
#include <fs/tmpfs.h>
#include <fs/device.h>
#include <fs/pipe.h>
#include "internal.h"

#define MAJORS 256

static const struct file_ops *char_devices[MAJORS]; /* [I] after init */

void
device_register(unsigned major, const struct file_ops *ops)
{
	assert(major < MAJORS && char_devices[major] == NULL);
	char_devices[major] = ops;
}

static int
open_char(struct inode *i, struct file *f)
{
	const unsigned major = device_major(i->rdev);

	if (major >= MAJORS || char_devices[major] == NULL)
		return -ENXIO;
	f->ops = char_devices[major];
	return f->ops->open != NULL ? f->ops->open(i, f) : 0;
}

static int
open_nothing(struct inode *i, struct file *f)
{
	(void)i;
	(void)f;
	return -ENXIO;
}

static const struct file_ops char_fops = {.open = open_char};
static const struct file_ops none_fops = {.open = open_nothing};

const struct file_ops *
special_fops(uint32_t mode)
{
	if ((mode & S_IFMT) == S_IFIFO)
		return &fifo_fops;
	return (mode & S_IFMT) == S_IFCHR ? &char_fops : &none_fops;
}
