/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The machine's watchdog, which sees the hangs that the kernel does not. It is fed
 * by a thread: what starves it is a kernel that runs nothing any more (a disk that is
 * slow has a time limit of its own). Its bite is an NMI where the hardware can do
 * that (i6300esb), which is a panic, and so the way back; else a reset.
 *
 * Only a watchdog that can be stopped from a panic too is started, by port accesses
 * of the trampoline: one that bites the host later would be worse than none. One that
 * the host had running is fed, whatever it is, and handed back running where these
 * accesses are known; the kernel stops it on every jump (watchdog_stop_on_reboot).
 */
#ifndef IMAGEWRITER_WATCHDOG_H
#define IMAGEWRITER_WATCHDOG_H

#include "jump/trampoline.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

struct watchdog {
	int fd; /* -1: there is none, or it is left alone */
	bool host_had;
	bool known;	  /* by port accesses: an i6300esb, at pci */
	uint32_t pci;	  /* its place in the configuration space (port 0xcf8) */
	uint32_t timeout; /* seconds */
	pthread_t feeder;
};

/* Take the first watchdog. host_timeout: seconds, when the host had one running; else 0.
 * Without one, or when something fails, the log says so, and all goes on. */
void watchdog_begin(struct watchdog *w, uint32_t host_timeout);

/* What the way back has to do about it: run on for the host, or stop. */
void watchdog_add_steps(const struct watchdog *w, struct trampoline *t);

/* Right before a jump: fed once more, for as long as the host may take to feed it. */
void watchdog_feed(const struct watchdog *w);

#endif
