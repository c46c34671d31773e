; switch.asm - changing stacks: context switch, first entry of a thread, side exits; page_zero.
;
; Spec: System V AMD64 ABI, "Registers": rbx rbp r12-r15 rsp belong to the caller and are all that
; a switch saves; the compiler has put the rest away at the call.
bits 64
default rel
%include "offsets.inc"

extern thread_begin
extern spin_contended
global context_switch
global thread_trampoline
global thread_stack_init
global jump_save
global jump_to
global regs_capture
global page_zero
global lock_contended

section .text exec

; void context_switch(uint64_t *save, uint64_t next_rsp)
; In: rdi, rsi; interrupts off.  Out: on the other stack, where that thread called it.
; The stack of a thread that does not run:
;	return address
;	rbp rbx r12 r13 r14 r15		<- saved rsp
align 16
context_switch:
	push	rbp
	push	rbx
	push	r12
	push	r13
	push	r14
	push	r15
	mov	[rdi], rsp
	mov	rsp, rsi
	pop	r15
	pop	r14
	pop	r13
	pop	r12
	pop	rbx
	pop	rbp
	ret

; uint64_t thread_stack_init(void *top)
; In: rdi = end of the stack (multiple of 16).  Out: rax = rsp for context_switch().  Clobbers rdx.
; Lays out: 0 0 (end of the chain) trampoline rbp rbx r12 r13 r14 r15, registers all 0.
thread_stack_init:
	lea	rax, [rdi - 72]
	mov	qword [rdi - 8], 0
	mov	qword [rdi - 16], 0
	lea	rdx, [thread_trampoline]
	mov	[rdi - 24], rdx
	mov	qword [rdi - 32], 0	; rbp: no caller's frame
	mov	qword [rdi - 40], 0
	mov	qword [rdi - 48], 0
	mov	qword [rdi - 56], 0
	mov	qword [rdi - 64], 0
	mov	qword [rdi - 72], 0
	ret

; In: from context_switch(), interrupts off, rbp = 0, rsp = top - 16 (a multiple of 16).
thread_trampoline:
	call	thread_begin
	ud2				; it does not return

; int jump_save(struct jump_buf *b)
; In: rdi.  Out: eax = 0, or later what jump_to() was given.  Layout: include/x86/switch.h.
jump_save:
	mov	[rdi + 0], rbx
	mov	[rdi + 8], rbp
	mov	[rdi + 16], r12
	mov	[rdi + 24], r13
	mov	[rdi + 32], r14
	mov	[rdi + 40], r15
	lea	rax, [rsp + 8]		; as it will be after our return
	mov	[rdi + 48], rax
	mov	rax, [rsp]
	mov	[rdi + 56], rax
	xor	eax, eax
	ret

; void jump_to(const struct jump_buf *b, int value)
; In: rdi, esi.  Out: as if jump_save() returned esi.
jump_to:
	mov	eax, SEL_KERNEL_DATA	; a trap that changed stacks has left SS null
	mov	ss, eax
	mov	eax, esi
	mov	rbx, [rdi + 0]
	mov	rbp, [rdi + 8]
	mov	r12, [rdi + 16]
	mov	r13, [rdi + 24]
	mov	r14, [rdi + 32]
	mov	r15, [rdi + 40]
	mov	rsp, [rdi + 48]
	cld
	jmp	[rdi + 56]

; void regs_capture(struct trapframe *tf)
; In: rdi.  Out: *tf = the caller's registers as at the call (rdi itself included, as its argument).
regs_capture:
	mov	[rdi + TF_R15], r15
	mov	[rdi + TF_R14], r14
	mov	[rdi + TF_R13], r13
	mov	[rdi + TF_R12], r12
	mov	[rdi + TF_R11], r11
	mov	[rdi + TF_R10], r10
	mov	[rdi + TF_R9], r9
	mov	[rdi + TF_R8], r8
	mov	[rdi + TF_RBP], rbp
	mov	[rdi + TF_RDI], rdi
	mov	[rdi + TF_RSI], rsi
	mov	[rdi + TF_RDX], rdx
	mov	[rdi + TF_RCX], rcx
	mov	[rdi + TF_RBX], rbx
	mov	[rdi + TF_RAX], rax
	mov	qword [rdi + TF_VECTOR], TRAP_VECTORS ; none
	mov	qword [rdi + TF_ERROR], 0
	mov	rax, [rsp]
	mov	[rdi + TF_RIP], rax
	mov	rax, cs
	mov	[rdi + TF_CS], rax
	pushfq
	pop	qword [rdi + TF_RFLAGS]
	lea	rax, [rsp + 8]
	mov	[rdi + TF_RSP], rax
	mov	rax, ss
	mov	[rdi + TF_SS], rax
	ret

; From ticket_take() (x86/lock.h), which does not tell the compiler of a call.
; In:  [rsp + 8] = the lock, [rsp + 16] = where it was wanted, [rsp + 24] = the ticket drawn.
; Out: the three popped, all registers kept.
;	ticket
;	where
;	lock
;	return address
;	rbp			<- rbp
;	rax rcx rdx rsi rdi r8 r9 r10 r11
lock_contended:
	push	rbp
	mov	rbp, rsp
	push	rax
	push	rcx
	push	rdx
	push	rsi
	push	rdi
	push	r8
	push	r9
	push	r10
	push	r11
	mov	rdi, [rbp + 16]
	mov	rsi, [rbp + 24]
	mov	rdx, [rbp + 32]
	and	rsp, -16		; as the C ABI wants it
	cld
	call	spin_contended
	lea	rsp, [rbp - 72]
	pop	r11
	pop	r10
	pop	r9
	pop	r8
	pop	rdi
	pop	rsi
	pop	rdx
	pop	rcx
	pop	rax
	pop	rbp
	ret	24

; void page_zero(void *page)
; In: rdi = page.  Clobbers rax, rcx, rdi.  Plain stores: under emulation a REP is slower, on
; hardware about equal for one page.
align 16
page_zero:
	xor	eax, eax
	mov	ecx, 4096 / 128
.line:
%assign off 0
%rep 16
	mov	[rdi + off], rax
%assign off off + 8
%endrep
	add	rdi, 128
	dec	ecx
	jnz	.line
	ret
