/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "imagewriter/watchdog.h"

#include "base/err.h"
#include "base/io.h"
#include "base/log.h"
#include "base/util.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/watchdog.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define DEVICE	       "/dev/watchdog0"
#define SYS	       "/sys/class/watchdog/watchdog0"
#define SYS_ESB_DRIVER "/sys/bus/pci/drivers/i6300ESB timer"
#define OWN_TIMEOUT    20 /* seconds */

/* drivers/watchdog/i6300esb.c: the byte that starts and stops it, in its PCI configuration */
#define ESB_LOCK_REG   0x68
#define ESB_WDT_ENABLE 0x02

static void *feed(void *arg)
{
	const struct watchdog *w = arg;

	for (;;) {
		watchdog_feed(w);
		sleep(w->timeout > 4 ? w->timeout / 4 : 1);
	}
	return NULL;
}

static bool is_i6300esb(void)
{
	CLEANUP_FREE char *text = NULL;
	size_t n;
	err_t e = io_read_file(SYS "/identity", 256, &text, &n);
	bool yes = !e && !strncmp(text, "i6300ESB", 8);

	err_free(e);
	return yes;
}

/*
 * From its driver's folder, which has entries like 0000:00:04.0: the watchdog itself
 * has no link to its device. Of several nobody could say which one it is.
 */
static bool find_pci(uint32_t *out)
{
	unsigned int segment, bus, device, function, found = 0;
	DIR *dir = opendir(SYS_ESB_DRIVER);
	struct dirent *d;

	while (dir && (d = readdir(dir))) {
		if (sscanf(d->d_name, "%x:%x:%x.%x", &segment, &bus, &device, &function) != 4)
			continue;
		found += segment || bus > 255 || device > 31 || function > 7 ? 2 : 1;
		*out = PCI_CONFIG_ENABLE | bus << 16 | device << 11 | function << 8;
	}
	if (dir)
		closedir(dir);
	return found == 1;
}

void watchdog_begin(struct watchdog *w, uint32_t host_timeout)
{
	int timeout = host_timeout ? (int)host_timeout : OWN_TIMEOUT;

	*w = (struct watchdog){.fd = -1, .host_had = host_timeout != 0};
	w->known = is_i6300esb() && find_pci(&w->pci);
	if (!w->known && !w->host_had)
		return;
	w->fd = open(DEVICE, O_WRONLY | O_CLOEXEC); /* which starts it */
	if (w->fd < 0) {
		if (w->host_had)
			log_warn("the host's watchdog cannot be fed: %m");
		return;
	}
	ioctl(w->fd, WDIOC_SETTIMEOUT, &timeout);
	w->timeout = (uint32_t)timeout;
	if (pthread_create(&w->feeder, NULL, feed, w)) {
		log_warn("the watchdog cannot be fed");
		if (write(w->fd, "V", 1) == 1) /* the magic character: closing stops it */
			close(w->fd);
		w->fd = -1;
		return;
	}
	log_info("the watchdog is fed, every %u s would do", w->timeout);
}

void watchdog_feed(const struct watchdog *w)
{
	if (w->fd >= 0)
		ioctl(w->fd, WDIOC_KEEPALIVE, 0);
}

void watchdog_add_steps(const struct watchdog *w, struct trampoline *t)
{
	if (w->fd < 0 || !w->known)
		return;
	trampoline_config(t, w->pci, ESB_LOCK_REG, 1, w->host_had ? ESB_WDT_ENABLE : 0);
}
