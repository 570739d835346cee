/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Invariants:
 *  1. A check starts as skipped and becomes passed only at the one place that saw all of it.
 *  2. Nothing of the payload but the name of the key is read before its signature was found good,
 * and that name is used only when the caller trusts no key.
 *  3. The payload that is read is the one that was signed: the envelope is parsed once.
 */
#include "ledger/report_verify.h"

#include <errno.h>
#include <inttypes.h>

#include "ledger/dsse.h"
#include "ledger/fields.h"
#include "ledger/report_leaves.h"
#include "ledger/sampling.h"
#include "ledger/timestamp.h"
#include "ledger/wording.h"
#include "wirewitness/limits.h"

#define NAME_(n, name, text) name,

const char *ww_report_check_name(enum ww_report_check_id id)
{
	static const char *const names[] = {WW_REPORT_CHECKS(NAME_)};

	return names[id];
}

#define MEANING_(n, name, text) text,

static void pass(struct ww_report_result *res, enum ww_report_check_id id)
{
	static const char *const meaning[] = {WW_REPORT_CHECKS(MEANING_)};

	res->checks[id].state = WW_REPORT_PASSED;
	ww_errtext_set(&res->checks[id].text, 0, "%s", meaning[id]);
}

/* Marks the check failed; its text is already set or set by the caller. */
static struct ww_errtext *fail(struct ww_report_result *res, enum ww_report_check_id id)
{
	res->checks[id].state = WW_REPORT_FAILED;
	return &res->checks[id].text;
}

/* --- envelope ------------------------------------------------------------------------------------
 */

/* The key that the payload names, for a caller that trusts none. */
static bool named_key(struct ww_slice payload, struct ww_note_key *ret_key)
{
	struct ww_json_token t;

	return ww_json_path(payload, "$.predicate.ledger.vkey", &t, NULL) == WW_PARSE_DONE &&
	       t.type == WW_JSON_STRING && ww_note_key_parse(t.raw, ret_key) == 0;
}

/* Without a trusted key: the one that the report names, and trust stays open. */
static void take_named_key(struct ww_report_result *res)
{
	struct ww_errtext *text = fail(res, WW_REPORT_CHECK_KEY);
	char vkey[WW_NOTE_KEY_TEXT_MAX];

	res->has_key = named_key(res->payload, &res->key);
	if (!res->has_key) {
		ww_errtext_set(text, 0, "no trusted key was given and the report names none");
		return;
	}
	ww_note_key_text(&res->key, vkey);
	ww_errtext_set(text, 0,
		       "no trusted key was given: the report names %s, trust is not established",
		       vkey);
}

/* Not signed by the trusted key: say so when the report itself names another. */
static void blame_key(struct ww_report_result *res)
{
	struct ww_note_key named;

	if (!named_key(res->payload, &named) || ww_note_key_equal(&named, &res->key))
		return;
	ww_errtext_set(fail(res, WW_REPORT_CHECK_KEY), 0,
		       "the report names %.100s+%08x, the trusted key is %.100s+%08x", named.name,
		       named.id, res->key.name, res->key.id);
}

/* The key of the chain that the report names; the newest when it names none of them. */
static const struct ww_note_key *pick(const struct ww_keychain *chain, struct ww_report_result *res)
{
	const struct ww_keychain_key *k = NULL;
	struct ww_note_key named;

	if (named_key(res->payload, &named))
		k = ww_keychain_find(chain, &named);
	if (!k)
		k = &chain->keys[chain->n - 1];
	res->key_first = k->first;
	res->key_last = k->last;
	if (k < &chain->keys[chain->n - 1])
		memcpy(res->key_until, k[1].since, sizeof(res->key_until));
	return &k->key;
}

static void pass_key(struct ww_report_result *res)
{
	pass(res, WW_REPORT_CHECK_KEY);
	if (res->key_last < WW_MERKLE_SIZE_MAX)
		ww_errtext_set(&res->checks[WW_REPORT_CHECK_KEY].text, 0,
			       "signed by key %08x of the trusted log, replaced at %" PRIu64
			       " records: who has got hold of it since can have made this report",
			       res->key.id, res->key_last);
}

