/* SPDX-License-Identifier: Apache-2.0 */
#include "sense/firing.h"

#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <stdlib.h>
#include <time.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "calib.skel.h"
#include "sense/probe.h"

#define UPROBE_MULTI_TYPE 48 /* enum bpf_attach_type since 6.6 */
#define ROUNDS            9u
#define HITS              200u

/* The probed function: a nop, which the kernel emulates on both machines. */
void ww_firing_target(const uint64_t *word);

__asm__(".text\n"
	".globl ww_firing_target\n"
	".type ww_firing_target, %function\n"
	"ww_firing_target:\n"
	"	nop\n"
	"	ret\n"
	".size ww_firing_target, . - ww_firing_target\n");

struct place {
	uintptr_t address;
	uint64_t offset; /* in the file; 0: not found */
};

/* The main program is the first object. */
static int find_offset(struct dl_phdr_info *info, size_t size, void *data)
{
	struct place *p = data;

	for (unsigned i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *h = &info->dlpi_phdr[i];
		uintptr_t begin = info->dlpi_addr + h->p_vaddr;

		if (h->p_type == PT_LOAD && p->address >= begin && p->address < begin + h->p_memsz)
			p->offset = p->address - begin + h->p_offset;
	}
	return 1;
}

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000ull + (uint64_t)ts.tv_nsec;
}

static int by_value(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

/* Median of ns per call. */
static uint64_t measure(const uint64_t *word)
{
	uint64_t rounds[ROUNDS];

	for (unsigned i = 0; i < ROUNDS; i++) {
		uint64_t begin = now_ns();

		for (unsigned k = 0; k < HITS; k++)
			ww_firing_target(word);
		rounds[i] = (now_ns() - begin) / HITS;
	}
	qsort(rounds, ROUNDS, sizeof(rounds[0]), by_value);
	return rounds[ROUNDS / 2];
}

static void skel_free(struct ww_calib **skel)
{
	ww_calib__destroy(*skel);
}

WW_DEFINE_AUTO(struct ww_probes, ww_probe_detach)

static int load(bool multi, uint64_t cookie, uint64_t word, struct ww_calib **ret_skel)
{
	WW_AUTO(skel_free) struct ww_calib *skel = ww_calib__open();
	int r;

	if (!skel)
		return -errno;
	skel->rodata->ww_c_cookie = cookie;
	skel->rodata->ww_c_word = word;
	if (multi)
		bpf_program__set_expected_attach_type(skel->progs.ww_c_probe,
						      (enum bpf_attach_type)UPROBE_MULTI_TYPE);
	r = ww_calib__load(skel);
	if (r == 0)
		*ret_skel = WW_TAKE(skel);
	return r;
}

int ww_firing_try(bool multi, bool cookie, struct ww_firing *ret_firing)
{
	static const uint64_t word = 0x7769746e657373ull;
	struct place place = {.address = (uintptr_t)ww_firing_target};
	WW_AUTO(ww_probe_detach_auto) struct ww_probes *probes = NULL;
	WW_AUTO(skel_free) struct ww_calib *skel = NULL;
	WW_AUTO_FD int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	struct ww_probe_programs programs = {.multi = multi};
	struct ww_tls_plan plan = {.site_count = 1};
	uint64_t value, bare_ns;
	int r;

	if (fd < 0)
		return -errno;
	dl_iterate_phdr(find_offset, &place);
	if (place.offset == 0)
		return -ENOENT;
	plan.sites[0] = (struct ww_site){.offset = place.offset, .kind = WW_SITE_ENTRY};
	r = ww_probe_cookie(&plan, &plan.sites[0], 1, &value);
	if (r == 0)
		r = load(multi, cookie ? value : 0, word, &skel);
	if (r < 0)
		return r;
	bare_ns = measure(&word);
	programs.by_kind[WW_SITE_ENTRY] = skel->progs.ww_c_probe;
	r = ww_probe_attach(&programs, fd, 1, &plan, &probes);
	if (r < 0)
		return r;
	value = measure(&word);
	*ret_firing = (struct ww_firing){
		.fires = skel->bss->ww_c_hits >= ROUNDS * HITS,
		.cookie = skel->bss->ww_c_cookies == skel->bss->ww_c_hits,
		.reads_user = skel->bss->ww_c_reads == skel->bss->ww_c_hits,
		.hit_ns = (uint32_t)(value > bare_ns ? value - bare_ns : 0),
	};
	return 0;
}
