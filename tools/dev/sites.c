/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sites FILE...: prints the probe plan of TLS library files, one line per site with the instruction
 * it sits on. -t: tab-separated "kind offset flags symbol" only, for scripts. -g: the functions
 * that the table of a Go program lists instead, "address size name".
 */
#include "sense/elf.h"
#include "sense/pclntab.h"
#include "sense/site.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <Zydis/Zydis.h>

static const char *const kinds[] = {"ENTRY", "RESULT", "PREFIX", "FREE", "PAYLOAD", "RECORD"};

static void print_insn(int fd, uint64_t offset)
{
	uint8_t code[ZYDIS_MAX_INSTRUCTION_LENGTH];
	ZydisDisassembledInstruction d;
	ssize_t n = pread(fd, code, sizeof(code), (off_t)offset);

	if (n > 0 && ZYAN_SUCCESS(ZydisDisassembleATT(ZYDIS_MACHINE_MODE_LONG_64, offset, code,
						      (size_t)n, &d)))
		printf("  %s", d.text);
}

static void print_site(int fd, const struct ww_site *s, bool table)
{
	char flags[32];

	snprintf(flags, sizeof(flags), "%s%s%s%s%s%s", s->dir == WW_DIR_OUT ? "o" : "i",
		 s->has_done ? "d" : "", s->done_r8 ? "8" : "", s->len32 ? "l" : "",
		 s->same_sp ? "s" : "", s->emulated ? "e" : "");
	if (table) {
		printf("%s\t%" PRIu64 "\t%s\t%" PRId32 "\t%s\n", kinds[s->kind], s->offset, flags,
		       s->sp_bytes, s->symbol);
		return;
	}
	printf("  %-6s %-13s 0x%08" PRIx64 " %-6s sp%+-5" PRId32 " %s", kinds[s->kind], s->symbol,
	       s->offset, flags, s->sp_bytes, s->emulated ? "emulated" : "stepped ");
	print_insn(fd, s->offset);
	printf("\n");
}

static int print_plan(const char *path, bool table)
{
	static const char *const modes[] = {"none", "direct", "deref"};
	WW_AUTO_FD int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct ww_tls_plan plan;
	int r;

	r = fd < 0 ? -errno : ww_site_plan(fd, &plan);
	if (r < 0) {
		fprintf(stderr, "%s: %s\n", path,
			fd >= 0 && r == -ENOENT ? "no TLS API" : strerror(-r));
		return r;
	}
	if (!table)
		printf("%s\n  random %s 0x%x 0x%x%s%s\n", path, modes[plan.random_mode],
		       plan.random_off1, plan.random_off2, plan.refused[0] ? "  REFUSED " : "",
		       plan.refused);
	for (unsigned i = 0; i < plan.site_count; i++)
		print_site(fd, &plan.sites[i], table);
	return 0;
}

static int print_go(const char *path)
{
	WW_AUTO_FD int fd = open(path, O_RDONLY | O_CLOEXEC);
	WW_AUTO(ww_elf_free_auto) struct ww_elf *e = NULL;
	WW_AUTO_FREE uint8_t *bytes = NULL;
	struct ww_parse_error error = {0, "not a Go program"};
	struct ww_pclntab_function fn;
	enum ww_parse r = WW_PARSE_BAD;
	struct ww_pclntab t;
	size_t n = 0;

	if (fd >= 0 && ww_elf_open(fd, &e) == 0 && ww_elf_section(e, ".gopclntab", &bytes, &n) == 0)
		r = ww_pclntab_open(ww_slice(bytes, n), &t, &error);
	for (uint64_t i = 0; r == WW_PARSE_DONE; i++) {
		r = ww_pclntab_at(&t, i, &fn, &error);
		if (r == WW_PARSE_DONE)
			printf("%" PRIx64 " %" PRIu64 " %.*s\n", fn.vaddr, fn.size, (int)fn.name.n,
			       (const char *)fn.name.p);
	}
	if (r != WW_PARSE_END)
		fprintf(stderr, "%s: %s\n", path, r == WW_PARSE_BAD ? error.reason : "cut short");
	return r == WW_PARSE_END ? 0 : -EINVAL;
}

int main(int argc, char **argv)
{
	bool table = argc > 1 && strcmp(argv[1], "-t") == 0;
	bool go = argc > 1 && strcmp(argv[1], "-g") == 0;
	int failed = 0;

	if (argc < 2 + (table || go)) {
		fprintf(stderr, "usage: sites [-t|-g] FILE...\n");
		return 2;
	}
	for (int i = 1 + (table || go); i < argc; i++)
		failed |= (go ? print_go(argv[i]) : print_plan(argv[i], table)) < 0;
	return failed;
}