static int check_signature(struct ww_dsse *d, const struct ww_report_options *trust,
			   struct ww_report_result *res)
{
	const struct ww_note_key *trusted = trust->chain ? pick(trust->chain, res) : trust->key;
	int r;

	if (trusted) {
		res->key = *trusted;
		res->has_key = true;
	} else {
		take_named_key(res);
	}
	r = res->has_key ? ww_dsse_verify(d, &res->key) : -EBADMSG;
	if (r == -ENOMEM)
		return r;
	if (r == 0) {
		pass(res, WW_REPORT_CHECK_SIGNATURE);
		if (trusted)
			pass_key(res);
		return 0;
	}
	if (trusted)
		blame_key(res);
	if (res->has_key)
		ww_errtext_set(fail(res, WW_REPORT_CHECK_SIGNATURE), 0,
			       "no signature by %s+%08x over these bytes", res->key.name,
			       res->key.id);
	return 0;
}

/* Marks a check as having nothing to look at. */
static void absent(struct ww_report_result *res, enum ww_report_check_id id, const char *why)
{
	res->checks[id].state = WW_REPORT_ABSENT;
	ww_errtext_set(&res->checks[id].text, 0, "%s", why);
}

/* Reads the envelope: the file, or in a bundle. A bare one, which is a large file's form, in one
 * pass. */
static int unwrap(struct ww_slice file, struct ww_buf *over, struct ww_report_result *res,
		  struct ww_dsse *d, struct ww_errtext *text)
{
	struct ww_field f[WW_DSSE_FIELDS + 1], *bundle = &f[WW_DSSE_FIELDS];
	int r;

	if (file.n > WW_REPORT_BYTES_MAX)
		return ww_errtext_set(text, -EMSGSIZE, "the file is over %u bytes",
				      WW_REPORT_BYTES_MAX);
	ww_dsse_fields(f);
	ww_bundle_field(bundle);
	r = ww_fields_read(file, "the envelope", f, WW_DSSE_FIELDS + 1, NULL);
	if ((r < 0 || bundle->found) && ww_bundle_is(file)) {
		r = ww_bundle_parse(file, &res->bundle, text);
		if (r < 0)
			return r;
		return ww_dsse_parse(res->bundle.envelope, WW_REPORT_BYTES_MAX, over, d, text);
	}
	absent(res, WW_REPORT_CHECK_BUNDLE, "the file is a bare envelope");
	if (r < 0) /* again, for its own words */
		return ww_dsse_parse(file, WW_REPORT_BYTES_MAX, over, d, text);
	return ww_dsse_take(f, WW_REPORT_BYTES_MAX, over, d, text);
}

/*
 * Whether the time is after the end of a replaced key. Both are RFC 3339 UTC and are compared in
 * whole seconds, which is what time stamps have.
 */
static bool outlived(const struct ww_report_result *res, struct ww_slice time)
{
	const size_t seconds = sizeof("2026-11-27T10:00:00") - 1;

	return res->key_until[0] &&
	       (time.n < seconds || memcmp(time.p, res->key_until, seconds) > 0);
}

/* A replaced key vouches for no tree and no time beyond its end, here as in the statement. */
static int check_bundle_key(const struct ww_dsse *d, const struct ww_report_result *res,
			    struct ww_errtext *text)
{
	const struct ww_bundle *b = &res->bundle;
	char when[WW_RFC3339_MAX];
	int r;

	if (b->proof_size < res->key_first || b->proof_size > res->key_last)
		return ww_errtext_set(text, -EINVAL,
				      "its checkpoint is of %" PRIu64
				      " records, key %08x speaks for %" PRIu64 " to %" PRIu64,
				      b->proof_size, res->key.id, res->key_first, res->key_last);
	for (size_t i = 0; i < b->n_stamps; i++) {
		r = ww_timestamp_check(b->stamps[i], d->signature[0], NULL, NULL, when, text);
		if (r < 0)
			return r;
		if (outlived(res, ww_slice_str(when)))
			return ww_errtext_set(text, -EINVAL,
					      "a time stamp is of %s, key %08x was replaced at %s",
					      when, res->key.id, res->key_until);
	}
	return 0;
}

