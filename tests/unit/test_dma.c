/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Planted faults that made it fail: only functions of bus 0; bridges first; a virtio device
 * reset by its legacy port though it has the other way, or however many there are; a list
 * of capabilities followed for ever (it hangs); a screen reset; no wait.
 */
#include "unit.h"

#include "imagewriter/dma.c"

#include <sys/stat.h>

static char top[64];

static int begin(void **state)
{
	(void)state;
	strcpy(top, "/tmp/dormouse-pci-XXXXXX");
	return mkdtemp(top) ? 0 : -1;
}

static int clean(void **state)
{
	char command[128];

	(void)state;
	snprintf(command, sizeof(command), "rm -r %s", top);
	return system(command);
}

static void put(const char *name, const uint8_t *config, size_t n)
{
	char path[256];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", top, name);
	assert_int_equal(mkdir(path, 0700), 0);
	snprintf(path, sizeof(path), "%s/%s/config", top, name);
	f = fopen(path, "w");
	assert_non_null(f);
	assert_int_equal(fwrite(config, 1, n, f), n);
	fclose(f);
}

static void put_plain(const char *name)
{
	static const uint8_t config[CONFIG_BYTES] = {0x86, 0x80};

	put(name, config, sizeof(config));
}

static void begin_virtio(uint8_t *config, uint16_t device)
{
	memset(config, 0, CONFIG_BYTES);
	config[0] = 0xf4;
	config[1] = 0x1a;
	config[2] = (uint8_t)device;
	config[3] = (uint8_t)(device >> 8);
	config[CONFIG_BAR0] = 0x81; /* ports 0xc080 and on */
	config[CONFIG_BAR0 + 1] = 0xc0;
}

/* As QEMU has it, in another order: MSI-X, pci_cfg, common. */
static void put_virtio(const char *name, uint16_t device)
{
	static const uint8_t msix[] = {0x11, 0x50}, access[] = {9, 0x64, 20, 5},
			     common[] = {9, 0, 16, 1, 4, 0, 0, 0, 0x00, 0x30, 0x12, 0};
	uint8_t config[CONFIG_BYTES];

	begin_virtio(config, device);
	config[CONFIG_STATUS] = STATUS_HAS_CAPS;
	config[CONFIG_FIRST_CAP] = 0x40;
	memcpy(config + 0x40, msix, sizeof(msix));
	memcpy(config + 0x50, access, sizeof(access));
	memcpy(config + 0x64, common, sizeof(common));
	put(name, config, sizeof(config));
}

static void assert_out(const struct trampoline *t, size_t i, uint64_t kind, uint64_t port,
		       uint64_t value)
{
	assert_int_equal(t->steps[i].kind, kind);
	assert_int_equal(t->steps[i].a, port);
	assert_int_equal(t->steps[i].b, value);
}

static void assert_ends_stopped(const struct trampoline *t, size_t steps)
{
	assert_int_equal(t->count, steps);
	assert_int_equal(t->steps[steps - 2].kind, STEP_STOP);
	assert_int_equal(t->steps[steps - 1].kind, STEP_WAIT);
	assert_int_equal(t->steps[steps - 1].n, WAIT_CYCLES);
	assert_false(t->full);
}

/* What is behind a bridge comes before it; another domain has no ports. */
static void test_functions(void **state)
{
	static const uint32_t wanted[] = {0x8003fa00, 0x80010000, 0x8000e200, 0x80000000};
	struct trampoline t = {.at = 0};

	(void)state;
	put_plain("0000:00:00.0");
	put_plain("0000:03:1f.2");
	put_plain("0000:00:1c.2");
	put_plain("10000:e1:00.0");
	put_plain("0000:01:00.0");
	dma_add_steps(top, &t);
	assert_int_equal(t.function_count, 4);
	assert_memory_equal(t.functions, wanted, sizeof(wanted));
	assert_ends_stopped(&t, 2);
	assert_non_null(strstr(log_tail(), "would not stop 1 PCI functions"));
}

