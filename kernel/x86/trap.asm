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
extern task_work
extern cpu_boot
global trap_stubs
global trap_common
global trap_return
global trap_paranoid_return
global trap_return_to
global trap_return_user
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
%if vec = TRAP_NMI || vec = TRAP_DF || vec = TRAP_MC
	jmp	strict near trap_paranoid
%else
	jmp	strict near trap_common
%endif
%assign vec vec + 1
%endrep

; In:  the frame drawn above, interrupts off.  Out: every register restored.
; From ring 3 GS base is the program's: it is exchanged for the kernel's on the way in, and back.
align 16
trap_common:
	test	byte [rsp + TF_CS - TF_VECTOR], 3
	jz	.in_kernel
	swapgs
.in_kernel:
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
	test	byte [rsp + TF_CS], 3
	jnz	trap_return_user
trap_return_kernel:
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

; In: rsp = a frame of ring 3, interrupts off, GS the kernel's.
; Out: runs there, unless the task has something to do first (signals).
trap_return_user:
	mov	rax, [gs:CPU_TASK]
	test	rax, rax		; self-tests go to ring 3 without a task
	jz	.leave
	cmp	dword [rax + TASK_WORK], 0
	jne	.work
.leave:	swapgs
	jmp	trap_return_kernel
.work:	sti
	mov	rdi, rsp
	call	task_work
	cli
	jmp	trap_return_user

; NMI, #DF and #MC can come when GS base is not yet, or no more, the kernel's though CS says ring 0.
; So they look: the value itself says whose it is.  A program that set its GS base to just that value
; changes nothing, as it is then right for both.
; In: as trap_common.  rbx tells on the way out whether GS was exchanged.
align 16
trap_paranoid:
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
	push	r15
	xor	ebx, ebx
	mov	ecx, MSR_GS_BASE
	rdmsr
	shl	rdx, 32
	or	rax, rdx
	lea	rdx, [cpu_boot]
	cmp	rax, rdx
	je	.ours
	swapgs
	inc	ebx
.ours:	cld
	mov	rdi, rsp
	call	trap_dispatch
trap_paranoid_return:			; as trap_return
	test	ebx, ebx
	jz	trap_return_kernel
	swapgs
	jmp	trap_return_kernel

; void trap_return_to(const struct trapframe *tf)
; In: rdi = a frame, anywhere.  Out: runs there, never returns.
trap_return_to:
	cli
	mov	rsp, rdi
	jmp	trap_return