static int check_bundle(const struct ww_dsse *d, struct ww_report_result *res)
{
	struct ww_errtext *text = &res->checks[WW_REPORT_CHECK_BUNDLE].text;
	int r;

	if (!res->bundle.memory.p || !res->has_key)
		return 0;
	r = ww_bundle_check(&res->bundle, d, &res->key, text);
	if (r == 0)
		r = check_bundle_key(d, res, text);
	if (r == -ENOMEM)
		return r;
	if (r < 0)
		(void)fail(res, WW_REPORT_CHECK_BUNDLE);
	else
		pass(res, WW_REPORT_CHECK_BUNDLE);
	return 0;
}

/* Opens the envelope and checks its signature. 1: the payload may be read; 0: it may not; -ENOMEM.
 */
static int check_envelope(struct ww_slice file, const struct ww_report_options *trust,
			  struct ww_report_result *res)
{
	WW_AUTO(ww_dsse_done) struct ww_dsse d = {0};
	struct ww_errtext *text = &res->checks[WW_REPORT_CHECK_ENVELOPE].text;
	int r = unwrap(file, trust->over, res, &d, text);

	if (r == -ENOMEM)
		return r;
	if (r < 0) {
		(void)fail(res, WW_REPORT_CHECK_ENVELOPE);
		return 0;
	}
	pass(res, WW_REPORT_CHECK_ENVELOPE);
	res->payload = d.payload;
	res->memory = d.memory;
	if (strcmp(d.type, WW_DSSE_INTOTO) == 0)
		pass(res, WW_REPORT_CHECK_TYPE);
	else
		ww_errtext_set(fail(res, WW_REPORT_CHECK_TYPE), 0, "the payload type is not %s",
			       WW_DSSE_INTOTO);
	r = check_signature(&d, trust, res);
	if (r == 0)
		r = check_bundle(&d, res);
	d.memory = (struct ww_buf){0}; /* moved */
	if (r < 0)
		return r;
	return res->checks[WW_REPORT_CHECK_SIGNATURE].state == WW_REPORT_PASSED &&
	       res->checks[WW_REPORT_CHECK_TYPE].state == WW_REPORT_PASSED;
}

/* --- statement -----------------------------------------------------------------------------------
 */

/* Whether somebody beside the log has put a line under the head; who, is not known here. */
static bool others_signed(const struct ww_report_result *res)
{
	struct ww_slice text, lines, line, mark = WW_SLICE_LIT("\xe2\x80\x94 ");
	struct ww_slice name = ww_slice_str(res->key.name);

	if (ww_note_split(res->statement.note, &text, &lines) < 0)
		return false;
	while (ww_slice_line(&lines, &line)) {
		struct ww_slice by = ww_slice_sub(line, mark.n, line.n);

		if (!ww_slice_starts(by, name) || ww_slice_find(by, 0, ' ') != name.n)
			return true;
	}
	return false;
}

static const char NOT_WITNESSED[] = "not witnessed: only the log has signed the tree head";

