; firmware.asm - an option ROM that makes QEMU's well-behaved BIOS err as real ones do.
;
; Assembled by test_firmware.py with one or more of:
;	NO_EDD		int 13h AH=41h, 42h, 48h fail
;	NO_PACKET	int 13h AH=41h answers without bit 0 of CX; 42h, 48h fail
;	FAIL_42		int 13h AH=42h fails although 41h promises it
;	NO_48		int 13h AH=48h fails
;	ZERO_48		int 13h AH=48h says 0 bytes per sector
;	MAX_SECTORS=n	reads of more sectors fail
;	ONE_SEGMENT	reads across a 64 KiB boundary fail
;	FAIL_FIRST=n	the first n reads fail
;	FAIL_AT=n	the nth read fails
;	FLIP_READ=n	the nth read has one bit wrong
;	TRASH		int 13h spoils every register that it has no result in, DS, ES, DF and IF
;	WRONG_DL=n	the boot sector is started with DL=n, CS=07C0h, other registers arbitrary
;	AS_FLOPPY	the disk is drive 0 for int 13h, and there is no drive 80h (with WRONG_DL=0)
;	BPB_WRITTEN	... and with a geometry written into its BPB area
;	E820_UNSORTED, E820_OVERLAP, E820_EMPTY, E820_IGNORE, E820_20BYTE, E820_CARRY
;			entries in no order; overlapping; of size 0; marked as to be ignored (attribute
;			bit 0 clear); of 20 bytes, no attributes; carry on the call after the last one
;	MESSY_E820	all of these
;	ENDLESS_E820	the last entry for ever
;	BAD_SMAP	E820 answers without "SMAP" in EAX
;	SHORT_E820	E820 answers with 16 bytes
;	NO_E820, NO_E801, NO_88	these calls fail
;	EBDA_LOW	the EBDA lies at 80000h: 512 KiB of conventional memory
;	A20_OFF		A20 is off after each int 13h, and int 15h AX=2401h refuses
;	GRAPHICS	the screen is in graphics mode 12h
;	NO_TICK		the timer's interrupt does not come
; The memory maps are those of a machine with 128 MiB.
; The BIOS's own read of the boot sector does not count.
; It hooks int 19h, and from there int 13h and 15h.  Its variables lie in unused vectors (60h on).
	bits	16
	org	0

OLD13	equ 180h
OLD15	equ 184h
OLD19	equ 188h
READS	equ 18Ch				; word: reads so far
BDA_EBDA equ 40Eh				; word: segment of the EBDA
BDA_KIB	equ 413h				; word: conventional memory
LOW_EBDA equ 8000h				; a segment

%ifdef MESSY_E820
 %define E820_UNSORTED
 %define E820_OVERLAP
 %define E820_EMPTY
 %define E820_IGNORE
 %define E820_20BYTE
 %define E820_CARRY
%endif
%ifdef E820_UNSORTED
 %define OWN_MAP
%elifdef E820_OVERLAP
 %define OWN_MAP
%elifdef E820_EMPTY
 %define OWN_MAP
%elifdef E820_IGNORE
 %define OWN_MAP
%elifdef E820_20BYTE
 %define OWN_MAP
%elifdef E820_CARRY
 %define OWN_MAP
%elifdef ENDLESS_E820
 %define OWN_MAP
%endif

	db	55h, 0AAh, 4			; in units of 512 bytes
	jmp	install

; Redirect vector %1 to %2; the old one goes to %3.  DS = 0.
%macro hook 3
	mov	eax, [%1 * 4]
	mov	[%3], eax
	mov	word [%1 * 4], %2
	mov	[%1 * 4 + 2], cs
%endmacro

install:
	pusha
	push	ds
	push	0
	pop	ds
	hook	19h, int19, OLD19
	pop	ds
	popa
	retf

int19:
	push	0
	pop	ds
%ifdef WRONG_DL
	mov	word [READS], 0
%else
	mov	word [READS], -1
%endif
%ifdef GRAPHICS
	mov	ax, 12h
	int	10h
	push	0
	pop	ds
%endif
%ifdef EBDA_LOW
	mov	ax, [BDA_EBDA]
	mov	ds, ax
	mov	ax, LOW_EBDA
	mov	es, ax
	xor	si, si
	xor	di, di
	movzx	cx, byte [si]			; its size, KiB
	shl	cx, 10
	cld
	rep	movsb
	push	0
	pop	ds
	mov	[BDA_EBDA], ax
	mov	word [BDA_KIB], LOW_EBDA >> 6
%endif
%ifdef NO_TICK
	in	al, 21h				; the first PIC's mask: IRQ 0
	or	al, 1
	out	21h, al
