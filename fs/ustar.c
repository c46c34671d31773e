/*
 * ustar.c - reads a tar archive in memory.  What is understood: include/fs/ustar.h.
 *
 * An entry is a header of 512 bytes and its contents, filled up to a multiple of 512.  Entries of types x, L and K
 * say something of the next one: a name that its header has no room for.
 */
#include <fs/ustar.h>
#include <lib/string.h>

#define BLOCK 512

struct header {
	char name[100], mode[8], uid[8], gid[8], size[12], mtime[12], sum[8], type, link[100];
	char magic[6], version[2], user[32], group[32], major[8], minor[8], prefix[155], pad[12];
};
_Static_assert(sizeof(struct header) == BLOCK, "ustar header");

void
ustar_begin(struct ustar *u, const void *data, size_t size)
{
	u->start = u->at = data;
	u->end = u->at + size;
	u->error = NULL;
}

/* --- numbers ---------------------------------------------------------------------------------- */

/* Octal digits ended by a blank or NUL, or, with the first bit set, the number itself (GNU). */
static bool
number(const char *s, size_t n, uint64_t *value)
{
	size_t i = 0;

	*value = 0;
	if ((uint8_t)s[0] & 0x80) {
		for (i = 0; i < n; i++) {
			const uint8_t b = i == 0 ? (uint8_t)s[0] & 0x7f : (uint8_t)s[i];

			if (*value >> 55)
				return false;
			*value = *value << 8 | b;
		}
		return true;
	}
	while (i < n && s[i] == ' ')
		i++;
	for (; i < n && s[i] >= '0' && s[i] <= '7'; i++) {
		if (*value >> 60)
			return false;
		*value = *value << 3 | (uint64_t)(s[i] - '0');
	}
	return i == n || s[i] == ' ' || s[i] == '\0';
}

/* A decimal number from @s on, before @end; *@s moves behind its digits.  False: none, or too large. */
static bool
decimal(const char **s, const char *end, uint64_t *value)
{
	const char *p = *s;

	*value = 0;
	for (; p < end && *p >= '0' && *p <= '9'; p++) {
		if (*value > (UINT64_MAX - 9) / 10)
			return false;
		*value = *value * 10 + (uint64_t)(*p - '0');
	}
	if (p == *s)
		return false;
	*s = p;
	return true;
}

static bool
sum_is_right(const struct header *h)
{
	const uint64_t odd = 0x00ff00ff00ff00ff; /* every other byte: four sums at a time */
	uint64_t said, word, sums = 0, sum = sizeof(h->sum) * ' ';

	for (size_t at = 0; at < BLOCK; at += sizeof(word)) {
		memcpy(&word, (const uint8_t *)h + at, sizeof(word));
		sums += (word & odd) + (word >> 8 & odd);
	}
	for (unsigned i = 0; i < 4; i++)
		sum += sums >> (16 * i) & 0xffff;
	for (size_t i = 0; i < sizeof(h->sum); i++)
		sum -= (uint8_t)h->sum[i];
	return number(h->sum, sizeof(h->sum), &said) && said == sum;
}

/* --- what is said of the next entry ----------------------------------------------------------------- */

struct said {
	bool name, link, size; /* entry.name, entry.link, entry.size hold what was said */
};

static void
take_string(struct ustar_entry *e, char *place, const char *s, size_t len)
{
	len = strnlen(s, len);
	if (len >= USTAR_NAME_MAX) {
		e->problem = "name too long";
		len = USTAR_NAME_MAX - 1;
	}
	memcpy(place, s, len);
	place[len] = '\0';
}

static bool
is_key(const char *record, const char *equals, const char *key)
{
	return strlen(key) == (size_t)(equals - record) &&
	       memcmp(record, key, (size_t)(equals - record)) == 0;
}

/* One record, `LENGTH KEY=VALUE\n`, its keyword at @key, '=' at @equals, value ended by @end. */
static bool
take_record(struct ustar_entry *e, struct said *said, const char *key, const char *equals,
	    const char *end)
{
	const char *value = equals + 1;

	if (is_key(key, equals, "path")) {
		take_string(e, e->name, value, (size_t)(end - value));
		said->name = true;
	} else if (is_key(key, equals, "linkpath")) {
		take_string(e, e->link, value, (size_t)(end - value));
		said->link = true;
	} else if (is_key(key, equals, "size")) {
		said->size = true;
		return decimal(&value, end, &e->size) && value == end;
	}
	return true; /* owner and times by name or to the nanosecond: no need */
}

