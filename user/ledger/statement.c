/* SPDX-License-Identifier: Apache-2.0 */
#include "ledger/statement.h"

#include <errno.h>

#include "base/encode.h"
#include "ledger/fields.h"
#include "ledger/wording.h"
#include "wirewitness/limits.h"

#define SECTION_(name, demanded) {#name, demanded},

static const struct {
	const char *name;
	bool demanded;
} sections[] = {WW_STATEMENT_SECTIONS(SECTION_)};

const char *ww_statement_section_name(unsigned i)
{
	return sections[i].name;
}

bool ww_statement_section_demanded(unsigned i)
{
	return sections[i].demanded;
}

/* --- writing -------------------------------------------------------------------------------------
 */

static struct ww_slice hash_slice(const struct ww_sha256 *h)
{
	return ww_slice(h->b, sizeof(h->b));
}

static void write_subject(struct ww_jsonw *w, const char *name, const struct ww_sha256 *digest)
{
	ww_jsonw_object(w, NULL);
	ww_jsonw_cstr(w, "name", name);
	ww_jsonw_object(w, "digest");
	ww_jsonw_hex(w, "sha256", hash_slice(digest));
	ww_jsonw_end_object(w);
	ww_jsonw_end_object(w);
}

void ww_statement_subject_write(struct ww_jsonw *w, const struct ww_checkpoint *head,
				const struct ww_sha256 *records)
{
	ww_jsonw_array(w, "subject");
	write_subject(w, head->origin, &head->root);
	write_subject(w, "records", records);
	ww_jsonw_end_array(w);
}

void ww_statement_begin(struct ww_jsonw *w, const struct ww_statement *s)
{
	ww_jsonw_object(w, NULL);
	ww_jsonw_cstr(w, "_type", WW_STATEMENT_TYPE);
	ww_statement_subject_write(w, &s->head, &s->subject_records);
	ww_jsonw_cstr(w, "predicateType", WW_STATEMENT_PREDICATE);
	ww_jsonw_object(w, "predicate");
	ww_jsonw_str(w, "createdAt", s->created_at);
	for (unsigned i = 0; i < WW_STATEMENT_SECTION_MAX; i++)
		if (s->sections.each[i].n)
			ww_jsonw_raw(w, sections[i].name, s->sections.each[i]);
	ww_wording_write(w);
	ww_jsonw_object(w, "ledger");
	ww_jsonw_cstr(w, "origin", s->head.origin);
	ww_jsonw_cstr(w, "vkey", s->vkey);
	ww_jsonw_u64(w, "treeSize", s->head.size);
	ww_jsonw_hex(w, "rootHash", hash_slice(&s->head.root));
	ww_jsonw_cstr(w, "selection", s->list ? "list" : "range");
	ww_jsonw_u64(w, "firstIndex", s->first);
	ww_jsonw_u64(w, "lastIndex", s->last);
	ww_jsonw_u64(w, "recordCount", s->count);
	ww_jsonw_u64(w, "withheldCount", s->withheld);
	ww_jsonw_end_object(w);
	ww_jsonw_array(w, "records");
}

/* The elements of a proof's array, and its end. */
static void write_proof(struct ww_jsonw *w, const struct ww_merkle_proof *proof)
{
	for (size_t i = 0; i < proof->n; i++) {
		char b64[WW_BASE64_LEN(WW_SHA256_LEN) + 1];

		ww_base64_encode(hash_slice(&proof->path[i]), b64);
		ww_jsonw_cstr(w, NULL, b64);
	}
	ww_jsonw_end_array(w);
}

void ww_statement_record_write(struct ww_jsonw *w, const struct ww_statement_record *r)
{
	ww_jsonw_object(w, NULL);
	ww_jsonw_u64(w, "index", r->index);
	ww_jsonw_str(w, "kind", r->kind);
	if (r->withheld) {
		ww_jsonw_hex(w, "digest", hash_slice(&r->digest));
		if (r->pruned_by) {
			ww_jsonw_u64(w, "prunedBy", r->pruned_by);
			ww_jsonw_str(w, "prunedAt", r->pruned_at);
		}
	} else {
		ww_jsonw_hex(w, "salt", ww_slice_sub(r->salted, 0, WW_LEAF_SALT_LEN));
		ww_jsonw_str(w, "record", ww_slice_sub(r->salted, WW_LEAF_SALT_LEN, r->salted.n));
	}
	ww_jsonw_array(w, "inclusionProof");
	write_proof(w, &r->proof);
	ww_jsonw_end_object(w);
}

