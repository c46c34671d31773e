/*
 * initrd.c - unpacks the archive that the loader brought into the root.
 *
 * Where a file's contents begin at a page's start (tools/mktar.py sees to it), its whole pages are not copied: the
 * frames themselves become pages of the file.  What is left of the archive is given back.
 * Nothing in an archive is believed: fs/ustar.c keeps to its bounds, and here names with ".." are refused.
 */
#include <fs/initrd.h>
#include <fs/device.h>
#include <fs/pagecache.h>
#include <fs/ustar.h>
#include <kern/boot_trace.h>
#include <lib/string.h>
#include <mm/kmalloc.h>
#include <mm/pmm.h>
#include "internal.h"

#define PROBLEMS_SAID 8 /* of a hostile archive; the rest are counted */

struct unpack {
	struct ustar ar;
	paddr_t base; /* of ar.start */
	unsigned entries, problems;
	size_t in_place, copied; /* pages; bytes */
};

static void
complain(struct unpack *u, const char *why)
{
	if (++u->problems <= PROBLEMS_SAID)
		log_warn("initrd: %.60s: %s", u->ar.entry.name, why);
}

static const char *
error_text(int error)
{
	switch (error) {
	case -ENOMEM:
	case -ENOSPC: return "no memory";
	case -ELOOP: return "symbolic links in a circle";
	case -ENAMETOOLONG: return "name too long";
	case -ENOTDIR: return "not a directory on its way";
	case -EEXIST: return "there is something else of that name";
	case -ENOENT: return "its target is not there";
	default: return "cannot be made";
	}
}

static bool
has_dotdot(const char *s)
{
	while (s != NULL) {
		if (s[0] == '.' && s[1] == '.' && (s[2] == '/' || s[2] == '\0'))
			return true;
		s = strchr(s, '/');
		s = s != NULL ? s + 1 : NULL;
	}
	return false;
}

/* The directories on the way to @name are made as far as they are not there. */
static void
make_parents(char *name)
{
	for (char *p = name; *p != '\0'; p++) {
		if (*p != '/' || p == name)
			continue;
		*p = '\0';
		(void)vfs_mkdir(NULL, name, 0755); /* what is wrong shows with @name itself */
		*p = '/';
	}
}

/* --- contents ------------------------------------------------------------------------------------ */

/* Whole pages of the archive become pages of @f.  Returns the bytes of them. */
static size_t
adopt_pages(struct unpack *u, struct file *f, const uint8_t *data, size_t size)
{
	const paddr_t from = u->base + (paddr_t)(data - u->ar.start);
	size_t done = 0;

	if (!IS_ALIGNED(from, PAGE_SIZE))
		return 0;
	while (size - done >= PAGE_SIZE) {
		if (pmm_frame_owner(from + done) != PMM_INITRD ||
		    pagecache_adopt(f->inode, done / PAGE_SIZE, from + done) != 0)
			break;
		done += PAGE_SIZE;
	}
	u->in_place += done / PAGE_SIZE;
	return done;
}

static int
write_file(struct unpack *u, const char *name)
{
	const struct ustar_entry *e = &u->ar.entry;
	struct file *f;
	int result = vfs_open(NULL, name, O_WRONLY | O_CREAT | O_EXCL, e->mode, &f);
	size_t done;

	if (result != 0)
		return result;
	done = adopt_pages(u, f, e->data, e->size);
	if (done < e->size) {
		struct iobuf b = iobuf_kernel(e->data + done, e->size - done);
		uint64_t pos = done;
		const ssize_t n = vfs_write(f, &b, &pos);

		u->copied += e->size - done;
		result = n < 0 ? (int)n : (size_t)n == e->size - done ? 0 : -ENOSPC;
	}
	file_put(f);
	return result;
}

/* 0 or -EEXIST. */
static int
is_directory(const char *name)
{
	struct path p;

	if (path_lookup(NULL, name, LOOKUP_DIRECTORY, &p) != 0)
		return -EEXIST;
	path_put(&p);
	return 0;
}

/* --- entries -------------------------------------------------------------------------------------- */

