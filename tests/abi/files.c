/*
 * files.c - open files: read, write, seek, duplicate, lock, ask.
 *
 * SYSCALLS: open openat creat read write pread64 pwrite64 readv writev preadv pwritev lseek close dup dup2 dup3
 * SYSCALLS: fcntl flock ioctl fsync fdatasync sync syncfs ftruncate truncate fallocate fadvise64 stat fstat lstat
 * SYSCALLS: newfstatat statx access faccessat faccessat2 sendfile close_range getdents64
 */
#include "abi.h"
#include <dirent.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/uio.h>

static char buf[64];

static void
opening(void)
{
	T(syscall(SYS_open, "none", O_RDONLY));
	T(syscall(SYS_open, "f", O_RDWR | O_CREAT | O_EXCL, 0644));
	T(syscall(SYS_open, "f", O_RDWR | O_CREAT | O_EXCL, 0644));
	T(syscall(SYS_open, "f/x", O_RDONLY));
	T(syscall(SYS_open, ".", O_WRONLY));
	T(syscall(SYS_open, ".", O_RDONLY | O_DIRECTORY));
	T(syscall(SYS_open, "f", O_RDONLY | O_DIRECTORY));
	T(syscall(SYS_open, "", O_RDONLY));
	T(syscall(SYS_open, BAD, O_RDONLY));
	T(syscall(SYS_open, KERNEL_ADDR, O_RDONLY));
	T(syscall(SYS_open, "new/", O_RDWR | O_CREAT, 0644));
	T(syscall(SYS_openat, 77, "f", O_RDONLY));
	T(syscall(SYS_openat, 3, "f", O_RDONLY));
	T(syscall(SYS_openat, 4, "f", O_RDONLY | O_CLOEXEC));
	T(fcntl(5, F_GETFD));
	T(syscall(SYS_openat, AT_FDCWD, "f", O_RDONLY | O_NOFOLLOW));
	T(symlink("f", "sym"));
	T(syscall(SYS_open, "sym", O_RDONLY | O_NOFOLLOW));
	T(syscall(SYS_open, "sym", O_RDONLY));
	T(symlink("loop2", "loop1"));
	T(symlink("loop1", "loop2"));
	T(syscall(SYS_open, "loop1", O_RDONLY));
	T(syscall(SYS_creat, "c", 0600));
	T(syscall(SYS_creat, ".", 0600));
}

static void
reading(void)
{
	struct iovec v[2] = {{buf, 2}, {buf + 10, 3}}, bad[1] = {{BAD, 5}}, neg[1] = {{buf, -1}};

	T(write(3, "hello world", 11));
	T(lseek(3, 0, SEEK_SET));
	T(read(3, buf, 5));
	printf("%.5s\n", buf);
	T(lseek(3, 0, SEEK_CUR));
	T(lseek(3, -3, SEEK_END));
	T(lseek(3, -30, SEEK_END));
	T(lseek(3, 0, 99));
	T(lseek(99, 0, SEEK_SET));
	T(read(3, buf, 60));
	T(read(3, buf, 60));
	T(read(99, buf, 1));
	T(read(4, buf, 1));
	T(read(3, BAD, 0));
	T(pread(3, buf, 4, 6));
	printf("%.4s\n", buf);
	T(pread(3, buf, 4, -1));
	T(pread(3, BAD, 4, 0));
	T(pread(3, KERNEL_ADDR, 4, 0));
	T(pwrite(3, "W", 1, 6));
	T(pwrite(5, "W", 1, 6));
	T(pwrite(3, BAD, 1, 6));
	T(lseek(3, 0, SEEK_SET));
	T(readv(3, v, 2));
	printf("%.2s %.3s\n", buf, buf + 10);
	T(readv(3, v, -1));
	T(readv(3, bad, 1));
	T(readv(3, neg, 1));
	T(readv(3, BAD, 1));
	T(readv(3, v, 0));
	T(writev(3, v, 2));
	T(preadv(3, v, 2, 1));
	T(preadv(3, v, 2, -1));
	T(pwritev(3, v, 2, 20));
	T(lseek(3, 0, SEEK_END));
	T(pread(3, buf, 30, 0));
	printf("%d\n", buf[15]);
	T(write(1, BAD, 4));
	T(write(5, "x", 1));
}

