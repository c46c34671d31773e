/*
 * printf.c - formatted output; also compiled into the 32-bit loader and the host tests.
 *
 * vfmt() reads the format once from left to right: text between conversions goes to the sink in
 * one piece, each conversion is parsed into a struct spec and printed by the function for its kind.
 */
#include <lib/printf.h>
#include <lib/string.h>

struct spec {
	bool left, zero, plus, space, alt;
	int width;     /* 0 = none */
	int precision; /* -1 = none */
	int size;      /* of an integer argument, bytes */
	char conv;
};

struct out {
	fmt_sink_t sink;
	void *arg;
	int total;
};

static void
emit(struct out *o, const char *s, size_t n)
{
	if (n > 0)
		o->sink(o->arg, s, n);
	o->total += (int)n;
}

static void
pad(struct out *o, char c, int n)
{
	static const char spaces[] = "                ", zeros[] = "0000000000000000";
	const int chunk = sizeof(spaces) - 1;

	for (; n > 0; n -= chunk)
		emit(o, c == '0' ? zeros : spaces, (size_t)MIN(n, chunk));
}

/* Quotient and, in *@rem, remainder of @v / 10 by 32-bit divisions: the loader has no __udivdi3. */
static uint64_t
div10(uint64_t v, unsigned *rem)
{
	const uint32_t hi = (uint32_t)(v >> 32), lo = (uint32_t)v;
	uint32_t mid, low;

	if (hi == 0) {
		*rem = lo % 10;
		return lo / 10;
	}
	mid = (hi % 10) << 16 | lo >> 16;
	low = (mid % 10) << 16 | (lo & 0xffff);
	*rem = low % 10;
	return (uint64_t)(hi / 10) << 32 | (uint64_t)(mid / 10) << 16 | low / 10;
}

/* Digits of @v, written backwards from @end.  Returns the first.  Zero has none. */
static char *
digits(char *end, uint64_t v, char conv)
{
	const unsigned shift = conv == 'o' ? 3 : 4;
	const char *set = conv == 'X' ? "0123456789ABCDEF" : "0123456789abcdef";

	while (v != 0) {
		unsigned d;

		if (conv == 'u') {
			v = div10(v, &d);
		} else {
			d = (unsigned)v & ((1u << shift) - 1);
			v >>= shift;
		}
		*--end = set[d];
	}
	return end;
}

/* @sign: "-", "+", "0x" ... printed before zeros.  @v is its absolute value. */
static void
put_number(struct out *o, const struct spec *s, uint64_t v, const char *sign)
{
	char buf[24]; /* 22 octal digits */
	char *const end = buf + sizeof(buf);
	char *first = digits(end, v, s->conv);
	const int len = (int)(end - first);
	const int sign_len = (int)strlen(sign);
	int zeros = (s->precision < 0 ? 1 : s->precision) - len;
	int fill;

	if (s->conv == 'o' && s->alt && zeros <= 0 && (len > 0 || s->precision == 0))
		zeros = 1;
	if (s->zero && !s->left && s->precision < 0 && zeros < s->width - sign_len - len)
		zeros = s->width - sign_len - len;
	zeros = MAX(zeros, 0);
	fill = s->width - sign_len - zeros - len;
	if (!s->left)
		pad(o, ' ', fill);
	emit(o, sign, (size_t)sign_len);
	pad(o, '0', zeros);
	emit(o, first, (size_t)len);
	if (s->left)
		pad(o, ' ', fill);
}

static void
put_signed(struct out *o, struct spec *s, int64_t v)
{
	const char *sign = v < 0 ? "-" : s->plus ? "+" : s->space ? " " : "";

	s->conv = 'u';
	put_number(o, s, v < 0 ? 0 - (uint64_t)v : (uint64_t)v, sign);
}

static void
put_unsigned(struct out *o, const struct spec *s, uint64_t v)
{
	const char *prefix = "";

	if (s->alt && v != 0 && s->conv == 'x')
		prefix = "0x";
	else if (s->alt && v != 0 && s->conv == 'X')
		prefix = "0X";
	put_number(o, s, v, prefix);
}

static void
put_string(struct out *o, const struct spec *s, const char *str, size_t len)
{
	const int fill = s->width > (int)len ? s->width - (int)len : 0;

	if (!s->left)
		pad(o, ' ', fill);
	emit(o, str, len);
	if (s->left)
		pad(o, ' ', fill);
}

static const char *
parse_flags(const char *f, struct spec *s)
{
	for (;; f++) {
		switch (*f) {
		case '-': s->left = true; break;
		case '0': s->zero = true; break;
		case '+': s->plus = true; break;
		case ' ': s->space = true; break;
		case '#': s->alt = true; break;
		default: return f;
		}
	}
}

static const char *
parse_int(const char *f, int *out)
{
	int v = 0;

	for (; *f >= '0' && *f <= '9'; f++)
		v = v < 100000 ? v * 10 + (*f - '0') : v;
	*out = v;
	return f;
}

