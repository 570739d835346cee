/* SPDX-License-Identifier: Apache-2.0 */
#include "sense/stdio_site.h"

#include <errno.h>
#include <string.h>

#include "base/slice.h"
#include "sense/code.h"

static const struct function {
	const char *name;
	enum ww_stdio_call call;
	bool optional; /* not every C library has it */
} functions[] = {
	{"read", WW_STDIO_READS, false},
	{"write", WW_STDIO_WRITES, false},
	{"readv", WW_STDIO_READSV, false},
	{"writev", WW_STDIO_WRITESV, false},
	{"recv", WW_STDIO_RECEIVES, false},
	{"recvfrom", WW_STDIO_RECEIVES, false},
	{"send", WW_STDIO_WRITES, false},
	{"sendto", WW_STDIO_WRITES, false},
	{"recvmsg", WW_STDIO_RECEIVES_M, false},
	{"sendmsg", WW_STDIO_SENDS_M, false},
	/* With the offset -1 they are readv and writev. */
	{"preadv64v2", WW_STDIO_READSV, true},
	{"pwritev64v2", WW_STDIO_WRITESV, true},
	/* Of streams that were opened with "c". */
	{"__read_nocancel", WW_STDIO_READS, true},
	{"__write_nocancel", WW_STDIO_WRITES, true},
	{"splice", WW_STDIO_SPLICES, true},
	{"tee", WW_STDIO_TEES, true},
	{"vmsplice", WW_STDIO_VMSPLICES, true},
	{"sendfile64", WW_STDIO_SENDFILES, true},
};

/* The most that is looked at of one site: syscall, cmp, the begin of the jump. */
#define PATTERN_BYTES 8u

static bool is_syscall(const uint8_t *code)
{
	return code[0] == 0x0f && code[1] == 0x05;
}

/* cmp $-4096,%rax goes with ja, cmp $-4095,%rax with jae: both jump when the result is an error. */
static bool is_compared(const uint8_t *cmp, const uint8_t *jump)
{
	static const uint8_t head[] = {0x48, 0x3d}, tail[] = {0xf0, 0xff, 0xff};
	uint8_t low = cmp[2], condition = jump[0] == 0x0f ? jump[1] & 0x0f : jump[0] & 0x0f;

	return memcmp(cmp, head, sizeof(head)) == 0 && memcmp(cmp + 3, tail, sizeof(tail)) == 0 &&
	       ((low == 0 && condition == 0x07) || (low == 1 && condition == 0x03));
}

static int add_site(const struct ww_elf *e, uint64_t vaddr, enum ww_stdio_call call,
		    struct ww_stdio_plan *plan)
{
	struct ww_stdio_site *s = &plan->sites[plan->count];

	if (plan->count == WW_STDIO_SITES_MAX || ww_elf_offset(e, vaddr, &s->offset) < 0)
		return -ENOTSUP;
	for (unsigned i = 0; i < plan->count; i++) {
		if (plan->sites[i].offset == s->offset) /* two names of one function */
			return 0;
	}
	s->call = call;
	plan->count++;
	return 0;
}

/* The jump behind the system call at insns[i]. */
static int take_syscall(const struct ww_elf *e, const struct ww_code *c, size_t i,
			const uint8_t *code, size_t n, enum ww_stdio_call call,
			struct ww_stdio_plan *plan)
{
	const struct ww_code_insn *cmp = &c->insns[i + 1], *jump = &c->insns[i + 2];

	if (i + 2 >= c->count || !jump->emulated || cmp->joined || jump->joined ||
	    cmp->bytes != 6 || cmp->at != c->insns[i].at + 2 || jump->at != cmp->at + 6 ||
	    jump->at + 2 > n || !is_compared(code + cmp->at, code + jump->at))
		return -ENOTSUP;
	return add_site(e, c->vaddr + jump->at, call, plan);
}

static int take_function(struct ww_elf *e, const struct function *f, struct ww_stdio_plan *plan)
{
	WW_AUTO(ww_code_free_auto) struct ww_code *c = NULL;
	uint8_t code[WW_CODE_BYTES_MAX + PATTERN_BYTES];
	unsigned before = plan->count;
	struct ww_elf_symbol s;
	size_t n;
	int r;

	r = ww_elf_function(e, f->name, &s);
	if (r < 0)
		return r == -ENOENT && f->optional ? 0 : r;
	r = ww_code_walk(e, s, false, &c);
	if (r == 0)
		r = ww_elf_code(e, s.vaddr, code, sizeof(code), &n);
	for (size_t i = 0; r == 0 && i < c->count; i++) {
		if (c->insns[i].at + PATTERN_BYTES <= n && is_syscall(code + c->insns[i].at))
			r = take_syscall(e, c, i, code, n, f->call, plan);
	}
	return r == 0 && plan->count == before ? -ENOTSUP : r;
}

int ww_stdio_plan(int fd, struct ww_stdio_plan *ret_plan)
{
	WW_AUTO(ww_elf_free_auto) struct ww_elf *e = NULL;
	struct ww_stdio_plan plan = {0};
	int r = ww_elf_open(fd, &e);

	if (r < 0)
		return r;
	for (unsigned i = 0; i < WW_ARRAY_SIZE(functions); i++) {
		r = take_function(e, &functions[i], &plan);
		if (r < 0)
			return r;
	}
	*ret_plan = plan;
	return 0;
}
