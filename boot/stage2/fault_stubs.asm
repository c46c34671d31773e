; fault_stubs.asm - what the loader's interrupt descriptor tables point to.
;
; Each stub is one CALL, whose return address tells the vector.  Exceptions of 64-bit code are taken
; in 64-bit code, which goes to 32-bit code in compatibility mode to print: the identity map stays.
; Spec: Intel SDM vol. 3A, "Stack Usage on Transfers to Interrupt Service Routines", "64-Bit Mode
; Stack Frame".
%include "offsets.inc"

CODE32		equ 08h
DATA32		equ 10h
STUB_SIZE	equ 5
VECTORS		equ 32
; Vectors with an error code: 8, 10-14, 17, 21, 29, 30.
ERROR_CODES	equ 1 << 8 | 1Fh << 10 | 1 << 17 | 1 << 21 | 1 << 29 | 1 << 30

extern fault_report
global fault_record, fault_stubs32, fault_stubs64

section .text
	bits	32
fault_stubs32:
%rep VECTORS
	call	strict near common32
%endrep

; Stack: return address, [error code], EIP, CS, EFLAGS.
common32:
	pop	eax
	sub	eax, fault_stubs32 + STUB_SIZE
	xor	edx, edx
	mov	ecx, STUB_SIZE
	div	ecx
	mov	[fault_record.vector], eax
	mov	ecx, ERROR_CODES
	bt	ecx, eax
	jnc	.no_error
	pop	dword [fault_record.error]
.no_error:
	pop	dword [fault_record.ip]
	pop	dword [fault_record.cs]
	pop	dword [fault_record.flags]
	mov	[fault_record.sp], esp
	mov	eax, cr2
	mov	[fault_record.cr2], eax
	mov	dword [fault_record.bits], 32
report:
	mov	esp, LOADER_STACK
	jmp	fault_report

	bits	64
fault_stubs64:
%rep VECTORS
	call	strict near common64
%endrep

; Stack: return address, [error code], RIP, CS, RFLAGS, RSP, SS.
common64:
	pop	rax
	sub	eax, fault_stubs64 + STUB_SIZE
	xor	edx, edx
	mov	ecx, STUB_SIZE
	div	ecx
	mov	[abs fault_record.vector], eax
	mov	ecx, ERROR_CODES
	bt	ecx, eax
	jnc	.no_error
	pop	rcx
	mov	[abs fault_record.error], ecx
.no_error:
	pop	qword [abs fault_record.ip]
	pop	rax
	mov	[abs fault_record.cs], eax
	pop	qword [abs fault_record.flags]
	pop	qword [abs fault_record.sp]
	mov	rax, cr2
	mov	[abs fault_record.cr2], rax
	mov	dword [abs fault_record.bits], 64
	mov	esp, LOADER_STACK
	push	qword CODE32
	mov	eax, .compatibility
	push	rax
	retfq
	bits	32
.compatibility:
	mov	eax, DATA32
	mov	ds, eax
	mov	es, eax
	mov	ss, eax
	jmp	report

section .bss align=8
fault_record:					; struct fault_record (fault.c)
.vector		resd 1
.error		resd 1
.ip		resq 1
.sp		resq 1
.flags		resq 1
.cr2		resq 1
.cs		resd 1
.bits		resd 1
