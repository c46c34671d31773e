/*
 * ubsan.h - what compilers call where the program has done what C does not define.
 *
 * With -fsanitize=undefined gcc and clang put a check before each such operation and, where it
 * fails, call one of these with a description of the place and the operands.  Layouts and names are
 * those of the compilers' runtime interface (LLVM, compiler-rt, "ubsan_handlers.h"; the same in
 * GCC).  The kernel is built with -fno-sanitize-recover: handlers do not return, and end in _abort
 * where there is a choice.
 */
#pragma once
#include <kern/base.h>

struct ubsan_place {
	const char *file;
	uint32_t line, column;
};

enum ubsan_kind { UBSAN_INTEGER = 0 };

struct ubsan_type {
	uint16_t kind; /* UBSAN_INTEGER, or what we print no value of */
	uint16_t info; /* integer: bit 0 signed, above it log2 of the bits */
	char name[];   /* quoted */
};

/* One operand of a type: overflows, loads, lengths. */
struct ubsan_typed {
	struct ubsan_place place;
	const struct ubsan_type *type;
};

/* Shifts: of the left and the right operand.  Bounds: of the array and of the index. */
struct ubsan_typed2 {
	struct ubsan_place place;
	const struct ubsan_type *left, *right;
};

struct ubsan_access {
	struct ubsan_place place;
	const struct ubsan_type *type;
	uint8_t log_align;
	uint8_t access; /* load, store, ... */
};

struct ubsan_argument {
	struct ubsan_place place, attribute;
	int index; /* from 1 */
};

/* Operands of up to 64 bits come as they are, larger ones by address. */
typedef uintptr_t ubsan_value;

NORETURN void __ubsan_handle_add_overflow_abort(const struct ubsan_typed *d, ubsan_value l,
						ubsan_value r);
NORETURN void __ubsan_handle_sub_overflow_abort(const struct ubsan_typed *d, ubsan_value l,
						ubsan_value r);
NORETURN void __ubsan_handle_mul_overflow_abort(const struct ubsan_typed *d, ubsan_value l,
						ubsan_value r);
NORETURN void __ubsan_handle_divrem_overflow_abort(const struct ubsan_typed *d, ubsan_value l,
						   ubsan_value r);
NORETURN void __ubsan_handle_negate_overflow_abort(const struct ubsan_typed *d, ubsan_value v);
NORETURN void __ubsan_handle_shift_out_of_bounds_abort(const struct ubsan_typed2 *d, ubsan_value l,
						       ubsan_value r);
NORETURN void __ubsan_handle_out_of_bounds_abort(const struct ubsan_typed2 *d, ubsan_value index);
NORETURN void __ubsan_handle_type_mismatch_v1_abort(const struct ubsan_access *d, ubsan_value p);
NORETURN void __ubsan_handle_pointer_overflow_abort(const struct ubsan_place *place,
						    ubsan_value base, ubsan_value result);
NORETURN void __ubsan_handle_load_invalid_value_abort(const struct ubsan_typed *d, ubsan_value v);
NORETURN void __ubsan_handle_vla_bound_not_positive_abort(const struct ubsan_typed *d,
							  ubsan_value v);
NORETURN void __ubsan_handle_nonnull_arg_abort(const struct ubsan_argument *d);
NORETURN void __ubsan_handle_nonnull_return_v1_abort(const struct ubsan_place *attribute,
						     const struct ubsan_place *place);
NORETURN void __ubsan_handle_invalid_builtin_abort(const struct ubsan_place *place);
NORETURN void __ubsan_handle_builtin_unreachable(const struct ubsan_place *place);
