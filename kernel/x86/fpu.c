/*
 * fpu.c - registers of x87, SSE and AVX, kept per task.
 *
 * The kernel is built without them.  So they stay as they are through interrupts, system calls and
 * kernel threads, and move only when a task runs that is not the one they belong to.
 * Spec: Intel SDM vol. 1, "Managing State Using the XSAVE Feature Set"; vol. 2A, "FXSAVE".
 */
#include <x86/fpu.h>
#include <kern/process.h>
#include <kern/usercopy.h>
#include <lib/string.h>
#include <mm/kmalloc.h>
#include <x86/cpu.h>

#define FX_SIZE	       512
#define FX_MXCSR       24
#define FX_MASK	       28
#define FX_SOFTWARE    464 /* bytes that the CPU leaves to us */
#define XS_HEADER      512 /* XSTATE_BV, XCOMP_BV, reserved */
#define XS_RESERVED    (XS_HEADER + 8)
#define ALIGNMENT      64
#define IMAGE_ON_STACK 1024 /* with AVX an image has 832 bytes */
#define MAGIC1	       0x46505853U
#define MAGIC2	       0x46505845U
#define FCW_INITIAL    0x37f
#define MXCSR_INITIAL  0x1f80

#define XCR0_X87    BIT(0)
#define XCR0_SSE    BIT(1)
#define XCR0_AVX    BIT(2)
#define XCR0_AVX512 (BIT(5) | BIT(6) | BIT(7))

/* What Linux puts into the software bytes of a signal frame. */
struct software_bytes {
	uint32_t magic1, extended_size;
	uint64_t features;
	uint32_t size, padding[7];
};

struct fpu_state {
	void *memory;	/* as kmalloc() gave it */
	uint8_t *image; /* aligned */
};

static uint64_t features;	     /* [I] XCR0; 0 = no XSAVE */
static size_t image_size = FX_SIZE;  /* [I] */
static uint32_t mxcsr_mask = 0xffbf; /* [I] */
static struct task *owner;	     /* [c] whose registers the CPU has */

static void
save(uint8_t *image)
{
	if (features != 0)
		__asm__ volatile("xsave64 %0"
				 : "+m"(*(uint8_t(*)[FX_SIZE])image)
				 : "a"((uint32_t)features), "d"((uint32_t)(features >> 32))
				 : "memory");
	else
		__asm__ volatile("fxsave64 %0" : "=m"(*(uint8_t(*)[FX_SIZE])image)::"memory");
}

static void
load(const uint8_t *image)
{
	if (features != 0)
		__asm__ volatile("xrstor64 %0"
				 :
				 : "m"(*(const uint8_t(*)[FX_SIZE])image), "a"((uint32_t)features),
				   "d"((uint32_t)(features >> 32))
				 : "memory");
	else
		__asm__ volatile("fxrstor64 %0" ::"m"(*(const uint8_t(*)[FX_SIZE])image)
				 : "memory");
}

static void
set_initial(uint8_t *image)
{
	const uint16_t fcw = FCW_INITIAL;
	const uint32_t mxcsr = MXCSR_INITIAL;

	memset(image, 0, image_size);
	memcpy(image, &fcw, sizeof(fcw));
	memcpy(image + FX_MXCSR, &mxcsr, sizeof(mxcsr));
}

void
fpu_init(void)
{
	static uint8_t probe[FX_SIZE] __attribute__((aligned(16)));
	uint32_t mask;

	write_cr4(read_cr4() | CR4_OSFXSR | CR4_OSXMMEXCPT);
	__asm__ volatile("fninit; fxsave64 %0" : "=m"(probe)::"memory");
	memcpy(&mask, probe + FX_MASK, sizeof(mask));
	if (mask != 0)
		mxcsr_mask = mask;
	if ((cpuid(1, 0).ecx & BIT(26)) == 0)
		return;
	write_cr4(read_cr4() | CR4_OSXSAVE);
	features = cpuid(0xd, 0).eax & (XCR0_X87 | XCR0_SSE | XCR0_AVX | XCR0_AVX512);
	if ((features & XCR0_AVX512) != XCR0_AVX512 || (features & XCR0_AVX) == 0)
		features &= ~XCR0_AVX512;
	__asm__ volatile("xsetbv" ::"c"(0), "a"((uint32_t)features), "d"(0));
	image_size = cpuid(0xd, 0).ebx;
}

bool
fpu_has_xsave(void)
{
	return features != 0;
}

