; hostile.asm - an option ROM that makes QEMU's good BIOS behave like bad ones.
;
; Hooks int 13h, 15h and 19h; each -D switch is one known way in which firmware misbehaves:
;	NO_EDD		41h, 42h and 48h fail: cylinder/head/sector only
;	NO_48		48h alone fails
;	MAX_SECTORS=n	42h with more sectors fails with AH=01h
;	ONE_SEGMENT	42h across a 64 KiB boundary fails with AH=09h
;	FAIL_READS=n	n reads fail with AH=04h, from the first or the FAIL_AT-th one on
;	FLIP_READ=n	one bit of what the n-th read delivers is wrong
;	DESTROY		reads return with registers, DS, ES and DF full of rubbish
;	WRONG_DL=x	int 19h starts the boot sector with this DL, CS=07C0h, rubbish elsewhere, and
;			writes a BPB into it
;	E820_EXTRA	map starts with entries that overlap, are empty, or have attribute bit 0 clear
;	E820_CF_END	the end of the map is told by CF, not by EBX=0
;	NO_E820, NO_E801	these functions fail
;	A20_OFF		A20 is off, and int 15h 2401h refuses to turn it on
;
; SeaBIOS makes the ROM read-only before it boots, so the few variables live in the 16 bytes at
; 4F0h that the BIOS data area leaves to applications.
; Spec: BIOS Boot Specification 1.01, "Option ROM Header"; ACPI 6.4, "INT 15H, E820H".
bits 16
org 0

OLD13	equ 0x4f0
OLD15	equ 0x4f4
READS	equ 0x4f8			; reads seen since the boot sector was loaded
ROM_SIZE equ 2048

	db	0x55, 0xaa, ROM_SIZE / 512
	jmp	near init

; Hook the vectors.  Far call from the BIOS; everything is restored.
init:
	pushad
	push	ds
	push	0
	pop	ds
	mov	eax, [0x13 * 4]
	mov	[OLD13], eax
	mov	word [0x13 * 4], int13
	mov	[0x13 * 4 + 2], cs
	mov	eax, [0x15 * 4]
	mov	[OLD15], eax
	mov	word [0x15 * 4], int15
	mov	[0x15 * 4 + 2], cs
	mov	word [READS], 0
%ifdef WRONG_DL
	mov	word [0x19 * 4], int19
	mov	[0x19 * 4 + 2], cs
%endif
%ifdef A20_OFF
	mov	word [0x19 * 4], int19
	mov	[0x19 * 4 + 2], cs
%endif
	pop	ds
	popad
	retf

%macro	old_interrupt 1			; call the BIOS's own handler; keeps nothing but FS
	push	fs
	push	0
	pop	fs
	pushf
	call	far [fs:%1]
	pop	fs
%endmacro

; Go to the BIOS's own handler with every register and the stack as INT left them.
%macro	go_on 1
	sub	sp, 4			; room for its address
	push	bp
	mov	bp, sp
	push	eax
	push	ds
	push	0
	pop	ds
	mov	eax, [%1]
	mov	[bp + 2], eax
	pop	ds
	pop	eax
	pop	bp
	retf
%endmacro

; Return from the interrupt with CF set (1) or clear (0) in the caller's flags; all else untouched.
;	flags cs ip	pushed by INT
;	bp		pushed here		<- bp
%macro	leave_with_cf 1
	push	bp
	mov	bp, sp
%if %1
	or	byte [bp + 6], 1
%else
	and	byte [bp + 6], 0xfe
%endif
	pop	bp
	iret
%endmacro

; --- disk -----------------------------------------------------------------------------------------
int13:
	push	ds
	push	0
	pop	ds
	cmp	word [0x7dfe], 0xaa55	; before the boot sector is there, the BIOS reads for itself
	pop	ds
	jne	.honest
	cmp	ah, 0x02
	je	.read
	cmp	ah, 0x42
	je	.read_edd
%ifdef NO_EDD
	cmp	ah, 0x41
	je	.no_function
	cmp	ah, 0x48
	je	.no_function
%endif
%ifdef NO_48
	cmp	ah, 0x48
	je	.no_function
%endif
.honest:
	go_on	OLD13
.no_function:
	mov	ah, 0x01
	leave_with_cf 1
.read_edd:
%ifdef NO_EDD
	jmp	.no_function
%endif
%ifdef MAX_SECTORS
	cmp	word [si + 2], MAX_SECTORS
	ja	.no_function
%endif
%ifdef ONE_SEGMENT
	push	eax
	push	ecx
	movzx	eax, word [si + 6]	; segment and offset of the buffer -> linear, low 16 bits
	shl	eax, 4
	movzx	ecx, word [si + 4]
	add	eax, ecx
	and	eax, 0xffff
	movzx	ecx, word [si + 2]
	shl	ecx, 9
	add	eax, ecx
	cmp	eax, 0x10000
	pop	ecx
	pop	eax
	jbe	.read
	mov	ah, 0x09
	leave_with_cf 1
%endif
.read:
	push	ds
	push	0
	pop	ds
	inc	word [READS]
%ifdef FAIL_READS
%ifndef FAIL_AT
%define FAIL_AT 1
%endif
	push	ax
	mov	ax, [READS]
	sub	ax, FAIL_AT
	cmp	ax, FAIL_READS		; unsigned: below FAIL_AT is far above
	pop	ax
	pop	ds
	jae	.really
	mov	ah, 0x04
	leave_with_cf 1
%else
	pop	ds
