/* SPDX-License-Identifier: Apache-2.0 */
#include "ledger/attestation.h"

#include <errno.h>

#include "base/encode.h"
#include "ledger/fields.h"
#include "ledger/statement.h"

#define NS_PER_S 1000000000ull

/* --- the statement ------------------------------------------------------------------------------
 */

/* A text of `max` bytes at most, without control characters. */
static int take_text(const struct ww_field *f, char *out, size_t max, struct ww_errtext *why)
{
	WW_AUTO_BUF struct ww_buf scratch = {0};
	struct ww_slice s;

	if (!f->found)
		return 0;
	ww_buf_init(&scratch, WW_ATTESTATION_PAYLOAD_MAX);
	if (ww_fields_text(&f->token, &scratch, &s) < 0 || s.n == 0 || s.n > max)
		return ww_errtext_set(why, -EINVAL, "%s is not a text of 1 to %zu bytes", f->name,
				      max);
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] < 0x20 || s.p[i] == 0x7f)
			return ww_errtext_set(why, -EINVAL, "%s has control characters", f->name);
	}
	memcpy(out, s.p, s.n);
	out[s.n] = '\0';
	return 0;
}

static int take_time(const struct ww_field *f, struct ww_wall *ret, struct ww_errtext *why)
{
	if (!f->found)
		return 0;
	if (f->token.escaped || ww_wall_parse(f->token.raw, ret) < 0)
		return ww_errtext_set(why, -EINVAL, "%s is not a time in UTC (RFC 3339)", f->name);
	return 0;
}

static int take_times(const struct ww_field *at, const struct ww_field *expires,
		      struct ww_attestation *a, struct ww_errtext *why)
{
	int r = take_time(at, &a->attested_at, why);

	if (r == 0)
		r = take_time(expires, &a->expires_at, why);
	if (r == 0 && expires->found && a->expires_at.ns <= a->attested_at.ns)
		r = ww_errtext_set(why, -EINVAL, "it expires before it was made");
	return r;
}

static int take_outcome(const struct ww_field *f, struct ww_attestation *a, struct ww_errtext *why)
{
	if (ww_json_is(&f->token, ww_attestation_outcome_name(WW_ATTESTATION_ACHIEVED)))
		a->outcome = WW_ATTESTATION_ACHIEVED;
	else if (ww_json_is(&f->token, ww_attestation_outcome_name(WW_ATTESTATION_NOT_ACHIEVED)))
		a->outcome = WW_ATTESTATION_NOT_ACHIEVED;
	else
		return ww_errtext_set(why, -EINVAL,
				      "the outcome is neither achieved nor "
				      "not-achieved");
	return 0;
}

static int read_predicate(struct ww_slice text, struct ww_attestation *a, struct ww_errtext *why)
{
	enum { TOOL, OUTCOME, AT, EXPIRES, REFERENCE, LOG, ACTION, CALL, CREATED, N };
	struct ww_field f[N] = {
		[TOOL] = {.name = "tool", .type = WW_JSON_STRING},
		[OUTCOME] = {.name = "outcome", .type = WW_JSON_STRING},
		[AT] = {.name = "attestedAt", .type = WW_JSON_STRING},
		[EXPIRES] = {.name = "expiresAt", .type = WW_JSON_STRING, .optional = true},
		[REFERENCE] = {.name = "reference", .type = WW_JSON_STRING, .optional = true},
		[LOG] = {.name = "log", .type = WW_JSON_STRING, .optional = true},
		[ACTION] = {.name = "action", .type = WW_JSON_STRING, .optional = true},
		[CALL] = {.name = "toolCallId", .type = WW_JSON_STRING, .optional = true},
		[CREATED] = {.name = "createdId", .type = WW_JSON_STRING, .optional = true},
	};
	int r = ww_fields_read(text, "the predicate", f, N, why);

	if (r < 0)
		return r;
	if (f[ACTION].found + f[CALL].found + f[CREATED].found != 1)
		return ww_errtext_set(why, -EINVAL,
				      "the predicate names not exactly one of action, "
				      "toolCallId and createdId");
	a->by = f[ACTION].found ? WW_ATTESTATION_BY_ACTION
		: f[CALL].found ? WW_ATTESTATION_BY_CALL
				: WW_ATTESTATION_BY_CREATED;
	r = take_text(&f[ACTION + (int)a->by - WW_ATTESTATION_BY_ACTION], a->subject,
		      WW_ATTESTATION_SUBJECT_MAX, why);
	if (r == 0)
		r = take_text(&f[TOOL], a->tool, sizeof(a->tool) - 1, why);
	if (r == 0)
		r = take_text(&f[REFERENCE], a->reference, sizeof(a->reference) - 1, why);
	if (r == 0)
		r = take_text(&f[LOG], a->log, sizeof(a->log) - 1, why);
	if (r == 0)
		r = take_times(&f[AT], &f[EXPIRES], a, why);
	return r < 0 ? r : take_outcome(&f[OUTCOME], a, why);
}