%endif
	hook	13h, int13, OLD13
	hook	15h, int15, OLD15
%ifndef WRONG_DL
	jmp	far [OLD19]
%else
	mov	ax, 0
	mov	ss, ax
	mov	sp, 6F00h
	mov	es, ax
	mov	ax, 0201h
	mov	bx, 7C00h
	mov	cx, 1
	mov	dx, 80h
	pushf
	call	far [OLD13]
%ifdef BPB_WRITTEN
	mov	di, 7C03h
	mov	cx, 3Bh
	mov	al, 5Ah
	cld
	rep	stosb
	mov	word [7C18h], 63		; plausible, as such a BIOS writes it
	mov	word [7C1Ah], 16
%endif
	mov	eax, 0DEADBEEFh
	mov	ebx, 0BADC0DEh
	mov	esi, 77777777h
	mov	edi, eax
	mov	ebp, ebx
	mov	cx, 1234h
	mov	dx, 5500h + WRONG_DL
	mov	ds, cx
	mov	es, cx
	std
	jmp	07C0h:0
%endif

; Stack of int13: SP -> the call's AX, ES, BX, SI, DS; FS; BP; IP, CS, flags.
%define IN_AH	bp - 11				; as the caller gave them
%define IN_ES	bp - 10
%define IN_BX	bp - 8
%define IN_SI	bp - 6
%define IN_DS	bp - 4
%define FLAGS	bp + 6

int13:
	push	bp
	mov	bp, sp
	push	fs
	push	ds
	push	si
	push	bx
	push	es
	push	ax
	push	0
	pop	fs
%ifdef AS_FLOPPY
	xor	dl, 80h
	js	.mapped
	jmp	.refuse
.mapped:
%endif
%ifdef NO_PACKET
	cmp	ah, 42h
	je	.refuse
	cmp	ah, 48h
	je	.refuse
%endif
%ifdef FAIL_42
	cmp	ah, 42h
	je	.refuse
%endif
%ifdef NO_EDD
	cmp	ah, 41h
	je	.refuse
	cmp	ah, 42h
	je	.refuse
	cmp	ah, 48h
	je	.refuse
%endif
%ifdef NO_48
	cmp	ah, 48h
	je	.refuse
%endif
	cmp	ah, 2
	je	.read
	cmp	ah, 42h
	jne	.call
.read:
	inc	word [fs:READS]
%ifdef FAIL_FIRST
	cmp	word [fs:READS], 0
	je	.call
	cmp	word [fs:READS], FAIL_FIRST
	jbe	.refuse
%endif
%ifdef FAIL_AT
	cmp	word [fs:READS], FAIL_AT
	je	.refuse
%endif
%ifdef MAX_SECTORS
	cmp	ah, 42h
	jne	.counted
	mov	al, [si + 2]
.counted:
	cmp	al, MAX_SECTORS
	ja	.refuse
	mov	al, [IN_AH - 1]
%endif
%ifdef ONE_SEGMENT
	call	crosses
	jc	.refuse
%endif
.call:
	pushf
	call	far [fs:OLD13]
	push	ax
	lahf
	and	ah, 1
	and	byte [FLAGS], 0FEh
	or	[FLAGS], ah
	pop	ax
%ifdef NO_PACKET
	cmp	byte [IN_AH], 41h
	jne	.return
	and	cl, 0FEh
%endif
	jmp	.return
.refuse:
	or	byte [FLAGS], 1
	mov	ah, 9
.return:
	call	spoil
	lea	sp, [bp - 2]
	pop	fs
	pop	bp
	iret

%ifdef ONE_SEGMENT
; Carry: the read at hand leaves the 64 KiB that it begins in.  Sectors of 512 bytes.
crosses:
	pushad
	mov	dx, es
	cmp	ah, 42h
	jne	.known
	mov	al, [si + 2]
	mov	bx, [si + 4]
	mov	dx, [si + 6]
.known:
	movzx	ecx, al
	shl	ecx, 9
	shl	dx, 4
	add	bx, dx
	movzx	ebx, bx
	add	ecx, ebx
	cmp	ecx, 10001h
	cmc
	popad
	ret
%endif

; After the call: AX, BX, CX, DX, DI, ES may be results.
spoil:
	push	ax
	push	0
	pop	fs
%ifdef A20_OFF
	in	al, 92h
	and	al, 0FCh
	out	92h, al
%endif
%ifdef ZERO_48
	cmp	byte [IN_AH], 48h
	jne	.size_kept
	lds	si, [IN_SI]
	mov	word [si + 18h], 0
