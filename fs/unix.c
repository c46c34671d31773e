/*
 * unix.c - stream sockets between processes of this machine.
 *
 * A connection is two rings of bytes (struct way) with one lock (struct link); each end is a socket that knows its side.  A
 * listening socket has a queue of links whose other side is connected already: connect() does not wait for accept(),
 * and what is written meanwhile waits in the ring.
 *
 *	connect(): link, side 0 -------------- side 1: in the listener's queue, then accept()'s socket
 *
 * Names are held by the sockets bound to them, in one list.
 * Spec: unix(7), socket(2); POSIX.1-2017, "Sockets".
 */
#include <fs/unix.h>
#include <fs/byte_ring.h>
#include <fs/pipe.h>
#include <kern/process.h>
#include <kern/usercopy.h>
#include <lib/string.h>
#include <mm/kmalloc.h>
#include <uapi/fcntl.h>
#include "internal.h"

#define RING_SIZE   65536
#define BACKLOG_MAX 128

/* Bytes on their way to one side. */
struct way {
	struct byte_ring ring; /* [link] */
	bool ended;	       /* [link] nothing will come any more */
	bool unread; /* [link] nobody will read them: the side is closed, or shut for reading */
	bool reset;  /* [link] the other side went without having read all: said once */
	struct wait_queue to_read, to_write;
};

struct link {
	struct mutex lock;
	unsigned refs;		  /* [link] sides that are open */
	struct way to[2];	  /* by side */
	struct unix_addr name[2]; /* [link] of each side */
	struct k_ucred cred[2];	  /* [I] */
	struct list pending;	  /* [names] in a listener's queue */
};

enum state { FRESH, LISTENING, CONNECTED };

struct socket {
	enum state state;  /* [names] */
	struct link *link; /* [I] once CONNECTED */
	unsigned side;	   /* [I] */
	struct unix_addr name;
	struct inode *bound; /* [names] the file that is its name, referenced, or NULL */
	struct list node;    /* [names] among those with a name */
	struct list queue;   /* [names] LISTENING: links that wait for accept() */
	volatile unsigned nr_queued;
	unsigned backlog;    /* [names] */
	struct k_ucred cred; /* [names] of who called listen() */
	struct wait_queue to_accept;
};

static struct mutex names_lock = MUTEX_INIT(names_lock, "socket names");
static struct list named = LIST_INIT(named); /* [names] */
/* Who found a queue full waits here until something leaves some queue. */
static struct wait_queue room = WAIT_QUEUE_INIT(room);
static volatile unsigned room_events; /* [a] */
static const struct file_ops ops;

bool
unix_is_socket(const struct file *f)
{
	return f->ops == &ops;
}

static struct k_ucred
own_cred(void)
{
	const struct process *p = process_self();

	return (struct k_ucred){p->pid, p->cred.euid, p->cred.egid};
}

/* --- links ------------------------------------------------------------------------------------------- */

static void
link_free(struct link *l)
{
	kfree(l->to[0].ring.bytes);
	kfree(l->to[1].ring.bytes);
	kfree(l);
}

static struct link *
link_alloc(void)
{
	struct link *l = kzalloc(sizeof(*l));
	bool good = true;

	if (l == NULL)
		return NULL;
	mutex_init(&l->lock, "socket");
	list_init(&l->pending);
	l->refs = 2;
	for (unsigned i = 0; i < 2; i++) {
		good = byte_ring_init(&l->to[i].ring, RING_SIZE) == 0 && good;
		l->name[i].len = sizeof(l->name[i].un.family);
		l->name[i].un.family = AF_UNIX;
		wait_queue_init(&l->to[i].to_read);
		wait_queue_init(&l->to[i].to_write);
	}
	if (!good) {
		link_free(l);
		return NULL;
	}
	return l;
}

static void
wake_link(struct link *l)
{
	for (unsigned i = 0; i < 2; i++) {
		(void)wake_all(&l->to[i].to_read);
		(void)wake_all(&l->to[i].to_write);
	}
}