static int check_path(struct ww_attested_place *p, struct ww_errtext *why)
{
	size_t n = strlen(p->path);

	if (n == 0)
		return 0;
	if (n != 18 || memcmp(p->path, "y-", 2) != 0 ||
	    strspn(p->path + 2, "0123456789abcdef") != 16)
		return ww_errtext_set(why, -EINVAL, "path is not the id of a path, y-...");
	return 0;
}

/* Of where a request was processed: it says a region, an operator, or both. */
static int read_place(struct ww_slice text, struct ww_attestation *a, struct ww_errtext *why)
{
	enum {
		REGION,
		OPERATOR,
		SERVICE,
		BASIS,
		PATH,
		REFERENCE,
		LOG,
		RESPONSE,
		REQUEST,
		PROCESSED,
		AT,
		EXPIRES,
		N
	};
	struct ww_field f[N] = {
		[REGION] = {.name = "region", .type = WW_JSON_STRING, .optional = true},
		[OPERATOR] = {.name = "operator", .type = WW_JSON_STRING, .optional = true},
		[SERVICE] = {.name = "service", .type = WW_JSON_STRING, .optional = true},
		[BASIS] = {.name = "basis", .type = WW_JSON_STRING, .optional = true},
		[PATH] = {.name = "path", .type = WW_JSON_STRING, .optional = true},
		[REFERENCE] = {.name = "reference", .type = WW_JSON_STRING, .optional = true},
		[LOG] = {.name = "log", .type = WW_JSON_STRING, .optional = true},
		[RESPONSE] = {.name = "responseId", .type = WW_JSON_STRING, .optional = true},
		[REQUEST] = {.name = "requestId", .type = WW_JSON_STRING, .optional = true},
		[PROCESSED] = {.name = "processedAt", .type = WW_JSON_STRING, .optional = true},
		[AT] = {.name = "attestedAt", .type = WW_JSON_STRING},
		[EXPIRES] = {.name = "expiresAt", .type = WW_JSON_STRING, .optional = true},
	};
	struct ww_attested_place *p = &a->place;
	const struct {
		unsigned field;
		char *out;
		size_t max;
	} texts[] = {
		{REGION, p->region, sizeof(p->region) - 1},
		{OPERATOR, p->operator_name, sizeof(p->operator_name) - 1},
		{SERVICE, p->service, sizeof(p->service) - 1},
		{BASIS, p->basis, sizeof(p->basis) - 1},
		{PATH, p->path, sizeof(p->path) - 1},
		{REFERENCE, a->reference, sizeof(a->reference) - 1},
		{LOG, a->log, sizeof(a->log) - 1},
		{RESPONSE, a->subject, WW_ATTESTATION_SUBJECT_MAX},
		{REQUEST, a->subject, WW_ATTESTATION_SUBJECT_MAX},
	};
	int r = ww_fields_read(text, "the predicate", f, N, why);

	if (r == 0 && f[RESPONSE].found + f[REQUEST].found != 1)
		r = ww_errtext_set(why, -EINVAL,
				   "the predicate names not exactly one of responseId and "
				   "requestId");
	if (r == 0 && !f[REGION].found && !f[OPERATOR].found)
		r = ww_errtext_set(why, -EINVAL, "the predicate says neither region nor operator");
	for (unsigned i = 0; i < WW_ARRAY_SIZE(texts) && r == 0; i++)
		r = take_text(&f[texts[i].field], texts[i].out, texts[i].max, why);
	if (r == 0)
		r = check_path(p, why);
	if (r == 0)
		r = take_time(&f[PROCESSED], &p->processed_at, why);
	if (r == 0)
		r = take_times(&f[AT], &f[EXPIRES], a, why);
	a->of_path = true;
	a->by = f[RESPONSE].found ? WW_ATTESTATION_BY_RESPONSE : WW_ATTESTATION_BY_REQUEST;
	return r;
}