static int check_checkpoint(struct ww_report_result *res)
{
	const struct ww_statement *s = &res->statement;
	struct ww_checkpoint head;
	struct ww_errtext *text = &res->checks[WW_REPORT_CHECK_CHECKPOINT].text;
	struct ww_note_key named;
	int r = ww_checkpoint_open(s->note, &res->key, &head);

	if (r == -ENOMEM)
		return r;
	if (r < 0)
		ww_errtext_set(text, r, "the checkpoint is not signed by %s+%08x", res->key.name,
			       res->key.id);
	else if (head.size < res->key_first || head.size > res->key_last)
		r = ww_errtext_set(text, -EINVAL,
				   "key %08x speaks for trees of %" PRIu64 " to %" PRIu64
				   " records, not for one of %" PRIu64,
				   res->key.id, res->key_first, res->key_last, head.size);
	else if (outlived(res, s->created_at))
		r = ww_errtext_set(text, -EINVAL,
				   "the report is of %.*s, key %08x was replaced at %s",
				   (int)(s->created_at.n < 40 ? s->created_at.n : 40),
				   (const char *)s->created_at.p, res->key.id, res->key_until);
	else if (ww_note_key_parse(ww_slice_str(s->vkey), &named) < 0 ||
		 !ww_note_key_equal(&named, &res->key))
		r = ww_errtext_set(text, -EINVAL,
				   "the report names another key than it is signed with");
	else if (strcmp(head.origin, s->head.origin) != 0 || head.size != s->head.size ||
		 memcmp(head.root.b, s->head.root.b, sizeof(head.root.b)) != 0)
		r = ww_errtext_set(
			text, -EINVAL,
			"origin, size or root differ from those of the signed checkpoint");
	if (r < 0) {
		(void)fail(res, WW_REPORT_CHECK_CHECKPOINT);
		return 0;
	}
	pass(res, WW_REPORT_CHECK_CHECKPOINT);
	absent(res, WW_REPORT_CHECK_WITNESSES,
	       others_signed(res) ? "not checked: others have signed the tree head, and no "
				    "witnesses to be believed were given"
				  : NOT_WITNESSED);
	return 0;
}

static void check_wording(struct ww_report_result *res)
{
	const struct ww_statement *s = &res->statement;
	struct ww_errtext *text = &res->checks[WW_REPORT_CHECK_WORDING].text;
	int r = 0;

	for (unsigned i = 0; i < WW_STATEMENT_SECTION_MAX && r == 0; i++)
		if (s->sections.each[i].n)
			r = ww_wording_check(s->sections.each[i], ww_statement_section_name(i),
					     text);
	if (r < 0)
		(void)fail(res, WW_REPORT_CHECK_WORDING);
	else
		pass(res, WW_REPORT_CHECK_WORDING);
}

/* --- records -------------------------------------------------------------------------------------
 */

/* What the walk over the records has seen so far. */
struct walk {
	struct ww_buf hashes; /* leaf hashes, for the second subject */
	struct ww_buf scratch;
	uint64_t count, withheld, not_included, first_not_included, previous;
	bool in_order;
	struct ww_merkle_run run;
	struct ww_sampling_check *sampling; /* NULL: nothing was sampled */
	struct ww_rederive *rederive;       /* borrowed; NULL: not asked for */
};

static void walk_done(struct walk *w)
{
	ww_buf_done(&w->hashes);
	ww_buf_wipe(&w->scratch);
	ww_sampling_check_free(w->sampling);
}

static void count_kind(struct ww_report_result *res, struct ww_slice kind)
{
	size_t i = 0;

	while (i < res->n_kinds && !ww_slice_eq_str(kind, res->kinds[i].kind))
		i++;
	if (i == WW_REPORT_KINDS_MAX)
		return;
	if (i == res->n_kinds) {
		memcpy(res->kinds[i].kind, kind.p, kind.n);
		res->n_kinds++;
	}
	res->kinds[i].count++;
}

/* `known` NULL: the leaf is hashed here. */
static int walk_record(struct walk *w, const struct ww_statement_record *rec,
		       const struct ww_sha256 *known, struct ww_report_result *res,
		       struct ww_errtext *why)
{
	const struct ww_statement *s = &res->statement;
	struct ww_sha256 leaf;
	struct ww_slice json;
	int r = 0;