static int
try_to_make(struct unpack *u, char *name)
{
	struct ustar_entry *e = &u->ar.entry;
	const uint64_t dev = device_number(e->major, e->minor);
	int result;

	if (e->type == '5') {
		result = vfs_mkdir(NULL, name, e->mode);
		return result == -EEXIST ? is_directory(name) : result;
	}
	switch (e->type) {
	case '0': return write_file(u, name);
	case '1':
		if (has_dotdot(e->link))
			return -EPERM;
		if (e->link[0] != '/') {
			memmove(e->link + 1, e->link, strnlen(e->link, USTAR_NAME_MAX - 2) + 1);
			e->link[0] = '/';
			e->link[USTAR_NAME_MAX - 1] = '\0';
		}
		return vfs_link(NULL, e->link, NULL, name, 0);
	case '2': return vfs_symlink(e->link, NULL, name);
	case '3': return vfs_mknod(NULL, name, S_IFCHR | e->mode, dev);
	case '4': return vfs_mknod(NULL, name, S_IFBLK | e->mode, dev);
	default: return vfs_mknod(NULL, name, S_IFIFO | e->mode, 0);
	}
}

static int
make(struct unpack *u, char *name)
{
	int result = try_to_make(u, name);

	if (result == -ENOENT) {
		make_parents(name);
		result = try_to_make(u, name);
	}
	if ((result == -EEXIST || result == -ELOOP) && u->ar.entry.type != '5' &&
	    vfs_unlink(NULL, name) == 0) /* as tar does: the later one counts */
		result = try_to_make(u, name);
	return result;
}

/* Owner, mode and times, which the umask and the making itself have changed. */
static int
set_attributes(const struct ustar_entry *e, const char *name)
{
	const struct timespec64 times[2] = {{e->mtime, 0}, {e->mtime, 0}};
	struct path p;
	int result = path_lookup(NULL, name, 0, &p);

	if (result != 0)
		return result;
	result = vfs_chown(p.dentry->inode, e->uid, e->gid);
	if (result == 0 && e->type != '2')
		result = vfs_chmod(p.dentry->inode, e->mode);
	if (result == 0)
		result = vfs_utimes(p.dentry->inode, times);
	path_put(&p);
	return result;
}

static void
unpack_one(struct unpack *u, char *name)
{
	const struct ustar_entry *e = &u->ar.entry;
	int result;

	if (e->problem != NULL) {
		complain(u, e->problem);
		return;
	}
	if (has_dotdot(e->name)) {
		complain(u, "\"..\" in its name: left out");
		return;
	}
	if (e->name[0] == '/')
		complain(u, "its name is absolute: taken from the root");
	name[0] = '/';
	(void)strlcpy(name + 1, e->name + (e->name[0] == '/'), USTAR_NAME_MAX - 1);
	result = make(u, name);
	if (result == 0 && e->type != '1')
		result = set_attributes(e, name);
	if (result != 0)
		complain(u, error_text(result));
	else
		u->entries++;
}

/* Frames of the archive that no file has taken over. */
static void
give_back(paddr_t start, paddr_t end)
{
	for (paddr_t pa = ALIGN_DOWN(start, PAGE_SIZE); pa < end; pa += PAGE_SIZE) {
		if (pmm_frame_owner(pa) == PMM_INITRD)
			pmm_release(pa, pa + PAGE_SIZE);
	}
}

static void
unpack(struct unpack *u, char *name)
{
	while (ustar_next(&u->ar))
		unpack_one(u, name);
	if (u->ar.error != NULL)
		log_warn("initrd: %s at byte %lu; what stands before it is there", u->ar.error,
			 (uint64_t)(u->ar.at - u->ar.start));
	if (u->problems > PROBLEMS_SAID)
		log_warn("initrd: %u more of that kind", u->problems - PROBLEMS_SAID);
	log_info("initrd: %u files and directories, %zu KiB in place, %zu copied", u->entries,
		 u->in_place * (PAGE_SIZE / 1024), u->copied / 1024);
}

int
initrd_unpack(void)
{
	const paddr_t start = boot_info()->initrd_start, end = boot_info()->initrd_end;
	struct unpack *u;
	char *name;

	if (start == end)
		return 0;
	u = kzalloc(sizeof(*u));
	name = kmalloc(USTAR_NAME_MAX);
	if (u != NULL && name != NULL) {
		u->base = start;
		ustar_begin(&u->ar, phys_to_virt(start), end - start);
		unpack(u, name);
		give_back(start, end);
	}
	kfree(name);
	kfree(u);
	return u != NULL && name != NULL ? 0 : -ENOMEM;
}
