/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "keys/cryptdevice.h"

#include "base/util.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/*
 * Some minutes on a slow machine, which processes 1 GiB a second. cryptsetup measures for 2
 * seconds how much can be paid: 4 passes of 1 GiB, or with --pbkdf-memory 65536 some 100 of
 * 64 MiB; never more than 4 threads; some 10^6 iterations.
 */
#define ARGON2_PROCESSED_MAX (256ull << 30)
#define ARGON2_PASSES_MAX    1000000u
#define ARGON2_THREADS_MAX   4u
#define PBKDF2_MAX	     100000000u
#define PBKDF2_KEY_MAX	     64u /* it makes two or three hashes of that, each at that cost */

#define ADD_AGAIN                                                                                  \
	"(add its passphrase again, with --pbkdf-memory 65536 --pbkdf-force-iterations 4 "         \
	"--pbkdf-parallel 1)"

void cryptdevice_close(struct crypt_device **cd)
{
	crypt_free(*cd);
}

/* It warns of a small header at every step. */
static void say_nothing(int level, const char *text, void *ctx)
{
	(void)level;
	(void)text;
	(void)ctx;
}

err_t cryptdevice_error(int r, const char *path, const char *what)
{
	errno = -r;
	return err_errno("%s: %s", path, what);
}

err_t cryptdevice_init(const char *path, struct crypt_device **cd)
{
	int r;

	crypt_set_log_callback(NULL, say_nothing, NULL);
	r = crypt_init(cd, path);
	if (r)
		return cryptdevice_error(r, path, "opening");
	crypt_set_log_callback(*cd, say_nothing, NULL);
	return NULL;
}

static err_t takes_hours(int slot, const struct crypt_pbkdf_type *p)
{
	return err_new(ERR_NOMEM,
		       "keyslot %d takes %u passes to open, which may be hours " ADD_AGAIN, slot,
		       p->iterations);
}

static err_t check_argon2(const struct crypt_pbkdf_type *p, int slot, uint64_t memory)
{
	uint64_t needs = (uint64_t)p->max_memory_kb * KIB;

	if (p->iterations > ARGON2_PASSES_MAX || p->parallel_threads > ARGON2_THREADS_MAX ||
	    p->iterations * needs > ARGON2_PROCESSED_MAX)
		return takes_hours(slot, p);
	if (needs > memory)
		return err_new(
			ERR_NOMEM,
			"keyslot %d takes %llu MiB of memory to open, and there is less " ADD_AGAIN,
			slot, (unsigned long long)(needs / MIB));
	return NULL;
}

/* key_bytes: what is derived, the key that the keyslot is encrypted with. */
static err_t check_cost(const struct crypt_pbkdf_type *p, size_t key_bytes, int slot,
			uint64_t memory)
{
	if (!p->type || strcmp(p->type, CRYPT_KDF_PBKDF2))
		return check_argon2(p, slot, memory);
	if (p->iterations > PBKDF2_MAX || key_bytes > PBKDF2_KEY_MAX)
		return takes_hours(slot, p);
	return NULL;
}

/*
 * What each keyslot gives is put through PBKDF2 once more, whatever the passphrase, and the
 * library has no function that tells how often. Digests stand in the JSON of a LUKS2 header
 * behind the first "digests"; what else is found there only makes this stricter.
 */
static err_t check_digests(const char *json)
{
	const char *p = strstr(json, "\"digests\"");

	while (p && (p = strstr(p, "\"iterations\""))) {
		unsigned long long n;

		p += strlen("\"iterations\"");
		n = strtoull(p + strspn(p, " :"), NULL, 10);
		if (n > PBKDF2_MAX)
			return err_new(ERR_NOMEM,
				       "what a keyslot gives takes %llu iterations to check, which "
				       "may be hours",
				       n);
	}
	return NULL;
}

/* One without such a cost is not opened by a passphrase, which then is told. */
err_t cryptdevice_check_cost(struct crypt_device *cd, int slot, uint64_t memory)
{
	struct crypt_pbkdf_type pbkdf;
	const char *json = NULL;
	size_t key_bytes = 0;

	/* LUKS1 has none: images are in LUKS2 only (keys/volume.h). */
	if (!crypt_dump_json(cd, &json, 0))
		TRY(check_digests(json));
	if (crypt_keyslot_get_pbkdf(cd, slot, &pbkdf))
		return NULL;
	crypt_keyslot_get_encryption(cd, slot, &key_bytes);
	return check_cost(&pbkdf, key_bytes, slot, memory);
}
