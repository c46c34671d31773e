; stage1.asm - the boot sector: finds the drive with stage 2, reads it, checks it, jumps to it.
;
; The BIOS loads these 512 bytes to 7C00h and jumps here with DL = drive, which can be wrong, and
; with CS:IP = 0000:7C00h or 07C0h:0000.  The same code serves hard disk, USB stick, CD (El Torito
; loads a copy of this sector) and floppy (the image builder writes a real BPB there).
;
; Stage 2 lies in two copies of 32 KiB at byte offsets 64 KiB and 96 KiB (LBA 128 and 192 of 512
; bytes).  DL, 80h, 81h and 0 are tried in turn; the first intact copy found is run.
; Spec: BIOS Enhanced Disk Drive Specification 3.0, "Extended Read", "Get Device Parameters";
; IBM PC/AT Technical Reference, "INT 13".
;
; The first thing it does is to print MARK: a machine that shows no more than that hangs in one of
; the disk reads here.
;
; There is room for 378 bytes, and they are full.  What was done for size, so that nobody undoes it
; unaware: BP stays 7C00h and variables lie in the BPB area, reached by 8-bit offsets; the stack
; is always equally deep at the same place, so that saved registers can be patched in it.
%include "offsets.inc"

	bits	16
global stage1
section .text				; linked to 7C00h: boot/stage1.ld

%define MARK	'1'			; stage 1

; Variables, as [bp + ...].  3-0Bh and 20h-3Dh are free in every BPB once we run.
%define DRIVE		bp + 3			; byte
%define EDD		bp + 4			; byte: 1 = packet calls, 0 = none, -1 = given up
%define TRACK		bp + 18h		; word: sectors per track, in the BPB (0: ask)
%define HEADS		bp + 1Ah		; word: heads, in the BPB
%define EDD_PARAMS	bp + 20h		; result of AH=48h, 1Eh bytes
%define SECTOR_SIZE	EDD_PARAMS + 18h	; word: bytes per sector

; The stack at its deepest (addresses from 7C00h down):
;	sp cs dx		words, as the BIOS left them	\
;	tsc			qword				 | struct stage1_handoff
;	next drive		word				 |
;	registers of .copy	pusha: AX = LBA, CX = copies left /
;	registers of .more	pusha: AX = LBA, BX = buffer, CX = count, SI, DI
;	disk address packet	16 bytes
%define SAVED_COUNT	bp - 6 - 8 - 2 - 16 - 4	; CX in the frame of .more

stage1:
	jmp	short entry
	nop
	times 3Eh - ($ - $$) db 0		; some BIOSes write a BPB here: no code
entry:
	mov	si, cs
	jmp	0:cs_zero
cs_zero:				; not "main": editors' debuggers stop at any main unasked
	cli
	mov	cx, sp
	mov	di, dx
	xor	bx, bx
	mov	ss, bx
	mov	sp, 7 * 4			; behind vector 6, invalid opcode: a 386 or 486,
	push	bx				; which has no RDTSC, goes straight to the next
	push	no_rdtsc			; instruction (and spoils vectors 4 and 5)
	rdtsc
no_rdtsc:
	mov	sp, STAGE1_STACK
	push	cx
	push	si
	push	di
	push	edx
	push	eax
	mov	ax, 0E00h + MARK		; on page BH = 0; some BIOSes spoil BP when they scroll
	int	10h
	mov	bp, STAGE1_STACK
	xchg	ax, di
	mov	si, more_drives

; In:  AL = drive, SI = list of those to try after it.
next_drive:
	push	si
	mov	[DRIVE], al
	mov	word [SECTOR_SIZE], 512
	mov	bx, 55AAh			; CX is even here
	mov	ah, 41h				; EDD there?  CX bit 0: packet calls
	call	int13
	and	cl, 1
	mov	[EDD], cl
	jz	.size_known
	lea	si, [EDD_PARAMS]
	mov	word [si], 1Eh			; size of the buffer
	mov	ah, 48h				; drive parameters
	call	int13
.size_known:
	mov	cl, 9				; BSF of 0 (as some say) leaves it so
	bsf	cx, [SECTOR_SIZE]
	mov	di, STAGE2_MAX
	shr	di, cl				; sectors in a copy: 64, 16 or 8
	mov	ax, di
	mov	cx, 2
.copy:
	add	ax, di				; A starts at twice its size, B at three times
	pusha
	mov	bx, STAGE2_ADDR

; Read DI sectors from LBA AX to BX, at most SI at a time.
.all_at_once:
	mov	si, di
