; safe_read.asm - a read that may fault: the report of a panic and the page walks read through it.
;
; The trap code knows the reading instruction by its address (trap.c) and, instead of a panic, goes
; on behind it.
bits 64
default rel

global safe_read64
global safe_read_insn
global safe_read_failed

section .text exec

; bool safe_read64(uint64_t va, uint64_t *out)
; In: rdi = address, rsi = where to put it.  Out: al = 1, or 0 if the read faulted.  Clobbers rax.
safe_read64:
safe_read_insn:
	mov	rax, [rdi]
	mov	[rsi], rax
	mov	eax, 1
	ret
safe_read_failed:
	xor	eax, eax
	ret
