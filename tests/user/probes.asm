; probes.asm - programs of a few instructions that the tests run in ring 3.
;
; Each lies in .rodata between its label and its _end label, is copied to a user page and entered at
; its first byte, with RDI = an argument.  Most end in `int 80h`, whose handler takes RAX as the
; result; the others in the exception that they are there for.
bits 64
default rel

%macro PROBE 1
global user_probe_%1
global user_probe_%1_end
user_probe_%1:
%endmacro
%macro END 1
user_probe_%1_end:
%endmacro

section .rodata

PROBE back		; comes back through a gate, with what CS says
	mov	eax, cs
	int	0x80
END back

PROBE stack				; the stack works: push, call, ret
	push	rdi
	call	.add
	pop	rdx
	int	0x80
.add:	mov	rax, [rsp + 8]
	inc	rax
	ret
END stack

PROBE cli
	cli
END cli
PROBE hlt
	hlt
END hlt
PROBE in
	in	al, 0x60
END in
PROBE out
	mov	al, 0
	out	0x80, al
END out
PROBE cr3
	mov	rax, cr3
END cr3
PROBE wrmsr
	mov	ecx, 0xc0000080
	xor	eax, eax
	xor	edx, edx
	wrmsr
END wrmsr
PROBE lgdt
	lgdt	[rdi]
END lgdt
PROBE sgdt				; UMIP
	sub	rsp, 16
	sgdt	[rsp]
	int	0x80
END sgdt
PROBE int81				; a gate that is not for ring 3
	int	0x81
END int81
PROBE breakpoint			; one that is
	int3
END breakpoint
PROBE ud2
	ud2
END ud2
PROBE divide
	xor	ecx, ecx
	mov	eax, 1
	cdq
	div	ecx
END divide

PROBE read
	mov	rax, [rdi]
	int	0x80
END read
PROBE write
	mov	qword [rdi], 42
	mov	rax, [rdi]
	int	0x80
END write
PROBE call
	call	rdi
	int	0x80
END call

PROBE iopl				; POPF ignores IOPL and IF in ring 3, without a fault
	pushfq
	pop	rax
	or	eax, 0x3000
	and	eax, ~0x200
	push	rax
	popfq
	pushfq
	pop	rax
	int	0x80
END iopl

PROBE spin				; RDI = TSC ticks to burn; the timer interrupts it
	rdtsc
	shl	rdx, 32
	or	rax, rdx
	lea	rsi, [rax + rdi]
.loop:	rdtsc
	shl	rdx, 32
	or	rax, rdx
	cmp	rax, rsi
	jb	.loop
	mov	eax, 77
	int	0x80
END spin

PROBE registers		; every register survives interrupts; RDI = ticks to burn
	mov	rbx, 0x1111111111111111
	mov	r8, 0x2222222222222222
	mov	r12, 0x3333333333333333
	mov	r15, 0x4444444444444444
	mov	rbp, 0x5555555555555555
	rdtsc
	shl	rdx, 32
	or	rax, rdx
	lea	rsi, [rax + rdi]
.loop:	rdtsc
	shl	rdx, 32
	or	rax, rdx
	cmp	rax, rsi
	jb	.loop
	mov	rax, rbx
	add	rax, r8
	add	rax, r12
	add	rax, r15
	add	rax, rbp
	int	0x80
END registers

PROBE ac		; sets EFLAGS.AC, which would open SMAP
	pushfq
	or	qword [rsp], 0x40000
	popfq
	int	0x80
END ac