void ww_statement_end(struct ww_jsonw *w, const struct ww_statement *s)
{
	ww_jsonw_end_array(w);
	if (s->n_earlier)
		ww_jsonw_array(w, "consistency");
	for (size_t i = 0; i < s->n_earlier; i++) {
		ww_jsonw_object(w, NULL);
		ww_jsonw_u64(w, "size", s->earlier[i].size);
		ww_jsonw_array(w, "proof");
		write_proof(w, &s->earlier[i].proof);
		ww_jsonw_end_object(w);
	}
	if (s->n_earlier)
		ww_jsonw_end_array(w);
	ww_jsonw_str(w, "checkpoint", s->note);
	ww_jsonw_end_object(w);
	ww_jsonw_end_object(w);
}

/* --- reading -------------------------------------------------------------------------------------
 */

/* Hex strings of ours are lower case: one digest has one text. */
static int hex_text(struct ww_slice s, uint8_t *out, size_t n)
{
	bool upper = false;

	for (size_t i = 0; i < s.n; i++)
		upper |= s.p[i] >= 'A' && s.p[i] <= 'F';
	return upper ? -EINVAL : ww_hex_decode(s, out, n);
}

static int hex_field(const struct ww_field *f, uint8_t *out, size_t n)
{
	return hex_text(f->token.raw, out, n);
}

/* A short text without escapes, NUL-terminated. */
static int text_field(const struct ww_field *f, char *out, size_t cap)
{
	struct ww_slice s = f->token.raw;

	if (f->token.escaped || s.n >= cap || memchr(s.p, 0, s.n))
		return -EINVAL;
	memcpy(out, s.p, s.n);
	out[s.n] = '\0';
	return 0;
}

static bool is_text(const struct ww_field *f, const char *want)
{
	return ww_json_is(&f->token, want);
}

static int parse_subject(struct ww_slice text, const char *name, struct ww_sha256 *ret,
			 struct ww_errtext *why)
{
	struct ww_field f[] = {{.name = "name", .type = WW_JSON_STRING},
			       {.name = "digest", .type = WW_JSON_OBJECT}};
	struct ww_field d = {.name = "sha256", .type = WW_JSON_STRING};
	int r = ww_fields_read(text, "a subject", f, 2, why);

	if (r == 0)
		r = ww_fields_read(f[1].text, "a subject's digest", &d, 1, why);
	if (r < 0)
		return r;
	if (!is_text(&f[0], name) || hex_field(&d, ret->b, sizeof(ret->b)) < 0)
		return ww_errtext_set(why, -EINVAL, "the subject is not \"%.200s\" with a SHA-256",
				      name);
	return 0;
}

static int parse_subjects(struct ww_slice array, struct ww_statement *s, struct ww_errtext *why)
{
	struct ww_json_token t;
	struct ww_slice text;
	struct ww_json j;
	int r = ww_fields_array(array, &j);

	for (int i = 0; i < 2 && r >= 0; i++) {
		r = ww_fields_next(&j, &t, &text);
		if (r == 1)
			r = parse_subject(text, i ? "records" : s->head.origin,
					  i ? &s->subject_records : &s->subject_root, why);
		else
			return ww_errtext_set(why, -EINVAL, "there are not two subjects");
	}
	if (r == 0 && ww_fields_next(&j, &t, &text) != 0)
		return ww_errtext_set(why, -EINVAL, "there are not two subjects");
	return r;
}

