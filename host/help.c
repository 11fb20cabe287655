/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "host/help.h"

#include "base/util.h"
#include "config/config.h"
#include "host/exitcode.h"

#include <stdio.h>
#include <string.h>

static const struct {
	char letter;
	const char *text;
} option_help[] = {
	{'c', "  --config FILE     instead of " CONFIG_PATH "\n"},
	{'t',
	 "  --target TARGET   the image goes there, and nowhere else; setup and status look at it\n"
	 "                    besides those of the configuration\n"},
	{'n', "  --then WHAT       poweroff (default), reboot, or return: write the image, then\n"
	      "                    retire it and go on\n"},
	{'s', "  --size SIZE       of a file that is made as the target, as 8G or 500M; default:\n"
	      "                    so that all of memory fits\n"},
	{'R',
	 "  --rekey           new keys: all older images, passphrases and tokens open nothing\n"
	 "                    any more\n"},
	{'K',
	 "  --key-file FILE   the passphrase is in it, instead of asking; -: standard input\n"},
	{'I', "  --no-initramfs    do not run update-initramfs -u -k all\n"},
	{'j', "  --json            for programs\n"},
	{'A',
	 "  --at BYTE         IMAGE is a disk, or a copy of one, and the image is in parts of\n"
	 "                    it: in slots of the swap area whose page 0 begins 3584 bytes\n"
	 "                    before this byte, or in the file that begins at it\n"},
	{'C', "  --codec CODEC     lz4 (default), lz4:1 (dense) to lz4:16 (fast), zstd,\n"
	      "                    zstd:1 (fast) to zstd:19 (dense), lzo, none, or auto\n"},
	{'T', "  --threads N       instead of one for each CPU\n"},
	{'a', "  --all-pages       also those that were free\n"},
	{'f', "  --force           replace what is there\n"},
	{'k', "  --keep-going      leave out what is damaged, and save the rest\n"},
	{'z',
	 "  --seal FILE       encrypt it to the public key in this file: /etc/dormouse/pins of a\n"
	 "                    machine that was set up; or its keys.luks, which goes into the\n"
	 "                    image, so that a passphrase opens it\n"},
	{'e', "  --cipher CIPHER   with --seal: aes-256-gcm or chacha20-poly1305, instead of what\n"
	      "                    this CPU is fastest with\n"},
	{'S',
	 "  --secret FILE     of a sealed image: the 64 bytes of its secret, instead of a\n"
	 "                    passphrase; \"-\": from standard input, since a file would stay\n"
	 "                    where it is (/usr/lib/dormouse/unlock gives them). A passphrase "
	 "opens the copy of the keyslots that is\n"
	 "                    in the image, and must give the private key that its key was\n"
	 "                    sealed for; that they are your machine's keyslots it does not "
	 "show\n"},
};

void help_options(const char *letters)
{
	for (size_t i = 0; i < ARRAY_LEN(option_help); i++)
		if (strchr(letters, option_help[i].letter))
			printf("%s", option_help[i].text);
	printf("  --help            this text\n");
}

void help_exit_codes(void)
{
	printf("\nexit codes:\n"
	       "  %d  done: resumed, or returned as asked\n"
	       "  %d  failed; the session goes on\n"
	       "  %d  wrong arguments or configuration\n"
	       "  %d  refused before anything was changed; the message says why\n"
	       "  %d  the writer gave up and jumped back; nothing is lost\n"
	       "  %d  aborted: by a key (Esc or Backspace) while the image was written, by Ctrl-C\n"
	       "  %d  there is no image, or no dump\n"
	       "  %d  the image or dump is of a newer version, or of a kind that is not supported\n"
	       "  %d  the image or dump is damaged\n"
	       "  %d  the image is not authentic, or sealed and nothing opened it\n",
	       EXITCODE_DONE, EXITCODE_FAILED, EXITCODE_USAGE, EXITCODE_REFUSED, EXITCODE_GAVE_UP,
	       EXITCODE_ABORTED, EXITCODE_FORMAT, EXITCODE_UNSUPPORTED, EXITCODE_CORRUPT,
	       EXITCODE_AUTH);
}
