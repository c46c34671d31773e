/*
 * sys_socket.c - the calls for sockets, of which there are those of AF_UNIX.
 */
#include <fs/unix.h>
#include <kern/process.h>
#include <kern/sys.h>
#include <kern/usercopy.h>
#include <lib/string.h>
#include <mm/kmalloc.h>

#define SEND_BUFFER 212992 /* what Linux says by default */

static int
socket_get(int fd, struct file **out)
{
	*out = fd_get(fd);
	if (*out == NULL)
		return -EBADF;
	if (unix_is_socket(*out))
		return 0;
	file_put(*out);
	return -ENOTSOCK;
}

/* Is there such a kind of socket?  0, or why not. */
static int
check_kind(int family, int type, int protocol)
{
	const int kind = type & SOCK_TYPE_MASK;

	if (type & ~(SOCK_TYPE_MASK | SOCK_NONBLOCK | SOCK_CLOEXEC))
		return -EINVAL;
	if (family < 0 || family > 45)
		return -EAFNOSUPPORT;
	if (kind >= SOCK_MAX)
		return -EINVAL;
	if (family != AF_UNIX)
		return -EAFNOSUPPORT;
	if (protocol != 0 && protocol != AF_UNIX)
		return -EPROTONOSUPPORT;
	return kind == SOCK_STREAM ? 0 : -ESOCKTNOSUPPORT;
}

static unsigned
file_flags(int type)
{
	return type & SOCK_NONBLOCK ? O_NONBLOCK : 0;
}

int64_t
sys_socket(int family, int type, int protocol)
{
	struct file *f;
	int result = check_kind(family, type, protocol);

	if (result == 0)
		result = unix_make(file_flags(type), &f);
	if (result != 0)
		return result;
	result = fd_install(f, 0, (type & SOCK_CLOEXEC) != 0);
	if (result < 0)
		file_put(f);
	return result;
}

int64_t
sys_socketpair(int family, int type, int protocol, uptr_t out)
{
	const bool cloexec = (type & SOCK_CLOEXEC) != 0;
	struct file *f[2];
	int fd[2], result = check_kind(family, type, protocol);

	if (result == 0)
		result = unix_make_pair(file_flags(type), f);
	if (result != 0)
		return result;
	fd[0] = fd_install(f[0], 0, cloexec);
	if (fd[0] < 0) {
		file_put(f[0]);
		file_put(f[1]);
		return fd[0];
	}
	fd[1] = fd_install(f[1], 0, cloexec);
	if (fd[1] < 0) {
		(void)fd_close(fd[0]);
		file_put(f[1]);
		return fd[1];
	}
	if (copy_to_user(out, fd, sizeof(fd)) == 0)
		return 0;
	(void)fd_close(fd[0]);
	(void)fd_close(fd[1]);
	return -EFAULT;
}

/* --- names ------------------------------------------------------------------------------------------- */

/* A path ends at its NUL, if it has one; an abstract name is as long as it is. */
static int
read_addr(uptr_t at, int len, struct unix_addr *a)
{
	const unsigned least = sizeof(a->un.family);

	if (len < 0 || (unsigned)len > sizeof(a->un))
		return -EINVAL;
	memset(a, 0, sizeof(*a));
	if (copy_from_user(&a->un, at, (size_t)len) != 0)
		return -EFAULT;
	if ((unsigned)len < least || a->un.family != AF_UNIX)
		return -EINVAL;
	a->len = (unsigned)len;
	if (a->len > least && a->un.path[0] != '\0') {
		const size_t n = strnlen(a->un.path, sizeof(a->un.path));

		if (n == sizeof(a->un.path))
			return -EINVAL; /* a path of 108 bytes: no room for its NUL in ours */
		a->len = least + (unsigned)n + 1;
	}
	return 0;
}

/* As much of it as there is room for, and how long it is. */
static int
write_addr(const struct unix_addr *a, uptr_t at, uptr_t len_at)
{
	int len;

	if (get_user(len, len_at) != 0)
		return -EFAULT;
	if (len < 0)
		return -EINVAL;
	if (copy_to_user(at, &a->un, MIN((size_t)len, (size_t)a->len)) != 0)
		return -EFAULT;
	return put_user((int)a->len, len_at);
}