int
fpu_alloc(struct task *t)
{
	struct fpu_state *f = kmalloc(sizeof(*f));

	if (f == NULL)
		return -ENOMEM;
	f->memory = kmalloc(image_size + ALIGNMENT);
	if (f->memory == NULL) {
		kfree(f);
		return -ENOMEM;
	}
	f->image = (uint8_t *)ALIGN_UP((uintptr_t)f->memory, ALIGNMENT);
	set_initial(f->image);
	t->fpu = f;
	return 0;
}

void
fpu_forget(const struct task *t)
{
	const uint64_t flags = irq_save();

	if (owner == t)
		owner = NULL;
	irq_restore(flags);
}

bool
fpu_is_owner(const struct task *t)
{
	return owner == t;
}

void
fpu_free(struct task *t)
{
	fpu_forget(t);
	if (t->fpu == NULL)
		return;
	kfree(t->fpu->memory);
	kfree(t->fpu);
	t->fpu = NULL;
}

void
fpu_switch_to(struct task *t)
{
	if (owner == t || t->fpu == NULL)
		return;
	if (owner != NULL)
		save(owner->fpu->image);
	load(t->fpu->image);
	owner = t;
}

/* The image of the calling task is as the registers are. */
static void
sync(struct task *t)
{
	const uint64_t flags = irq_save();

	if (owner == t)
		save(t->fpu->image);
	irq_restore(flags);
}

/* The registers, which are the calling task's from now on, become as @image is. */
static void
apply(struct task *t, const uint8_t *image)
{
	const uint64_t flags = irq_save();

	load(image);
	owner = t;
	irq_restore(flags);
}

void
fpu_reset(struct task *t)
{
	set_initial(t->fpu->image);
	if (t == task_self())
		apply(t, t->fpu->image);
}

void
fpu_copy(struct task *child, struct task *parent)
{
	sync(parent);
	memcpy(child->fpu->image, parent->fpu->image, image_size);
}

/* --- signal frames --------------------------------------------------------------------------------------- */

size_t
fpu_user_size(void)
{
	return features != 0 ? image_size + sizeof(uint32_t) : FX_SIZE;
}

int
fpu_to_user(struct task *t, uptr_t to)
{
	struct software_bytes sw = {.magic1 = MAGIC1,
				    .extended_size = (uint32_t)fpu_user_size(),
				    .features = features,
				    .size = (uint32_t)image_size};
	const uint32_t magic2 = MAGIC2;

	sync(t);
	if (copy_to_user(to, t->fpu->image, image_size) != 0)
		return -EFAULT;
	if (features == 0)
		return 0;
	return copy_to_user(uptr_add(to, FX_SOFTWARE), &sw, sizeof(sw)) == 0
		       ? copy_to_user(uptr_add(to, image_size), &magic2, sizeof(magic2))
		       : -EFAULT;
}

/* Bits that the CPU would refuse, with an exception in the kernel. */
static int
check_image(const uint8_t *image)
{
	uint64_t header[8];
	uint32_t mxcsr;

	memcpy(&mxcsr, image + FX_MXCSR, sizeof(mxcsr));
	if (mxcsr & ~mxcsr_mask)
		return -EINVAL;
	if (features == 0)
		return 0;
	memcpy(header, image + XS_HEADER, sizeof(header));
	if (header[0] & ~features)
		return -EINVAL;
	for (unsigned i = 1; i < 8; i++) {
		if (header[i] != 0)
			return -EINVAL;
	}
	return 0;
}

int
fpu_from_user(struct task *t, uptr_t from)
{
	uint8_t few[IMAGE_ON_STACK] __attribute__((aligned(ALIGNMENT)));
	struct software_bytes sw;
	uint8_t *memory = NULL, *image = few;
	size_t size = image_size;
	int result;

	if (uptr_null(from)) {
		fpu_reset(t);
		return 0;
	}
	if (features != 0) {
		if (copy_from_user(&sw, uptr_add(from, FX_SOFTWARE), sizeof(sw)) != 0)
			return -EFAULT;
		if (sw.magic1 != MAGIC1 || sw.size != image_size)
			size = FX_SIZE; /* only the old part is meant */
	}
	if (image_size > sizeof(few)) {
		memory = kmalloc(image_size + ALIGNMENT);
		if (memory == NULL)
			return -EFAULT;
		image = (uint8_t *)ALIGN_UP((uintptr_t)memory, ALIGNMENT);
	}
	result = copy_from_user(image, from, size);
	if (result == 0 && features != 0 && size == FX_SIZE) {
		memset(image + FX_SIZE, 0, image_size - FX_SIZE);
		image[XS_HEADER] = XCR0_X87 | XCR0_SSE;
	}
	if (result == 0)
		result = check_image(image);
	if (result == 0)
		apply(t, image);
	kfree(memory);
	return result;
}
