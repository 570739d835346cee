/* SPDX-License-Identifier: Apache-2.0 */
#include "spool.h"

#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>

#include <wirewitness/limits.h>

#include "base/log.h"
#include "client.h"
#include "out/member.h"

struct ww_spool {
	FILE *file;
	uint64_t count, cap;
	uint64_t *ends; /* of each record's bytes in the file; an empty one has no content */
	struct ww_buf record;
};

static int remember_end(struct ww_spool *s, uint64_t end)
{
	if (s->count == s->cap) {
		uint64_t cap = s->cap ? 2 * s->cap : 4096;
		uint64_t *more = realloc(s->ends, cap * sizeof(*more));

		if (!more)
			return -ENOMEM;
		s->ends = more;
		s->cap = cap;
	}
	s->ends[s->count++] = end;
	return 0;
}

static int take(struct ww_spool *s, struct ww_record_index *index, struct ww_slice line)
{
	uint64_t cursor, before = s->count ? s->ends[s->count - 1] : 0;
	struct ww_json_token v, kind;
	struct ww_slice json;
	int r;

	if (ww_json_path(line, "$.cursor", &v, NULL) != WW_PARSE_DONE ||
	    ww_json_u64(&v, &cursor) < 0 || cursor != s->count ||
	    ww_json_path(line, "$.record", &v, &json) != WW_PARSE_DONE)
		return -EPROTO;
	if (v.type != WW_JSON_OBJECT)
		json.n = 0;
	if (json.n > WW_RECORD_BYTES_MAX || fwrite(json.p, 1, json.n, s->file) != json.n)
		return json.n > WW_RECORD_BYTES_MAX ? -EPROTO : -EIO;
	r = remember_end(s, before + json.n);
	kind = ww_member_get(json, "kind");
	return r < 0 ? r : ww_record_index_add(index, cursor, kind.raw, json);
}

static int fetch(struct ww_spool *s, const char *path, struct ww_record_index *index)
{
	WW_AUTO(ww_client_close) struct ww_client c = {.fd = -1};
	struct ww_slice line, answer;
	char error[256] = "";
	int r = ww_client_open(path, &c);

	if (r == 0)
		r = ww_client_ask(&c, "{\"op\":\"tail\",\"from\":0}", &answer, error,
				  sizeof(error));
	if (r == -EREMOTEIO)
		ww_log(WW_LOG_ERR, "the daemon refuses: %s", error);
	if (r < 0) {
		ww_client_explain(path, r);
		return r;
	}
	if (shutdown(c.fd, SHUT_WR) < 0) /* what is there by now, then the end */
		return ww_log_err_r(-errno, "cannot ask the daemon");
	while ((r = ww_client_line(&c, &line)) == 0 && (r = take(s, index, line)) == 0)
		;
	if (r == -EPIPE && c.in.n == 0) /* not inside of a line */
		r = fflush(s->file) == 0 ? 0 : -EIO;
	return r < 0 ? ww_log_err_r(r, "cannot take the records of the daemon") : 0;
}

int ww_spool_open(const char *socket_path, struct ww_record_index *index,
		  struct ww_spool **ret_spool)
{
	struct ww_spool *s = calloc(1, sizeof(*s));
	int r;

	if (!s)
		return ww_log_err_r(-ENOMEM, "cannot take the records of the daemon");
	ww_buf_init(&s->record, WW_RECORD_BYTES_MAX);
	s->file = tmpfile();
	r = s->file ? 0 : ww_log_err_r(-errno, "cannot make a temporary file");
	if (r == 0)
		r = fetch(s, socket_path, index);
	if (r < 0) {
		ww_spool_close(s);
		return r;
	}
	*ret_spool = s;
	return 0;
}

void ww_spool_close(struct ww_spool *s)
{
	if (!s)
		return;
	if (s->file)
		(void)fclose(s->file); /* nobody reads it any more */
	ww_buf_done(&s->record);
	free(s->ends);
	free(s);
}

uint64_t ww_spool_size(const struct ww_spool *s)
{
	return s->count;
}

int ww_spool_get(struct ww_spool *s, uint64_t index, struct ww_slice *ret_json)
{
	uint64_t at;
	uint8_t *p;
	size_t n;
	int r;

	if (index >= s->count)
		return -ERANGE;
	at = index ? s->ends[index - 1] : 0;
	n = (size_t)(s->ends[index] - at);
	if (n == 0)
		return -ENOENT;
	ww_buf_clear(&s->record);
	r = ww_buf_reserve(&s->record, n, &p);
	if (r < 0)
		return r;
	if (pread(fileno(s->file), p, n, (off_t)at) != (ssize_t)n)
		return -EIO;
	s->record.n = n;
	*ret_json = ww_buf_slice(&s->record);
	return 0;
}
