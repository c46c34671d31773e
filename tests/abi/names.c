/*
 * names.c - names: make, remove, rename, link; attributes.
 *
 * SYSCALLS: mkdir mkdirat rmdir unlink unlinkat rename renameat renameat2 link linkat symlink symlinkat readlink
 * SYSCALLS: readlinkat chmod fchmod fchmodat chown fchown lchown fchownat umask utimensat utime utimes futimesat
 * SYSCALLS: mknod mknodat getcwd chdir fchdir statfs fstatfs chroot
 */
#include "abi.h"
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/sysmacros.h>
#include <sys/time.h>
#include <utime.h>

static struct stat st;

static void
make(const char *name)
{
	close(open(name, O_CREAT | O_RDWR, 0644));
}

static void
mode_of(const char *name)
{
	if (lstat(name, &st) == 0)
		printf("%s: %o, %ld links, %d %d\n", name, st.st_mode,
		       S_ISDIR(st.st_mode) ? 0L : (long)st.st_nlink, st.st_uid, st.st_gid);
	else
		printf("%s: %s\n", name, strerror(errno));
}

static void
directories(void)
{
	char longname[300];

	memset(longname, 'n', sizeof(longname));
	longname[299] = '\0';
	T(mkdir("d", 0755));
	T(mkdir("d", 0755));
	T(mkdir("d/", 0755));
	T(mkdir("none/x", 0755));
	T(mkdir("", 0755));
	T(mkdir(BAD, 0755));
	T(mkdir(longname, 0755) == -1 && errno == ENAMETOOLONG);
	T(mkdir("d/t/", 01777));
	mode_of("d/t");
	make("f");
	T(mkdir("f/x", 0755));
	T(syscall(SYS_mkdirat, 77, "x", 0755));
	T(syscall(SYS_mkdirat, AT_FDCWD, "d/u", 0700));
	T(rmdir("d"));
	T(rmdir("f"));
	T(rmdir("none"));
	T(rmdir("d/u/."));
	T(rmdir("d/u/.."));
	T(rmdir("/"));
	T(rmdir("d/u"));
	T(syscall(SYS_unlinkat, AT_FDCWD, "d/t", 0));
	T(syscall(SYS_unlinkat, AT_FDCWD, "d/t", AT_REMOVEDIR));
	T(syscall(SYS_unlinkat, AT_FDCWD, "f", AT_REMOVEDIR));
	T(syscall(SYS_unlinkat, AT_FDCWD, "f", 77));
	T(unlink("d"));
	T(unlink("none"));
	T(unlink("f/"));
	T(unlink(BAD));
	T(unlink("f"));
}

static void
renaming(void)
{
	make("a");
	make("b");
	T(rename("a", "c"));
	T(rename("a", "c"));
	T(rename("c", "b"));
	mode_of("c");
	mode_of("b");
	T(mkdir("e", 0755));
	T(mkdir("e/sub", 0755));
	T(rename("e", "e/sub/x"));
	T(rename("b", "e"));
	T(rename("e", "b"));
	T(rename("d", "e"));
	T(rename("e/sub", "d"));
	T(rename("b", "none/x"));
	T(rename("b", ""));
	T(rename("b", BAD));
	T(rename(".", "x"));
	T(rename("b", "b"));
	make("a");
	T(syscall(SYS_renameat2, AT_FDCWD, "a", AT_FDCWD, "b", 1));
	T(syscall(SYS_renameat2, AT_FDCWD, "a", AT_FDCWD, "z", 1));
	T(syscall(SYS_renameat2, AT_FDCWD, "z", AT_FDCWD, "b", 3));
	T(syscall(SYS_renameat2, AT_FDCWD, "z", AT_FDCWD, "none", 2));
	T(syscall(SYS_renameat2, AT_FDCWD, "z", AT_FDCWD, "b", 64));
	T(syscall(SYS_renameat, AT_FDCWD, "z", AT_FDCWD, "y"));
	T(syscall(SYS_renameat, 77, "y", AT_FDCWD, "z"));
}