static int parse_ledger(struct ww_slice text, struct ww_statement *s, struct ww_errtext *why)
{
	enum { ORIGIN, VKEY, SIZE, ROOT, SELECTION, FIRST, LAST, COUNT, WITHHELD, N };
	struct ww_field f[N] = {
		[ORIGIN] = {.name = "origin", .type = WW_JSON_STRING},
		[VKEY] = {.name = "vkey", .type = WW_JSON_STRING},
		[SIZE] = {.name = "treeSize", .type = WW_JSON_NUMBER},
		[ROOT] = {.name = "rootHash", .type = WW_JSON_STRING},
		[SELECTION] = {.name = "selection", .type = WW_JSON_STRING},
		[FIRST] = {.name = "firstIndex", .type = WW_JSON_NUMBER},
		[LAST] = {.name = "lastIndex", .type = WW_JSON_NUMBER},
		[COUNT] = {.name = "recordCount", .type = WW_JSON_NUMBER},
		[WITHHELD] = {.name = "withheldCount", .type = WW_JSON_NUMBER},
	};
	int r = ww_fields_read(text, "ledger", f, N, why);

	if (r < 0)
		return r;
	s->list = is_text(&f[SELECTION], "list");
	if (text_field(&f[ORIGIN], s->head.origin, sizeof(s->head.origin)) < 0 ||
	    text_field(&f[VKEY], s->vkey, sizeof(s->vkey)) < 0 ||
	    ww_fields_u64(&f[SIZE], &s->head.size) < 0 ||
	    hex_field(&f[ROOT], s->head.root.b, sizeof(s->head.root.b)) < 0 ||
	    !(s->list || is_text(&f[SELECTION], "range")) ||
	    ww_fields_u64(&f[FIRST], &s->first) < 0 || ww_fields_u64(&f[LAST], &s->last) < 0 ||
	    ww_fields_u64(&f[COUNT], &s->count) < 0 ||
	    ww_fields_u64(&f[WITHHELD], &s->withheld) < 0)
		return ww_errtext_set(why, -EINVAL, "ledger holds a malformed value");
	return 0;
}

enum { CREATED, LEDGER, RECORDS, NOTE, CONSISTENCY, SECTIONS };
#define PREDICATE_FIELDS (SECTIONS + WW_STATEMENT_SECTION_MAX)

static void predicate_fields(struct ww_field f[PREDICATE_FIELDS])
{
	f[CREATED] = (struct ww_field){.name = "createdAt", .type = WW_JSON_STRING};
	f[LEDGER] = (struct ww_field){.name = "ledger", .type = WW_JSON_OBJECT};
	f[RECORDS] = (struct ww_field){.name = "records", .type = WW_JSON_ARRAY};
	f[NOTE] = (struct ww_field){.name = "checkpoint", .type = WW_JSON_STRING};
	f[CONSISTENCY] =
		(struct ww_field){.name = "consistency", .type = WW_JSON_ARRAY, .optional = true};
	for (unsigned i = 0; i < WW_STATEMENT_SECTION_MAX; i++)
		f[SECTIONS + i] = (struct ww_field){.name = sections[i].name,
						    .type = WW_JSON_OBJECT,
						    .optional = !sections[i].demanded};
}

/* "2026-11-27T10:00:00[.9...]Z": with an offset, or written in another way, times do not compare as
 * texts, and whether a replaced key still spoke is decided so. */
static bool is_utc(const struct ww_json_token *t)
{
	static const char form[] = "0000-00-00T00:00:00";
	const size_t n = sizeof(form) - 1;
	struct ww_slice s = t->raw;

	if (s.n <= n || s.p[s.n - 1] != 'Z' || (s.n > n + 1 && (s.p[n] != '.' || s.n == n + 2)))
		return false;
	for (size_t i = 0; i + 1 < s.n; i++) {
		bool digit = s.p[i] >= '0' && s.p[i] <= '9';

		if (i < n ? (form[i] == '0' ? !digit : s.p[i] != form[i]) : i > n && !digit)
			return false;
	}
	return true;
}

static int take_predicate(const struct ww_field f[PREDICATE_FIELDS], struct ww_buf *scratch,
			  struct ww_statement *s, struct ww_errtext *why)
{
	int r = parse_ledger(f[LEDGER].text, s, why);

	if (r < 0)
		return r;
	if (!is_utc(&f[CREATED].token))
		return ww_errtext_set(why, -EINVAL, "createdAt is not a time in UTC");
	s->created_at = f[CREATED].token.raw;
	for (unsigned i = 0; i < WW_STATEMENT_SECTION_MAX; i++)
		s->sections.each[i] = f[SECTIONS + i].text;
	s->records = f[RECORDS].text;
	s->consistency = f[CONSISTENCY].text;
	r = ww_fields_text(&f[NOTE].token, scratch, &s->note);
	return r < 0 ? ww_errtext_set(why, r, "the checkpoint is too large") : 0;
}

