; vdso_image.asm - the vDSO as it was linked (kernel/x86/vdso/), in whole pages that programs can be shown.
bits 64
global vdso_image
global vdso_image_end

section .rodata align=4096
align 4096
vdso_image:
	incbin "vdso.so"
align 4096, db 0
vdso_image_end:
