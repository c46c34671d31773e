; pic.asm - as which vectors IRQ 0 (timer) and IRQ 8 (clock) arrive after the BIOS.
; Spec: 8259A data sheet, "Initialization Command Words"; MC146818 data sheet, "Register B".
%include "sector.inc"
STUBS	equ	8000h

	jmp	0:main
main:
	cli
	xor	ax, ax
	mov	ds, ax
	mov	es, ax
	mov	ss, ax
	mov	sp, 7C00h
	xor	di, di				; vector n leads to the nth CALL at STUBS
	mov	ebx, STUBS
.fill:
	mov	eax, ebx
	stosd
	mov	byte [bx], 0E8h			; CALL seen
	mov	ax, seen - 3
	sub	ax, bx
	mov	[bx + 1], ax
	add	bx, 3
	cmp	di, 80h * 4
	jb	.fill
	mov	al, 0FEh			; the timer alone
	mov	ah, 0FFh
	call	wait_for
	say	"timer: vector "
	say_word [vector]
	mov	al, 8Bh				; register B: periodic interrupt
	out	70h, al
	mov	al, 42h
	out	71h, al
	mov	al, 0Ch				; reading C lets the next one come
	out	70h, al
	in	al, 71h
	mov	al, 0FBh			; the cascade and the clock
	mov	ah, 0FEh
	call	wait_for
	say	13, 10, "clock: vector "
	say_word [vector]
	say	13, 10
	quit

; In: AL, AH = masks of both controllers.
wait_for:
	out	21h, al
	mov	al, ah
	out	0A1h, al
	mov	byte [vector], 0
	sti
.wait:
	cmp	byte [vector], 0
	je	.wait
	cli
	ret

seen:						; stack: return address at STUBS, IP, CS, flags
	pop	ax
	sub	ax, STUBS + 3
	mov	cl, 3
	div	cl
	mov	[vector], al
	mov	al, 20h				; end of interrupt
	out	0A0h, al
	out	20h, al
	iret

vector	dw	0
	sector_end