static const struct ww_field record_fields[WW_STATEMENT_MEMBERS] = {
	[WW_STATEMENT_INDEX] = {.name = "index", .type = WW_JSON_NUMBER},
	[WW_STATEMENT_KIND] = {.name = "kind", .type = WW_JSON_STRING},
	[WW_STATEMENT_PROOF] = {.name = "inclusionProof", .type = WW_JSON_ARRAY},
	[WW_STATEMENT_SALT] = {.name = "salt", .type = WW_JSON_STRING, .optional = true},
	[WW_STATEMENT_RECORD] = {.name = "record", .type = WW_JSON_STRING, .optional = true},
	[WW_STATEMENT_DIGEST] = {.name = "digest", .type = WW_JSON_STRING, .optional = true},
	[WW_STATEMENT_PRUNED_BY] = {.name = "prunedBy", .type = WW_JSON_NUMBER, .optional = true},
	[WW_STATEMENT_PRUNED_AT] = {.name = "prunedAt", .type = WW_JSON_STRING, .optional = true},
};

static void set_entry(const struct ww_field f[WW_STATEMENT_MEMBERS], struct ww_statement_entry *e)
{
	for (unsigned i = 0; i < WW_STATEMENT_MEMBERS; i++)
		e->member[i] = !f[i].found               ? WW_SLICE_NULL
			       : i == WW_STATEMENT_PROOF ? f[i].text
							 : f[i].token.raw;
	e->escaped = f[WW_STATEMENT_RECORD].found && f[WW_STATEMENT_RECORD].token.escaped;
}

void ww_statement_list_done(struct ww_statement_list *l)
{
	free(l->entries);
	*l = (struct ww_statement_list){0};
}

static int add_entry(struct ww_statement_list *l, const struct ww_field f[WW_STATEMENT_MEMBERS])
{
	size_t cap = l->cap ? 2 * l->cap : 64;
	void *p;

	if (l->n == l->cap) {
		p = realloc(l->entries, cap * sizeof(*l->entries));
		if (!p)
			return -ENOMEM;
		l->entries = p;
		l->cap = cap;
	}
	set_entry(f, &l->entries[l->n++]);
	return 0;
}

/* What is no record is for whoever reads the list to say: here it need only be JSON. */
static int list_entry(void *ctx, struct ww_json *j, const struct ww_json_token *first)
{
	struct ww_field f[WW_STATEMENT_MEMBERS];
	struct ww_statement_list *l = ctx;
	struct ww_json inside = *j;
	int r = 0;

	if (l->bad.text[0] || l->n > WW_REPORT_RECORDS_MAX)
		return ww_json_skip(j, first) == WW_PARSE_DONE ? 0 : -EINVAL;
	memcpy(f, record_fields, sizeof(f));
	if (first->type == WW_JSON_OBJECT)
		r = ww_fields_members(&inside, "a record", f, WW_STATEMENT_MEMBERS, &l->bad);
	else
		r = ww_errtext_set(&l->bad, -EINVAL, "a record is not a JSON object");
	if (r < 0)
		return ww_json_skip(j, first) == WW_PARSE_DONE ? 0 : -EINVAL;
	*j = inside;
	return add_entry(l, f);
}

int ww_statement_parse(struct ww_slice payload, struct ww_buf *scratch,
		       struct ww_statement_list *list, struct ww_statement *ret,
		       struct ww_errtext *why)
{
	enum { TYPE, SUBJECT, PREDICATE_TYPE, PREDICATE, N };
	struct ww_field inner[PREDICATE_FIELDS];
	/* A report is large and nearly all of it is the predicate: one pass over both. */
	struct ww_field f[N] = {
		[TYPE] = {.name = "_type", .type = WW_JSON_STRING},
		[SUBJECT] = {.name = "subject", .type = WW_JSON_ARRAY},
		[PREDICATE_TYPE] = {.name = "predicateType", .type = WW_JSON_STRING},
		[PREDICATE] = {.name = "predicate",
			       .type = WW_JSON_OBJECT,
			       .inner = inner,
			       .n_inner = PREDICATE_FIELDS},
	};
	struct ww_statement s = {0};
	int r;