	if (w->count == WW_REPORT_RECORDS_MAX)
		return ww_errtext_set(why, -EINVAL, "there are over %u records",
				      WW_REPORT_RECORDS_MAX);
	if (known)
		leaf = *known;
	else
		ww_statement_record_leaf(rec, &leaf);
	if (!ww_merkle_run_check(&w->run, &leaf, rec->index, &rec->proof) && w->not_included++ == 0)
		w->first_not_included = rec->index;
	if (w->count == 0
		    ? rec->index != s->first
		    : rec->index <= w->previous || (!s->list && rec->index != w->previous + 1))
		w->in_order = false;
	w->previous = rec->index;
	w->withheld += rec->withheld;
	if (rec->pruned_by) {
		res->pruned++;
		res->pruned_by = rec->pruned_by;
	}
	w->count++;
	count_kind(res, rec->kind);
	json = ww_slice_sub(rec->salted, WW_LEAF_SALT_LEN, SIZE_MAX);
	if (w->sampling && !rec->withheld)
		ww_sampling_check_record(w->sampling, rec->index, rec->kind, json);
	if (w->rederive && !rec->withheld)
		r = ww_rederive_add(w->rederive, rec->index, rec->kind, json);
	if (r < 0)
		return r;
	return ww_buf_add(&w->hashes, leaf.b, sizeof(leaf.b));
}

static int walk_records(struct walk *w, const struct ww_statement_list *list,
			struct ww_report_result *res, struct ww_errtext *why)
{
	WW_AUTO(ww_report_leaves_done) struct ww_report_leaves leaves = {0};
	struct ww_statement_record rec = {0};
	int r = 0;

	if (!w->sampling && !w->rederive) /* which need the content itself */
		ww_report_leaves_make(list, &leaves);
	for (size_t i = 0; i < list->n && r == 0; i++) {
		bool known = leaves.n && leaves.there[i];

		r = ww_statement_entry_read(&list->entries[i], known ? NULL : &w->scratch, &rec,
					    why);
		if (r == 0)
			r = walk_record(w, &rec, known ? &leaves.hashes[i] : NULL, res, why);
	}
	if (r == 0 && list->bad.text[0])
		r = ww_errtext_set(why, -EINVAL, "%s", list->bad.text);
	return r;
}

static void check_range(const struct walk *w, struct ww_report_result *res)
{
	const struct ww_statement *s = &res->statement;

	if (w->count > 0 && w->in_order && w->previous == s->last && w->count == s->count &&
	    w->withheld == s->withheld)
		pass(res, WW_REPORT_CHECK_RANGE);
	else
		ww_errtext_set(fail(res, WW_REPORT_CHECK_RANGE), 0,
			       "declared: %s, %" PRIu64 " to %" PRIu64 ", %" PRIu64
			       " records, %" PRIu64 " withheld; listed: %" PRIu64
			       " records, %" PRIu64 " withheld%s",
			       s->list ? "list" : "range", s->first, s->last, s->count, s->withheld,
			       w->count, w->withheld, w->in_order ? "" : ", not in that order");
}

/* Before the walk. 0 or -ENOMEM. */
static int begin_sampling(struct walk *w, struct ww_report_result *res)
{
	struct ww_slice section = res->statement.sections.sampling;
	struct ww_errtext *text = &res->checks[WW_REPORT_CHECK_SAMPLING].text;
	int r = section.n ? ww_sampling_check_begin(section, &w->sampling, text) : 1;

	if (r == 1)
		absent(res, WW_REPORT_CHECK_SAMPLING, "nothing was sampled");
	else if (r < 0 && r != -ENOMEM)
		(void)fail(res, WW_REPORT_CHECK_SAMPLING);
	return r == -ENOMEM ? r : 0;
}

static void end_sampling(struct walk *w, struct ww_report_result *res)
{
	struct ww_errtext *text = &res->checks[WW_REPORT_CHECK_SAMPLING].text;

	if (!w->sampling)
		return;
	if (ww_sampling_check_end(w->sampling, text) < 0)
		(void)fail(res, WW_REPORT_CHECK_SAMPLING);
	else
		pass(res, WW_REPORT_CHECK_SAMPLING);
}

