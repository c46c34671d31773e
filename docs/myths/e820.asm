; e820.asm - the firmware's memory map, raw: start, length, type, size of the entry.
; Spec: ACPI 6.4, "INT 15H, E820H - Query System Address Map".
%include "sector.inc"

	jmp	0:main
main:
	xor	ebx, ebx
	mov	ds, bx
	mov	es, bx
	mov	ss, bx
	mov	sp, 7C00h
.next:
	mov	eax, 0E820h
	mov	edx, 534D4150h
	mov	ecx, 24
	mov	di, entry
	int	15h
	jc	.end
	mov	si, entry + 6
	call	qword_
	mov	si, entry + 14
	call	qword_
	say	" type "
	say_word [entry + 16]
	say	" bytes "
	say_word cx
	say	13, 10
	test	ebx, ebx
	jnz	.next
.end:
	say	"end", 13, 10
	quit

; In: SI = its highest word.
qword_:
	say	" "
	pusha
	mov	cx, 4
.word:
	say_word [si]
	sub	si, 2
	loop	.word
	popa
	ret

entry	equ 600h
	sector_end
