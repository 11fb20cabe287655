/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "imagewriter/dma.h"

#include "base/io.h"
#include "base/log.h"
#include "base/util.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>

/* 100 ms, where the time stamp counter runs at 5 GHz. What a bus has on its way takes
 * microseconds; a hypervisor lets a request that it has begun end whatever we say. */
#define WAIT_CYCLES 500000000ull

/* PCI configuration space (PCI Local Bus 3.0, 6.1 and 6.7) */
#define CONFIG_BYTES	  256
#define CONFIG_STATUS	  0x06
#define STATUS_HAS_CAPS	  0x10
#define CONFIG_CLASS	  0x0b
#define CLASS_DISPLAY	  0x03
#define CONFIG_BAR0	  0x10
#define BAR_IS_PORT	  0x1
#define CONFIG_FIRST_CAP  0x34
#define CONFIG_HEADER_END 0x40
#define CAP_VENDOR	  0x09
#define CAPS_MAX	  48

/* virtio 1.1, 4.1: the capability that says where the common configuration is, and the
 * one by which it is written to without having it mapped */
#define VIRTIO_VENDOR	     0x1af4
#define VIRTIO_FIRST	     0x1000
#define VIRTIO_LAST	     0x107f
#define VIRTIO_CAP_BYTES     20
#define VIRTIO_TYPE	     3
#define VIRTIO_BAR	     4
#define VIRTIO_OFFSET	     8
#define VIRTIO_LENGTH	     12
#define VIRTIO_DATA	     16 /* of VIRTIO_PCI_CONFIG */
#define VIRTIO_COMMON	     1
#define VIRTIO_PCI_CONFIG    5
#define VIRTIO_STATUS	     20 /* in the common configuration; 0 resets the device */
#define VIRTIO_LEGACY_STATUS 18 /* in BAR 0 (4.1.4.8) */
#define VIRTIO_MAX	     16 /* each takes some steps */

struct found {
	uint32_t functions[TRAMPOLINE_FUNCTIONS_MAX];
	size_t count, out_of_reach, virtio;
};

static uint32_t number_at(const uint8_t *p, unsigned int bytes)
{
	uint32_t x = 0;

	while (bytes--)
		x = x << 8 | p[bytes];
	return x;
}

/* One that the writer may have in use. Not a screen: its picture would be gone. */
static bool is_virtio(const uint8_t *config)
{
	uint32_t device = number_at(config + 2, 2);

	return number_at(config, 2) == VIRTIO_VENDOR && device >= VIRTIO_FIRST &&
	       device <= VIRTIO_LAST && config[CONFIG_CLASS] != CLASS_DISPLAY;
}

/* Where a virtio capability of this type is; 0: it has none. */
static uint8_t virtio_cap(const uint8_t *config, uint8_t type)
{
	uint8_t at = config[CONFIG_FIRST_CAP] & ~3;

	if (!(config[CONFIG_STATUS] & STATUS_HAS_CAPS))
		return 0;
	for (int i = 0; i < CAPS_MAX; i++, at = config[at + 1] & ~3) {
		if (at < CONFIG_HEADER_END || at > CONFIG_BYTES - VIRTIO_CAP_BYTES)
			return 0;
		if (config[at] == CAP_VENDOR && config[at + VIRTIO_TYPE] == type)
			return at;
	}
	return 0;
}

/*
 * To a virtio device the right to access memory means little: its requests are answered,
 * and its rings written to, by who has mapped all of memory. A reset ends them.
 */
static bool reset_virtio(struct trampoline *t, uint32_t function, const uint8_t *config)
{
	uint8_t common = virtio_cap(config, VIRTIO_COMMON);
	uint8_t access = virtio_cap(config, VIRTIO_PCI_CONFIG);
	uint32_t bar0 = number_at(config + CONFIG_BAR0, 4);

	if (common && access) {
		trampoline_config(t, function, access + VIRTIO_BAR, 1, config[common + VIRTIO_BAR]);
		trampoline_config(t, function, access + VIRTIO_OFFSET, 4,
				  number_at(config + common + VIRTIO_OFFSET, 4) + VIRTIO_STATUS);
		trampoline_config(t, function, access + VIRTIO_LENGTH, 4, 1);
		trampoline_config(t, function, access + VIRTIO_DATA, 1, 0);
		return true;
	}
	if (!(bar0 & BAR_IS_PORT))
		return false;
	trampoline_out(t, (uint16_t)((bar0 & ~3u) + VIRTIO_LEGACY_STATUS), 1, 0);
	return true;
}

static void look_for_virtio(struct found *f, struct trampoline *t, const char *folder,
			    const char *name, uint32_t function)
{
	CLEANUP_FREE char *config = NULL;
	char path[512];
	size_t n = 0;
	err_t e;

	snprintf(path, sizeof(path), "%s/%s/config", folder, name);
	e = io_read_file(path, 65536, &config, &n);
	if (e)
		log_warn("%s", err_text(e));
	err_free(e);
	if (n < CONFIG_BYTES || !is_virtio((const uint8_t *)config))
		return;
	if (f->virtio == VIRTIO_MAX || !reset_virtio(t, function, (const uint8_t *)config))
		log_warn("a panic would not reset %s", name);
	else
		f->virtio++;
}

static void add(struct found *f, struct trampoline *t, const char *folder, const char *name)
{
	unsigned int domain, bus, device, function;

	if (sscanf(name, "%x:%x:%x.%x", &domain, &bus, &device, &function) != 4)
		return;
	if (domain || f->count == ARRAY_LEN(f->functions)) {
		f->out_of_reach++;
		return;
	}
	f->functions[f->count] = PCI_CONFIG_ENABLE | bus << 16 | device << 11 | function << 8;
	look_for_virtio(f, t, folder, name, f->functions[f->count++]);
}

/* The highest bus first: a bridge lies on a lower one than what is behind it. */
static int downwards(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? 1 : x > y ? -1 : 0;
}

void dma_add_steps(const char *devices, struct trampoline *t)
{
	struct found f = {.count = 0};
	DIR *dir = opendir(devices);
	struct dirent *d;

	if (!dir) {
		log_warn("a panic would not stop any device: %s: %m", devices);
		return;
	}
	while ((d = readdir(dir)))
		add(&f, t, devices, d->d_name);
	closedir(dir);
	if (f.out_of_reach)
		log_warn("a panic would not stop %zu PCI functions, which it cannot reach",
			 f.out_of_reach);
	qsort(f.functions, f.count, sizeof(f.functions[0]), downwards);
	trampoline_stop(t, f.functions, f.count);
	trampoline_wait(t, WAIT_CYCLES);
}
