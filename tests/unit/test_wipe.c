/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Faults planted, each found: counted in 512 bytes, which a disk of larger sectors refuses; the
 * locator's own place, which is no whole page; a file's mkswap; "luks:" taken for a device. */
#include "unit.h"

#include "config/config.h"
#include "host/session/wipe.c"

bool location_is_swap(const struct location *l)
{
	return l->kind == LOCATION_SWAP || l->kind == LOCATION_SWAPFILE;
}

bool location_is_located(const struct location *l)
{
	return location_is_swap(l) || l->kind == LOCATION_FILE;
}

const char *location_device(const struct location *l)
{
	return l->kind == LOCATION_LUKS ? config_luks_device(l->name) : l->name;
}

static void expect_wipe(enum location_kind kind, const char *name, uint64_t byte,
			const char *wanted)
{
	struct location l = {.kind = kind, .pin.byte = byte};
	char text[WIPE_TEXT_MAX];

	snprintf(l.name, sizeof(l.name), "%s", name);
	snprintf(l.disk.disk_name, sizeof(l.disk.disk_name), "/dev/sda");
	wipe_say(&l, text, sizeof(text));
	assert_string_equal(text, wanted);
}

static void test_say(void **state)
{
	(void)state;
	expect_wipe(LOCATION_DEVICE, "/dev/sdb1", 0,
		    "dd if=/dev/zero of=/dev/sdb1 bs=4096 seek=0 count=4 oflag=direct");
	expect_wipe(LOCATION_FILE, "/img", 1 << 20,
		    "dd if=/dev/zero of=/dev/sda bs=4096 seek=256 count=4 oflag=direct");
	expect_wipe(LOCATION_SWAP, "/dev/sda2", (1 << 20) + 3584,
		    "dd if=/dev/zero of=/dev/sda bs=4096 seek=256 count=1 oflag=direct; "
		    "swapoff /dev/sda2; mkswap /dev/sda2");
	expect_wipe(LOCATION_LUKS, "luks:/dev/sda3", 0,
		    "cryptsetup token remove --token-id N /dev/sda3, where N is the number of "
		    "dormouse-image in what cryptsetup luksDump /dev/sda3 shows");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_say),
	};

	return cmocka_run_group_tests_name("wipe", tests, NULL, NULL);
}