static void
descriptors(void)
{
	T(dup(99));
	T(dup(3));
	T(dup2(3, 20));
	T(dup2(3, 3));
	T(dup2(99, 3));
	T(dup2(99, 99));
	T(dup2(3, -1));
	T(dup2(3, 1000000));
	T(dup3(3, 3, 0));
	T(dup3(3, 21, O_CLOEXEC));
	T(dup3(3, 21, 1));
	T(fcntl(21, F_GETFD));
	T(fcntl(21, F_SETFD, 0));
	T(fcntl(21, F_GETFD));
	T(fcntl(3, F_DUPFD, 30));
	T(fcntl(3, F_DUPFD, -1));
	T(fcntl(3, F_DUPFD_CLOEXEC, 30));
	T(fcntl(3, F_GETFL));
	T(fcntl(3, F_SETFL, O_APPEND | O_NONBLOCK));
	T(fcntl(3, F_GETFL));
	T(fcntl(3, F_SETFL, 0));
	T(fcntl(99, F_GETFL));
	T(fcntl(3, 4711));
	T(close(30));
	T(close(30));
	T(close(-1));
	T(syscall(SYS_close_range, 20, 25, 0));
	T(fcntl(20, F_GETFD));
	T(syscall(SYS_close_range, 25, 20, 0));
	T(syscall(SYS_close_range, 20, 25, 77));
	T(syscall(SYS_close_range, 31, 31, 4));
}

static void
locks(void)
{
	struct flock l = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 0, .l_len = 10};
	int fd = open("f", O_RDWR);

	T(flock(3, LOCK_SH));
	T(flock(fd, LOCK_EX | LOCK_NB));
	T(flock(fd, LOCK_SH | LOCK_NB));
	T(flock(3, LOCK_UN));
	T(flock(fd, LOCK_EX | LOCK_NB));
	T(flock(3, 77));
	T(flock(99, LOCK_SH));
	T(fcntl(3, F_SETLK, &l));
	T(fcntl(fd, F_GETLK, &l));
	printf("type %d\n", l.l_type);
	l.l_type = 9;
	T(fcntl(3, F_SETLK, &l));
	T(fcntl(3, F_SETLK, BAD));
	l = (struct flock){.l_type = F_WRLCK, .l_start = 5, .l_len = 1};
	T(fcntl(5, F_SETLK, &l));
	l = (struct flock){.l_type = F_WRLCK, .l_start = 2, .l_len = 2};
	T(fcntl(3, F_SETLK, &l));
	CHILD({
		struct flock c = {.l_type = F_RDLCK, .l_start = 0, .l_len = 0};

		T(fcntl(3, F_SETLK, &c));
		T(fcntl(3, F_GETLK, &c));
		printf("%d at %ld, %ld\n", c.l_type, (long)c.l_start, (long)c.l_len);
		fflush(stdout);
		_exit(0);
	});
	T(close(fd));
	CHILD({
		struct flock c = {.l_type = F_RDLCK, .l_start = 0, .l_len = 0};

		T(fcntl(3, F_SETLK, &c));
		_exit(0);
	});
}

static void
sizes(void)
{
	struct stat st;

	T(ftruncate(3, 5));
	T(fstat(3, &st));
	printf("size %ld mode %o nlink %ld\n", (long)st.st_size, st.st_mode, (long)st.st_nlink);
	T(ftruncate(3, 100));
	T(ftruncate(3, -1));
	T(ftruncate(5, 1));
	T(ftruncate(4, 1));
	T(ftruncate(99, 1));
	T(truncate("f", 50));
	T(truncate("f", -1));
	T(truncate(".", 1));
	T(truncate("none", 1));
	T(truncate(BAD, 1));
	T(fallocate(3, 0, 0, 200));
	T(fstat(3, &st));
	printf("size %ld\n", (long)st.st_size);
	T(fallocate(3, 0, -1, 200));
	T(fallocate(3, 0, 0, 0));
	T(fallocate(5, 0, 0, 1));
	T(fallocate(3, FALLOC_FL_KEEP_SIZE, 0, 400));
	T(syscall(SYS_fadvise64, 3, 0, 0, POSIX_FADV_SEQUENTIAL));
	T(syscall(SYS_fadvise64, 3, 0, 0, 99));
	T(syscall(SYS_fadvise64, 99, 0, 0, 0));
	T(fsync(3));
	T(fsync(99));
	T(fdatasync(3));
	T(syscall(SYS_sync));
	T(syncfs(3));
	T(syncfs(99));
}

