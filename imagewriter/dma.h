/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Devices that still access memory when the writer's kernel panics: a request in
 * flight would be answered into pages that are the host's again. A jump that the
 * writer decides on needs none of this: its kernel resets virtio devices and stops
 * all PCI functions then (device_shutdown), a kernel that panicked does nothing.
 */
#ifndef IMAGEWRITER_DMA_H
#define IMAGEWRITER_DMA_H

#include "jump/trampoline.h"

/*
 * On the way back, all PCI functions are stopped, bridges last, which also stops what
 * was plugged in behind them meanwhile. What a device has begun by then is waited for.
 * Of what cannot be stopped the log says so. devices: /sys/bus/pci/devices.
 */
void dma_add_steps(const char *devices, struct trampoline *t);

#endif