static const char *
parse_size(const char *f, struct spec *s)
{
	s->size = sizeof(int);
	switch (*f) {
	case 'h': s->size = f[1] == 'h' ? 1 : 2; return f + (f[1] == 'h' ? 2 : 1);
	case 'l': s->size = f[1] == 'l' ? 8 : (int)sizeof(long); return f + (f[1] == 'l' ? 2 : 1);
	case 'j': s->size = 8; return f + 1;
	case 'z':
	case 't': s->size = sizeof(size_t); return f + 1;
	default: return f;
	}
}

/* va_list is an array on x86-64: it can be handed down by reference only inside a struct. */
struct args {
	va_list ap;
};

static uint64_t
take_unsigned(struct args *a, int size)
{
	if (size == 8)
		return va_arg(a->ap, uint64_t);
	if (size == 1)
		return (uint8_t)va_arg(a->ap, unsigned);
	if (size == 2)
		return (uint16_t)va_arg(a->ap, unsigned);
	return va_arg(a->ap, unsigned);
}

static int64_t
take_signed(struct args *a, int size)
{
	if (size == 8)
		return va_arg(a->ap, int64_t);
	if (size == 1)
		return (int8_t)va_arg(a->ap, int);
	if (size == 2)
		return (int16_t)va_arg(a->ap, int);
	return va_arg(a->ap, int);
}

/* Flags, width, precision, size and conversion at @f; returns what follows. */
static const char *
parse_spec(const char *f, struct spec *s, struct args *a)
{
	f = parse_flags(f, s);
	if (*f == '*') {
		s->width = va_arg(a->ap, int);
		if (s->width < 0) {
			s->left = true;
			s->width = s->width == INT32_MIN ? 0 : -s->width;
		}
		f++;
	} else {
		f = parse_int(f, &s->width);
	}
	if (*f == '.') {
		if (f[1] == '*') {
			s->precision = va_arg(a->ap, int);
			f += 2;
		} else {
			f = parse_int(f + 1, &s->precision);
		}
		if (s->precision < 0)
			s->precision = -1;
	}
	f = parse_size(f, s);
	s->conv = *f;
	return *f != '\0' ? f + 1 : f;
}

/* Returns false when the conversion is none that we know. */
static bool
convert(struct out *o, struct spec *s, struct args *a)
{
	const char *str;
	char c;

	switch (s->conv) {
	case 'd':
	case 'i': put_signed(o, s, take_signed(a, s->size)); return true;
	case 'u':
	case 'x':
	case 'X':
	case 'o': put_unsigned(o, s, take_unsigned(a, s->size)); return true;
	case 'p':
		s->conv = 'x';
		put_number(o, s, (uintptr_t)va_arg(a->ap, void *), "0x");
		return true;
	case 'c':
		c = (char)va_arg(a->ap, int);
		put_string(o, s, &c, 1);
		return true;
	case 's':
		str = va_arg(a->ap, const char *);
		str = str != NULL ? str : "(null)";
		put_string(o, s, str,
			   s->precision < 0 ? strlen(str) : strnlen(str, (size_t)s->precision));
		return true;
	case '%': emit(o, "%", 1); return true;
	default: return false;
	}
}

int
vfmt(fmt_sink_t sink, void *arg, const char *fmt, va_list ap)
{
	struct out o = {.sink = sink, .arg = arg};
	struct args a;

	va_copy(a.ap, ap);
	while (*fmt != '\0') {
		struct spec s = {.precision = -1};
		const char *start = fmt;

		while (*fmt != '\0' && *fmt != '%')
			fmt++;
		emit(&o, start, (size_t)(fmt - start));
		if (*fmt == '\0')
			break;
		start = fmt;
		fmt = parse_spec(fmt + 1, &s, &a);
		if (!convert(&o, &s, &a))
			emit(&o, start,
			     (size_t)(fmt - start)); /* as it stands: it shows the mistake */
	}
	va_end(a.ap);
	return o.total;
}

struct buffer {
	char *at;
	size_t left; /* bytes, without the NUL */
};

static void
buffer_sink(void *arg, const char *s, size_t n)
{
	struct buffer *b = arg;

	n = MIN(n, b->left);
	if (n == 0)
		return; /* there may be no buffer at all */
	memcpy(b->at, s, n);
	b->at += n;
	b->left -= n;
}

int
vsnprintf(char *buf, size_t size, const char *fmt, va_list ap)
{
	struct buffer b = {.at = buf, .left = size > 0 ? size - 1 : 0};
	const int n = vfmt(buffer_sink, &b, fmt, ap);

	if (size > 0)
		*b.at = '\0';
	return n;
}

int
snprintf(char *buf, size_t size, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(buf, size, fmt, ap);
	va_end(ap);
	return n;
}
