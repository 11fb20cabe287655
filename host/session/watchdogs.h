/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef HOST_WATCHDOGS_H
#define HOST_WATCHDOGS_H

#include <stdint.h>

/* Is a watchdog of this machine running (/sys/class/watchdog, the first that is)? Its
 * timeout in seconds, or 0: none, or the kernel does not tell (CONFIG_WATCHDOG_SYSFS). */
uint32_t watchdogs_running(const char *sys_class);

#define WATCHDOGS_SYS "/sys/class/watchdog"

#endif
