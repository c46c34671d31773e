; bench.asm - the shortest software interrupt, for bench.c.
bits 64
default rel

%define BENCH_VECTOR 0xf0			; as in bench.c

global bench_int

section .text exec
; In: -  Out: -  Clobbers: what the handler of vector F0h does, which is nothing.
bench_int:
	int	BENCH_VECTOR
	ret
