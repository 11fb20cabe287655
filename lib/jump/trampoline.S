/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The way back: loaded by plain kexec into the control area of the main window.
 * The page tables of a plain kexec map only the writer's own memory, so it
 * brings an identity map of its own (512 GiB of 1 GiB pages), in the paging mode
 * that it finds, which is the host's; then calls the jump-back entry. The host
 * reads our return address as its peer's entry, and never uses it.
 */
#include "jump/control.h"
#include "jump/identitymap.inc"

	.section .rodata.trampoline, "a"
	.code64
	.globl trampoline_start, trampoline_end
	.balign 16
trampoline_start:
	cli
	cld
	leaq	trampoline_start(%rip), %rbx
	leaq	0x1000(%rbx), %rdi	/* top table of 5 levels */
	leaq	0x2000(%rbx), %rsi	/* top table of 4 levels */
	leaq	0x3000(%rbx), %rcx	/* 512 giant pages */
	identity_map
	movq	%cr4, %rax
	btq	$CR4_LA57_BIT, %rax
	cmovncq	%rsi, %rdi
	movq	%rdi, %cr3
	leaq	TRAMPOLINE_BYTES(%rbx), %rsp
	movq	TRAMPOLINE_ENTRY_AT(%rbx), %rdx
	call	*%rdx
2:	hlt
	jmp	2b
trampoline_end:

	.section .note.GNU-stack, "", @progbits
