/* SPDX-License-Identifier: Apache-2.0 */
/*
 * floor returns|sites LIBRARY: the least that observing a TLS library costs. Attaches an empty
 * program, prints "ready", and detaches when its standard input ends. returns   at the entry and
 * the return of SSL_write and SSL_read: what observers usually do sites     at all sites of our own
 * plan for the data path (ENTRY and RESULT) Every process that maps this file pays: use a copy of
 * the library.
 */
#include <bpf/bpf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/perf_event.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>

#include "sense/elf.h"
#include "sense/site.h"

static int load_empty(void)
{
	static const struct bpf_insn code[] = {
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = 0},
		{.code = BPF_JMP | BPF_EXIT},
	};

	return bpf_prog_load(BPF_PROG_TYPE_KPROBE, "empty", "GPL", code, WW_ARRAY_SIZE(code), NULL);
}

static int probe_type(void)
{
	FILE *f = fopen("/sys/bus/event_source/devices/uprobe/type", "re");
	int type = -1;

	if (!f || fscanf(f, "%d", &type) != 1)
		type = -1;
	if (f)
		fclose(f);
	return type;
}

/* The descriptor stays open until the process ends. */
static int attach(int prog, const char *path, uint64_t offset, bool at_return)
{
	struct perf_event_attr a = {.size = sizeof(a),
				    .type = (uint32_t)probe_type(),
				    .config = at_return,
				    .uprobe_path = (uint64_t)(uintptr_t)path,
				    .probe_offset = offset};
	int fd = (int)syscall(SYS_perf_event_open, &a, -1, 0, -1, PERF_FLAG_FD_CLOEXEC);

	if (fd < 0 || ioctl(fd, PERF_EVENT_IOC_SET_BPF, prog) < 0 ||
	    ioctl(fd, PERF_EVENT_IOC_ENABLE, 0) < 0)
		return -errno;
	return 0;
}

static int attach_returns(int prog, const char *path, int fd)
{
	static const char *const names[] = {"SSL_write", "SSL_read"};
	WW_AUTO(ww_elf_free_auto) struct ww_elf *elf = NULL;
	int r = ww_elf_open(fd, &elf);

	for (size_t i = 0; r == 0 && i < WW_ARRAY_SIZE(names); i++) {
		struct ww_elf_symbol s;
		uint64_t offset;

		r = ww_elf_function(elf, names[i], &s);
		if (r == 0)
			r = ww_elf_offset(elf, s.vaddr, &offset);
		if (r == 0)
			r = attach(prog, path, offset, false);
		if (r == 0)
			r = attach(prog, path, offset, true);
	}
	return r;
}

static int attach_sites(int prog, const char *path, int fd)
{
	struct ww_tls_plan plan;
	int r = ww_site_plan(fd, &plan);

	if (r < 0)
		return r;
	for (unsigned i = 0; r == 0 && i < plan.site_count; i++)
		if (plan.sites[i].kind == WW_SITE_ENTRY || plan.sites[i].kind == WW_SITE_RESULT)
			r = attach(prog, path, plan.sites[i].offset, false);
	return r;
}

int main(int argc, char **argv)
{
	bool sites = argc == 3 && strcmp(argv[1], "sites") == 0;
	WW_AUTO_FD int fd = -1;
	int prog, r;

	if (argc != 3 || (!sites && strcmp(argv[1], "returns") != 0)) {
		fprintf(stderr, "usage: floor returns|sites LIBRARY\n");
		return 2;
	}
	fd = open(argv[2], O_RDONLY | O_CLOEXEC);
	prog = load_empty();
	r = fd < 0 || prog < 0 ? -errno
	    : sites            ? attach_sites(prog, argv[2], fd)
			       : attach_returns(prog, argv[2], fd);
	if (r < 0) {
		fprintf(stderr, "floor: %s: %s\n", argv[2], strerror(-r));
		return 1;
	}
	printf("ready\n");
	fflush(stdout);
	while (getchar() != EOF)
		;
	return 0;
}
