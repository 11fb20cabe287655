/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "imagewriter/secrets.h"

#include "base/log.h"
#include "base/util.h"
#include "keys/locked.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/random.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>

/*
 * A kernel that runs for some seconds on a machine whose devices it hardly uses has
 * nothing to make randomness of, and would block: so the host gives it some. What comes
 * out of the generator is nonetheless nothing that the host knows.
 */
static err_t seed_generator(const uint8_t seed[HANDOFF_SEED_BYTES])
{
	struct {
		struct rand_pool_info info;
		uint8_t bytes[HANDOFF_SEED_BYTES];
	} add = {.info = {.entropy_count = 8 * HANDOFF_SEED_BYTES, .buf_size = HANDOFF_SEED_BYTES}};
	CLEANUP_CLOSE int fd = open("/dev/random", O_RDWR | O_CLOEXEC);
	err_t e = NULL;

	if (fd < 0)
		return err_errno("/dev/random");
	memcpy(add.info.buf, seed, HANDOFF_SEED_BYTES);
	/* A generator that the CPU's own has started takes a seed in later, unless told
	 * to; one that was not ready until now (ENODATA) has just taken it. */
	if (ioctl(fd, RNDADDENTROPY, &add) || (ioctl(fd, RNDRESEEDCRNG) && errno != ENODATA))
		e = err_errno("seeding the generator of random numbers");
	explicit_bzero(&add, sizeof(add));
	return e;
}

/* Mapped, not copied: the window is small. There is none when it was not loaded. */
static err_t map_keyslots(struct image_seal *s)
{
	CLEANUP_CLOSE int fd = open(HANDOFF_KEYSLOTS, O_RDONLY | O_CLOEXEC);
	struct stat st;
	void *p;

	if (fd < 0 && errno == ENOENT)
		return NULL;
	if (fd < 0 || fstat(fd, &st))
		return err_errno("%s", HANDOFF_KEYSLOTS);
	if (!st.st_size)
		return NULL;
	p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (p == MAP_FAILED)
		return err_errno("%s", HANDOFF_KEYSLOTS);
	s->keyslots = p;
	s->keyslots_bytes = (size_t)st.st_size;
	return NULL;
}

static err_t choose_cipher(uint32_t id, const struct cipher **out)
{
	*out = id ? id <= UINT8_MAX ? cipher_by_id((uint8_t)id) : NULL : cipher_fastest();
	return *out ? NULL : err_new(ERR_UNSUPPORTED, "cipher %u is not known to this writer", id);
}

static err_t make_seal(const struct handoff *h, struct image_seal *s)
{
	struct seal_recipient to = {.authenticated = h->seal.authenticated};
	const struct cipher *cipher;
	err_t e;

	static_assert(sizeof(to.public_key) == HANDOFF_KEY_BYTES, "Handoff: SEAL");
	TRY(choose_cipher(h->seal.cipher, &cipher));
	TRY(seed_generator(h->seed));
	memcpy(to.public_key, h->seal.public_key, sizeof(to.public_key));
	memcpy(to.auth_key, h->seal.auth_key, sizeof(to.auth_key));
	e = sealing_make(s, cipher, &to, h->nonce);
	explicit_bzero(&to, sizeof(to));
	TRY(e);
	log_info("the image is encrypted (%s)", cipher->name);
	return map_keyslots(s);
}

err_t secrets_seal(struct handoff *h, struct image_seal **out)
{
	void *p;
	err_t e;

	*out = NULL;
	if (!h->sealed)
		return NULL;
	TRY(locked_create(sizeof(**out), &p));
	*out = p;
	e = make_seal(h, *out);
	explicit_bzero(&h->seal, sizeof(h->seal));
	explicit_bzero(h->seed, sizeof(h->seed));
	if (e)
		secrets_forget_seal(out);
	return e;
}

void secrets_forget_seal(struct image_seal **s)
{
	locked_destroy(*s, sizeof(**s));
	*s = NULL;
}

err_t secrets_keys(struct handoff *h, struct image_keys **out)
{
	void *p;
	err_t e;

	*out = NULL;
	if (!h->has_image_key)
		return NULL;
	TRY(locked_create(sizeof(**out), &p));
	*out = p;
	e = imagekeys_derive(h->image_key, h->nonce, *out);
	explicit_bzero(h->image_key, sizeof(h->image_key));
	if (e)
		secrets_forget_keys(out);
	return e;
}

void secrets_forget_keys(struct image_keys **k)
{
	locked_destroy(*k, sizeof(**k));
	*k = NULL;
}