static int check_records(const struct ww_statement_list *list, struct ww_report_result *res)
{
	const struct ww_statement *s = &res->statement;
	struct ww_errtext *text = &res->checks[WW_REPORT_CHECK_RECORDS].text;
	WW_AUTO(walk_done) struct walk w = {.in_order = true, .rederive = res->rederive};
	struct ww_sha256 digest;
	int r;

	ww_merkle_run_init(&w.run, s->head.size, &s->head.root);
	ww_buf_init(&w.hashes, WW_REPORT_RECORDS_MAX * sizeof(struct ww_sha256));
	ww_buf_init(&w.scratch, WW_LEAF_SALT_LEN + WW_RECORD_BYTES_MAX);
	ww_errtext_set(text, 0, "a record is malformed");
	r = begin_sampling(&w, res);
	if (r == 0)
		r = walk_records(&w, list, res, text);
	if (r == -ENOMEM)
		return r;
	if (r < 0) {
		(void)fail(res, WW_REPORT_CHECK_RECORDS);
		return 0;
	}
	pass(res, WW_REPORT_CHECK_RECORDS);
	if (w.not_included == 0)
		pass(res, WW_REPORT_CHECK_INCLUSION);
	else
		ww_errtext_set(fail(res, WW_REPORT_CHECK_INCLUSION), 0,
			       "%" PRIu64 " of %" PRIu64
			       " records are not in the signed tree, the first is %" PRIu64,
			       w.not_included, w.count, w.first_not_included);
	check_range(&w, res);
	end_sampling(&w, res);
	ww_sha256(ww_buf_slice(&w.hashes), &digest);
	if (memcmp(digest.b, s->subject_records.b, sizeof(digest.b)) == 0 &&
	    memcmp(s->subject_root.b, s->head.root.b, sizeof(digest.b)) == 0)
		pass(res, WW_REPORT_CHECK_SUBJECT);
	else
		ww_errtext_set(fail(res, WW_REPORT_CHECK_SUBJECT), 0,
			       "the subjects are not the digests of this tree and these records");
	return 0;
}

/* --- what may be asked for besides ---------------------------------------------------------------
 */

/* A kept checkpoint must be signed by the log, too. */
static int open_kept(const struct ww_report_options *o, struct ww_slice note,
		     const struct ww_report_result *res, struct ww_checkpoint *ret,
		     struct ww_errtext *why)
{
	int r = o->chain ? ww_keychain_open(o->chain, note, ret, NULL, why)
			 : ww_checkpoint_open(note, &res->key, ret);

	if (r < 0 && r != -ENOMEM)
		ww_errtext_set(why, r, "a kept checkpoint is not signed by %.100s+%08x",
			       res->key.name, res->key.id);
	return r;
}

static void earlier_found(struct ww_report_result *res, enum ww_earlier found, size_t i)
{
	struct ww_report_check *check = &res->checks[WW_REPORT_CHECK_EARLIER];

	if (found == WW_EARLIER_OPEN) {
		check->state = WW_REPORT_OPEN;
		return;
	}
	check->state = WW_REPORT_FAILED;
	if (found == WW_EARLIER_EQUIVOCATION && !res->equivocation) {
		res->equivocation = true;
		res->equivocal = i;
	}
}

/* Every kept checkpoint is looked at: one that breaks outweighs those that stay open. */
static int check_earlier(const struct ww_report_options *o, struct ww_report_result *res)
{
	const struct ww_earlier_proofs proofs = {res->statement.consistency, o->tiles};
	struct ww_report_check *check = &res->checks[WW_REPORT_CHECK_EARLIER];
	size_t shown = 0;

	if (o->n_kept == 0) {
		absent(res, WW_REPORT_CHECK_EARLIER, "no kept checkpoint was given");
		return 0;
	}
	if (res->checks[WW_REPORT_CHECK_CHECKPOINT].state != WW_REPORT_PASSED)
		return 0;
	for (size_t i = 0; i < o->n_kept; i++) {
		enum ww_earlier found = WW_EARLIER_BROKEN;
		struct ww_errtext why = {""};
		struct ww_checkpoint kept;
		int r = open_kept(o, o->kept[i], res, &kept, &why);

		if (r == 0)
			r = ww_earlier_check(&res->statement.head, &kept, &proofs, &found, &why);
		if (r == -ENOMEM)
			return r;
		if (r == 0 && found == WW_EARLIER_CONTINUED) {
			shown++;
			continue;
		}
		if (check->state != WW_REPORT_FAILED)
			check->text = why;
		earlier_found(res, found, i);
	}
	if (shown == o->n_kept)
		pass(res, WW_REPORT_CHECK_EARLIER);
	return 0;
}

