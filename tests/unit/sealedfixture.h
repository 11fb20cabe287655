/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A made-up machine whose images are sealed, and where their parts lie. */
#ifndef UNIT_SEALEDFIXTURE_H
#define UNIT_SEALEDFIXTURE_H

#include "testmachine.h"

#include "forger.h"
#include "image/indexscan.h"

static const struct how plain = {"none", 2, false, false};

static struct image_seal seals[2]; /* of two images, with keys of their own */

static inline void make_seals(const char *cipher)
{
	struct seal_recipient to = {.authenticated = true};
	struct secret secret;

	assert_ok(secret_create(&secret));
	assert_ok(secret_public(&secret, to.public_key));
	memcpy(to.auth_key, secret.auth_key, sizeof(to.auth_key));
	for (int i = 0; i < 2; i++)
		assert_ok(sealing_make(&seals[i], cipher_by_name(cipher), &to, nonce));
	assert_memory_not_equal(seals[0].keys.data, seals[1].keys.data, IMAGE_KEY_BYTES);
}

static inline void sealed_init(struct machine *m, uint64_t blocks, enum fake_content content,
			       enum pattern pattern)
{
	make_seals("aes-256-gcm");
	machine_init(m, blocks, content, pattern, false);
	m->seal = &seals[0];
}

/* All chunks of an image, by its key. */
static inline size_t list_chunks(struct machine *m, struct chunk *out, size_t max)
{
	struct indexscan scan;
	size_t n = 0;
	bool more;

	assert_ok(indexscan_init(&scan, &m->t, &m->slot, keys_of(m), &m->host));
	for (;; n++) {
		assert_true(n < max);
		assert_ok(indexscan_next(&scan, &out[n], &more));
		if (!more)
			break;
	}
	indexscan_deinit(&scan);
	return n;
}

static inline struct index_place segment_at(struct machine *m, uint32_t number)
{
	struct index_place place;
	struct indexscan scan;

	assert_ok(indexscan_init(&scan, &m->t, &m->slot, keys_of(m), &m->host));
	assert_true(number < scan.segments);
	assert_ok(directory_place(scan.directory, number, true, m->slot.image_end, &place));
	indexscan_deinit(&scan);
	return place;
}

static inline struct index_place first_segment(struct machine *m)
{
	return segment_at(m, 0);
}

/* Refused as a whole: before a page is placed. */
static inline void assert_nothing_placed(struct machine *m)
{
	struct fakemem to = empty_like(&m->mem);

	assert_err(restore(m, &to, &usual, NULL), ERR_AUTH);
	assert_untouched(&to);
	fake_deinit(&to);
}

#endif
