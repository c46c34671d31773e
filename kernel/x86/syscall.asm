; syscall.asm - the way in and out of a system call.
;
; SYSCALL leaves RIP in rcx and RFLAGS in r11, changes neither stack nor GS, and masks RFLAGS by
; SFMASK (IF, DF, TF, AC ...).  The frame built here is a struct trapframe like any other: fork, signals
; and execve find and change the program's registers in one form.
; Spec: Intel SDM vol. 2B, "SYSCALL", "SYSRET"; vol. 3A, "Fast System Calls in 64-Bit Mode".
;	ss rsp rflags cs rip	as an interrupt would push them (high to low address)
;	number of the call	error code's place
;	VECTOR_SYSCALL		vector's place
;	rax ... r15		<- rsp = struct trapframe
bits 64
default rel
%include "offsets.inc"

extern syscall_fns
extern sys_missing
extern task_work
extern trap_return_user
global syscall_entry
global syscall_exit

section .text exec

; In:  rax = number, rdi rsi rdx r10 r8 r9 = arguments, rcx = RIP, r11 = RFLAGS; ring 3's GS and stack.
; Out: rax = result; rcx, r11 clobbered, as the ABI says; all others kept.
align 16
syscall_entry:
	swapgs
	mov	[gs:CPU_USER_RSP], rsp
	mov	rsp, [gs:CPU_KERNEL_RSP]
	push	SEL_USER_DATA
	push	qword [gs:CPU_USER_RSP]
	push	r11
	push	SEL_USER_CODE
	push	rcx
	push	rax
	push	VECTOR_SYSCALL
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
	sti
	cmp	rax, SYSCALL_MAX
	jae	.no_such
	mov	rcx, r10
	call	[syscall_fns + rax * 8]
.done:
	mov	[rsp + TF_RAX], rax
; In: rsp = the frame.  A new task starts here, too, and who changed the frame ends here.
syscall_exit:
	cli
	mov	rdx, [gs:CPU_TASK]
	cmp	dword [rdx + TASK_WORK], 0
	jne	.work
	; SYSRET takes RIP from rcx and RFLAGS from r11; with a RIP that is not canonical it faults
	; in ring 0 on the program's stack (Intel), and it cannot set TF or RF rightly.
	mov	rcx, [rsp + TF_RIP]
	mov	r11, [rsp + TF_RFLAGS]
	cmp	rcx, [rsp + TF_RCX]
	jne	.by_iret
	cmp	r11, [rsp + TF_R11]
	jne	.by_iret
	bt	rcx, 47
	jc	.by_iret
	test	r11d, RFLAGS_TF_RF
	jnz	.by_iret
	pop	r15
	pop	r14
	pop	r13
	pop	r12
	add	rsp, 8			; r11 is RFLAGS
	pop	r10
	pop	r9
	pop	r8
	pop	rbp
	pop	rdi
	pop	rsi
	pop	rdx
	add	rsp, 8			; rcx is RIP
	pop	rbx
	pop	rax
	mov	rsp, [rsp + TF_RSP - TF_VECTOR]
	swapgs
	o64 sysret
.by_iret:
	jmp	trap_return_user
.work:
	sti
	mov	rdi, rsp
	call	task_work
	jmp	syscall_exit
syscall_entry.no_such:
	call	sys_missing
	jmp	syscall_entry.done