/* Pages, jq and whoever reads the sections: with a member twice they would read different reports.
 */
static int check_members(const struct ww_report_result *res, struct ww_errtext *why)
{
	const struct ww_slice *each = res->statement.sections.each;
	int r = 0;

	for (unsigned i = 0; i < WW_STATEMENT_SECTION_MAX && r == 0; i++)
		if (each[i].n)
			r = ww_fields_unique(each[i], ww_statement_section_name(i), why);
	return r;
}

static int begin_rederive(const struct ww_report_options *o, struct ww_report_result *res)
{
	if (o->rederive)
		return ww_rederive_new(&res->rederive);
	absent(res, WW_REPORT_CHECK_REDERIVED, "not asked for");
	return 0;
}

/* Only records that are in the signed tree are evidence. */
static int check_rederived(struct ww_report_result *res)
{
	static const enum ww_report_check_id first[] = {
		WW_REPORT_CHECK_CHECKPOINT, WW_REPORT_CHECK_RECORDS, WW_REPORT_CHECK_INCLUSION,
		WW_REPORT_CHECK_RANGE};
	struct ww_report_check *check = &res->checks[WW_REPORT_CHECK_REDERIVED];
	const union ww_statement_sections *s = &res->statement.sections;
	const struct ww_rederive_result *found;
	struct ww_errtext said;
	int r;

	for (size_t i = 0; i < WW_ARRAY_SIZE(first); i++) {
		if (res->checks[first[i]].state != WW_REPORT_PASSED)
			return 0;
	}
	if (!res->rederive)
		return 0;
	r = ww_rederive_run(res->rederive, s->claims, s->summary);
	if (r < 0)
		return r;
	found = ww_rederive_result(res->rederive);
	if (found->differ == 0 && found->undecided == 0 && found->sections == 0 &&
	    found->paths_differ == 0 && found->paths_undecided == 0) {
		pass(res, WW_REPORT_CHECK_REDERIVED);
		said = check->text;
		if (found->paths)
			ww_errtext_set(&check->text, 0,
				       "%s; %" PRIu64 " on paths from their own records: which "
				       "requests are legs, and where peers are listed, is taken "
				       "from these",
				       said.text, found->paths);
		return 0;
	}
	check->state = found->differ || found->sections || found->paths_differ ? WW_REPORT_FAILED
									       : WW_REPORT_OPEN;
	ww_errtext_set(&check->text, 0,
		       "of %" PRIu64 " verdicts %" PRIu64 " follow from their evidence, %" PRIu64
		       " do not, %" PRIu64 " cannot be derived",
		       found->verdicts, found->agree, found->differ, found->undecided);
	said = check->text;
	if (found->paths_differ || found->paths_undecided)
		ww_errtext_set(&check->text, 0,
			       "%s; of %" PRIu64 " on paths %" PRIu64 " do not follow, %" PRIu64
			       " cannot be derived",
			       said.text, found->paths, found->paths_differ,
			       found->paths_undecided);
	return 0;
}

const struct ww_rederive_result *ww_report_rederived(const struct ww_report_result *r)
{
	enum ww_report_state state = r->checks[WW_REPORT_CHECK_REDERIVED].state;

	return r->rederive && state != WW_REPORT_SKIPPED ? ww_rederive_result(r->rederive) : NULL;
}

