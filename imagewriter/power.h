/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef IMAGEWRITER_POWER_H
#define IMAGEWRITER_POWER_H

/* Neither returns. A machine that does not switch itself off is reset; one that does
 * not even reboot says so and waits. */
void power_off(void) __attribute__((noreturn));

/* With time to read what is on the console when something went wrong. */
void power_reboot(unsigned int after_seconds) __attribute__((noreturn));

#endif