	predicate_fields(inner);
	if (list) {
		inner[RECORDS].each = list_entry;
		inner[RECORDS].ctx = list;
	}
	r = ww_fields_read(payload, "the statement", f, N, why);
	if (r < 0)
		return r;
	if (!is_text(&f[TYPE], WW_STATEMENT_TYPE))
		return ww_errtext_set(why, -EINVAL, "_type is not %s", WW_STATEMENT_TYPE);
	if (!is_text(&f[PREDICATE_TYPE], WW_STATEMENT_PREDICATE))
		return ww_errtext_set(why, -EINVAL, "predicateType is not %s",
				      WW_STATEMENT_PREDICATE);
	r = take_predicate(inner, scratch, &s, why);
	if (r == 0)
		r = parse_subjects(f[SUBJECT].text, &s, why);
	if (r == 0)
		*ret = s;
	return r;
}

/* `rest` (NULL: none) is of the hashes that *p holds from before. */
static int parse_proof(struct ww_slice array, struct ww_merkle_proof *p, struct ww_slice *rest)
{
	size_t before = rest ? p->n : 0;
	struct ww_json_token t;
	struct ww_slice text;
	struct ww_json j;
	int r = ww_fields_array(array, &j);

	p->n = 0;
	if (r < 0)
		return r;
	while ((r = ww_fields_next(&j, &t, &text)) == 1) {
		struct ww_slice now = ww_slice(text.p, (size_t)(array.p + array.n - text.p));
		size_t i = p->n, n;

		if (i == WW_MERKLE_PROOF_MAX || t.type != WW_JSON_STRING)
			return -EINVAL;
		p->n++;
		if (i < before && ww_slice_eq(now, rest[i])) {
			p->n = before; /* and so is all that follows */
			return 0;
		}
		if (ww_base64_decode(t.raw, false, p->path[i].b, WW_SHA256_LEN, &n) < 0 ||
		    n != WW_SHA256_LEN)
			return -EINVAL;
		if (rest)
			rest[i] = now;
	}
	return r;
}

int ww_statement_consistency_next(struct ww_json *json, uint64_t *ret_size,
				  struct ww_merkle_proof *ret_proof, struct ww_errtext *why)
{
	enum { SIZE, PROOF, N };
	struct ww_field f[N] = {
		[SIZE] = {.name = "size", .type = WW_JSON_NUMBER},
		[PROOF] = {.name = "proof", .type = WW_JSON_ARRAY},
	};
	struct ww_json_token t;
	struct ww_slice text;
	int r = ww_fields_next(json, &t, &text);

	if (r <= 0)
		return r;
	r = ww_fields_read(text, "a consistency proof", f, N, why);
	if (r < 0)
		return r;
	if (ww_fields_u64(&f[SIZE], ret_size) < 0 ||
	    parse_proof(f[PROOF].text, ret_proof, NULL) < 0)
		return ww_errtext_set(why, -EINVAL, "a consistency proof holds a malformed value");
	return 1;
}

/* Salt and record as one run in scratch. */
static int parse_salted(const struct ww_statement_entry *e, struct ww_buf *scratch,
			struct ww_slice *ret_salted)
{
	const struct ww_json_token record = {.type = WW_JSON_STRING,
					     .raw = e->member[WW_STATEMENT_RECORD],
					     .escaped = e->escaped};
	uint8_t raw[WW_LEAF_SALT_LEN];
	int r = hex_text(e->member[WW_STATEMENT_SALT], raw, sizeof(raw));

	ww_buf_clear(scratch);
	if (r == 0)
		r = ww_buf_add(scratch, raw, sizeof(raw));
	if (r == 0)
		r = ww_json_unescape(&record, scratch);
	if (r == 0)
		*ret_salted = ww_buf_slice(scratch);
	return r;
}

/* A prune record comes after what it names, and only what is withheld was pruned. */
static int parse_pruned(struct ww_slice by, struct ww_slice at, struct ww_statement_record *rec)
{
	if (!by.p && !at.p)
		return 0;
	if (!rec->withheld || !by.p || !at.p || ww_slice_u64(by, &rec->pruned_by) < 0 ||
	    rec->pruned_by <= rec->index)
		return -EINVAL;
	rec->pruned_at = at;
	return 0;
}