static int check_statement(const struct ww_report_options *o, struct ww_report_result *res)
{
	struct ww_errtext *text = &res->checks[WW_REPORT_CHECK_STATEMENT].text;
	WW_AUTO(ww_statement_list_done) struct ww_statement_list list = {0};
	int r;

	ww_buf_init(&res->note, WW_NOTE_BYTES_MAX);
	r = ww_statement_parse(res->payload, &res->note, &list, &res->statement, text);
	if (r == 0)
		r = check_members(res, text);
	if (r == -ENOMEM)
		return r;
	if (r < 0) {
		(void)fail(res, WW_REPORT_CHECK_STATEMENT);
		return 0;
	}
	pass(res, WW_REPORT_CHECK_STATEMENT);
	res->has_statement = true;
	check_wording(res);
	r = check_checkpoint(res);
	if (r == 0)
		r = begin_rederive(o, res);
	if (r == 0)
		r = check_records(&list, res);
	if (r == 0)
		r = check_earlier(o, res);
	return r < 0 ? r : check_rederived(res);
}

static void conclude(struct ww_report_result *res)
{
	res->consistent = true;
	for (int i = 0; i < WW_REPORT_CHECK_MAX; i++) {
		enum ww_report_state state = res->checks[i].state;

		if (i == WW_REPORT_CHECK_KEY)
			continue;
		if (state == WW_REPORT_OPEN)
			res->open = true;
		else if (state != WW_REPORT_PASSED && state != WW_REPORT_ABSENT)
			res->consistent = false;
	}
	res->open &= res->consistent;
	res->consistent &= !res->open;
	res->verified =
		res->consistent && res->checks[WW_REPORT_CHECK_KEY].state == WW_REPORT_PASSED;
}

int ww_report_verify_with(struct ww_slice file, const struct ww_report_options *o,
			  struct ww_report_result *ret_result)
{
	struct ww_report_result *res = ret_result;
	int r;

	*res = (struct ww_report_result){.key_last = WW_MERKLE_SIZE_MAX};
	for (int i = 0; i < WW_REPORT_CHECK_MAX; i++)
		ww_errtext_set(&res->checks[i].text, 0, "not checked");
	r = check_envelope(file, o, res);
	if (r == 1)
		r = check_statement(o, res);
	if (r < 0) {
		ww_report_result_done(res);
		return r;
	}
	conclude(res);
	return 0;
}

int ww_report_verify(struct ww_slice file, const struct ww_note_key *trusted,
		     struct ww_report_result *ret_result)
{
	return ww_report_verify_with(file, &(struct ww_report_options){.key = trusted}, ret_result);
}

int ww_report_verify_witnesses(struct ww_report_result *res, const struct ww_witness_set *set)
{
	struct ww_errtext *text = &res->checks[WW_REPORT_CHECK_WITNESSES].text;
	size_t count = 0;
	int r;

	if (res->checks[WW_REPORT_CHECK_CHECKPOINT].state != WW_REPORT_PASSED)
		return 0; /* skipped, and nothing is verified */
	r = ww_witness_set_count(set, res->statement.note, &count, NULL);
	if (r == -ENOMEM)
		return r;
	if (r < 0)
		ww_errtext_set(text, 0, "a cosignature is not good");
	else if (count == 0 && !others_signed(res))
		ww_errtext_set(text, 0, "%s", NOT_WITNESSED);
	else
		ww_errtext_set(text, 0,
			       "%zu of %zu witnesses cosigned the tree head, %zu are needed", count,
			       set->n, set->quorum);
	res->checks[WW_REPORT_CHECK_WITNESSES].state =
		r == 0 && count >= set->quorum ? WW_REPORT_PASSED : WW_REPORT_FAILED;
	conclude(res);
	return 0;
}

void ww_report_result_done(struct ww_report_result *r)
{
	ww_buf_done(&r->memory);
	ww_buf_done(&r->note);
	ww_bundle_done(&r->bundle);
	ww_rederive_free(r->rederive);
	*r = (struct ww_report_result){0};
}
