/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Uprobes of one library file, attached by plan. One uprobe_multi link per program where the kernel
 * has it (6.6 and later: all sites at once, quick to remove), else one perf uprobe per site. Return
 * values are read at sites inside the function, never by uretprobes.
 */
#pragma once

#include <bpf/libbpf.h>

#include "sense/site.h"

/* The programs of one stack, by enum ww_site_kind. */
struct ww_probe_programs {
	struct bpf_program *by_kind[WW_SITE_RECORD + 1];
	bool multi; /* loaded for uprobe_multi */
};

struct ww_probes; /* those of one file */

/* The attach cookie of a site: what include/wirewitness/kernel.h says. -ERANGE: a number does not
 * fit. */
WW_CHECK int ww_probe_cookie(const struct ww_tls_plan *plan, const struct ww_site *site,
			     uint32_t file, uint64_t *ret_cookie);

/*
 * Attaches the sites of plan, without PREFIX. fd stays the caller's and is duplicated for later. 0;
 * -ERANGE; -errno. Nothing stays attached on failure.
 */
WW_CHECK int ww_probe_attach(const struct ww_probe_programs *p, int fd, uint32_t file,
			     const struct ww_tls_plan *plan, struct ww_probes **ret_probes);
/*
 * Attaches prog at n offsets of the file behind fd, with a cookie each, in one process (0: in all)
 * and by one link, whose descriptor is *ret_link. Needs a program that is loaded for uprobe_multi.
 * 0 or -errno.
 */
WW_CHECK int ww_probe_attach_multi(const struct bpf_program *prog, int fd, uint32_t pid,
				   const uint64_t *offsets, const uint64_t *cookies, unsigned n,
				   int *ret_link);
/* And frees. Accepts NULL. */
void ww_probe_detach(struct ww_probes *probes);

/* Attaches or detaches the PREFIX sites. 0 or -errno. */
WW_CHECK int ww_probe_prefix(const struct ww_probe_programs *p, struct ww_probes *probes, bool on);

/* The file's index; its probes, and how many of them sit on instructions that the kernel emulates.
 */
uint32_t ww_probe_file(const struct ww_probes *probes);
enum ww_tls_stack ww_probe_stack(const struct ww_probes *probes);
void ww_probe_count(const struct ww_probes *probes, unsigned *ret_sites, unsigned *ret_emulated);
