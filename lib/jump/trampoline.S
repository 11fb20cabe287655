/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The way back: loaded by kexec, into the control area of the main window for a
 * jump that the writer decides on, into its crash kernel's room for one after a
 * panic. The page tables of a kexec map only the writer's own memory, so it
 * brings an identity map of its own (512 GiB of 1 GiB pages), in the paging mode
 * that it finds, which is the host's; then does what the table of steps says
 * (jump/trampoline.h), and calls the jump-back entry. The host reads our return
 * address as its peer's entry, and never uses it.
 *
 * The steps may wipe all of the windows but these pages: the writer's descriptor
 * tables too, which nothing needs with interrupts off; the host brings its own.
 * The writer's other CPUs wait for a start-up IPI meanwhile (kernel-patches/0003):
 * the host's exchange of the windows, too, would take the code from under them.
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
	leaq	TRAMPOLINE_STEPS_AT(%rbx), %rbp

next_step:
	movq	0x00(%rbp), %rax
	movq	0x08(%rbp), %rsi	/* a */
	movq	0x10(%rbp), %rdi	/* b */
	movq	0x18(%rbp), %rcx	/* n */
	movq	0x20(%rbp), %r8		/* head */
	movq	0x28(%rbp), %r9		/* mask */
	addq	$STEP_BYTES, %rbp
	cmpq	$STEP_WIPE, %rax
	je	wipe
	cmpq	$STEP_RING, %rax
	je	ring
	cmpq	$STEP_OUT8, %rax
	je	out8
	cmpq	$STEP_OUT16, %rax
	je	out16
	cmpq	$STEP_OUT32, %rax
	je	out32
	cmpq	$STEP_STOP, %rax
	je	stop
	cmpq	$STEP_WAIT, %rax
	je	wait

	movq	TRAMPOLINE_ENTRY_AT(%rbx), %rdx
	call	*%rdx
2:	hlt
	jmp	2b

wipe:
	movq	%rsi, %rdi
	shrq	$3, %rcx
	xorl	%eax, %eax
	rep stosq
	jmp	next_step

	/* The n bytes before the ring's head, oldest first. */
ring:
	movq	(%r8), %r8
	subq	%rcx, %r8
3:	movq	%r8, %rax
	andq	%r9, %rax
	movb	(%rsi, %rax), %al
	movb	%al, (%rdi)
	incq	%r8
	incq	%rdi
	decq	%rcx
	jnz	3b
	jmp	next_step

out8:	movl	%esi, %edx
	movl	%edi, %eax
	outb	%al, %dx
	jmp	next_step
out16:	movl	%esi, %edx
	movl	%edi, %eax
	outw	%ax, %dx
	jmp	next_step
out32:	movl	%esi, %edx
	movl	%edi, %eax
	outl	%eax, %dx
	jmp	next_step

	/*
	 * Each function on the list may not be bus master any more. Another CPU may
	 * have been stopped between the two ports, so the address is always written
	 * anew. All ones: nothing answers there (any more).
	 */
stop:
	leaq	TRAMPOLINE_FUNCTIONS_AT(%rbx), %rsi
4:	movl	(%rsi), %eax
	testl	%eax, %eax
	jz	next_step
	addq	$4, %rsi
	orl	$PCI_COMMAND_AT, %eax
	movl	$PCI_CONFIG_ADDRESS, %edx
	outl	%eax, %dx
	movl	$PCI_CONFIG_DATA, %edx
	inw	%dx, %ax
	cmpw	$0xffff, %ax
	je	4b
	testw	$PCI_BUS_MASTER, %ax
	jz	4b
	andw	$~PCI_BUS_MASTER, %ax
	outw	%ax, %dx
	inw	%dx, %ax	/* the answer comes behind all that it has written */
	jmp	4b

	/* Until the time stamp counter has gone on by n. */
wait:
	rdtsc
	shlq	$32, %rdx
	leaq	(%rax, %rdx), %r8
5:	pause
	rdtsc
	shlq	$32, %rdx
	addq	%rdx, %rax
	subq	%r8, %rax
	cmpq	%rcx, %rax
	jb	5b
	jmp	next_step
trampoline_end:

	.section .note.GNU-stack, "", @progbits