/* One subject: the digest of the id that the predicate names. */
static int check_subject(struct ww_slice subjects, const struct ww_attestation *a,
			 struct ww_errtext *why)
{
	struct ww_field sha = {.name = "sha256", .type = WW_JSON_STRING};
	struct ww_field digest = {
		.name = "digest", .type = WW_JSON_OBJECT, .inner = &sha, .n_inner = 1};
	char hex[2 * WW_SHA256_LEN + 1];
	struct ww_sha256 of;
	struct ww_json_token t;
	struct ww_slice text;
	struct ww_json j;
	int r = ww_fields_array(subjects, &j);

	if (r == 0)
		r = ww_fields_next(&j, &t, &text);
	if (r == 1 && ww_fields_read(text, "the subject", &digest, 1, why) < 0)
		r = -EINVAL;
	if (r < 0)
		return r;
	ww_sha256(ww_slice_str(a->subject), &of);
	ww_hex_encode(ww_slice(of.b, sizeof(of.b)), hex);
	if (r == 0 || !ww_json_is(&sha.token, hex))
		return ww_errtext_set(why, -EINVAL,
				      "the subject's sha256 is not that of the id "
				      "that the predicate names");
	r = ww_fields_next(&j, &t, &text);
	if (r == 1)
		return ww_errtext_set(why, -EINVAL, "it has more than one subject");
	return r;
}

static int read_statement(struct ww_slice payload, struct ww_attestation *a, struct ww_errtext *why)
{
	enum { TYPE, SUBJECT, PREDICATE_TYPE, PREDICATE, N };
	struct ww_field f[N] = {
		[TYPE] = {.name = "_type", .type = WW_JSON_STRING},
		[SUBJECT] = {.name = "subject", .type = WW_JSON_ARRAY},
		[PREDICATE_TYPE] = {.name = "predicateType", .type = WW_JSON_STRING},
		[PREDICATE] = {.name = "predicate", .type = WW_JSON_OBJECT},
	};
	int r = ww_fields_unique(payload, "the statement", why);

	if (r == 0)
		r = ww_fields_read(payload, "the statement", f, N, why);
	if (r < 0)
		return r;
	if (!ww_json_is(&f[TYPE].token, WW_STATEMENT_TYPE))
		return ww_errtext_set(why, -EINVAL, "it is no in-toto Statement v1");
	if (ww_json_is(&f[PREDICATE_TYPE].token, WW_ATTESTATION_PREDICATE))
		r = read_predicate(f[PREDICATE].text, a, why);
	else if (ww_json_is(&f[PREDICATE_TYPE].token, WW_ATTESTATION_OF_PATH))
		r = read_place(f[PREDICATE].text, a, why);
	else
		r = ww_errtext_set(why, -EINVAL,
				   "its predicate is not " WW_ATTESTATION_PREDICATE
				   ", and not " WW_ATTESTATION_OF_PATH);
	return r < 0 ? r : check_subject(f[SUBJECT].text, a, why);
}

int ww_attestation_parse(struct ww_slice envelope, struct ww_attestation *ret,
			 struct ww_errtext *why)
{
	struct ww_attestation a = {0};
	int r;

	if (envelope.n > WW_ATTESTATION_BYTES_MAX)
		return ww_errtext_set(why, -EMSGSIZE, "it has more than %u bytes",
				      WW_ATTESTATION_BYTES_MAX);
	r = ww_fields_unique(envelope, "the envelope", why);
	if (r == 0)
		r = ww_dsse_parse(envelope, WW_ATTESTATION_PAYLOAD_MAX, NULL, &a.dsse, why);
	if (r < 0)
		return r;
	if (strcmp(a.dsse.type, WW_DSSE_INTOTO) != 0)
		r = ww_errtext_set(why, -EINVAL, "the payload type is not " WW_DSSE_INTOTO);
	else
		r = read_statement(a.dsse.payload, &a, why);
	if (r < 0)
		ww_attestation_done(&a);
	else
		*ret = a;
	return r;
}

void ww_attestation_done(struct ww_attestation *a)
{
	ww_dsse_done(&a->dsse);
}

/* --- who, and when ------------------------------------------------------------------------------
 */

static int verify_ed25519(struct ww_attestation *a, const struct ww_attester *by)
{
	struct ww_note_key key = {.type = WW_NOTE_ED25519};
	size_t place = 0;
	int r;

	memcpy(key.pub, ww_attester_raw(by).p, 32);
	r = ww_dsse_verify_which(&a->dsse, &key, &place);
	if (r < 0)
		return r;
	a->sig_bytes = WW_NOTE_SIG_LEN;
	memcpy(a->sig, a->dsse.signature[place], WW_NOTE_SIG_LEN);
	return 0;
}