.more:
	mov	cx, si
	cmp	cx, di
	jb	.count_known
	mov	cx, di
.count_known:
	pusha
	cwd					; 0: LBAs here are below 8000h
	push	dx				; disk address packet, last word first
	push	dx
	push	dx
	push	ax
	push	dx
	push	bx
	push	cx
	push	16
	cmp	[EDD], dh
	jle	.chs
	mov	si, sp
	mov	ah, 42h
	jmp	.call

; AX = LBA, CX = count -> int 13h AH=02h, the count cut at the end of the track.  A BPB's geometry
; is the medium's, AH=08h tells a floppy drive's: the BPB goes first.
.chs:
	cmp	[TRACK], dh
	jne	.geometry_known
	pusha
	mov	ah, 8
	call	int13
	dec	cx				; sectors per track 0, on an error, becomes 64
	and	cx, 3Fh
	inc	cx
	mov	[TRACK], cx
	shr	dx, 8
	inc	dx
	mov	[HEADS], dx
	popa
.geometry_known:
	div	word [TRACK]
	mov	si, [TRACK]
	sub	si, dx				; left in this track
	cmp	cx, si
	jb	.cut
	mov	cx, si
.cut:
	mov	[SAVED_COUNT], cx
	push	cx
	mov	cx, dx
	inc	cx				; sectors count from 1
	cwd
	div	word [HEADS]
	mov	dh, dl
	mov	ch, al				; cylinder < 256, since the LBA is
	pop	ax
	mov	ah, 2
.call:
	call	int13
	popa					; the packet
	popa
	jc	.failed
	add	ax, cx
	sub	di, cx
	jz	.check
	imul	cx, [SECTOR_SIZE]
	add	bx, cx
	jmp	.more

; Reset, halve the transfers; when single sectors fail, go from EDD to CHS; then give up.  NEG makes
; -1 of 1, for CHS, and 1 of that again: copy B is tried both ways too (a CD has no CHS).
.failed:
	pusha
	xor	ax, ax
	call	int13
	popa
	shr	si, 1
	jnz	.more
	neg	byte [EDD]
	js	.all_at_once
	jmp	.bad

; The sum over the length starts with the magic number and must come to 0 (include/boot/loader.h).
.check:
	mov	byte [message + 1], (damaged - $$) & 255
	mov	si, STAGE2_ADDR
	lodsd
	xchg	ebx, eax
	lodsw
	xchg	cx, ax				; dwords; any value is harmless, SI wraps
.sum:
	lodsd
	rol	ebx, 1
	add	ebx, eax
	loop	.sum
	jz	STAGE2_ENTRY
.bad:
	popa
	dec	cx
	jnz	.copy

	pop	si
	lodsb
	mov	[TRACK], ah			; 0 (AX was an LBA): that BPB was not this drive's
	cmp	al, 'I'
	jne	next_drive

; No drive holds an intact stage 2: say so on COM1 (115200 baud) and on the screen.
	mov	dx, 3FBh
	mov	al, 83h				; divisor latch, 8N1
	out	dx, al
	mov	dl, 0F8h
	mov	al, 1				; (the high byte is 0 from 600 baud on)
	out	dx, al
	mov	dl, 0FBh
	mov	al, 3
	out	dx, al
message:
	mov	si, unreadable
.next:
	mov	dl, 0FDh
.wait:
	in	al, dx				; an absent port reads FFh: ready
	test	al, 20h
	loopz	.wait
	mov	dl, 0F8h
	lodsb
	out	dx, al
	mov	ah, 0Eh
	xor	bx, bx
	int	10h
	cmp	[si], bh
	jne	.next
	int	18h				; the BIOS goes on to the next device
	jmp	$

; int 13h, for BIOSes that spoil BP, DS, ES, DF or IF.  The rest is the caller's to save.
int13:
	push	bp
	mov	dl, [DRIVE]
	int	13h
	pop	bp
	push	ss
	pop	ds
	push	ss
	pop	es
	cld
	sti
	ret

more_drives	db 80h, 81h, 0			; and the next byte ends the list
unreadable	db "I/O "
damaged		db "bad MinOS stage2 LBA 128: renew", 0

%if $ - $$ > 1B8h
 %assign over $ - $$ - 1B8h
 %error code too long by over bytes
%endif
	times 1B8h - ($ - $$) db 0
	times 510 - ($ - $$) db 0		; disk id, partitions: the image builder's
	dw	0AA55h