static int64_t
with_addr(int fd, uptr_t addr, int len, int (*fn)(struct file *f, const struct unix_addr *a))
{
	struct unix_addr a;
	struct file *f;
	int result = socket_get(fd, &f);

	if (result != 0)
		return result;
	result = read_addr(addr, len, &a);
	if (result == 0)
		result = fn(f, &a);
	file_put(f);
	return result;
}

int64_t
sys_bind(int fd, uptr_t addr, int len)
{
	return with_addr(fd, addr, len, unix_bind);
}

int64_t
sys_connect(int fd, uptr_t addr, int len)
{
	return with_addr(fd, addr, len, unix_connect);
}

static int64_t
with_number(int fd, int number, int (*fn)(struct file *f, int number))
{
	struct file *f;
	int result = socket_get(fd, &f);

	if (result != 0)
		return result;
	result = fn(f, number);
	file_put(f);
	return result;
}

int64_t
sys_listen(int fd, int backlog)
{
	return with_number(fd, backlog, unix_listen);
}

int64_t
sys_accept4(int fd, uptr_t addr, uptr_t len, int flags)
{
	struct unix_addr peer;
	struct file *f, *new;
	int result;

	if (flags & ~(SOCK_NONBLOCK | SOCK_CLOEXEC))
		return -EINVAL;
	result = socket_get(fd, &f);
	if (result != 0)
		return result;
	result = unix_accept(f, file_flags(flags), &new, &peer);
	file_put(f);
	if (result != 0)
		return result;
	if (!uptr_null(addr))
		result = write_addr(&peer, addr, len);
	if (result == 0)
		result = fd_install(new, 0, (flags & SOCK_CLOEXEC) != 0);
	if (result < 0)
		file_put(new);
	return result;
}

int64_t
sys_accept(int fd, uptr_t addr, uptr_t len)
{
	return sys_accept4(fd, addr, len, 0);
}

static int64_t
tell_name(int fd, bool peer, uptr_t addr, uptr_t len)
{
	struct unix_addr a;
	struct file *f;
	int result = socket_get(fd, &f);

	if (result != 0)
		return result;
	result = unix_name(f, peer, &a);
	file_put(f);
	return result != 0 ? result : write_addr(&a, addr, len);
}

int64_t
sys_getsockname(int fd, uptr_t addr, uptr_t len)
{
	return tell_name(fd, false, addr, len);
}

int64_t
sys_getpeername(int fd, uptr_t addr, uptr_t len)
{
	return tell_name(fd, true, addr, len);
}

int64_t
sys_shutdown(int fd, int how)
{
	return with_number(fd, how, unix_shutdown);
}

/* --- sending and receiving ------------------------------------------------------------------------------ */

int64_t
sys_sendto(int fd, uptr_t buf, uint64_t n, unsigned flags, uptr_t addr, int len)
{
	struct iobuf b = iobuf_user(buf, MIN(n, (uint64_t)INT32_MAX));
	struct unix_addr a;
	struct file *f;
	int64_t result = socket_get(fd, &f);

	if (result != 0)
		return result;
	if (!user_range_ok(buf, b.left))
		result = -EFAULT;
	else if (!uptr_null(addr))
		result = unix_name(f, true, &a) == 0 ? -EISCONN : -EOPNOTSUPP;
	(void)len;
	if (result == 0)
		result = unix_send(f, &b, flags);
	file_put(f);
	return result;
}

int64_t
sys_recvfrom(int fd, uptr_t buf, uint64_t n, unsigned flags, uptr_t addr, uptr_t len)
{
	struct iobuf b = iobuf_user(buf, MIN(n, (uint64_t)INT32_MAX));
	struct file *f;
	int64_t result = socket_get(fd, &f);

	if (result != 0)
		return result;
	result = user_range_ok(buf, b.left) ? unix_receive(f, &b, flags) : -EFAULT;
	file_put(f);
	if (result >= 0 && !uptr_null(addr) && put_user((int)0, len) != 0)
		result = -EFAULT; /* a stream does not say where each byte is from */
	return result;
}

typedef ssize_t (*transfer_fn)(struct file *f, struct iobuf *b, unsigned flags);

/* Piece by piece, until one is not filled. */
static int64_t
transfer_all(struct file *f, const struct iovec *v, uint64_t n, unsigned flags, transfer_fn fn)
{
	int64_t total = 0;

	for (uint64_t i = 0; i < n; i++) {
		struct iobuf b = iobuf_user(v[i].base, v[i].len);
		ssize_t done;

		if (v[i].len == 0)
			continue;
		/* What has come is not to wait for more. */
		done = user_range_ok(v[i].base, v[i].len)
			       ? fn(f, &b,
				    total > 0 && fn == unix_receive ? flags | MSG_DONTWAIT : flags)
			       : -EFAULT;
		if (done < 0)
			return total > 0 ? total : done;
		total += done;
		if ((uint64_t)done < v[i].len)
			break;
	}
	return total;
}

