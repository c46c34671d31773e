; probes.asm - what in-kernel tests of the trap path cannot say in C.
bits 64
default rel

global probe_registers
global probe_int
global probe_load_es
global probe_call_null
global probe_leaf
global probe_spurious_7
global probe_spurious_15
global probe_spurious_ff

section .text exec

; uint64_t probe_registers(void)
; Loads every register with a value of its own, raises vector 80h, and compares.  Out: eax = a bit
; for each register that came back changed (0 rax, 1 rbx, ... 14 r15, without rsp; 15 = flags).
%define VALUE(n) (0x0101010101010101 * (n))
probe_registers:
	push	rbp
	mov	rbp, rsp
	push	rbx
	push	r12
	push	r13
	push	r14
	push	r15
	push	rbp
	mov	rax, VALUE(1)
	mov	rbx, VALUE(2)
	mov	rcx, VALUE(3)
	mov	rdx, VALUE(4)
	mov	rsi, VALUE(5)
	mov	rdi, VALUE(6)
	mov	r8, VALUE(7)
	mov	r9, VALUE(8)
	mov	r10, VALUE(9)
	mov	r11, VALUE(10)
	mov	r12, VALUE(11)
	mov	r13, VALUE(12)
	mov	r14, VALUE(13)
	mov	r15, VALUE(14)
	mov	rbp, VALUE(15)
	std				; the handler must run with DF clear, and give ours back
	stc
	int	0x80
	pushfq				; then the registers, so that all can be compared at leisure
	cld
	push	rbp
	push	r15
	push	r14
	push	r13
	push	r12
	push	r11
	push	r10
	push	r9
	push	r8
	push	rdi
	push	rsi
	push	rdx
	push	rcx
	push	rbx
	push	rax
	xor	eax, eax
	mov	rdx, VALUE(1)
	mov	rsi, VALUE(1)
	xor	ecx, ecx
.compare:
	pop	rdi
	cmp	rdi, rdx
	je	.same
	bts	eax, ecx
.same:
	add	rdx, rsi
	inc	ecx
	cmp	ecx, 15
	jne	.compare
	pop	rdi			; flags: DF (bit 10) and CF (bit 0)
	and	edi, 0x401
	cmp	edi, 0x401
	je	.flags_same
	bts	eax, ecx
.flags_same:
	pop	rbp
	pop	r15
	pop	r14
	pop	r13
	pop	r12
	pop	rbx
	pop	rbp
	ret

; void probe_int(void): a vector that nobody handles.
probe_int:
	int	0xf7
	ret

; void probe_spurious_7(void), probe_spurious_15(void): what a spurious interrupt looks like to the
; kernel: the vector comes, and no chip has the line in service.
probe_spurious_7:
	int	0x27
	ret
probe_spurious_15:
	int	0x2f
	ret

; void probe_spurious_ff(void): the same, of a local APIC.
probe_spurious_ff:
	int	0xff
	ret

; void probe_load_es(uint64_t selector)
probe_load_es:
	mov	es, edi
	ret

; void probe_call_null(void): jumps to a null pointer, as a bad function pointer does.
probe_call_null:
	push	rbp
	mov	rbp, rsp
	xor	eax, eax
	call	rax
	pop	rbp
	ret

; void probe_leaf(void): faults without a frame of its own.
probe_leaf:
	ud2
	ret
