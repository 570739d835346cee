/* SPDX-License-Identifier: Apache-2.0 */
/* The pack is read by people first: it is linked in as the file it is. */
#include "policy/phrases.h"

__asm__(".section .rodata.ww_phrases,\"a\",@progbits\n"
	".balign 4\n"
	"ww_phrases_size: .long ww_phrases_end - ww_phrases_begin\n"
	"ww_phrases_begin: .incbin \"user/policy/phrases.yaml\"\n"
	"ww_phrases_end:\n"
	".previous\n");

extern const uint8_t ww_phrases_begin[];
extern const uint32_t ww_phrases_size;

struct ww_slice ww_phrases_default(void)
{
	return ww_slice(ww_phrases_begin, ww_phrases_size);
}