static int verify_p256(struct ww_attestation *a, const struct ww_attester *by)
{
	size_t place;
	int r = ww_dsse_verify_ecdsa(&a->dsse, ww_slice(by->key, by->key_bytes), &place);

	if (r < 0)
		return r;
	a->sig_bytes = a->dsse.ecdsa[place].n;
	memcpy(a->sig, a->dsse.ecdsa[place].sig, a->sig_bytes);
	return 0;
}

/* Not of the signature: ECDSA has many for one statement. */
static void set_id(struct ww_attestation *a)
{
	struct ww_sha256_ctx c;
	struct ww_sha256 h;

	ww_sha256_begin(&c);
	ww_sha256_add(&c, ww_slice(a->attester->key, a->attester->key_bytes));
	ww_sha256_add(&c, a->dsse.payload);
	ww_sha256_end(&c, &h);
	memcpy(a->id, "o-", 2);
	ww_hex_encode(ww_slice(h.b, 12), a->id + 2);
}

int ww_attestation_verify(struct ww_attestation *a, const struct ww_attester *attesters,
			  unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		int r = attesters[i].type == WW_ATTESTER_ED25519 ? verify_ed25519(a, &attesters[i])
								 : verify_p256(a, &attesters[i]);

		if (r == 0) {
			a->attester = &attesters[i];
			set_id(a);
			return 0;
		}
		if (r != -EBADMSG)
			return r;
	}
	return -ENOKEY;
}

int ww_attestation_current(const struct ww_attestation *a, struct ww_wall now,
			   struct ww_errtext *why)
{
	if (a->attested_at.ns > now.ns + WW_ATTESTATION_SKEW_S * NS_PER_S)
		return ww_errtext_set(why, -EINVAL, "it was attested in the future");
	if (a->expires_at.ns && a->expires_at.ns <= now.ns)
		return ww_errtext_set(why, -EINVAL, "it has expired");
	return 0;
}

int ww_attestation_begun(const struct ww_attestation *a, struct ww_wall begun,
			 struct ww_errtext *why)
{
	if (a->attested_at.ns + WW_ATTESTATION_SKEW_S * NS_PER_S < begun.ns)
		return ww_errtext_set(why, -EINVAL, "it was attested before the %s began",
				      a->of_path ? "path" : "action");
	return 0;
}

/* --- the record ---------------------------------------------------------------------------------
 */

const char *ww_attestation_by_name(enum ww_attestation_by by)
{
#define BY_NAME_(n, v, t, d) [v] = (t),
	static const char *const names[] = {WW_ATTESTATION_BYS(BY_NAME_)};

	return by && by < WW_ARRAY_SIZE(names) ? names[by] : "unknown";
}

const char *ww_attestation_outcome_name(enum ww_attestation_outcome outcome)
{
#define OUTCOME_NAME_(n, v, t, d) [v] = (t),
	static const char *const names[] = {WW_ATTESTATION_OUTCOMES(OUTCOME_NAME_)};

	return outcome && outcome < WW_ARRAY_SIZE(names) ? names[outcome] : "unknown";
}

static void write_time(struct ww_jsonw *w, const char *key, struct ww_wall t)
{
	char text[WW_RFC3339_MAX];

	ww_wall_rfc3339(t, text);
	ww_jsonw_cstr(w, key, t.ns ? text : NULL);
}

/* What others verify: the payload as it was signed, and the one signature that counts. */
static void write_envelope(const struct ww_attestation *a, struct ww_jsonw *w)
{
	char payload[WW_BASE64_LEN(WW_ATTESTATION_PAYLOAD_MAX) + 1];
	char sig[WW_BASE64_LEN(WW_SIGNER_SIG_MAX) + 1];

	ww_base64_encode(a->dsse.payload, payload);
	ww_base64_encode(ww_slice(a->sig, a->sig_bytes), sig);
	ww_jsonw_object(w, "envelope");
	ww_jsonw_cstr(w, "payload", payload);
	ww_jsonw_cstr(w, "payloadType", a->dsse.type);
	ww_jsonw_array(w, "signatures");
	ww_jsonw_object(w, NULL);
	ww_jsonw_cstr(w, "keyid", a->attester->name);
	ww_jsonw_cstr(w, "sig", sig);
	ww_jsonw_end_object(w);
	ww_jsonw_end_array(w);
	ww_jsonw_end_object(w);
}