static int64_t
message(int fd, uptr_t at, unsigned flags, struct k_msghdr *m, transfer_fn fn)
{
	struct iovec *v;
	struct file *f;
	int64_t result = socket_get(fd, &f);

	if (result != 0)
		return result;
	v = NULL;
	if (copy_from_user(m, at, sizeof(*m)) != 0)
		result = -EFAULT;
	else if (m->iov_len > IOV_MAX)
		result = -EMSGSIZE;
	else if (fn == unix_send && m->control_len != 0)
		result = -EOPNOTSUPP; /* descriptors cannot be sent yet */
	if (result == 0) {
		v = kmalloc(MAX(m->iov_len, 1UL) * sizeof(*v));
		if (v == NULL)
			result = -ENOMEM;
		else if (copy_from_user(v, (uptr_t){m->iov}, m->iov_len * sizeof(*v)) != 0)
			result = -EFAULT;
	}
	if (result == 0)
		result = transfer_all(f, v, m->iov_len, flags, fn);
	kfree(v);
	file_put(f);
	return result;
}

int64_t
sys_sendmsg(int fd, uptr_t at, unsigned flags)
{
	struct k_msghdr m;

	return message(fd, at, flags, &m, unix_send);
}

int64_t
sys_recvmsg(int fd, uptr_t at, unsigned flags)
{
	struct k_msghdr m;
	const int64_t result = message(fd, at, flags, &m, unix_receive);

	if (result < 0)
		return result;
	m.name_len = 0;
	m.control_len = 0;
	m.flags = 0;
	return copy_to_user(at, &m, sizeof(m)) != 0 ? -EFAULT : result;
}

/* --- options -------------------------------------------------------------------------------------------- */

int64_t
sys_setsockopt(int fd, int level, int name, uptr_t value, int len)
{
	struct file *f;
	int number, result = socket_get(fd, &f);

	if (result != 0)
		return result;
	file_put(f);
	if (level != SOL_SOCKET)
		return -EOPNOTSUPP;
	if (len < (int)sizeof(number))
		return -EINVAL;
	if (get_user(number, value) != 0)
		return -EFAULT;
	switch (name) {
	case SO_REUSEADDR:
	case SO_BROADCAST:
	case SO_SNDBUF:
	case SO_RCVBUF:
	case SO_KEEPALIVE:
	case SO_PASSCRED: return 0;
	case SO_LINGER: return len < 8 ? -EINVAL : 0;
	default: return -ENOPROTOOPT;
	}
}

static int
write_option(const void *data, int size, uptr_t value, uptr_t len_at, int len)
{
	size = MIN(size, len);
	if (copy_to_user(value, data, (size_t)size) != 0)
		return -EFAULT;
	return put_user(size, len_at);
}

int64_t
sys_getsockopt(int fd, int level, int name, uptr_t value, uptr_t len_at)
{
	struct k_ucred cred;
	struct file *f;
	int len, number = 0, result = socket_get(fd, &f);
	bool listening;

	if (result != 0)
		return result;
	unix_peer_cred(f, &cred);
	listening = unix_is_listening(f);
	file_put(f);
	if (level != SOL_SOCKET)
		return -EOPNOTSUPP;
	if (get_user(len, len_at) != 0)
		return -EFAULT;
	if (len < 0)
		return -EINVAL;
	switch (name) {
	case SO_PEERCRED: return write_option(&cred, sizeof(cred), value, len_at, len);
	case SO_TYPE: number = SOCK_STREAM; break;
	case SO_DOMAIN: number = AF_UNIX; break;
	case SO_SNDBUF:
	case SO_RCVBUF: number = SEND_BUFFER; break;
	case SO_ACCEPTCONN: number = listening; break;
	case SO_ERROR:
	case SO_PROTOCOL:
	case SO_REUSEADDR:
	case SO_BROADCAST:
	case SO_KEEPALIVE:
	case SO_PASSCRED: break;
	default: return -ENOPROTOOPT;
	}
	return write_option(&number, sizeof(number), value, len_at, len);
}
