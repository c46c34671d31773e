; pe.asm - what setting PE changes at once: nothing that the code could see of itself.
; Spec: Intel SDM vol. 3A, "Switching to Protected Mode" (which asks for the jump at once).
%include "sector.inc"

	jmp	0:main
main:
	cli
	xor	ax, ax
	mov	ss, ax
	mov	sp, 7C00h
	mov	eax, cr0
	or	al, 1
	mov	cr0, eax
	xor	ax, ax
	dec	ax				; 48h: in 16-bit code -1 in AX alone
	mov	bx, cs
	mov	ecx, cr0
	and	cl, ~1
	mov	cr0, ecx
	say	"with PE set: CS "
	say_word bx
	say	", AX "
	say_word ax
	say	13, 10
	quit
	sector_end