void ww_attestation_write_place(const struct ww_attested_place *p, struct ww_jsonw *w)
{
	ww_jsonw_object(w, "says");
	ww_jsonw_cstr(w, "region", p->region[0] ? p->region : NULL);
	ww_jsonw_cstr(w, "operator", p->operator_name[0] ? p->operator_name : NULL);
	ww_jsonw_cstr(w, "service", p->service[0] ? p->service : NULL);
	write_time(w, "t", p->processed_at);
	ww_jsonw_cstr(w, "basis", p->basis[0] ? p->basis : NULL);
	ww_jsonw_end_object(w);
}

static void write_about(const struct ww_attestation *a, const char *subject, struct ww_jsonw *w)
{
	if (!a->of_path) {
		ww_jsonw_cstr(w, "action", subject);
		ww_jsonw_cstr(w, "tool", a->tool);
		ww_jsonw_cstr(w, "by", ww_attestation_by_name(a->by));
		ww_jsonw_cstr(w, "outcome", ww_attestation_outcome_name(a->outcome));
		return;
	}
	ww_jsonw_cstr(w, "path", subject);
	ww_jsonw_cstr(w, "by", ww_attestation_by_name(a->by));
	ww_jsonw_cstr(w, "subject", a->subject);
	ww_attestation_write_place(&a->place, w);
}

void ww_attestation_write(const struct ww_attestation *a, const char *subject, struct ww_wall now,
			  const struct ww_digest_key *key, struct ww_jsonw *w)
{
	struct ww_sha256 d;

	ww_jsonw_object(w, NULL);
	ww_jsonw_cstr(w, "kind", "attestation");
	ww_jsonw_cstr(w, "id", a->id);
	write_time(w, "t", now);
	write_about(a, subject, w);
	ww_jsonw_cstr(w, "attester", a->attester->name);
	write_time(w, "attestedAt", a->attested_at);
	write_time(w, "expiresAt", a->expires_at);
	if (a->reference[0]) {
		ww_digest(key, ww_slice_str(a->reference), &d);
		ww_jsonw_hex(w, "referenceDigest", ww_slice(d.b, sizeof(d.b)));
	} else {
		ww_jsonw_null(w, "referenceDigest");
	}
	write_envelope(a, w);
	ww_jsonw_end_object(w);
}

int ww_attestation_record_read(struct ww_slice json, struct ww_attestation_record *ret,
			       struct ww_errtext *why)
{
	enum { KIND, ID, T, PATH, ACTION, TOOL, BY, OUTCOME, ATTESTER, AT, ENVELOPE, N };
	struct ww_field f[N] = {
		[KIND] = {.name = "kind", .type = WW_JSON_STRING},
		[ID] = {.name = "id", .type = WW_JSON_STRING},
		[T] = {.name = "t", .type = WW_JSON_STRING},
		[PATH] = {.name = "path", .type = WW_JSON_STRING, .optional = true},
		[ACTION] = {.name = "action", .type = WW_JSON_STRING, .optional = true},
		[TOOL] = {.name = "tool", .type = WW_JSON_STRING, .optional = true},
		[BY] = {.name = "by", .type = WW_JSON_STRING},
		[OUTCOME] = {.name = "outcome", .type = WW_JSON_STRING, .optional = true},
		[ATTESTER] = {.name = "attester", .type = WW_JSON_STRING},
		[AT] = {.name = "attestedAt", .type = WW_JSON_STRING},
		[ENVELOPE] = {.name = "envelope", .type = WW_JSON_OBJECT},
	};
	int r = ww_fields_read(json, "the attestation", f, N, why);

	if (r < 0)
		return r;
	if (!ww_json_is(&f[KIND].token, "attestation"))
		return ww_errtext_set(why, -EINVAL, "the record is no attestation");
	if (f[PATH].found == f[ACTION].found || f[ACTION].found != f[TOOL].found ||
	    f[ACTION].found != f[OUTCOME].found)
		return ww_errtext_set(why, -EINVAL,
				      "the attestation is about neither an action nor a path");
	*ret = (struct ww_attestation_record){
		.id = f[ID].token.raw,
		.t = f[T].token.raw,
		.action = f[ACTION].found ? f[ACTION].token.raw : WW_SLICE_NULL,
		.path = f[PATH].found ? f[PATH].token.raw : WW_SLICE_NULL,
		.tool = f[TOOL].found ? f[TOOL].token.raw : WW_SLICE_NULL,
		.by = f[BY].token.raw,
		.outcome = f[OUTCOME].found ? f[OUTCOME].token.raw : WW_SLICE_NULL,
		.attester = f[ATTESTER].token.raw,
		.attested_at = f[AT].token.raw,
		.envelope = f[ENVELOPE].text,
	};
	return 0;
}
