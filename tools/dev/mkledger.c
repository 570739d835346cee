/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Makes a ledger of numbered records for tests:
 *   mkledger [--batch N] [--bytes N] [--retry] [--keep DIR] [--erase INDEX]
 *            [--report FILE [--first N] [--last N]] LEDGER COUNT
 * --bytes makes the records so large, or a little larger; with --retry a commit that failed is
 * tried once more, as the daemon does.
 * --keep saves the checkpoint after every commit as DIR/<size>, as somebody outside the host would.
 * --report writes a signed report over the given range (default: all).
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>

#include "ledger/durable.h"
#include "ledger/ledger.h"
#include "ledger/report.h"
#include "wirewitness/limits.h"

#define PADDING_MAX 65000u

struct arguments {
	const char *ledger, *keep, *report;
	uint64_t count, batch, bytes, erase, first, last;
	bool retry;
};

static int complain(const char *what, const char *why)
{
	fprintf(stderr, "mkledger: %s: %s\n", what, why);
	return 1;
}

static int parse_arguments(int argc, char **argv, struct arguments *a)
{
	static const struct option options[] = {
		{"batch", required_argument, NULL, 'b'},
		{"bytes", required_argument, NULL, 's'},
		{"retry", no_argument, NULL, 't'},
		{"keep", required_argument, NULL, 'k'},
		{"erase", required_argument, NULL, 'e'},
		{"report", required_argument, NULL, 'r'},
		{"first", required_argument, NULL, 'f'},
		{"last", required_argument, NULL, 'l'},
		{NULL, 0, NULL, 0},
	};
	int c;

	*a = (struct arguments){.batch = 256, .erase = UINT64_MAX, .last = UINT64_MAX};
	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		uint64_t *number = c == 'b'   ? &a->batch
				   : c == 's' ? &a->bytes
				   : c == 'e' ? &a->erase
				   : c == 'f' ? &a->first
				   : c == 'l' ? &a->last
					      : NULL;

		if (c == '?')
			return 2;
		if (number && ww_slice_u64(ww_slice_str(optarg), number) < 0)
			return complain(optarg, "not a number");
		if (c == 't')
			a->retry = true;
		if (c == 'k')
			a->keep = optarg;
		if (c == 'r')
			a->report = optarg;
	}
	if (optind + 2 != argc || ww_slice_u64(ww_slice_str(argv[optind + 1]), &a->count) < 0 ||
	    a->batch == 0 || a->bytes > PADDING_MAX)
		return complain("usage", "mkledger [OPTIONS] LEDGER COUNT");
	a->ledger = argv[optind];
	return 0;
}

/* Records differ in length, hold quotes and non-ASCII text. */
static int append(const struct arguments *a, struct ww_ledger *l, uint64_t index)
{
	static const char filler[] = "0123456789abcdef0123456789abcdef0123456789abcdef";
	static char text[PADDING_MAX + 256];
	int n = snprintf(text, sizeof(text),
			 "{\"kind\":\"flow\",\"id\":\"f%" PRIu64
			 "\",\"note\":\"caf\xc3\xa9 \\\"%.*s\\\"\"%*s}",
			 index, (int)(index % (sizeof(filler) - 1)), filler, (int)a->bytes, "");

	return ww_ledger_append(l, index % 3 ? "flow" : "exchange", ww_slice(text, (size_t)n),
				NULL);
}

static int keep_checkpoint(const struct arguments *a, uint64_t size)
{
	char from[4096], to[4096];
	WW_AUTO_BUF struct ww_buf note = {0};
	WW_AUTO_FD int fd = -1;
	int r;

	if (!a->keep)
		return 0;
	ww_buf_init(&note, WW_NOTE_BYTES_MAX);
	snprintf(from, sizeof(from), "%s/checkpoint", a->ledger);
	snprintf(to, sizeof(to), "%s/%" PRIu64, a->keep, size);
	r = ww_durable_read(AT_FDCWD, from, &note);
	if (r < 0)
		return r;
	fd = open(to, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	return fd < 0 ? -errno : ww_durable_pwrite(fd, ww_buf_slice(&note), 0);
}

static int commit(const struct arguments *a, struct ww_ledger *l, uint64_t *ret_size)
{
	int r = ww_ledger_commit(l, ret_size);

	if (r < 0 && a->retry) {
		r = ww_ledger_retry(l);
		if (r == 0)
			r = ww_ledger_commit(l, ret_size);
	}
	return r;
}

static int fill(const struct arguments *a, struct ww_ledger *l)
{
	uint64_t size = ww_ledger_size(l);
	int r = keep_checkpoint(a, size);

	while (r == 0 && size < a->count) {
		for (uint64_t i = 0; r == 0 && i < a->batch && size + i < a->count; i++)
			r = append(a, l, size + i);
		if (r == 0)
			r = commit(a, l, &size);
		if (r == 0)
			r = keep_checkpoint(a, size);
	}
	return r;
}

static int write_report(const struct arguments *a, struct ww_ledger *l, struct ww_errtext *why)
{
	WW_AUTO(ww_ledger_reader_close_auto) struct ww_ledger_reader *reader = NULL;
	struct ww_report_input in = {
		.created_at = "2026-11-23T10:00:00Z",
		.sections.scope = WW_SLICE_LIT("{\"host\":\"test\"}"),
		.sections.coverage = WW_SLICE_LIT("{\"lost\":0}"),
		.first = a->first,
		.last = a->last < a->count ? a->last : a->count - 1,
	};
	WW_AUTO_BUF struct ww_buf out = {0};
	WW_AUTO_FD int fd = -1;
	int r;

	ww_buf_init(&out, WW_REPORT_BYTES_MAX);
	r = ww_ledger_reader_open(a->ledger, NULL, &reader, why);
	if (r == 0)
		r = ww_report_build(reader, &ww_ledger_keys(l)->signer, &in, &out, why);
	if (r < 0)
		return r;
	fd = open(a->report, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (fd < 0)
		return ww_errtext_errno(why, -errno, "cannot write %s", a->report);
	r = ww_durable_pwrite(fd, ww_buf_slice(&out), 0);
	return r < 0 ? ww_errtext_errno(why, r, "cannot write %s", a->report) : 0;
}

int main(int argc, char **argv)
{
	WW_AUTO(ww_ledger_close_auto) struct ww_ledger *l = NULL;
	struct ww_tlog_options o = {.origin = "wirewitness.test/xmod"};
	struct ww_errtext why = {""};
	struct arguments a;
	int r = parse_arguments(argc, argv, &a);

	if (r != 0)
		return r;
	o.dir = a.ledger;
	if (ww_ledger_open(&o, &l, &why) < 0)
		return complain(a.ledger, why.text);
	r = fill(&a, l);
	if (r == 0 && a.erase != UINT64_MAX)
		r = ww_ledger_erase(l, a.erase);
	if (r < 0)
		return complain(a.ledger,
				ww_ledger_stopped(l) ? ww_ledger_stopped(l) : strerror(-r));
	if (a.report && write_report(&a, l, &why) < 0)
		return complain(a.report, why.text);
	return 0;
}
