/* SPDX-License-Identifier: Apache-2.0 */
#include "publish.h"

#include <errno.h>
#include <stdio.h>
#include <sys/random.h>

#include <wirewitness/limits.h>

#include "authority.h"
#include "base/encode.h"
#include "base/log.h"
#include "client.h"
#include "ledger/bundle.h"
#include "ledger/leaf.h"
#include "ledger/ledger.h"
#include "ledger/timestamp.h"

struct job {
	const struct ww_publish_input *in;
	struct ww_dsse envelope;
	struct ww_sha256 payload;
	struct ww_buf entry, stamp;
	uint64_t index;
};

/* --- into the log -------------------------------------------------------------------------------
 */

/* Nobody else writes: append and commit. */
static int append_here(struct job *j)
{
	WW_AUTO(ww_ledger_close_auto) struct ww_ledger *l = NULL;
	struct ww_tlog_options o = {.dir = j->in->state_dir};
	WW_AUTO_BUF struct ww_buf record = {0};
	struct ww_errtext why = {""};
	int r = ww_ledger_open(&o, &l, &why);

	if (r < 0) {
		ww_log(WW_LOG_ERR, "cannot put the report into the ledger: %s%s", why.text,
		       r == -EBUSY ? "; give --socket where its daemon answers" : "");
		return r;
	}
	ww_buf_init(&record, 2 * WW_LEAF_BYTES_MAX);
	r = ww_bundle_record(&j->payload, ww_buf_slice(&j->entry), j->in->created_at, &record);
	if (r == 0)
		r = ww_ledger_append(l, WW_LEAF_REPORT, ww_buf_slice(&record), &j->index);
	if (r == 0)
		r = ww_ledger_commit(l, NULL);
	return r < 0 ? ww_log_err_r(r, "cannot put the report into the ledger") : 0;
}

/* The stream's next lines, until the record with our entry comes. */
static int wait_for_entry(struct job *j, struct ww_client *c)
{
	for (;;) {
		struct ww_slice line, record, entry;
		struct ww_json_token t;
		int r = ww_client_line(c, &line);

		if (r < 0)
			return r;
		if (ww_json_path(line, "$.record", &t, &record) != WW_PARSE_DONE ||
		    ww_leaf_entry(record, &entry) < 0 ||
		    !ww_slice_eq(entry, ww_buf_slice(&j->entry)))
			continue;
		if (ww_json_path(line, "$.cursor", &t, NULL) != WW_PARSE_DONE ||
		    ww_json_u64(&t, &j->index) < 0)
			return -EPROTO;
		return 0;
	}
}

static int ask_daemon(struct job *j, struct ww_client *c)
{
	char digest[2 * WW_SHA256_LEN + 1], sig[2 * WW_NOTE_SIG_LEN + 1];
	char request[512], error[256];
	struct ww_slice answer;
	struct ww_json_token t;
	uint64_t next;
	int r;

	ww_hex_encode(ww_slice(j->payload.b, sizeof(j->payload.b)), digest);
	ww_hex_encode(ww_slice(j->envelope.signature[0], WW_NOTE_SIG_LEN), sig);
	snprintf(request, sizeof(request),
		 "{\"op\":\"publish\",\"payload\":\"%s\",\"signature\":\"%s\"}", digest, sig);
	r = ww_client_ask(c, request, &answer, error, sizeof(error));
	if (r == 0 && (ww_json_path(answer, "$.next", &t, NULL) != WW_PARSE_DONE ||
		       ww_json_u64(&t, &next) < 0))
		r = -EPROTO;
	if (r == 0) {
		snprintf(request, sizeof(request), "{\"op\":\"tail\",\"from\":%llu}",
			 (unsigned long long)next);
		r = ww_client_ask(c, request, &answer, error, sizeof(error));
	}
	if (r == -EREMOTEIO)
		ww_log(WW_LOG_ERR, "the daemon says: %s", error);
	return r < 0 ? r : wait_for_entry(j, c);
}

/* Does the daemon at the socket keep this ledger? Another one would log the report elsewhere. */
static int append_there(struct job *j)
{
	struct ww_client c = {.fd = -1};
	int r = ww_client_open(j->in->socket_path, &c);

	if (r == 0)
		r = ask_daemon(j, &c);
	ww_client_close(&c);
	return r;
}