static void
asking(void)
{
	struct {
		uint32_t head[7];
		uint16_t mode, pad;
		uint64_t ino, size, rest[40];
	} x;
	struct stat st;
	int n;

	T(syscall(SYS_stat, "f", &st));
	T(syscall(SYS_stat, "none", &st));
	T(syscall(SYS_stat, "f", BAD));
	T(syscall(SYS_stat, "f/x", &st));
	T(syscall(SYS_stat, "loop1", &st));
	T(syscall(SYS_lstat, "loop1", &st));
	printf("mode %o size %ld\n", st.st_mode, (long)st.st_size);
	T(syscall(SYS_fstat, 99, &st));
	T(syscall(SYS_newfstatat, 4, "f", &st, 0));
	T(syscall(SYS_newfstatat, 3, "", &st, AT_EMPTY_PATH));
	T(syscall(SYS_newfstatat, 3, "", &st, 0));
	T(syscall(SYS_newfstatat, 3, "x", &st, 0));
	T(syscall(SYS_newfstatat, 4, "sym", &st, AT_SYMLINK_NOFOLLOW));
	T(syscall(SYS_newfstatat, 4, "f", &st, 0x8000000));
	T(syscall(SYS_statx, AT_FDCWD, "f", 0, 0x7ff, &x));
	printf("size %ld mode %o\n", (long)x.size, x.mode);
	T(syscall(SYS_statx, AT_FDCWD, "none", 0, 0x7ff, &x));
	T(syscall(SYS_statx, AT_FDCWD, "f", 0, 0x80000000, &x));
	T(syscall(SYS_statx, AT_FDCWD, "f", 0, 0x7ff, BAD));
	T(access("f", R_OK));
	T(access("f", X_OK));
	T(access("none", F_OK));
	T(access("f", 077));
	T(access(BAD, F_OK));
	T(syscall(SYS_faccessat, 4, "f", R_OK));
	T(syscall(SYS_faccessat, 99, "f", R_OK));
	T(syscall(SYS_faccessat2, 4, "f", R_OK, AT_EACCESS));
	T(syscall(SYS_faccessat2, 4, "f", R_OK, 0x10000));
	T(ioctl(3, FIONREAD, &n));
	T(ioctl(3, 0x5401, buf));
	T(ioctl(99, FIONREAD, &n));
	T(ioctl(3, FIOCLEX));
	T(fcntl(3, F_GETFD));
	T(ioctl(3, FIONCLEX));
}

static void
directory(void)
{
	char list[1024];
	long n, entries = 0;

	T(mkdir("d", 0755));
	T(close(open("d/one", O_CREAT | O_RDWR, 0600)));
	T(close(open("d/two", O_CREAT | O_RDWR, 0600)));
	int fd = open("d", O_RDONLY);

	n = syscall(SYS_getdents64, fd, list, sizeof(list));
	for (long at = 0; at < n;) {
		const struct dirent *e = (const struct dirent *)(list + at);

		entries++;
		printf("%s", strcmp(e->d_name, "one") == 0 ? "one\n" : "");
		at += e->d_reclen;
	}
	printf("%ld entries\n", entries);
	T(syscall(SYS_getdents64, fd, list, sizeof(list)));
	T(lseek(fd, 0, SEEK_SET));
	T(syscall(SYS_getdents64, fd, list, 10));
	T(syscall(SYS_getdents64, fd, BAD, sizeof(list)));
	T(syscall(SYS_getdents64, 3, list, sizeof(list)));
	T(syscall(SYS_getdents64, 99, list, sizeof(list)));
	close(fd);
}

int
main(void)
{
	off_t at = 0;

	umask(022);
	opening();
	reading();
	descriptors();
	locks();
	sizes();
	asking();
	directory();
	int out = open("copy", O_RDWR | O_CREAT, 0600);

	T(syscall(SYS_sendfile, out, 3, &at, 5));
	printf("at %ld\n", (long)at);
	T(syscall(SYS_sendfile, 5, 3, &at, 5));
	T(syscall(SYS_sendfile, 99, 3, &at, 5));
	T(syscall(SYS_sendfile, out, 3, BAD, 5));
	return 0;
}