%endif
.really:
	push	si
	push	bx
	push	es
	push	ds
	push	ax
	old_interrupt OLD13
	jc	.failed
	add	sp, 2			; AX is the BIOS's now
%ifdef FLIP_READ
	call	flip
%endif
	pop	ds
	pop	es
	pop	bx
	pop	si
%ifdef DESTROY
	mov	bx, 0xdead
	mov	cx, 0xbeef
	mov	dx, 0x5aa5
	mov	si, 0x1234
	mov	di, 0x4321
	mov	bp, 0x7777
	mov	ds, bx
	mov	es, cx
	push	bp
	mov	bp, sp
	or	word [bp + 6], 0x400	; DF in the caller's flags
	pop	bp
%endif
	leave_with_cf 0
.failed:
	add	sp, 2
	pop	ds
	pop	es
	pop	bx
	pop	si
	leave_with_cf 1

%ifdef FLIP_READ
; Damage the buffer of this read.  In: the stack as int13 left it: ds es bx si above the return address.
flip:
	push	bp
	mov	bp, sp
	push	ds
	push	si
	push	0
	pop	ds
	cmp	word [READS], FLIP_READ
	jne	.done
	mov	ds, [bp + 4]		; the caller's DS:SI: the packet of 42h
	mov	si, [bp + 10]
	lds	si, [si + 4]
	xor	byte [si + 100], 0x20
.done:
	pop	si
	pop	ds
	pop	bp
	ret
%endif

; --- memory ---------------------------------------------------------------------------------------
int15:
%ifdef A20_OFF
	cmp	ax, 0x2401
	je	.refuse
	cmp	ax, 0x2403
	je	.refuse
%endif
%ifdef NO_E820
	cmp	ax, 0xe820
	je	.refuse
%endif
%ifdef NO_E801
	cmp	ax, 0xe801
	je	.refuse
%endif
%ifdef E820_EXTRA
	cmp	ax, 0xe820
	je	.extra
%endif
%ifdef E820_CF_END
	cmp	ax, 0xe820
	je	.cf_end
%endif
	go_on	OLD15
.carry:
	leave_with_cf 1
.refuse:
	mov	ah, 0x86
	leave_with_cf 1

%ifdef E820_EXTRA
; EBX = 0 is the first of our entries, 4001h... the next; 8000h stands for the BIOS's own first one.
.extra:
	cmp	ebx, 0x8000
	je	.own_first
	cmp	ebx, 0
	je	.ours
	cmp	ebx, 0x4000
	jb	.own
.ours:
	push	si
	push	di
	push	cx
	mov	si, bx
	and	si, 0xff
	imul	si, si, 24
	add	si, extra_entries
	mov	cx, 24
	cld
.copy:
	mov	al, [cs:si]
	mov	[es:di], al
	inc	si
	inc	di
	loop	.copy
	pop	cx
	pop	di
	pop	si
	cmp	ebx, 0x4000 + EXTRA_COUNT - 1
	je	.last
	test	ebx, ebx
	jnz	.next
	mov	ebx, 0x4000
.next:
	inc	ebx
	jmp	.given
.last:
	mov	ebx, 0x8000
.given:
	mov	eax, 0x534d4150
	mov	ecx, 24
	leave_with_cf 0
.own_first:
	xor	ebx, ebx
.own:
	old_interrupt OLD15
	jc	.carry
	leave_with_cf 0
%endif

%ifdef E820_CF_END
.cf_end:
	cmp	ebx, 0x8000
	je	.refuse
	old_interrupt OLD15
	jc	.carry
	test	ebx, ebx
	jnz	.more
	mov	ebx, 0x8000
.more:
	leave_with_cf 0
%endif

; --- boot -----------------------------------------------------------------------------------------
int19:
	xor	ax, ax
	mov	ds, ax
	mov	es, ax
	cli
	mov	ss, ax
	mov	sp, 0x7c00
	sti
	mov	ax, 0x0201
	mov	bx, 0x7c00
	mov	cx, 1
	mov	dx, 0x80
	int	0x13
%ifdef A20_OFF
	in	al, 0x92
	and	al, 0xfc		; bit 1: A20; bit 0 would reset the machine
	out	0x92, al
%endif
%ifdef WRONG_DL
	mov	di, 0x7c03		; what USB floppy emulation writes: a BPB
	mov	cx, 0x3b
	mov	al, 0xcc
	cld
	rep stosb
	mov	ax, 0x1111
	mov	ds, ax
	mov	es, ax
	mov	bx, 0x2222
	mov	cx, 0x3333
	mov	si, 0x4444
	mov	di, 0x5555
	mov	bp, 0x6666
	mov	dx, WRONG_DL
	std
	jmp	0x07c0:0
%else
	mov	dx, 0x80
	jmp	0:0x7c00
%endif

%ifdef E820_EXTRA
%macro	entry 4				; start, size, type, attribute
	dq	%1, %2
	dd	%3, %4
%endmacro
extra_entries:
	entry	0x600000, 0x100000, 2, 1	; reserved, inside RAM: must not be used
	entry	0x700800, 0x1000, 2, 1		; not on page boundaries: both pages are lost
	entry	0x100000, 0x100000, 1, 1	; RAM that the BIOS lists again
	entry	0x900000, 0, 2, 1		; empty
	entry	0x0, 0x10000000, 2, 0		; bit 0 clear: to be ignored
	entry	0xa00000, 0x1000, 12, 1		; a type that nobody knows: not RAM
EXTRA_COUNT equ ($ - extra_entries) / 24
%endif

	times ROM_SIZE - 1 - ($ - $$) db 0
	db	0			; the test makes the sum of all bytes 0 here