static int append(struct job *j)
{
	struct ww_errtext why = {""};
	int r = append_there(j);

	if (r == -ENOENT || r == -ECONNREFUSED)
		r = append_here(j);
	else if (r < 0)
		ww_client_explain(j->in->socket_path, r);
	if (r < 0)
		return r;
	r = ww_ledger_reader_refresh(j->in->records->reader, NULL, &why);
	if (r < 0)
		ww_log(WW_LOG_ERR, "%s", why.text);
	return r;
}

/* --- the time stamp -----------------------------------------------------------------------------
 */

/* Leaves j->stamp empty when none came, and says so. */
static void get_stamp(struct job *j)
{
	const struct ww_publish_input *in = j->in;
	const struct ww_slice *ca = in->stamp_ca.n ? &in->stamp_ca : NULL;
	const uint8_t *sig = j->envelope.signature[0];
	WW_AUTO_BUF struct ww_buf query = {0};
	struct ww_errtext why = {""};
	char when[WW_RFC3339_MAX];
	uint64_t nonce;
	int r;

	if (!in->stamp_url && !in->stamp_command)
		return;
	ww_buf_init(&query, 4096);
	if (getrandom(&nonce, sizeof(nonce), 0) != sizeof(nonce))
		r = ww_errtext_set(&why, -EIO, "cannot get random bytes");
	else
		r = ww_timestamp_query(sig, nonce, &query);
	if (r == 0)
		r = in->stamp_url ? ww_authority_http(in->stamp_url, ww_buf_slice(&query),
						      &j->stamp, &why)
				  : ww_authority_command(in->stamp_command, ww_buf_slice(&query),
							 &j->stamp, &why);
	if (r == 0)
		r = ww_timestamp_check(ww_buf_slice(&j->stamp), sig, &nonce, ca, when, &why);
	if (r == 0) {
		printf("time stamp: %s%s\n", when,
		       ca ? "" : " (who signed it was not checked: no --timestamp-ca)");
		return;
	}
	ww_buf_clear(&j->stamp);
	ww_log(WW_LOG_WARN, "the report has no time stamp: %s",
	       why.text[0] ? why.text : strerror(-r));
}

/* --- the bundle ---------------------------------------------------------------------------------
 */

static int write_bundle(struct job *j, struct ww_buf *out)
{
	struct ww_ledger_reader *reader = j->in->records->reader;
	struct ww_merkle_proof proof;
	struct ww_slice leaf;
	struct ww_bundle_input in = {
		.envelope = j->in->envelope,
		.key = ww_ledger_reader_key(reader),
		.entry = ww_buf_slice(&j->entry),
		.index = j->index,
		.proof = &proof,
		.head = ww_ledger_reader_head(reader),
		.note = ww_ledger_reader_note(reader),
		.stamp = ww_buf_slice(&j->stamp),
	};
	int r = ww_ledger_reader_leaf(reader, j->index, &leaf);

	if (r == 0 && !ww_slice_eq(leaf, in.entry))
		r = -EUCLEAN;
	if (r == 0)
		r = ww_ledger_reader_prove(reader, j->index, leaf, &proof);
	if (r < 0)
		return ww_log_err_r(r, "cannot prove that the report is in the ledger");
	r = ww_bundle_write(&in, out);
	return r < 0 ? ww_log_err_r(r, "cannot write the bundle") : 0;
}

static int publish(struct job *j, struct ww_buf *out)
{
	struct ww_errtext why = {""};
	int r = ww_dsse_parse(j->in->envelope, WW_REPORT_BYTES_MAX, NULL, &j->envelope, &why);

	if (r < 0) {
		ww_log(WW_LOG_ERR, "%s", why.text);
		return r;
	}
	ww_sha256(j->envelope.payload, &j->payload);
	r = ww_bundle_entry(&j->payload, j->envelope.signature[0],
			    ww_ledger_reader_key(j->in->records->reader), &j->entry);
	if (r < 0)
		return ww_log_err_r(r, "cannot write the bundle");
	r = append(j);
	if (r < 0)
		return r;
	get_stamp(j);
	return write_bundle(j, out);
}

int ww_publish(const struct ww_publish_input *in, struct ww_buf *out, bool *ret_stamped)
{
	struct job j = {.in = in};
	int r;

	ww_buf_init(&j.entry, WW_LEAF_BYTES_MAX);
	ww_buf_init(&j.stamp, WW_AUTHORITY_REPLY_MAX);
	r = publish(&j, out);
	*ret_stamped = r == 0 && j.stamp.n > 0;
	ww_dsse_done(&j.envelope);
	ww_buf_done(&j.entry);
	ww_buf_done(&j.stamp);
	return r;
}
