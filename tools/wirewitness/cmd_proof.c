/* SPDX-License-Identifier: Apache-2.0 */
/* wirewitness proof INDEX|ID: one record's proof as a tlog-proof file, for anybody to check
 * offline. */
#include <argp.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>

#include "base/log.h"
#include "cmd.h"
#include "ledger/durable.h"
#include "ledger/proof_build.h"
#include "ledger/proof_file.h"
#include "records.h"

struct proof {
	const char *state_dir;
	const char *file;
	const char *what;
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct proof *p = state->input;

	switch (key) {
	case 'd':
		p->state_dir = arg;
		return 0;
	case 'O':
		p->file = arg;
		return 0;
	case ARGP_KEY_ARG:
		if (p->what)
			argp_error(state, "one record at a time: unexpected '%s'", arg);
		p->what = arg;
		return 0;
	case ARGP_KEY_END:
		if (!p->what)
			argp_error(state, "an ID or a ledger INDEX is missing");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp_option argp_options[] = {
	{"output", 'O', "FILE", 0, "a new file for the proof (default: standard output)", 0},
	{"state", 'd', "DIR", 0, "state directory of the daemon (default " WW_STATE_DIR ")", 0},
	{0},
};

static const struct argp argp = {argp_options,
				 parse,
				 "INDEX|ID",
				 "Writes the proof that one record is in the signed ledger, with "
				 "the record. It is made in the "
				 "checkpoint that witnesses cosigned, when that covers the record.",
				 NULL,
				 NULL,
				 NULL};

/* A proof may hold what is not everybody's business: 0600, and no file is replaced. */
static int put(const char *path, struct ww_slice content)
{
	WW_AUTO_FD int fd = -1;
	int r;

	if (!path) {
		if (fwrite(content.p, 1, content.n, stdout) != content.n || fflush(stdout) != 0)
			return ww_log_err_r(-errno, "cannot write the proof");
		return 0;
	}
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0 && errno == EEXIST) {
		ww_log(WW_LOG_ERR, "%s exists, and no proof is overwritten", path);
		return -EEXIST;
	}
	if (fd < 0)
		return ww_log_err_r(-errno, "cannot make %s", path);
	r = ww_durable_pwrite(fd, content, 0);
	if (r == 0 && fsync(fd) < 0)
		r = -errno;
	return r < 0 ? ww_log_err_r(r, "cannot write %s", path) : 0;
}

static int make(const struct proof *p, struct ww_records *records, uint64_t index)
{
	WW_AUTO_BUF struct ww_buf out;
	struct ww_errtext why = {""};
	uint64_t size;
	int r;

	ww_buf_init(&out, WW_PROOF_FILE_BYTES_MAX);
	r = ww_proof_build(p->state_dir, records->reader, index, &out, &size, &why);
	if (r < 0) {
		ww_log(WW_LOG_ERR, "%s", why.text);
		return r;
	}
	r = put(p->file, ww_buf_slice(&out));
	if (r == 0 && p->file)
		fprintf(stderr, "record %llu, proved in a tree of %llu records: %s\n",
			(unsigned long long)index, (unsigned long long)size, p->file);
	return r;
}

int ww_cmd_proof(int argc, char **argv)
{
	struct proof p = {.state_dir = WW_STATE_DIR};
	struct ww_records records;
	uint64_t index;
	bool absent;
	int r;

	if (argp_parse(&argp, argc, argv, 0, NULL, &p) != 0)
		return WW_EXIT_USAGE;
	if (ww_records_open(p.state_dir, &records) < 0)
		return WW_EXIT_UNABLE;
	r = ww_records_find(&records, p.what, &index);
	if (r == 0 && index >= ww_records_size(&records))
		r = -ENOENT;
	if (r == -ENOTUNIQ)
		ww_log(WW_LOG_ERR, "several ids begin with '%s'", p.what);
	else if (r < 0)
		ww_log(WW_LOG_ERR, "no record '%s'", p.what);
	absent = r == -ENOENT || r == -ENOTUNIQ;
	if (r == 0) {
		r = make(&p, &records, index);
		absent = r == -ENODATA || r == -EEXIST;
	}
	ww_records_close(&records);
	if (absent)
		return WW_EXIT_NO;
	return r < 0 ? WW_EXIT_UNABLE : 0;
}
