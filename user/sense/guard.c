/* SPDX-License-Identifier: Apache-2.0 */
#include "sense/guard.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "guard.skel.h"
#include "sense/scope.h"
#include "wirewitness.skel.h"

#define BATCH      4096u
#define ENOTSUPP_K 524 /* the kernel's own, not for user space */

struct ww_guard_bpf {
	struct ww_guard *skel;
	struct bpf_link *sweep;
	const struct ww_guard_totals *totals; /* mapped */
	size_t totals_bytes;
};

/* What both objects have is one map; but what a scope was found to be is each one's own. */
static int share_maps(struct ww_guard *skel, struct ww_wirewitness *other)
{
	struct bpf_map *map;

	bpf_object__for_each_map(map, skel->obj)
	{
		const struct bpf_map *its =
			bpf_object__find_map_by_name(other->obj, bpf_map__name(map));
		int r = 0;

		if (map == skel->maps.ww_scope_cache || bpf_map__is_internal(map) || !its)
			continue;
		if (bpf_map__fd(its) < 0)
			r = bpf_map__set_autocreate(map, false);
		else
			r = bpf_map__reuse_fd(map, bpf_map__fd(its));
		if (r < 0)
			return r;
	}
	return 0;
}

static void share_settings(struct ww_guard *skel, const struct ww_wirewitness *other)
{
	skel->rodata->ww_own_pid = other->rodata->ww_own_pid;
	skel->rodata->ww_cpu_count = other->rodata->ww_cpu_count;
	skel->rodata->ww_has_fetch_add = other->rodata->ww_has_fetch_add;
	skel->rodata->ww_has_sk_in_tp = other->rodata->ww_has_sk_in_tp;
	for (unsigned i = 0; i < WW_RING_MAX; i++)
		skel->rodata->ww_wake_bytes[i] = other->rodata->ww_wake_bytes[i];
}

static int map_totals(struct ww_guard_bpf *g)
{
	g->totals_bytes = (size_t)sysconf(_SC_PAGESIZE);
	g->totals = mmap(NULL, g->totals_bytes, PROT_READ, MAP_SHARED,
			 bpf_map__fd(g->skel->maps.ww_guard_totals), 0);
	if (g->totals != MAP_FAILED)
		return 0;
	g->totals = NULL;
	return -errno;
}

static int attach_sweep(struct ww_guard_bpf *g)
{
	union bpf_iter_link_info info = {
		.map.map_fd = (uint32_t)bpf_map__fd(g->skel->maps.ww_guard_tries)};
	LIBBPF_OPTS(bpf_iter_attach_opts, o, .link_info = &info, .link_info_len = sizeof(info));

	g->sweep = bpf_program__attach_iter(g->skel->progs.ww_guard_sweep, &o);
	return g->sweep ? 0 : -errno;
}

static int load(struct ww_guard_bpf *g, struct ww_wirewitness *other)
{
	int r;

	g->skel = ww_guard__open();
	if (!g->skel)
		return -errno;
	share_settings(g->skel, other);
	r = share_maps(g->skel, other);
	if (r == 0)
		r = ww_guard__load(g->skel);
	if (r == 0)
		r = map_totals(g);
	return r < 0 ? r : attach_sweep(g);
}

static int add_programs(struct ww_guard *skel, struct ww_scopes *scopes)
{
	const struct ww_scope_program programs[] = {
		{skel->progs.ww_guard_conn4, BPF_CGROUP_INET4_CONNECT, 0, true},
		{skel->progs.ww_guard_conn6, BPF_CGROUP_INET6_CONNECT, 0, true},
		{skel->progs.ww_guard_send4, BPF_CGROUP_UDP4_SENDMSG, 0, true},
		{skel->progs.ww_guard_send6, BPF_CGROUP_UDP6_SENDMSG, 0, true},
		{skel->progs.ww_guard_out, BPF_CGROUP_INET_EGRESS, 0, true},
	};

	if (scopes->program_count + WW_ARRAY_SIZE(programs) > WW_SCOPE_PROGRAMS_MAX)
		return -ENOSPC;
	for (size_t i = 0; i < WW_ARRAY_SIZE(programs); i++)
		scopes->programs[scopes->program_count++] = programs[i];
	scopes->generation[1] = (uint32_t *)&skel->bss->ww_generation;
	return 0;
}

int ww_guard_open(struct ww_wirewitness *other, struct ww_scopes *scopes, struct ww_guard_bpf **ret,
		  char *why, size_t cap)
{
	struct ww_guard_bpf *g;
	int r;

	if (!other->rodata->ww_has_fetch_add) {
		snprintf(why, cap, "the guard needs Linux 5.12 or later");
		return -ENOTSUP;
	}
	g = calloc(1, sizeof(*g));
	r = g ? load(g, other) : -ENOMEM;
	if (r == 0)
		r = add_programs(g->skel, scopes);
	if (r < 0) {
		snprintf(why, cap, "cannot load the guard: %s", strerror(-r));
		ww_guard_close(g);
		return r;
	}
	*ret = g;
	return 0;
}

