/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * auth.key is a file of the test. Planted faults that made it fail: the key not compared with
 * the pins; pins of an older version, which do not tell, refused.
 */
#include "unit.h"

#include "base/io.h"
#include "keys/luks.h"
#include "tempfile.h"

#include <fcntl.h>

static struct tempfile auth;

static int fake_open(int flags)
{
	return open(auth.path, flags);
}

#define open(path, flags) fake_open(flags)
#include "host/keys.c"

static void test_recipient(void **state)
{
	struct pins pins = {.has_public = true, .authenticated = true};
	struct seal_recipient r;
	uint8_t key[SECRET_KEY_BYTES] = {1, 2, 3};

	(void)state;
	tempfile_open(&auth, 0);
	assert_int_equal(pwrite(auth.fd, key, sizeof(key), 0), sizeof(key));
	assert_ok(keys_recipient(&pins, &r));
	assert_memory_equal(r.auth_key, key, sizeof(key));
	assert_ok(secret_auth_digest(key, pins.auth));
	pins.has_auth = true;
	assert_ok(keys_recipient(&pins, &r));
	pins.auth[31] ^= 1;
	assert_err(keys_recipient(&pins, &r), ERR_REFUSED);
	pins.authenticated = false; /* none is kept */
	assert_ok(keys_recipient(&pins, &r));
	tempfile_close(&auth);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_recipient),
	};

	return cmocka_run_group_tests_name("keys", tests, NULL, NULL);
}
