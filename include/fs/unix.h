/*
 * unix.h - stream sockets between processes of this machine (AF_UNIX).
 *
 * Implementation: fs/unix.c.  Behaviour and errors: unix(7), socket(2) and the man pages of each call; the system calls
 * are in kernel/sys_socket.c.  All context: thread of a task; they may sleep, and return -ERESTARTSYS when a signal
 * ends that.
 */
#pragma once
#include <fs/vfs.h>
#include <uapi/socket.h>

/* A name: a path (with NUL), an abstract one (its first byte 0), or none (len = 2). */
struct unix_addr {
	unsigned len; /* bytes of un that count */
	struct k_sockaddr_un un;
};

/* @flags: O_NONBLOCK.  0 or -ENOMEM. */
int unix_make(unsigned flags, struct file **out);
int unix_make_pair(unsigned flags, struct file *out[2]);
/* Is @f one of these? */
bool unix_is_socket(const struct file *f);

int unix_bind(struct file *f, const struct unix_addr *a);
int unix_listen(struct file *f, int backlog);
int unix_connect(struct file *f, const struct unix_addr *a);
/* The next connection as a new file, and who asked for it.  @flags: O_NONBLOCK of the new one. */
int unix_accept(struct file *f, unsigned flags, struct file **out, struct unix_addr *peer);
/* @flags: MSG_*.  Bytes, or -errno. */
ssize_t unix_send(struct file *f, struct iobuf *b, unsigned flags);
ssize_t unix_receive(struct file *f, struct iobuf *b, unsigned flags);
int unix_shutdown(struct file *f, int how);
int unix_name(struct file *f, bool peer, struct unix_addr *out);
/* What SO_PEERCRED tells: who connected, or listened; zeros and -1 for one that is not connected. */
void unix_peer_cred(struct file *f, struct k_ucred *out);
bool unix_is_listening(struct file *f);