static void test_virtio(void **state)
{
	struct trampoline t = {.at = 0};
	const uint32_t f = PCI_CONFIG_ENABLE | 4 << 11;

	(void)state;
	put_virtio("0000:00:04.0", 0x1042);
	dma_add_steps(top, &t);
	assert_ends_stopped(&t, 10);
	assert_int_equal(t.functions[0], f);
	assert_out(&t, 0, STEP_OUT32, PCI_CONFIG_ADDRESS, f | 0x54);
	assert_out(&t, 1, STEP_OUT8, PCI_CONFIG_DATA, 4);
	assert_out(&t, 2, STEP_OUT32, PCI_CONFIG_ADDRESS, f | 0x58);
	assert_out(&t, 3, STEP_OUT32, PCI_CONFIG_DATA, 0x123000 + 20);
	assert_out(&t, 4, STEP_OUT32, PCI_CONFIG_ADDRESS, f | 0x5c);
	assert_out(&t, 5, STEP_OUT32, PCI_CONFIG_DATA, 1);
	assert_out(&t, 6, STEP_OUT32, PCI_CONFIG_ADDRESS, f | 0x60);
	assert_out(&t, 7, STEP_OUT8, PCI_CONFIG_DATA, 0);
}

/* Without capabilities, and with a list of them that is a circle. */
static void test_virtio_legacy(void **state)
{
	uint8_t config[CONFIG_BYTES];
	struct trampoline t = {.at = 0};

	(void)state;
	begin_virtio(config, 0x1001);
	put("0000:00:05.0", config, sizeof(config));
	config[CONFIG_STATUS] = STATUS_HAS_CAPS;
	config[CONFIG_FIRST_CAP] = 0x40;
	config[0x41] = 0x40;
	config[CONFIG_BAR0] = 0x41;
	put("0000:00:06.0", config, sizeof(config));
	dma_add_steps(top, &t);
	assert_ends_stopped(&t, 4);
	assert_int_equal(t.steps[0].a + t.steps[1].a, 0xc080 + 18 + 0xc040 + 18);
	assert_out(&t, 0, STEP_OUT8, t.steps[0].a, 0);
}

/* Nobody uses it here, and the host's picture is on it. */
static void test_virtio_screen(void **state)
{
	uint8_t config[CONFIG_BYTES];
	struct trampoline t = {.at = 0};

	(void)state;
	begin_virtio(config, 0x1050);
	config[0x0b] = 3;
	put("0000:00:02.0", config, sizeof(config));
	dma_add_steps(top, &t);
	assert_ends_stopped(&t, 2);
	assert_int_equal(t.function_count, 1);
}

/* What cannot be reset is stopped, and said. */
static void test_virtio_other(void **state)
{
	uint8_t config[CONFIG_BYTES];
	struct trampoline t = {.at = 0};

	(void)state;
	begin_virtio(config, 0x1042);
	config[CONFIG_BAR0] = 0;
	put("0000:00:07.0", config, sizeof(config));
	put("0000:00:08.0", config, 64); /* what who is not root sees */
	dma_add_steps(top, &t);
	assert_ends_stopped(&t, 2);
	assert_int_equal(t.function_count, 2);
	assert_non_null(strstr(log_tail(), "would not reset 0000:00:07.0"));
}

/* More of them than there are steps for: the way back is loaded all the same. */
static void test_many(void **state)
{
	struct trampoline t = {.at = 0};
	char name[32];

	(void)state;
	for (unsigned int i = 0; i < TRAMPOLINE_FUNCTIONS_MAX + 7; i++) {
		snprintf(name, sizeof(name), "0000:%02x:%02x.%u", i / 256, i / 8 % 32, i % 8);
		if (i < 25)
			put_virtio(name, 0x1042);
		else
			put_plain(name);
	}
	dma_add_steps(top, &t);
	assert_ends_stopped(&t, VIRTIO_MAX * 8 + 2);
	assert_int_equal(t.function_count, TRAMPOLINE_FUNCTIONS_MAX);
	assert_non_null(strstr(log_tail(), "would not stop 7 PCI functions"));
	for (int i = 0; i < 20; i++)
		trampoline_out(&t, 0x80, 1, 0);
	assert_false(t.full); /* log, watchdog and windows have room */
}

static void test_nowhere(void **state)
{
	struct trampoline t = {.at = 0};

	(void)state;
	dma_add_steps("/nowhere", &t);
	assert_int_equal(t.count, 0);
	assert_non_null(strstr(log_tail(), "would not stop any device"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_functions, begin, clean),
		cmocka_unit_test_setup_teardown(test_virtio, begin, clean),
		cmocka_unit_test_setup_teardown(test_virtio_legacy, begin, clean),
		cmocka_unit_test_setup_teardown(test_virtio_screen, begin, clean),
		cmocka_unit_test_setup_teardown(test_virtio_other, begin, clean),
		cmocka_unit_test_setup_teardown(test_many, begin, clean),
		cmocka_unit_test(test_nowhere),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