/* Side @s is closed.  Frees the link with its second side. */
static void
link_close(struct link *l, unsigned s)
{
	struct way *mine = &l->to[s], *theirs = &l->to[1 - s];
	bool last;

	mutex_lock(&l->lock);
	mine->unread = true;
	theirs->ended = true;
	theirs->reset = theirs->reset || byte_ring_used(&mine->ring) > 0;
	last = --l->refs == 0;
	if (!last)
		wake_link(l); /* with the lock: behind it the other side may free it */
	mutex_unlock(&l->lock);
	if (last)
		link_free(l);
}

/* --- reading and writing -------------------------------------------------------------------------------- */

/* What is there, or why there is nothing: 0 at the end, -EAGAIN. */
static ssize_t
receive_once(struct link *l, struct way *r, struct iobuf *b, bool peek)
{
	ssize_t done;

	mutex_lock(&l->lock);
	done = r->unread ? 0 : byte_ring_get(&r->ring, b, peek);
	if (done == 0 && r->reset && byte_ring_used(&r->ring) == 0 && !r->unread) {
		r->reset = false;
		done = -ECONNRESET;
	} else if (done == 0 && !r->ended && !r->unread) {
		done = -EAGAIN;
	}
	mutex_unlock(&l->lock);
	if (done > 0 && !peek)
		(void)wake_all(&r->to_write);
	return done;
}

ssize_t
unix_receive(struct file *f, struct iobuf *b, unsigned flags)
{
	const struct socket *s = f->private;
	const bool peek = (flags & MSG_PEEK) != 0;
	ssize_t total = 0;

	if (flags & MSG_OOB)
		return -EOPNOTSUPP;
	if (s->state != CONNECTED)
		return -EINVAL;
	while (b->left > 0) {
		struct way *r = &s->link->to[s->side];
		const ssize_t done = receive_once(s->link, r, b, peek);

		if (done > 0)
			total += done;
		if (done >= 0 && ((flags & MSG_WAITALL) == 0 || done == 0 || peek))
			return total;
		if (done > 0)
			continue;
		if (done != -EAGAIN || f->flags & O_NONBLOCK || flags & MSG_DONTWAIT)
			return total > 0 ? total : done;
		if (wait_event(&r->to_read,
			       byte_ring_used(&r->ring) > 0 || r->ended || r->unread) != 0)
			return total > 0 ? total : -ERESTARTSYS;
	}
	return total;
}

ssize_t
unix_send(struct file *f, struct iobuf *b, unsigned flags)
{
	const struct socket *s = f->private;
	ssize_t total = 0;

	if (flags & MSG_OOB)
		return -EOPNOTSUPP;
	if (s->state != CONNECTED)
		return -ENOTCONN;
	while (b->left > 0) {
		struct way *r = &s->link->to[1 - s->side];
		ssize_t done;

		mutex_lock(&s->link->lock);
		if (r->ended || r->unread)
			done = -EPIPE;
		else
			done = byte_ring_room(&r->ring) > 0 ? byte_ring_put(&r->ring, b) : -EAGAIN;
		mutex_unlock(&s->link->lock);
		if (done > 0) {
			total += done;
			(void)wake_all(&r->to_read);
			continue;
		}
		if (done == -EPIPE)
			return total > 0 ? total : (flags & MSG_NOSIGNAL ? -EPIPE : pipe_broken());
		if (done != -EAGAIN || f->flags & O_NONBLOCK || flags & MSG_DONTWAIT)
			return total > 0 ? total : done;
		if (wait_event(&r->to_write,
			       byte_ring_room(&r->ring) > 0 || r->ended || r->unread) != 0)
			return total > 0 ? total : -ERESTARTSYS;
	}
	return total;
}

static ssize_t
socket_read(struct file *f, struct iobuf *b, uint64_t *pos)
{
	(void)pos;
	return unix_receive(f, b, 0);
}

static ssize_t
socket_write(struct file *f, struct iobuf *b, uint64_t *pos)
{
	(void)pos;
	return unix_send(f, b, 0);
}