.size_kept:
%endif
%ifdef FLIP_READ
	cmp	word [fs:READS], FLIP_READ
	jne	.intact
	inc	word [fs:READS]			; once
	push	bx
	push	es
	les	bx, [IN_BX]
	cmp	byte [IN_AH], 2
	je	.flip
	lds	si, [IN_SI]
	les	bx, [si + 4]
.flip:
	xor	byte [es:bx + 1300h], 4		; also inside a file that begins within a sector
	pop	es
	pop	bx
.intact:
%endif
%ifdef TRASH
	or	byte [FLAGS + 1], 4		; DF
	and	byte [FLAGS + 1], 0FDh		; IF
	mov	si, 0A5A5h
	mov	ds, si
	cmp	byte [IN_AH], 41h
	je	.result_cx
	cmp	byte [IN_AH], 8
	je	.result_cx
	mov	ebx, 0DEADBEEFh
	mov	ecx, ebx
	mov	edx, ebx
	mov	edi, ebx
	mov	esi, ebx
	mov	es, bx
	mov	word [bp], 0BEEFh		; BP
.result_cx:
%endif
	pop	ax
	ret

int15:
	push	bp
	mov	bp, sp
%ifdef A20_OFF
	cmp	ax, 2401h
	je	.refuse
%endif
%ifdef NO_E820
	cmp	ax, 0E820h
	je	.refuse
%endif
%ifdef NO_E801
	cmp	ax, 0E801h
	je	.refuse
%endif
%ifdef NO_88
	cmp	ah, 88h
	je	.refuse
%endif
%ifdef BAD_SMAP
	cmp	ax, 0E820h
	je	.bad_smap
%endif
%ifdef SHORT_E820
	cmp	ax, 0E820h
	je	.short
%endif
%ifdef OWN_MAP
	cmp	ax, 0E820h
	je	.e820
%endif
	pop	bp
	push	word [cs:zero]			; room for the far address
	push	word [cs:zero]
	push	bp
	mov	bp, sp
	push	ds
	push	eax
	push	0
	pop	ds
	mov	eax, [OLD15]
	mov	[bp + 2], eax
	pop	eax
	pop	ds
	pop	bp
	retf
.refuse:
	or	byte [bp + 6], 1
	mov	ah, 86h
	pop	bp
	iret
%ifdef BAD_SMAP
.bad_smap:
	xor	eax, eax
	jmp	.good
%endif
%ifdef SHORT_E820
.short:
	mov	eax, 534D4150h
	mov	ecx, 16
	xor	ebx, ebx
	jmp	.good
%endif
%ifdef OWN_MAP
; EBX = index.  Entries of 20 bytes leave the attributes alone.
.e820:
	cmp	bx, ENTRIES
	jae	.refuse
	push	si
	push	di
	imul	si, bx, 24
	add	si, map
	mov	ecx, 20
	cmp	dword [cs:si + 20], NOT_GIVEN
	je	.copy
	mov	ecx, 24
.copy:
	push	cx
	cld
	cs rep	movsb
	pop	cx
	pop	di
	pop	si
	inc	ebx
	mov	eax, 534D4150h
%ifndef E820_CARRY
	cmp	bx, ENTRIES
	jb	.good
	xor	ebx, ebx
 %ifdef ENDLESS_E820
	mov	bl, ENTRIES - 1
 %endif
%endif
%endif
.good:
	and	byte [bp + 6], 0FEh
	pop	bp
	iret

%ifdef OWN_MAP
NOT_GIVEN equ 0FFFFFFFFh
%ifdef E820_20BYTE
 %define GIVEN NOT_GIVEN
%else
 %define GIVEN 1
%endif
%macro entry 4					; start, size, type, attributes
	dq	%1, %2
	dd	%3, %4
%endmacro
map:
%ifdef E820_UNSORTED
	entry	0FFFC0000h, 40000h, 2, 1
	entry	100000h, 7E00000h, 1, 1
%endif
%ifdef E820_OVERLAP
	entry	9F800h, 800h, 2, 1		; its page is RAM below: reserved wins
%endif
	entry	0, 9FC00h, 1, GIVEN
%ifdef E820_OVERLAP
	entry	2000400h, 0FFC00h, 2, 1		; in the middle of RAM
%endif
%ifdef E820_IGNORE
	entry	0, 100000000h, 2, 0
%endif
	entry	0F0000h, 10000h, 2, GIVEN
%ifndef E820_UNSORTED
	entry	100000h, 7E00000h, 1, GIVEN
%endif
%ifdef E820_EMPTY
	entry	7000000h, 0, 2, 1
%endif
%ifndef E820_UNSORTED
	entry	0FFFC0000h, 40000h, 2, GIVEN
%endif
ENTRIES equ ($ - map) / 24
%endif

zero	dw	0
	times 2048 - ($ - $$) db 0
