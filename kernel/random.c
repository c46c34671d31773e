/*
 * random.c - random bytes: ChaCha20 whose key is replaced by part of its own output at each use.
 *
 * So what was given out cannot be found again from the state that is left.  The key comes from RDSEED or
 * RDRAND where the CPU has them, and from the time stamps of the boot and of interrupts.
 * Spec: RFC 8439, "The ChaCha20 Block Function".
 */
#include <kern/random.h>
#include <kern/base.h>
#include <kern/spinlock.h>
#include <lib/string.h>
#include <x86/cpu.h>

#define BLOCK  64
#define ROUNDS 10 /* double rounds */
#define READY  32

static struct spinlock lock = SPINLOCK_INIT("random");
static uint32_t key[8];	      /* [lock] */
static uint64_t nonce;	      /* [lock] */
static uint64_t stirred;      /* [a] */
static uint64_t ready[READY]; /* [lock] for random_u64(): the first nr_ready are unused */
static unsigned nr_ready;     /* [lock] */

static inline uint32_t
rotate(uint32_t v, unsigned n)
{
	return v << n | v >> (32 - n);
}

static inline void
quarter(uint32_t *s, unsigned a, unsigned b, unsigned c, unsigned d)
{
	s[a] += s[b], s[d] = rotate(s[d] ^ s[a], 16);
	s[c] += s[d], s[b] = rotate(s[b] ^ s[c], 12);
	s[a] += s[b], s[d] = rotate(s[d] ^ s[a], 8);
	s[c] += s[d], s[b] = rotate(s[b] ^ s[c], 7);
}

/* One block of output for @counter. */
static void
block(const uint32_t k[8], uint64_t counter, uint64_t nonce_value, uint32_t out[16])
{
	const uint32_t start[16] = {0x61707865,
				    0x3320646e,
				    0x79622d32,
				    0x6b206574,
				    k[0],
				    k[1],
				    k[2],
				    k[3],
				    k[4],
				    k[5],
				    k[6],
				    k[7],
				    (uint32_t)counter,
				    (uint32_t)(counter >> 32),
				    (uint32_t)nonce_value,
				    (uint32_t)(nonce_value >> 32)};

	memcpy(out, start, BLOCK);
	for (unsigned i = 0; i < ROUNDS; i++) {
		for (unsigned c = 0; c < 4; c++)
			quarter(out, c, 4 + c, 8 + c, 12 + c);
		for (unsigned c = 0; c < 4; c++)
			quarter(out, c, 4 + (c + 1) % 4, 8 + (c + 2) % 4, 12 + (c + 3) % 4);
	}
	for (unsigned i = 0; i < 16; i++)
		out[i] += start[i];
}

/* Half a block for one caller; the other half is the new key. */
static void
fresh_key(uint32_t out[8])
{
	const uint64_t flags = spin_lock(&lock);
	uint32_t words[16];

	key[0] ^= (uint32_t)rdtsc();
	key[1] ^= (uint32_t)__atomic_exchange_n(&stirred, 0, __ATOMIC_RELAXED);
	if (nonce % 64 == 0) {
		uint64_t hw = 0;

		for (unsigned i = 2; i < 8; i += 2) {
			if (!cpu_features.rdrand || !rdrand(&hw))
				break;
			key[i] ^= (uint32_t)hw;
			key[i + 1] ^= (uint32_t)(hw >> 32);
		}
	}
	block(key, 0, nonce++, words);
	memcpy(key, words, sizeof(key));
	memcpy(out, words + 8, sizeof(key));
	spin_unlock(&lock, flags);
	memset(words, 0, sizeof(words));
}

void
random_bytes(void *buf, size_t n)
{
	uint8_t *out = buf;
	uint32_t mine[8], words[16];

	fresh_key(mine);
	for (uint64_t counter = 0; n > 0; counter++) {
		const size_t part = MIN(n, (size_t)BLOCK);

		block(mine, counter, 0, words);
		memcpy(out, words, part);
		out += part;
		n -= part;
	}
}

/* From a few that were made in advance: a block of the cipher costs more than a small system call. */
uint64_t
random_u64(void)
{
	uint64_t fresh[READY], v, flags = spin_lock(&lock);

	if (nr_ready == 0) {
		spin_unlock(&lock, flags);
		random_bytes(fresh, sizeof(fresh));
		flags = spin_lock(&lock);
		memcpy(ready, fresh, sizeof(ready));
		nr_ready = READY;
	}
	v = ready[--nr_ready];
	ready[nr_ready] = 0;
	spin_unlock(&lock, flags);
	return v;
}

void
random_stir(uint64_t value)
{
	__atomic_fetch_add(&stirred, value * 0x9e3779b97f4a7c15ULL, __ATOMIC_RELAXED);
}
