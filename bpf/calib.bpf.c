/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * What can this kernel really do: a probe on the loader's own function. BTF says which helpers
 * exist; only a hit shows that probes fire here, with their cookie, and may read user memory.
 */
#include "lib/core.bpf.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

const volatile __u64 ww_c_cookie = 0; /* the right one; 0: this kernel has none */
const volatile __u64 ww_c_word = 0;   /* what the first argument points at */

__u64 ww_c_hits = 0;
__u64 ww_c_cookies = 0;
__u64 ww_c_reads = 0;

SEC("uprobe")
int ww_c_probe(struct pt_regs *ctx)
{
	__u64 word = 0;

	__sync_fetch_and_add(&ww_c_hits, 1);
	if (ww_c_cookie && bpf_get_attach_cookie(ctx) == ww_c_cookie)
		__sync_fetch_and_add(&ww_c_cookies, 1);
	if (bpf_probe_read_user(&word, sizeof(word), (void *)PT_REGS_PARM1(ctx)) == 0 &&
	    word == ww_c_word)
		__sync_fetch_and_add(&ww_c_reads, 1);
	return 0;
}
