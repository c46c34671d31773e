; crc_loop.asm - CRC-32, four bytes by four table look-ups: 2.7 instructions per byte.
;
; The checksum of the kernel is the largest part of the loader's work; compilers need half as many
; instructions again.  Tables: crc.c.
extern crc_tables
global crc_loop

section .text
	bits	32

; %1 = CRC so far (%2, %3 its two low bytes), %4 = register for the new one, %5 = offset.
%macro four_bytes 5
	xor	%1, [esi + %5]
	movzx	edx, %2
	mov	%4, [crc_tables + 3 * 1024 + edx * 4]
	movzx	edx, %3
	xor	%4, [crc_tables + 2 * 1024 + edx * 4]
	shr	%1, 16
	movzx	edx, %2
	xor	%4, [crc_tables + 1 * 1024 + edx * 4]
	movzx	edx, %3
	xor	%4, [crc_tables + 0 * 1024 + edx * 4]
%endmacro

; uint32_t crc_loop(uint32_t crc, const void *buf, uint32_t n): n chunks of 16 bytes
crc_loop:
	push	ebx
	push	esi
	mov	eax, [esp + 12]
	mov	esi, [esp + 16]
	mov	ecx, [esp + 20]
	test	ecx, ecx
	jz	.done
.chunk:
	four_bytes eax, al, ah, ebx, 0
	four_bytes ebx, bl, bh, eax, 4
	four_bytes eax, al, ah, ebx, 8
	four_bytes ebx, bl, bh, eax, 12
	add	esi, 16
	dec	ecx
	jnz	.chunk
.done:
	pop	esi
	pop	ebx
	ret
