/* SPDX-License-Identifier: Apache-2.0 */
#include "sense/probe.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>

#include <bpf/bpf.h>
#include <wirewitness/kernel.h>

#define BPF_LINK_CREATE_CMD 28
#define BPF_TRACE_UPROBE_MULTI_TYPE \
	48 /* include/uapi/linux/bpf.h since 6.6; later than Debian 12's header */

/* struct bpf_attr's link_create with its uprobe_multi member, as of 6.6. */
struct multi_attr {
	uint32_t prog_fd;
	uint32_t target_fd;
	uint32_t attach_type;
	uint32_t flags;
	uint64_t path;
	uint64_t offsets;
	uint64_t ref_ctr_offsets;
	uint64_t cookies;
	uint32_t cnt;
	uint32_t multi_flags;
	uint32_t pid;
	uint32_t _pad;
};

_Static_assert(WW_FORM_QUEUE == WW_COOKIE_FORM_QUEUE, "as the kernel side has it");

struct ww_probes {
	int fd;
	uint32_t file;
	struct ww_tls_plan plan;
	int multi_fd[WW_SITE_RECORD + 1];
	unsigned link_count;
	struct bpf_link *links[WW_SITES_MAX];
	uint8_t link_kind[WW_SITES_MAX];
};

int ww_probe_cookie(const struct ww_tls_plan *plan, const struct ww_site *site, uint32_t file,
		    uint64_t *ret_cookie)
{
	uint64_t c;

	if (file > 0xff || site->sp_bytes > 0 || site->sp_bytes < -0xffff ||
	    plan->random_off1 > 0xffff || plan->random_off2 > 0xffff)
		return -ERANGE;
	c = file;
	c |= (uint64_t)(site->dir == WW_DIR_IN) << 8;
	c |= (uint64_t)site->has_done << 9;
	c |= (uint64_t)site->done_r8 << 10;
	c |= (uint64_t)site->len32 << 11;
	c |= (uint64_t)plan->random_mode << 12;
	c |= (uint64_t)site->form << 14;
	c |= (uint64_t)(uint32_t)-site->sp_bytes << 16;
	c |= (uint64_t)plan->random_off1 << 32;
	c |= (uint64_t)plan->random_off2 << 48;
	*ret_cookie = c;
	return 0;
}

static unsigned collect(const struct ww_probes *p, enum ww_site_kind kind, uint64_t *offsets,
			uint64_t *cookies)
{
	unsigned n = 0;

	for (unsigned i = 0; i < p->plan.site_count; i++) {
		if (p->plan.sites[i].kind != kind)
			continue;
		offsets[n] = p->plan.sites[i].offset;
		if (ww_probe_cookie(&p->plan, &p->plan.sites[i], p->file, &cookies[n]) == 0)
			n++;
	}
	return n;
}

int ww_probe_attach_multi(const struct bpf_program *prog, int fd, uint32_t pid,
			  const uint64_t *offsets, const uint64_t *cookies, unsigned n,
			  int *ret_link)
{
	struct multi_attr a = {.prog_fd = (uint32_t)bpf_program__fd(prog),
			       .attach_type = BPF_TRACE_UPROBE_MULTI_TYPE,
			       .cnt = n,
			       .pid = pid};
	char path[32];
	long link;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	a.path = (uint64_t)(uintptr_t)path;
	a.offsets = (uint64_t)(uintptr_t)offsets;
	a.cookies = (uint64_t)(uintptr_t)cookies;
	link = syscall(SYS_bpf, BPF_LINK_CREATE_CMD, &a, sizeof(a));
	if (link < 0)
		return -errno;
	*ret_link = (int)link;
	return 0;
}

static int attach_each(const struct bpf_program *prog, struct ww_probes *p, enum ww_site_kind kind,
		       const uint64_t *offsets, const uint64_t *cookies, unsigned n)
{
	char path[32];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", p->fd);
	for (unsigned i = 0; i < n; i++) {
		LIBBPF_OPTS(bpf_uprobe_opts, o, .bpf_cookie = cookies[i]);
		struct bpf_link *l =
			bpf_program__attach_uprobe_opts(prog, -1, path, offsets[i], &o);

		if (!l)
			return -errno;
		p->links[p->link_count] = l;
		p->link_kind[p->link_count++] = (uint8_t)kind;
	}
	return 0;
}