static void
linking(void)
{
	char buf[64];

	T(link("b", "b2"));
	mode_of("b2");
	T(link("b", "b2"));
	T(link("none", "x"));
	T(link("e", "x"));
	T(link("b", "none/x"));
	T(syscall(SYS_linkat, AT_FDCWD, "b", AT_FDCWD, "b3", 0));
	T(syscall(SYS_linkat, AT_FDCWD, "b", AT_FDCWD, "b4", 0x8));
	T(symlink("b", "s"));
	T(symlink("b", "s"));
	T(symlink("", "s2"));
	T(symlink("x", "none/s"));
	T(syscall(SYS_symlinkat, "nowhere", AT_FDCWD, "dangling"));
	T(syscall(SYS_symlinkat, "x", 77, "s3"));
	T(readlink("s", buf, sizeof(buf)));
	T(readlink("dangling", buf, 3));
	printf("%.3s\n", buf);
	T(readlink("b", buf, sizeof(buf)));
	T(readlink("none", buf, sizeof(buf)));
	T(readlink("s", buf, 0));
	T(readlink("s", BAD, 10));
	T(syscall(SYS_readlinkat, AT_FDCWD, "s", buf, 64));
	T(syscall(SYS_readlinkat, 77, "s", buf, 64));
	T(syscall(SYS_linkat, AT_FDCWD, "s", AT_FDCWD, "hard", AT_SYMLINK_FOLLOW));
	mode_of("hard");
	T(syscall(SYS_linkat, AT_FDCWD, "s", AT_FDCWD, "hardsym", 0));
	T(unlink("s"));
	T(open("dangling", O_RDONLY));
	T(open("dangling", O_CREAT | O_EXCL | O_RDWR, 0600));
	T(close(open("dangling", O_CREAT | O_RDWR, 0600)));
	mode_of("nowhere");
}

static void
attributes(void)
{
	struct timespec ts[2] = {{100, 5}, {200, 7}}, wrong[2] = {{1, 2000000000}, {0, 0}};
	struct timespec omit[2] = {{0, UTIME_OMIT}, {300, 0}};
	struct timeval tv[2] = {{11, 0}, {12, 0}}, wrong_tv[2] = {{1, 1000000}, {0, 0}};
	struct utimbuf ut = {21, 22};
	int fd = open("b", O_RDWR);

	T(chmod("b", 04755));
	mode_of("b");
	T(chmod("none", 0755));
	T(chmod(BAD, 0755));
	T(fchmod(fd, 0640));
	mode_of("b");
	T(fchmod(99, 0640));
	T(syscall(SYS_fchmodat, AT_FDCWD, "b", 0600));
	T(syscall(SYS_fchmodat, 77, "b", 0600));
	T(chown("b", 1, 2));
	mode_of("b");
	T(chown("none", 1, 2));
	T(chown("b", -1, 3));
	mode_of("b");
	T(lchown("dangling", 5, 5));
	mode_of("dangling");
	T(fchown(fd, 6, -1));
	T(fchown(99, 6, 6));
	T(syscall(SYS_fchownat, AT_FDCWD, "b", 0, 0, 0));
	T(syscall(SYS_fchownat, AT_FDCWD, "b", 0, 0, 0x20));
	mode_of("b");
	T(umask(077));
	make("masked");
	mode_of("masked");
	T(umask(022));
	T(syscall(SYS_utimensat, AT_FDCWD, "b", ts, 0));
	stat("b", &st);
	printf("%ld %ld %ld\n", (long)st.st_atime, (long)st.st_mtime, st.st_mtim.tv_nsec);
	T(syscall(SYS_utimensat, AT_FDCWD, "b", wrong, 0));
	T(syscall(SYS_utimensat, AT_FDCWD, "b", omit, 0));
	stat("b", &st);
	printf("%ld %ld\n", (long)st.st_atime, (long)st.st_mtime);
	T(syscall(SYS_utimensat, AT_FDCWD, "none", ts, 0));
	T(syscall(SYS_utimensat, fd, NULL, ts, 0));
	T(syscall(SYS_utimensat, AT_FDCWD, "b", BAD, 0));
	T(syscall(SYS_utimes, "b", tv));
	T(syscall(SYS_utimes, "b", wrong_tv));
	T(syscall(SYS_futimesat, AT_FDCWD, "b", tv));
	T(syscall(SYS_utime, "b", &ut));
	stat("b", &st);
	printf("%ld %ld\n", (long)st.st_atime, (long)st.st_mtime);
	T(syscall(SYS_utime, "none", &ut));
	close(fd);
}