static unsigned
poll_connected(const struct socket *s, struct poll_table *pt)
{
	struct way *mine = &s->link->to[s->side], *theirs = &s->link->to[1 - s->side];
	unsigned bits = 0;

	poll_wait(pt, &mine->to_read);
	poll_wait(pt, &theirs->to_write);
	if (byte_ring_used(&mine->ring) > 0)
		bits |= POLLIN | POLLRDNORM;
	if (mine->ended || mine->unread)
		bits |= POLLIN | POLLRDNORM | POLLRDHUP;
	if (mine->reset && byte_ring_used(&mine->ring) == 0)
		bits |= POLLERR;
	if ((mine->ended || mine->unread) && (theirs->ended || theirs->unread))
		bits |= POLLHUP;
	if (theirs->ended || theirs->unread || byte_ring_room(&theirs->ring) > 0)
		bits |= POLLOUT | POLLWRNORM;
	return bits;
}

static unsigned
socket_poll(struct file *f, struct poll_table *pt)
{
	struct socket *s = f->private;

	switch (s->state) {
	case CONNECTED: return poll_connected(s, pt);
	case LISTENING:
		poll_wait(pt, &s->to_accept);
		return s->nr_queued > 0 ? POLLIN | POLLRDNORM : 0;
	default: return POLLOUT | POLLWRNORM | POLLHUP;
	}
}

static int64_t
socket_ioctl(struct file *f, unsigned cmd, uint64_t arg)
{
	const struct socket *s = f->private;
	const struct way *r;

	if (cmd != FIONREAD)
		return -ENOTTY;
	if (s->state != CONNECTED)
		return -EINVAL;
	r = &s->link->to[s->side];
	return put_user((int)byte_ring_used(&r->ring), (uptr_t){arg});
}

/* --- life ------------------------------------------------------------------------------------------------- */

static struct file *
socket_file(unsigned flags)
{
	struct inode *i = inode_new(NULL);
	struct socket *s = kzalloc(sizeof(*s));
	struct file *f = i != NULL && s != NULL ? file_new(i, &ops, O_RDWR | flags) : NULL;

	if (f == NULL) {
		if (i != NULL)
			inode_put(i);
		kfree(s);
		return NULL;
	}
	i->mode = S_IFSOCK | 0777;
	s->name.len = sizeof(s->name.un.family);
	s->name.un.family = AF_UNIX;
	list_init(&s->node);
	list_init(&s->queue);
	wait_queue_init(&s->to_accept);
	f->private = s;
	return f;
}

static void
set_connected(struct file *f, struct link *l, unsigned side)
{
	struct socket *s = f->private;

	s->link = l;
	s->side = side;
	s->state = CONNECTED;
}

int
unix_make(unsigned flags, struct file **out)
{
	*out = socket_file(flags);
	return *out != NULL ? 0 : -ENOMEM;
}

int
unix_make_pair(unsigned flags, struct file *out[2])
{
	struct link *l = link_alloc();

	out[0] = l != NULL ? socket_file(flags) : NULL;
	out[1] = l != NULL ? socket_file(flags) : NULL;
	if (out[0] == NULL || out[1] == NULL) {
		file_put(out[0]);
		file_put(out[1]);
		if (l != NULL)
			link_free(l);
		return -ENOMEM;
	}
	for (unsigned i = 0; i < 2; i++) {
		l->cred[i] = own_cred();
		set_connected(out[i], l, i);
	}
	return 0;
}

static void
tell_room(void)
{
	__atomic_add_fetch(&room_events, 1, __ATOMIC_RELEASE);
	(void)wake_all(&room);
}

static struct link *
dequeue(struct socket *s)
{
	struct link *l = NULL;

	mutex_lock(&names_lock);
	if (!list_empty(&s->queue)) {
		l = list_first(&s->queue, struct link, pending);
		list_del(&l->pending);
		s->nr_queued--;
	}
	mutex_unlock(&names_lock);
	if (l != NULL)
		tell_room();
	return l;
}

static void
drop_queue(struct socket *s)
{
	struct link *l;

	while ((l = dequeue(s)) != NULL) {
		mutex_lock(&l->lock);
		l->to[0].reset = true; /* whoever connected learns that nobody took it */
		mutex_unlock(&l->lock);
		link_close(l, 1);
	}
}