void ww_guard_close(struct ww_guard_bpf *g)
{
	if (!g)
		return;
	bpf_link__destroy(g->sweep);
	if (g->totals)
		munmap((void *)g->totals, g->totals_bytes);
	ww_guard__destroy(g->skel);
	free(g);
}

/* --- lists -------------------------------------------------------------------------------------
 */

struct batch {
	struct ww_guard_key keys[BATCH];
	struct ww_guard_value values[BATCH];
};

/* One by one where the kernel takes no batches (before 5.14). */
static int put(int map, const struct batch *b, uint32_t count)
{
	LIBBPF_OPTS(bpf_map_batch_opts, o);
	uint32_t n = count;

	if (bpf_map_update_batch(map, b->keys, b->values, &n, &o) == 0)
		return 0;
	if (errno != ENOTSUPP_K && errno != EOPNOTSUPP && errno != EINVAL)
		return -errno;
	for (uint32_t i = 0; i < count; i++) {
		if (bpf_map_update_elem(map, &b->keys[i], &b->values[i], BPF_ANY) < 0)
			return -errno;
	}
	return 0;
}

int ww_guard_build(const struct ww_guard_list *list, uint32_t generation, enum ww_guard_mode mode,
		   int *ret_map)
{
	LIBBPF_OPTS(bpf_map_create_opts, o, .map_flags = BPF_F_NO_PREALLOC);
	WW_AUTO_FREE struct batch *b = malloc(sizeof(*b));
	WW_AUTO_FD int map = -1;
	const struct ww_guard_entry *e;
	uint32_t count, n = 0;
	int r = 0;

	if (!b)
		return -ENOMEM;
	e = ww_guard_list_entries(list, &count);
	map = bpf_map_create(BPF_MAP_TYPE_LPM_TRIE, "ww_guard_list", sizeof(b->keys[0]),
			     sizeof(b->values[0]), WW_GUARD_ENTRIES_MAX, &o);
	if (map < 0)
		return -errno;
	for (uint32_t i = 0; i < count && r == 0; i++) {
		b->keys[n].bits = e[i].bits;
		memcpy(b->keys[n].addr, e[i].addr, sizeof(e[i].addr));
		b->values[n++] = (struct ww_guard_value){e[i].deny, generation, mode};
		if (n < BATCH && i + 1 < count)
			continue;
		r = put(map, b, n);
		n = 0;
	}
	if (r < 0)
		return r;
	*ret_map = WW_TAKE_FD(map);
	return 0;
}

/* Returns when no program is in the middle of a decision that began before. */
static int put_slot(struct ww_guard_bpf *g, uint32_t slot, int map)
{
	return bpf_map_update_elem(bpf_map__fd(g->skel->maps.ww_guard_lists), &slot, &map,
				   BPF_ANY) < 0
		       ? -errno
		       : 0;
}

int ww_guard_swap(struct ww_guard_bpf *g, int base, int commands)
{
	uint32_t other = !g->skel->bss->ww_guard_pair;
	int r = put_slot(g, 2 * other + WW_GUARD_SLOT_BASE, base);

	if (r == 0)
		r = put_slot(g, 2 * other + WW_GUARD_SLOT_COMMANDS, commands);
	if (r < 0)
		return r;
	__atomic_store_n(&g->skel->bss->ww_guard_pair, other, __ATOMIC_SEQ_CST);
	/* It has a map already, so this cannot fail for want of memory; and it is in force. */
	(void)put_slot(g, WW_GUARD_SLOT_WAIT, commands);
	return 0;
}

/* --- and what it says --------------------------------------------------------------------------
 */

void ww_guard_sweep(struct ww_guard_bpf *g, bool all)
{
	WW_AUTO_FD int fd = bpf_iter_create(bpf_link__fd(g->sweep));
	char none[64];

	__atomic_store_n(&g->skel->bss->ww_guard_all, all, __ATOMIC_SEQ_CST);
	while (fd >= 0 && read(fd, none, sizeof(none)) > 0)
		;
}

int ww_guard_drop(struct ww_guard_bpf *g, uint64_t cookie)
{
	uint8_t one = 1;

	if (bpf_map_update_elem(bpf_map__fd(g->skel->maps.ww_guard_cut), &cookie, &one, BPF_ANY) <
	    0)
		return -errno;
	__atomic_store_n(&g->skel->bss->ww_guard_drops, 1, __ATOMIC_SEQ_CST);
	return 0;
}

uint64_t ww_guard_agents(const struct ww_guard_bpf *g, uint64_t cgroup)
{
	struct ww_scope_entry e = {.slot = 0};

	return bpf_map_lookup_elem(bpf_map__fd(g->skel->maps.ww_scope), &cgroup, &e) < 0 ? 0
											 : e.agents;
}

struct ww_guard_counts ww_guard_counts(const struct ww_guard_bpf *g)
{
	return (struct ww_guard_counts){
		.looked = __atomic_load_n(&g->totals->looked, __ATOMIC_RELAXED),
		.forbidden = __atomic_load_n(&g->totals->forbidden, __ATOMIC_RELAXED)};
}
