/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef IMAGEWRITER_POWER_H
#define IMAGEWRITER_POWER_H

/* Neither returns. Should the machine refuse, it is told and waited for. */
void power_off(void) __attribute__((noreturn));

/* With time to read what is on the console when something went wrong. */
void power_reboot(unsigned int after_seconds) __attribute__((noreturn));

#endif