static void
socket_release(struct file *f)
{
	struct socket *s = f->private;

	mutex_lock(&names_lock);
	list_del(&s->node);
	if (s->state == LISTENING)
		s->state = FRESH;
	mutex_unlock(&names_lock);
	drop_queue(s);
	tell_room();
	if (s->link != NULL)
		link_close(s->link, s->side);
	if (s->bound != NULL)
		inode_put(s->bound);
	kfree(s);
}

static const struct file_ops ops = {
	.read = socket_read,
	.write = socket_write,
	.poll = socket_poll,
	.ioctl = socket_ioctl,
	.release = socket_release,
	.no_seek = true,
};

/* --- names ------------------------------------------------------------------------------------------------- */

static bool
is_abstract(const struct unix_addr *a)
{
	return a->un.path[0] == '\0';
}

static bool
same_name(const struct unix_addr *a, const struct unix_addr *b)
{
	return a->len == b->len && memcmp(&a->un, &b->un, a->len) == 0;
}

/* The socket with that abstract name (@i NULL), or bound to that file. */
static struct socket *REQUIRES(names_lock)
	find_locked(const struct unix_addr *a, const struct inode *i)
{
	struct socket *s;

	list_for_each_entry (s, &named, node) {
		if (i != NULL ? s->bound == i : s->bound == NULL && same_name(&s->name, a))
			return s;
	}
	return NULL;
}

/* The file that is to be the name; referenced. */
static int
make_name(const struct unix_addr *a, struct inode **out)
{
	struct path p;
	int result = vfs_mknod(NULL, a->un.path, S_IFSOCK | 0777, 0);

	if (result != 0)
		return result == -EEXIST ? -EADDRINUSE : result;
	result = path_lookup(NULL, a->un.path, 0, &p);
	if (result != 0)
		return result;
	*out = inode_get(p.dentry->inode);
	path_put(&p);
	return 0;
}

int
unix_bind(struct file *f, const struct unix_addr *a)
{
	struct socket *s = f->private;
	struct inode *i = NULL;
	int result = 0;

	if (a->len <= sizeof(a->un.family))
		return -EINVAL; /* a name of the kernel's choice: not offered */
	if (s->name.len > sizeof(a->un.family))
		return -EINVAL;
	if (!is_abstract(a))
		result = make_name(a, &i);
	if (result != 0)
		return result;
	mutex_lock(&names_lock);
	if (i == NULL && find_locked(a, NULL) != NULL) {
		result = -EADDRINUSE;
	} else {
		s->name = *a;
		s->bound = i;
		list_add_tail(&named, &s->node);
	}
	mutex_unlock(&names_lock);
	return result;
}

int
unix_listen(struct file *f, int backlog)
{
	struct socket *s = f->private;
	int result = 0;

	mutex_lock(&names_lock);
	if (s->state == CONNECTED || s->name.len <= sizeof(s->name.un.family)) {
		result = -EINVAL;
	} else {
		s->state = LISTENING;
		s->backlog = (unsigned)MIN(MAX(backlog, 0), BACKLOG_MAX);
		s->cred = own_cred();
	}
	mutex_unlock(&names_lock);
	return result;
}

/* The file of that name.  0 with a reference, NULL for an abstract one. */
static int
find_file(const struct unix_addr *a, struct inode **out)
{
	struct path p;
	int result;

	*out = NULL;
	if (is_abstract(a))
		return 0;
	result = path_lookup(NULL, a->un.path, LOOKUP_FOLLOW, &p);
	if (result != 0)
		return result;
	result = inode_permission(p.dentry->inode, MAY_WRITE);
	if (result == 0 && (p.dentry->inode->mode & S_IFMT) != S_IFSOCK)
		result = -ECONNREFUSED;
	if (result == 0)
		*out = inode_get(p.dentry->inode);
	path_put(&p);
	return result;
}

