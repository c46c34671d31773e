; crash.asm - faults on purpose, one instruction each, so that a panic's code bytes can be compared
; with the source.  For the shell's `crash` and for tests.
; Each keeps a frame pointer: the backtrace shows who called.  None returns, unless a handler makes it.
; Spec: Intel SDM vol. 3A, "Exception and Interrupt Reference".
	bits	64

global crash_divide, crash_page_fault, crash_stack_overflow, crash_double_fault
global crash_single_step, crash_with_rsp, crash_overwrite_frames, crash_read
global crash_execute_data, crash_bad_opcode, crash_write_code, crash_non_canonical

	section .text

crash_divide:
	push	rbp
	mov	rbp, rsp
	xor	ecx, ecx
	mov	eax, 1
	cdq
	div	ecx			; 1 / 0
	pop	rbp
	ret

crash_page_fault:
	push	rbp
	mov	rbp, rsp
	mov	eax, 8
	mov	rax, [rax]		; page 0 is mapped nowhere
	pop	rbp
	ret

; In each round 16 bytes of return address and frame pointer, down to the guard page.
crash_stack_overflow:
	push	rbp
	mov	rbp, rsp
	call	crash_stack_overflow
	pop	rbp
	ret

; The page fault of the push needs a frame on the same bad stack: that is the double fault.
crash_double_fault:
	push	rbp
	mov	rbp, rsp
	mov	rsp, 0x1000
	push	rax
	mov	rsp, rbp
	pop	rbp
	ret

crash_execute_data:
	push	rbp
	mov	rbp, rsp
	mov	rax, data_with_code
	call	rax
	pop	rbp
	ret

crash_bad_opcode:
	push	rbp
	mov	rbp, rsp
	ud2
	pop	rbp
	ret

crash_write_code:
	push	rbp
	mov	rbp, rsp
	mov	rax, crash_write_code
	mov	byte [rax], 0x90
	pop	rbp
	ret

crash_non_canonical:
	push	rbp
	mov	rbp, rsp
	mov	rax, 0x8000000000000000
	mov	rax, [rax]
	pop	rbp
	ret

; void crash_single_step(void (*fn)(void)): call fn with a #DB after each instruction.
TF	equ 100h
crash_single_step:
	push	rbp
	mov	rbp, rsp
	pushfq
	or	qword [rsp], TF
	popfq
	call	rdi
	pushfq
	and	qword [rsp], ~TF
	popfq
	pop	rbp
	ret

; void crash_with_rsp(uint64_t rsp)
crash_with_rsp:
	push	rbp
	mov	rbp, rsp
	mov	rsp, rdi
	push	rax
	ud2				; the push may work

; Returns through frames that somebody wrote over.
crash_overwrite_frames:
	push	rbp
	mov	rbp, rsp
	mov	rdi, rsp
	mov	ecx, 32			; words: this frame and those of the callers
	mov	rax, 0x4141414141414141
	rep	stosq
	pop	rbp
	ret				; to an address that is not canonical

; void crash_read(uint64_t va)
crash_read:
	push	rbp
	mov	rbp, rsp
	mov	rax, [rdi]
	pop	rbp
	ret

	section .data
data_with_code:
	ret				; would be fine, were it not in .data