int ww_statement_entry_read(const struct ww_statement_entry *e, struct ww_buf *scratch,
			    struct ww_statement_record *ret, struct ww_errtext *why)
{
	const struct ww_slice *m = e->member;
	struct ww_statement_record *rec = ret;
	int r;

	rec->pruned_by = 0;
	rec->pruned_at = WW_SLICE_NULL;
	rec->salted = WW_SLICE_NULL;
	rec->kind = m[WW_STATEMENT_KIND];
	rec->withheld = m[WW_STATEMENT_DIGEST].p;
	/* Exactly one of the two forms: with both, readers would differ. */
	if (!m[WW_STATEMENT_SALT].p != !m[WW_STATEMENT_RECORD].p ||
	    !m[WW_STATEMENT_SALT].p == !m[WW_STATEMENT_DIGEST].p)
		return ww_errtext_set(why, -EINVAL, "a record has neither or both of its forms");
	if (ww_slice_u64(m[WW_STATEMENT_INDEX], &rec->index) < 0 || !ww_leaf_kind_ok(rec->kind) ||
	    parse_proof(m[WW_STATEMENT_PROOF], &rec->proof, rec->proof_rest) < 0)
		return ww_errtext_set(why, -EINVAL, "a record holds a malformed value");
	if (parse_pruned(m[WW_STATEMENT_PRUNED_BY], m[WW_STATEMENT_PRUNED_AT], rec) < 0)
		return ww_errtext_set(why, -EINVAL, "record %llu cannot have been pruned like that",
				      (unsigned long long)rec->index);
	if (rec->withheld)
		r = hex_text(m[WW_STATEMENT_DIGEST], rec->digest.b, sizeof(rec->digest.b));
	else
		r = scratch ? parse_salted(e, scratch, &rec->salted) : 0;
	if (r < 0)
		return ww_errtext_set(why, r, "record %llu holds a malformed value",
				      (unsigned long long)rec->index);
	return 0;
}

int ww_statement_record_parse(struct ww_slice text, struct ww_buf *scratch,
			      struct ww_statement_record *ret, struct ww_errtext *why)
{
	struct ww_field f[WW_STATEMENT_MEMBERS];
	struct ww_statement_entry e;
	int r;

	*ret = (struct ww_statement_record){0};
	memcpy(f, record_fields, sizeof(f));
	r = ww_fields_read(text, "a record", f, WW_STATEMENT_MEMBERS, why);
	if (r < 0)
		return r;
	set_entry(f, &e);
	return ww_statement_entry_read(&e, scratch, ret, why);
}

static void content_leaf(struct ww_slice kind, struct ww_slice salted, struct ww_sha256 *ret)
{
	char leaf[WW_LEAF_BYTES_MAX];
	size_t n = 0;

	if (ww_leaf_record(kind, salted, leaf, &n) < 0)
		n = 0; /* the hash of no entry: no tree holds it */
	ww_merkle_leaf(ww_slice(leaf, n), ret);
}

void ww_statement_record_leaf(const struct ww_statement_record *r, struct ww_sha256 *ret)
{
	char leaf[WW_LEAF_BYTES_MAX];

	if (!r->withheld)
		content_leaf(r->kind, r->salted, ret);
	else if (ww_leaf_is_report(r->kind))
		*ret = r->digest;
	else
		ww_merkle_leaf(ww_slice(leaf, ww_leaf_text(r->kind, &r->digest, leaf)), ret);
}

int ww_statement_entry_leaf(const struct ww_statement_entry *e, struct ww_buf *scratch,
			    struct ww_sha256 *ret)
{
	struct ww_slice kind = e->member[WW_STATEMENT_KIND], salted;
	int r;

	if (!e->member[WW_STATEMENT_RECORD].p || !e->member[WW_STATEMENT_SALT].p ||
	    !ww_leaf_kind_ok(kind))
		return -EINVAL;
	r = parse_salted(e, scratch, &salted);
	if (r == 0)
		content_leaf(kind, salted, ret);
	return r;
}
