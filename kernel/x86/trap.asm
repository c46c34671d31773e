; trap.asm - the one way into the kernel for exceptions and interrupts.
;
; Each stub makes the stack look the same, then joins trap_common, which builds a struct trapframe.
; Spec: Intel SDM vol. 3A, "64-Bit Mode Stack Frame" (RSP is aligned to 16 before the CPU pushes).
;	ss rsp rflags cs rip	pushed by the CPU (high to low address)
;	error code		pushed by the CPU, or 0 by the stub
;	vector			pushed by the stub	<- rsp
bits 64
default rel
%include "offsets.inc"

extern trap_dispatch
global trap_stubs
global trap_common
global trap_return
global trap_return_to
global trap_clac

; The odd ones out below push an error code themselves: #DF #TS #NP #SS #GP #PF #AC #CP #VC #SX.
; Spec: Intel SDM vol. 3A, "Protected-Mode Exceptions and Interrupts"; AMD APM vol. 2, "Vectors".

section .text exec
align 16
; In: as the CPU enters.  12 bytes each, so that idt.c computes the address (TRAP_STUB_SIZE).
trap_stubs:
%assign vec 0
%rep 256
%if vec = 8 || (vec >= 10 && vec <= 14) || vec = 17 || vec = 21 || vec = 29 || vec = 30
	xchg	ax, ax			; two bytes: the CPU pushed the error code
%else
	push	byte 0
%endif
	push	strict dword vec
	jmp	strict near trap_common
%assign vec vec + 1
%endrep

; In:  the frame drawn above, interrupts off.  Out: every register restored.
; GS base is not used by the kernel yet.  When it is (struct cpu), SWAPGS belongs in two places, each
; behind a test of TF_CS for ring 3: after the pushes on the way in, before the pops on the way out.
align 16
trap_common:
	push	rax
	push	rbx
	push	rcx
	push	rdx
	push	rsi
	push	rdi
	push	rbp
	push	r8
	push	r9
	push	r10
	push	r11
	push	r12
	push	r13
	push	r14
	push	r15			; rsp = struct trapframe *, a multiple of 16
trap_clac:
	db	0x0f, 0x1f, 0x00	; NOP, CLAC under SMAP: AC may come set from outside
	cld				; the C ABI wants DF clear
	mov	rdi, rsp
	call	trap_dispatch
trap_return:				; the backtrace knows a trap frame by this return address
	pop	r15
	pop	r14
	pop	r13
	pop	r12
	pop	r11
	pop	r10
	pop	r9
	pop	r8
	pop	rbp
	pop	rdi
	pop	rsi
	pop	rdx
	pop	rcx
	pop	rbx
	pop	rax
	add	rsp, 16			; vector, error code
	iretq

; void trap_return_to(const struct trapframe *tf)
; In: rdi = a frame, anywhere.  Out: runs there, never returns.
trap_return_to:
	cli
	mov	rsp, rdi
	jmp	trap_return