/* Put @l into the queue of who listens there.  -EAGAIN: it is full. */
static int
enqueue(const struct unix_addr *a, const struct inode *i, struct link *l)
{
	struct socket *s;
	int result = 0;

	mutex_lock(&names_lock);
	s = find_locked(a, i);
	if (s == NULL || s->state != LISTENING) {
		result = -ECONNREFUSED;
	} else if (s->nr_queued > s->backlog) {
		result = -EAGAIN;
	} else {
		l->name[1] = s->name;
		l->cred[1] = s->cred;
		list_add_tail(&s->queue, &l->pending);
		s->nr_queued++;
		(void)wake_all(&s->to_accept);
	}
	mutex_unlock(&names_lock);
	return result;
}

/* The same, waiting for room in the queue unless that must not be. */
static int
enqueue_waiting(const struct file *f, const struct unix_addr *a, const struct inode *i,
		struct link *l)
{
	for (;;) {
		const unsigned seen = __atomic_load_n(&room_events, __ATOMIC_ACQUIRE);
		const int result = enqueue(a, i, l);

		if (result != -EAGAIN || f->flags & O_NONBLOCK)
			return result;
		if (wait_event(&room, room_events != seen) != 0)
			return -ERESTARTSYS;
	}
}

int
unix_connect(struct file *f, const struct unix_addr *a)
{
	struct socket *s = f->private;
	struct inode *i;
	struct link *l;
	int result;

	if (s->state == CONNECTED)
		return -EISCONN;
	if (s->state == LISTENING || a->len <= sizeof(a->un.family))
		return -EINVAL;
	result = find_file(a, &i);
	if (result != 0)
		return result;
	l = link_alloc();
	if (l == NULL) {
		result = -ENOMEM;
	} else {
		l->name[0] = s->name;
		l->cred[0] = own_cred();
		result = enqueue_waiting(f, a, i, l);
	}
	if (result == 0)
		set_connected(f, l, 0);
	else if (l != NULL)
		link_free(l);
	if (i != NULL)
		inode_put(i);
	return result;
}

int
unix_accept(struct file *f, unsigned flags, struct file **out, struct unix_addr *peer)
{
	struct socket *s = f->private, *new;
	struct link *l;

	if (s->state != LISTENING)
		return -EINVAL;
	*out = socket_file(flags);
	if (*out == NULL)
		return -ENOMEM;
	while ((l = dequeue(s)) == NULL) {
		int result = f->flags & O_NONBLOCK ? -EAGAIN : 0;

		if (result == 0 && wait_event(&s->to_accept, s->nr_queued > 0) != 0)
			result = -ERESTARTSYS;
		if (result != 0) {
			file_put(*out);
			return result;
		}
	}
	set_connected(*out, l, 1);
	new = (*out)->private;
	new->name = l->name[1];
	*peer = l->name[0];
	return 0;
}

int
unix_shutdown(struct file *f, int how)
{
	struct socket *s = f->private;

	if (how < SHUT_RD || how > SHUT_RDWR)
		return -EINVAL;
	if (s->state != CONNECTED)
		return s->state == LISTENING ? 0 : -ENOTCONN;
	mutex_lock(&s->link->lock);
	if (how != SHUT_WR) {
		s->link->to[s->side].ended = true;
		s->link->to[s->side].unread = byte_ring_used(&s->link->to[s->side].ring) == 0;
	}
	if (how != SHUT_RD)
		s->link->to[1 - s->side].ended = true;
	mutex_unlock(&s->link->lock);
	wake_link(s->link);
	return 0;
}

int
unix_name(struct file *f, bool peer, struct unix_addr *out)
{
	struct socket *s = f->private;

	if (!peer) {
		*out = s->name;
		return 0;
	}
	if (s->state != CONNECTED)
		return -ENOTCONN;
	*out = s->link->name[1 - s->side];
	return 0;
}

void
unix_peer_cred(struct file *f, struct k_ucred *out)
{
	struct socket *s = f->private;

	*out = s->state == CONNECTED ? s->link->cred[1 - s->side]
				     : (struct k_ucred){0, UINT32_MAX, UINT32_MAX};
}

bool
unix_is_listening(struct file *f)
{
	return ((struct socket *)f->private)->state == LISTENING;
}