static bool
take_pax(struct ustar_entry *e, struct said *said, const char *s, const char *end)
{
	while (s < end) {
		const char *record = s, *equals;
		uint64_t len;

		if (!decimal(&s, end, &len) || s >= end || *s != ' ')
			return false;
		if (len > (uint64_t)(end - record) || len < (uint64_t)(s - record) + 3 ||
		    record[len - 1] != '\n')
			return false;
		s++;
		equals = memchr(s, '=', (size_t)(record + len - 1 - s));
		if (equals == NULL || !take_record(e, said, s, equals, record + len - 1))
			return false;
		s = record + len;
	}
	return true;
}

/* --- entries ------------------------------------------------------------------------------------------ */

static void
take_name(struct ustar_entry *e, const struct header *h)
{
	const size_t prefix = strnlen(h->prefix, sizeof(h->prefix));
	size_t n = 0;

	/* GNU's own format has other things in the place of the prefix. */
	if (memcmp(h->magic, "ustar\0", 6) == 0 && prefix > 0) {
		memcpy(e->name, h->prefix, prefix);
		e->name[prefix] = '/';
		n = prefix + 1;
	}
	take_string(e, e->name + n, h->name, sizeof(h->name));
}

/* The fields of @h; what was @said before stands.  False: a number is none. */
static bool
take_header(struct ustar_entry *e, const struct said *said, const struct header *h)
{
	uint64_t mode, uid, gid, mtime, major, minor;

	if (!number(h->mode, sizeof(h->mode), &mode) || !number(h->uid, sizeof(h->uid), &uid) ||
	    !number(h->gid, sizeof(h->gid), &gid) || !number(h->mtime, sizeof(h->mtime), &mtime) ||
	    !number(h->major, sizeof(h->major), &major) ||
	    !number(h->minor, sizeof(h->minor), &minor))
		return false;
	e->mode = mode & 07777;
	e->uid = (uint32_t)uid;
	e->gid = (uint32_t)gid;
	e->mtime = (int64_t)mtime;
	e->major = (uint32_t)major;
	e->minor = (uint32_t)minor;
	if (!said->name)
		take_name(e, h);
	if (!said->link)
		take_string(e, e->link, h->link, sizeof(h->link));
	/* Before ustar a directory was a file whose name ends in a slash. */
	e->type = h->type == '\0' || h->type == '7' ? '0' : h->type;
	if (e->type == '0' && e->name[0] != '\0' && e->name[strlen(e->name) - 1] == '/')
		e->type = '5';
	if (e->type < '0' || e->type > '6')
		e->problem = "of a kind that is not known";
	if (e->name[0] == '\0')
		e->problem = "without a name";
	return true;
}

static bool
all_zero(const uint8_t *p)
{
	for (size_t i = 0; i < BLOCK; i++) {
		if (p[i] != 0)
			return false;
	}
	return true;
}

/* The header at u->at, or NULL: the end, or u->error says what is wrong. */
static const struct header *
next_header(struct ustar *u)
{
	const struct header *h = (const struct header *)(const void *)u->at;

	if (u->at == u->end)
		return NULL;
	if ((size_t)(u->end - u->at) < BLOCK) {
		u->error = "cut short";
		return NULL;
	}
	if (all_zero(u->at))
		return NULL;
	if (memcmp(h->magic, "ustar", 5) != 0)
		u->error = "no ustar header";
	else if (!sum_is_right(h))
		u->error = "wrong header checksum";
	return u->error == NULL ? h : NULL;
}

bool
ustar_next(struct ustar *u)
{
	struct ustar_entry *e = &u->entry;
	struct said said = {false, false, false};
	const struct header *h;

	e->problem = NULL;
	while ((h = next_header(u)) != NULL) {
		const char *data = (const char *)u->at + BLOCK;
		const size_t left = (size_t)(u->end - u->at) - BLOCK;
		const bool extension = h->type != '\0' && strchr("xgLK", h->type) != NULL;
		uint64_t size;

		if (!number(h->size, sizeof(h->size), &size)) {
			u->error = "size is no number";
			return false;
		}
		if (!extension && said.size)
			size = e->size;
		if (h->type >= '2' && h->type <= '6')
			size = 0; /* nothing follows, whatever it says */
		if (size > left) {
			u->error = "member longer than the archive";
			return false;
		}
		if (h->type == 'L' || h->type == 'K') {
			take_string(e, h->type == 'L' ? e->name : e->link, data, size);
			*(h->type == 'L' ? &said.name : &said.link) = true;
		} else if (h->type == 'x' && !take_pax(e, &said, data, data + size)) {
			u->error = "wrong PAX record";
			return false;
		} else if (!extension) {
			e->data = (const uint8_t *)data;
			e->size = size;
			if (!take_header(e, &said, h)) {
				u->error = "a field is no number";
				return false;
			}
		}
		u->at += BLOCK + MIN(ALIGN_UP(size, BLOCK), left);
		if (!extension)
			return true;
	}
	return false;
}