static void detach_kind(struct ww_probes *p, enum ww_site_kind kind)
{
	unsigned kept = 0;

	if (p->multi_fd[kind] >= 0)
		close(p->multi_fd[kind]);
	p->multi_fd[kind] = -1;
	for (unsigned i = 0; i < p->link_count; i++) {
		if (p->link_kind[i] == kind) {
			bpf_link__destroy(p->links[i]);
			continue;
		}
		p->links[kept] = p->links[i];
		p->link_kind[kept++] = p->link_kind[i];
	}
	p->link_count = kept;
}

static int attach_kind(const struct ww_probe_programs *progs, struct ww_probes *p,
		       enum ww_site_kind kind)
{
	uint64_t offsets[WW_SITES_MAX], cookies[WW_SITES_MAX];
	unsigned n = collect(p, kind, offsets, cookies);
	const struct bpf_program *prog = progs->by_kind[kind];
	int r;

	if (n == 0)
		return 0;
	if (!prog)
		return -ENOTSUP;
	r = progs->multi
		    ? ww_probe_attach_multi(prog, p->fd, 0, offsets, cookies, n, &p->multi_fd[kind])
		    : attach_each(prog, p, kind, offsets, cookies, n);
	if (r < 0)
		detach_kind(p, kind);
	return r;
}

void ww_probe_detach(struct ww_probes *p)
{
	if (!p)
		return;
	for (int kind = WW_SITE_ENTRY; kind <= WW_SITE_RECORD; kind++)
		detach_kind(p, kind);
	if (p->fd >= 0)
		close(p->fd);
	free(p);
}

WW_DEFINE_AUTO(struct ww_probes, ww_probe_detach)

int ww_probe_attach(const struct ww_probe_programs *progs, int fd, uint32_t file,
		    const struct ww_tls_plan *plan, struct ww_probes **ret_probes)
{
	/*
	 * RESULT first: an ENTRY without its RESULT would only leave a call open. RECORD last: of
	 * a session whose hello it saw, nothing was missed.
	 */
	static const enum ww_site_kind order[] = {WW_SITE_RESULT, WW_SITE_FREE, WW_SITE_PAYLOAD,
						  WW_SITE_ENTRY, WW_SITE_RECORD};
	WW_AUTO(ww_probe_detach_auto) struct ww_probes *p = calloc(1, sizeof(*p));
	uint64_t cookie;

	if (!p)
		return -ENOMEM;
	for (unsigned i = 0; i < WW_ARRAY_SIZE(p->multi_fd); i++)
		p->multi_fd[i] = -1;
	p->fd = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	if (p->fd < 0)
		return -errno;
	p->file = file;
	p->plan = *plan;
	for (unsigned i = 0; i < plan->site_count; i++) {
		int r = ww_probe_cookie(plan, &plan->sites[i], file, &cookie);

		if (r < 0)
			return r;
	}
	for (unsigned i = 0; i < WW_ARRAY_SIZE(order); i++) {
		int r = attach_kind(progs, p, order[i]);

		if (r < 0)
			return r;
	}
	*ret_probes = WW_TAKE(p);
	return 0;
}

int ww_probe_prefix(const struct ww_probe_programs *progs, struct ww_probes *p, bool on)
{
	bool is_on = p->multi_fd[WW_SITE_PREFIX] >= 0;

	for (unsigned i = 0; i < p->link_count; i++)
		is_on = is_on || p->link_kind[i] == WW_SITE_PREFIX;
	if (on == is_on)
		return 0;
	if (on)
		return attach_kind(progs, p, WW_SITE_PREFIX);
	detach_kind(p, WW_SITE_PREFIX);
	return 0;
}

uint32_t ww_probe_file(const struct ww_probes *p)
{
	return p->file;
}

enum ww_tls_stack ww_probe_stack(const struct ww_probes *p)
{
	return p->plan.stack;
}

void ww_probe_count(const struct ww_probes *p, unsigned *ret_sites, unsigned *ret_emulated)
{
	unsigned sites = 0, emulated = 0;

	for (unsigned i = 0; i < p->plan.site_count; i++) {
		if (p->plan.sites[i].kind == WW_SITE_PREFIX)
			continue;
		sites++;
		emulated += p->plan.sites[i].emulated;
	}
	*ret_sites = sites;
	*ret_emulated = emulated;
}
