/*
 * ubsan.c - undefined behaviour becomes a panic that says what, where, and with which values.
 *
 * Compiled without the checks themselves.  Why a panic and no warning: what was computed is wrong, and
 * a wrong length or shift in a kernel is not a matter for later.
 */
#include "ubsan.h"
#include <lib/printf.h>

#define TEXT 48

struct text {
	char s[TEXT];
};

static bool
is_signed(const struct ubsan_type *t)
{
	return (t->info & 1) != 0;
}

static unsigned
bits_of(const struct ubsan_type *t)
{
	return 1U << (t->info >> 1);
}

/* The value @v of type @t in decimal; what is no integer of up to 64 bits has none. */
static struct text
value_text(const struct ubsan_type *t, ubsan_value v)
{
	struct text text = {"?"};

	if (t->kind != UBSAN_INTEGER || bits_of(t) > 64)
		return text;
	if (is_signed(t)) {
		const unsigned unused = 64 - bits_of(t);

		snprintf(text.s, sizeof(text.s), "%ld", (int64_t)(v << unused) >> unused);
	} else {
		snprintf(text.s, sizeof(text.s), "%lu", (uint64_t)v);
	}
	return text;
}

NORETURN static void report(const struct ubsan_place *place, const char *fmt, ...) PRINTF(2, 3);

NORETURN static void
report(const struct ubsan_place *place, const char *fmt, ...)
{
	char text[128];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	panic("undefined behaviour: %s, %s:%u", text, place->file, place->line);
}

NORETURN static void
overflow(const struct ubsan_typed *d, ubsan_value l, const char *op, ubsan_value r)
{
	report(&d->place, "%s %s %s does not fit into %s", value_text(d->type, l).s, op,
	       value_text(d->type, r).s, d->type->name);
}

void
__ubsan_handle_add_overflow_abort(const struct ubsan_typed *d, ubsan_value l, ubsan_value r)
{
	overflow(d, l, "+", r);
}

void
__ubsan_handle_sub_overflow_abort(const struct ubsan_typed *d, ubsan_value l, ubsan_value r)
{
	overflow(d, l, "-", r);
}

void
__ubsan_handle_mul_overflow_abort(const struct ubsan_typed *d, ubsan_value l, ubsan_value r)
{
	overflow(d, l, "*", r);
}

void
__ubsan_handle_divrem_overflow_abort(const struct ubsan_typed *d, ubsan_value l, ubsan_value r)
{
	if (r == 0)
		report(&d->place, "%s divided by zero", value_text(d->type, l).s);
	overflow(d, l, "/", r);
}

void
__ubsan_handle_negate_overflow_abort(const struct ubsan_typed *d, ubsan_value v)
{
	report(&d->place, "-(%s) does not fit into %s", value_text(d->type, v).s, d->type->name);
}

void
__ubsan_handle_shift_out_of_bounds_abort(const struct ubsan_typed2 *d, ubsan_value l, ubsan_value r)
{
	report(&d->place, "%s shifted by %s, of type %s", value_text(d->left, l).s,
	       value_text(d->right, r).s, d->left->name);
}

void
__ubsan_handle_out_of_bounds_abort(const struct ubsan_typed2 *d, ubsan_value index)
{
	report(&d->place, "index %s is outside %s", value_text(d->right, index).s, d->left->name);
}

/* Null, not aligned, or more than what is there, in this order. */
void
__ubsan_handle_type_mismatch_v1_abort(const struct ubsan_access *d, ubsan_value p)
{
	static const char *const accesses[] = {"load of",     "store to",	 "reference to",
					       "member of",   "method of",	 "constructor of",
					       "downcast to", "downcast to",	 "upcast to",
					       "cast to",     "nonnull binding", "use of"};
	const char *access = d->access < ARRAY_SIZE(accesses) ? accesses[d->access] : "access to";
	const ubsan_value align = (ubsan_value)1 << d->log_align;

	if (p == 0)
		report(&d->place, "%s %s by a null pointer", access, d->type->name);
	if (!IS_ALIGNED(p, align))
		report(&d->place, "%s %s at %#lx, not aligned to %lu", access, d->type->name, p,
		       align);
	report(&d->place, "%s %s at %#lx, where there is less", access, d->type->name, p);
}

void
__ubsan_handle_pointer_overflow_abort(const struct ubsan_place *place, ubsan_value base,
				      ubsan_value result)
{
	report(place, "pointer %#lx moved to %#lx, around the end", base, result);
}

void
__ubsan_handle_load_invalid_value_abort(const struct ubsan_typed *d, ubsan_value v)
{
	report(&d->place, "%lu is no value of %s", v, d->type->name);
}

void
__ubsan_handle_vla_bound_not_positive_abort(const struct ubsan_typed *d, ubsan_value v)
{
	report(&d->place, "array of %s elements", value_text(d->type, v).s);
}

void
__ubsan_handle_nonnull_arg_abort(const struct ubsan_argument *d)
{
	report(&d->place, "argument %d is null and must not be", d->index);
}

void
__ubsan_handle_nonnull_return_v1_abort(const struct ubsan_place *attribute,
				       const struct ubsan_place *place)
{
	(void)attribute;
	report(place, "null returned where it must not be");
}

void
__ubsan_handle_invalid_builtin_abort(const struct ubsan_place *place)
{
	report(place, "count of leading or trailing zeros of 0");
}

void
__ubsan_handle_builtin_unreachable(const struct ubsan_place *place)
{
	report(place, "code that cannot be reached was");
}