static void
nodes(void)
{
	T(mknod("fifo", S_IFIFO | 0644, 0));
	mode_of("fifo");
	T(mknod("fifo", S_IFIFO | 0644, 0));
	T(mknod("reg", 0644, 0));
	mode_of("reg");
	T(mknod("dir", S_IFDIR | 0755, 0));
	T(mknod("what", 0170000, 0));
	T(syscall(SYS_mknodat, AT_FDCWD, "fifo2", S_IFIFO | 0600, 0));
	T(syscall(SYS_mknodat, 77, "fifo3", S_IFIFO | 0600, 0));
	T(open("fifo", O_WRONLY | O_NONBLOCK));
}

static void
standing(void)
{
	char cwd[256], here[256];
	struct statfs fs;
	int fd;

	N(syscall(SYS_getcwd, here, sizeof(here)));
	T(chdir("e"));
	N(syscall(SYS_getcwd, cwd, sizeof(cwd)));
	printf("%s\n", cwd + strlen(here));
	T(syscall(SYS_getcwd, cwd, 1));
	T(syscall(SYS_getcwd, BAD, 256));
	T(chdir(".."));
	T(chdir("b"));
	T(chdir("none"));
	T(chdir(BAD));
	fd = open("e", O_RDONLY);
	T(fchdir(fd));
	T(fchdir(99));
	T(chdir(".."));
	T(close(fd));
	fd = open("b", O_RDONLY);
	T(fchdir(fd));
	T(syscall(SYS_statfs, ".", &fs));
	T(syscall(SYS_statfs, "none", &fs));
	T(syscall(SYS_statfs, ".", BAD));
	T(syscall(SYS_fstatfs, fd, &fs));
	T(syscall(SYS_fstatfs, 99, &fs));
	T(mkdir("gone", 0755));
	T(chdir("gone"));
	T(rmdir("../gone"));
	T(open("x", O_CREAT | O_RDWR, 0600));
	T(syscall(SYS_getcwd, cwd, sizeof(cwd)));
	T(chdir(here));
	CHILD({
		T(chroot("none"));
		T(chroot("b"));
		T(chroot("e"));
		T(chdir("/"));
		N(syscall(SYS_getcwd, cwd, sizeof(cwd)));
		printf("%s\n", cwd);
		T(access("/b", F_OK));
		T(chdir("../../.."));
		N(syscall(SYS_getcwd, cwd, sizeof(cwd)));
		printf("%s\n", cwd);
		fflush(stdout);
		_exit(0);
	});
}

/* What others than root may not. */
static void
as_nobody(void)
{
	T(mkdir("private", 0700));
	make("private/f");
	T(chmod(".", 0755));
	CHILD({
		T(setgid(65534));
		T(setuid(65534));
		T(open("private/f", O_RDONLY));
		T(mkdir("x", 0755));
		T(unlink("b"));
		T(chmod("b", 0777));
		T(chown("b", 65534, 65534));
		T(access("b", W_OK));
		T(open("b", O_WRONLY));
		T(rename("b", "q"));
		T(mknod("dev", S_IFCHR | 0600, makedev(1, 3)));
		T(chroot("."));
		T(utime("b", NULL));
		_exit(0);
	});
}

/* Every entry comes once, though the ones before it are removed meanwhile. */
static void
remove_while_reading(void)
{
	char buf[300], name[16];
	int seen = 0, fd;
	long n;

	mkdir("many", 0755);
	chdir("many");
	for (int i = 0; i < 500; i++) {
		sprintf(name, "entry-%d", i);
		make(name);
	}
	fd = open(".", O_RDONLY | O_DIRECTORY);
	while ((n = syscall(SYS_getdents64, fd, buf, sizeof(buf))) > 0) {
		for (long at = 0; at < n; at += *(unsigned short *)(buf + at + 16)) {
			const char *entry = buf + at + 19;

			if (entry[0] != '.')
				seen += unlink(entry) == 0;
		}
	}
	close(fd);
	chdir("..");
	T(seen);
	T(rmdir("many"));
}

int
main(void)
{
	umask(022);
	directories();
	renaming();
	linking();
	attributes();
	nodes();
	remove_while_reading();
	standing();
	as_nobody();
	return 0;
}
