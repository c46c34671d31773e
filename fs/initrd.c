/*
 * initrd.c - unpacks a USTAR archive into the root.
 */
#include <fs/initrd.h>
#include <kern/boot_trace.h>
#include <lib/string.h>
#include <mm/pmm.h>
#include "internal.h"

#define BLOCK 512

struct header {
	char name[100], mode[8], uid[8], gid[8], size[12], mtime[12], sum[8], type, link[100];
	char magic[6], version[2], user[32], group[32], major[8], minor[8], prefix[155], pad[12];
};
_Static_assert(sizeof(struct header) == BLOCK, "ustar header");

static uint64_t
octal(const char *s, size_t n)
{
	uint64_t v = 0;

	for (size_t i = 0; i < n && s[i] >= '0' && s[i] <= '7'; i++)
		v = v * 8 + (uint64_t)(s[i] - '0');
	return v;
}

static int
write_file(const char *name, uint32_t mode, const void *data, size_t size)
{
	struct iobuf b = iobuf_kernel(data, size);
	struct file *f;
	int result = vfs_open(NULL, name, O_WRONLY | O_CREAT | O_TRUNC, mode, &f);
	ssize_t n;

	if (result != 0)
		return result;
	n = vfs_write(f, &b, &f->pos);
	file_put(f);
	return n < 0 ? (int)n : (size_t)n == size ? 0 : -ENOSPC;
}

static int
unpack_one(const struct header *h, size_t size)
{
	const uint32_t mode = (uint32_t)octal(h->mode, 8) & 07777;
	char name[sizeof(h->name) + 2] = "/", link[sizeof(h->link) + 1] = "";

	memcpy(name + 1, h->name, sizeof(h->name));
	memcpy(link, h->link, sizeof(h->link));
	switch (h->type) {
	case '\0':
	case '0': return write_file(name, mode, h + 1, size);
	case '2': return vfs_symlink(link, NULL, name);
	case '5': return vfs_mkdir(NULL, name, mode);
	default: return -EINVAL;
	}
}

int
initrd_unpack(void)
{
	const char *at = phys_to_virt(boot_info()->initrd_start);
	const char *end = phys_to_virt(boot_info()->initrd_end);

	while (at + BLOCK <= end && *at != '\0') {
		const struct header *h = (const struct header *)(uintptr_t)at;
		const size_t size = octal(h->size, sizeof(h->size));
		const int result = unpack_one(h, size);

		if (result != 0)
			log_warn("initrd: %.100s: error %d", h->name, -result);
		at += BLOCK + ALIGN_UP(size, BLOCK);
	}
	return 0;
}
