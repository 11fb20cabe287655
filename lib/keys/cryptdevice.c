/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "keys/cryptdevice.h"

#include "base/util.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

/* Some minutes on a slow machine; cryptsetup makes 4 passes, and some 10^6 iterations. */
#define ARGON2_PASSES_MAX 64u
#define PBKDF2_MAX	  100000000u

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

static err_t check_cost(const struct crypt_pbkdf_type *p, int slot, uint64_t memory)
{
	bool pbkdf2 = p->type && !strcmp(p->type, CRYPT_KDF_PBKDF2);
	uint64_t needs = (uint64_t)p->max_memory_kb * KIB;

	if (p->iterations > (pbkdf2 ? PBKDF2_MAX : ARGON2_PASSES_MAX))
		return err_new(ERR_NOMEM, "keyslot %d takes %u passes to open, which may be hours",
			       slot, p->iterations);
	if (!pbkdf2 && needs > memory)
		return err_new(ERR_NOMEM,
			       "keyslot %d takes %llu MiB of memory to open, and there is less "
			       "(add its passphrase again, with --pbkdf-memory 65536)",
			       slot, (unsigned long long)(needs / MIB));
	return NULL;
}

/* One without such a cost is not opened by a passphrase, which then is told. */
err_t cryptdevice_check_cost(struct crypt_device *cd, int slot, uint64_t memory)
{
	struct crypt_pbkdf_type pbkdf;

	return crypt_keyslot_get_pbkdf(cd, slot, &pbkdf) ? NULL : check_cost(&pbkdf, slot, memory);
}
