/* SPDX-License-Identifier: Apache-2.0 */
#include "ledger/bundle.h"

#include <errno.h>
#include <stdio.h>

#include "base/encode.h"
#include "base/json_write.h"
#include "ledger/fields.h"
#include "ledger/leaf.h"
#include "ledger/timestamp.h"

#define KIND        "dsse"
#define API_VERSION "0.0.2"
/* The first key has no date of its own, nor has an authority. */
#define VALID_FROM "1970-01-01T00:00:00Z"

/* RFC 8410: SubjectPublicKeyInfo of an Ed25519 key is these bytes and the key. */
static const uint8_t spki_head[12] = {0x30, 0x2a, 0x30, 0x05, 0x06, 0x03,
				      0x2b, 0x65, 0x70, 0x03, 0x21, 0x00};

#define PUB_LEN  32u
#define SPKI_LEN (sizeof(spki_head) + PUB_LEN)

static void spki_of(const struct ww_note_key *key, uint8_t out[SPKI_LEN])
{
	memcpy(out, spki_head, sizeof(spki_head));
	memcpy(out + sizeof(spki_head), key->pub, PUB_LEN);
}

/* --- writing -------------------------------------------------------------------------------------
 */

static void write_b64(struct ww_jsonw *w, const char *key, struct ww_slice bytes)
{
	char small[WW_BASE64_LEN(64) + 1];
	WW_AUTO_FREE char *large = NULL;
	char *text = small;

	if (bytes.n > 64) {
		text = large = malloc(WW_BASE64_LEN(bytes.n) + 1);
		if (!large) {
			w->err = w->err ? w->err : -ENOMEM;
			return;
		}
	}
	ww_base64_encode(bytes, text);
	ww_jsonw_cstr(w, key, text);
}

static void write_hash(struct ww_jsonw *w, const char *key, const struct ww_sha256 *h)
{
	write_b64(w, key, ww_slice(h->b, sizeof(h->b)));
}

/* A 64-bit number as protobuf's JSON has it. */
static void write_i64(struct ww_jsonw *w, const char *key, uint64_t n)
{
	char text[24];

	snprintf(text, sizeof(text), "%llu", (unsigned long long)n);
	ww_jsonw_cstr(w, key, text);
}

static void write_public_key(struct ww_jsonw *w, const struct ww_note_key *key)
{
	uint8_t spki[SPKI_LEN];

	spki_of(key, spki);
	ww_jsonw_object(w, "publicKey");
	write_b64(w, "rawBytes", ww_slice(spki, sizeof(spki)));
}

int ww_bundle_entry(const struct ww_sha256 *payload, const uint8_t sig[WW_NOTE_SIG_LEN],
		    const struct ww_note_key *key, struct ww_buf *out)
{
	struct ww_jsonw w;

	ww_jsonw_init(&w, out);
	ww_jsonw_object(&w, NULL);
	ww_jsonw_cstr(&w, "apiVersion", API_VERSION);
	ww_jsonw_cstr(&w, "kind", KIND);
	ww_jsonw_object(&w, "spec");
	ww_jsonw_object(&w, "dsseV002");
	ww_jsonw_object(&w, "payloadHash");
	ww_jsonw_cstr(&w, "algorithm", "SHA2_256");
	write_hash(&w, "digest", payload);
	ww_jsonw_end_object(&w);
	ww_jsonw_array(&w, "signatures");
	ww_jsonw_object(&w, NULL);
	write_b64(&w, "content", ww_slice(sig, WW_NOTE_SIG_LEN));
	ww_jsonw_object(&w, "verifier");
	ww_jsonw_cstr(&w, "keyDetails", "PKIX_ED25519");
	write_public_key(&w, key);
	ww_jsonw_end_object(&w);
	ww_jsonw_end_object(&w);
	ww_jsonw_end_object(&w);
	ww_jsonw_end_array(&w);
	ww_jsonw_end_object(&w);
	ww_jsonw_end_object(&w);
	ww_jsonw_end_object(&w);
	return w.err;
}

int ww_bundle_record(const struct ww_sha256 *payload, struct ww_slice entry, const char *t,
		     struct ww_buf *out)
{
	char id[3 + 2 * 8] = "b-";
	struct ww_jsonw w;

	ww_hex_encode(ww_slice(payload->b, 8), id + 2);
	ww_jsonw_init(&w, out);
	ww_jsonw_object(&w, NULL);
	ww_jsonw_cstr(&w, "kind", WW_LEAF_REPORT);
	ww_jsonw_cstr(&w, "id", id);
	ww_jsonw_cstr(&w, "t", t);
	ww_jsonw_raw(&w, "entry", entry);
	ww_jsonw_end_object(&w);
	return w.err;
}

/* What names the log: the hash whose first four bytes are the key's id. */
static void log_id(const struct ww_note_key *key, struct ww_sha256 *ret)
{
	uint8_t in[WW_NOTE_NAME_MAX + 2 + PUB_LEN];
	size_t n = strlen(key->name);

	memcpy(in, key->name, n);
	in[n++] = '\n';
	in[n++] = 0x01; /* Ed25519 */
	memcpy(in + n, key->pub, PUB_LEN);
	ww_sha256(ww_slice(in, n + PUB_LEN), ret);
}

static void write_key_id(struct ww_jsonw *w, const char *key, const struct ww_sha256 *id)
{
	ww_jsonw_object(w, key);
	write_hash(w, "keyId", id);
	ww_jsonw_end_object(w);
}

static void write_entry(struct ww_jsonw *w, const struct ww_bundle_input *in)
{
	struct ww_sha256 id;

	log_id(in->key, &id);
	ww_jsonw_object(w, NULL);
	write_i64(w, "logIndex", in->index);
	write_key_id(w, "logId", &id);
	ww_jsonw_object(w, "kindVersion");
	ww_jsonw_cstr(w, "kind", KIND);
	ww_jsonw_cstr(w, "version", API_VERSION);
	ww_jsonw_end_object(w);
	write_i64(w, "integratedTime", 0);
	ww_jsonw_object(w, "inclusionProof");
	write_i64(w, "logIndex", in->index);
	write_hash(w, "rootHash", &in->head->root);
	write_i64(w, "treeSize", in->head->size);
	ww_jsonw_array(w, "hashes");
	for (size_t i = 0; i < in->proof->n; i++)
		write_hash(w, NULL, &in->proof->path[i]);
	ww_jsonw_end_array(w);
	ww_jsonw_object(w, "checkpoint");
	ww_jsonw_str(w, "envelope", in->note);
	ww_jsonw_end_object(w);
	ww_jsonw_end_object(w);
	write_b64(w, "canonicalizedBody", in->entry);
	ww_jsonw_end_object(w);
}

int ww_bundle_write(const struct ww_bundle_input *in, struct ww_buf *out)
{
	char hint[WW_NOTE_NAME_MAX + 16];
	struct ww_jsonw w;

	snprintf(hint, sizeof(hint), "%s+%08x", in->key->name, in->key->id);
	ww_jsonw_init(&w, out);
	ww_jsonw_object(&w, NULL);
	ww_jsonw_cstr(&w, "mediaType", WW_BUNDLE_MEDIA_TYPE);
	ww_jsonw_object(&w, "verificationMaterial");
	ww_jsonw_object(&w, "publicKey");
	ww_jsonw_cstr(&w, "hint", hint);
	ww_jsonw_end_object(&w);
	ww_jsonw_array(&w, "tlogEntries");
	write_entry(&w, in);
	ww_jsonw_end_array(&w);
	if (in->stamp.n) {
		ww_jsonw_object(&w, "timestampVerificationData");
		ww_jsonw_array(&w, "rfc3161Timestamps");
		ww_jsonw_object(&w, NULL);
		write_b64(&w, "signedTimestamp", in->stamp);
		ww_jsonw_end_object(&w);
		ww_jsonw_end_array(&w);
		ww_jsonw_end_object(&w);
	}
	ww_jsonw_end_object(&w);
	ww_jsonw_raw(&w, "dsseEnvelope", ww_slice_trim(in->envelope));
	ww_jsonw_end_object(&w);
	return ww_jsonw_ok(&w) ? ww_buf_add(out, "\n", 1) : w.err;
}

/* A time in whole seconds: those of time stamps have no more. */
static void write_time(struct ww_jsonw *w, const char *name, const char *time)
{
	char text[WW_ROTATION_TIME_MAX];

	snprintf(text, sizeof(text), "%.19sZ", time);
	ww_jsonw_cstr(w, name, text);
}

/* `until` NULL: still valid. */
static void write_valid(struct ww_jsonw *w, const char *since, const char *until)
{
	ww_jsonw_object(w, "validFor");
	write_time(w, "start", since[0] ? since : VALID_FROM);
	if (until)
		write_time(w, "end", until);
	ww_jsonw_end_object(w);
}

static void write_log(struct ww_jsonw *w, const struct ww_note_key *key, const char *since,
		      const char *until)
{
	char url[WW_NOTE_NAME_MAX + 16];
	struct ww_sha256 id;

	log_id(key, &id);
	/* Verifiers look for the checkpoint's name in the address, as it stands. */
	snprintf(url, sizeof(url), "https://%s", key->name);
	ww_jsonw_object(w, NULL);
	ww_jsonw_cstr(w, "baseUrl", url);
	ww_jsonw_cstr(w, "hashAlgorithm", "SHA2_256");
	write_public_key(w, key);
	ww_jsonw_cstr(w, "keyDetails", "PKIX_ED25519");
	write_valid(w, since, until);
	ww_jsonw_end_object(w);
	write_key_id(w, "logId", &id);
	write_key_id(w, "checkpointKeyId", &id);
	ww_jsonw_end_object(w);
}

static void write_authority(struct ww_jsonw *w, const struct ww_slice *certs, size_t n)
{
	ww_jsonw_object(w, NULL);
	ww_jsonw_object(w, "certChain");
	ww_jsonw_array(w, "certificates");
	for (size_t i = 0; i < n; i++) {
		ww_jsonw_object(w, NULL);
		write_b64(w, "rawBytes", certs[i]);
		ww_jsonw_end_object(w);
	}
	ww_jsonw_end_array(w);
	ww_jsonw_end_object(w);
	write_valid(w, VALID_FROM, NULL);
	ww_jsonw_end_object(w);
}

int ww_bundle_trust_root(const struct ww_keychain *chain, const struct ww_slice *certs,
			 size_t cert_count, struct ww_buf *out)
{
	struct ww_jsonw w;

	ww_jsonw_init(&w, out);
	ww_jsonw_object(&w, NULL);
	ww_jsonw_cstr(&w, "mediaType", "application/vnd.dev.sigstore.trustedroot+json;version=0.1");
	ww_jsonw_array(&w, "tlogs");
	for (size_t i = 0; i < chain->n; i++)
		write_log(&w, &chain->keys[i].key, chain->keys[i].since,
			  i + 1 < chain->n ? chain->keys[i + 1].since : NULL);
	ww_jsonw_end_array(&w);
	ww_jsonw_array(&w, "certificateAuthorities");
	ww_jsonw_end_array(&w);
	ww_jsonw_array(&w, "ctlogs");
	ww_jsonw_end_array(&w);
	ww_jsonw_array(&w, "timestampAuthorities");
	if (cert_count)
		write_authority(&w, certs, cert_count);
	ww_jsonw_end_array(&w);
	ww_jsonw_end_object(&w);
	return ww_jsonw_ok(&w) ? ww_buf_add(out, "\n", 1) : w.err;
}

/* --- reading -------------------------------------------------------------------------------------
 */

void ww_bundle_field(struct ww_field *ret)
{
	*ret = (struct ww_field){.name = "dsseEnvelope", .type = WW_JSON_OBJECT, .optional = true};
}

bool ww_bundle_is(struct ww_slice file)
{
	struct ww_field f;

	ww_bundle_field(&f);
	return ww_fields_read(file, "the file", &f, 1, NULL) == 0 && f.found;
}

/* Base64 of a member into memory, whose ceiling bounds it and which does not move. */
static int take_b64(const struct ww_field *f, struct ww_buf *memory, struct ww_slice *ret)
{
	size_t room = f->token.raw.n / 4 * 3, n;
	int r;

	if (room > memory->cap - memory->n)
		return -EMSGSIZE;
	r = ww_base64_decode(f->token.raw, true, memory->p + memory->n, room, &n);
	if (r < 0)
		return -EINVAL;
	*ret = ww_slice(memory->p + memory->n, n);
	memory->n += n;
	return 0;
}

static int take_hash(const struct ww_json_token *t, struct ww_sha256 *ret)
{
	size_t n;

	if (t->type != WW_JSON_STRING ||
	    ww_base64_decode(t->raw, true, ret->b, sizeof(ret->b), &n) < 0 || n != sizeof(ret->b))
		return -EINVAL;
	return 0;
}

static int take_one(struct ww_slice object, const char *what, const char *name,
		    struct ww_field *ret, struct ww_errtext *why)
{
	*ret = (struct ww_field){.name = name, .type = WW_JSON_STRING};
	return ww_fields_read(object, what, ret, 1, why);
}

static int parse_hashes(struct ww_slice array, struct ww_merkle_proof *p)
{
	struct ww_json_token t;
	struct ww_slice text;
	struct ww_json j;
	int r = ww_fields_array(array, &j);

	while (r >= 0 && (r = ww_fields_next(&j, &t, &text)) == 1) {
		if (p->n == WW_MERKLE_PROOF_MAX || take_hash(&t, &p->path[p->n]) < 0)
			return -EINVAL;
		p->n++;
	}
	return r;
}

static int parse_proof(struct ww_slice text, struct ww_bundle *b, struct ww_errtext *why)
{
	enum { INDEX, ROOT, SIZE, HASHES, CHECKPOINT, N };
	struct ww_field f[N] = {
		[INDEX] = {.name = "logIndex", .type = WW_JSON_NUMBER},
		[ROOT] = {.name = "rootHash", .type = WW_JSON_STRING},
		[SIZE] = {.name = "treeSize", .type = WW_JSON_NUMBER},
		[HASHES] = {.name = "hashes", .type = WW_JSON_ARRAY},
		[CHECKPOINT] = {.name = "checkpoint", .type = WW_JSON_OBJECT},
	};
	struct ww_field note;
	WW_AUTO_BUF struct ww_buf scratch = {0};
	struct ww_slice s;
	int r = ww_fields_read(text, "inclusionProof", f, N, why);

	if (r == 0)
		r = take_one(f[CHECKPOINT].text, "checkpoint", "envelope", &note, why);
	if (r < 0)
		return r;
	ww_buf_init(&scratch, WW_NOTE_BYTES_MAX);
	if (ww_fields_u64(&f[INDEX], &b->proof_index) < 0 ||
	    ww_fields_u64(&f[SIZE], &b->proof_size) < 0 ||
	    take_hash(&f[ROOT].token, &b->proof_root) < 0 ||
	    parse_hashes(f[HASHES].text, &b->proof) < 0 ||
	    ww_fields_text(&note.token, &scratch, &s) < 0 || s.n > b->memory.cap - b->memory.n)
		return ww_errtext_set(why, -EINVAL, "inclusionProof holds a malformed value");
	memcpy(b->memory.p + b->memory.n, s.p, s.n);
	b->note = ww_slice(b->memory.p + b->memory.n, s.n);
	b->memory.n += s.n;
	return 0;
}

static int parse_entry(struct ww_slice text, struct ww_bundle *b, struct ww_errtext *why)
{
	enum { INDEX, LOG, KIND_VERSION, PROOF, BODY, N };
	struct ww_field f[N] = {
		[INDEX] = {.name = "logIndex", .type = WW_JSON_NUMBER},
		[LOG] = {.name = "logId", .type = WW_JSON_OBJECT},
		[KIND_VERSION] = {.name = "kindVersion", .type = WW_JSON_OBJECT},
		[PROOF] = {.name = "inclusionProof", .type = WW_JSON_OBJECT},
		[BODY] = {.name = "canonicalizedBody", .type = WW_JSON_STRING},
	};
	struct ww_field kv[2] = {{.name = "kind", .type = WW_JSON_STRING},
				 {.name = "version", .type = WW_JSON_STRING}};
	struct ww_field id;
	int r = ww_fields_read(text, "a log entry", f, N, why);

	if (r == 0)
		r = take_one(f[LOG].text, "logId", "keyId", &id, why);
	if (r == 0)
		r = ww_fields_read(f[KIND_VERSION].text, "kindVersion", kv, 2, why);
	if (r == 0)
		r = parse_proof(f[PROOF].text, b, why);
	if (r < 0)
		return r;
	if (!ww_json_is(&kv[0].token, KIND) || !ww_json_is(&kv[1].token, API_VERSION))
		return ww_errtext_set(why, -EINVAL, "the log entry is not %s %s", KIND,
				      API_VERSION);
	if (ww_fields_u64(&f[INDEX], &b->log_index) < 0 || take_hash(&id.token, &b->log_id) < 0 ||
	    take_b64(&f[BODY], &b->memory, &b->entry) < 0)
		return ww_errtext_set(why, -EINVAL, "the log entry holds a malformed value");
	return 0;
}

static int parse_entries(struct ww_slice array, struct ww_bundle *b, struct ww_errtext *why)
{
	struct ww_slice text = WW_SLICE_NULL;
	struct ww_json_token t;
	struct ww_json j;
	int r;

	if (ww_fields_array(array, &j) < 0 || ww_fields_next(&j, &t, &text) != 1)
		return ww_errtext_set(why, -EINVAL, "there is no log entry");
	r = parse_entry(text, b, why);
	if (r == 0 && ww_fields_next(&j, &t, &text) != 0)
		return ww_errtext_set(why, -EINVAL, "there is more than one log entry");
	return r;
}

static int parse_stamps(struct ww_slice object, struct ww_bundle *b, struct ww_errtext *why)
{
	struct ww_field list = {
		.name = "rfc3161Timestamps", .type = WW_JSON_ARRAY, .optional = true};
	struct ww_json_token t;
	struct ww_slice text;
	struct ww_json j;
	int r = ww_fields_read(object, "timestampVerificationData", &list, 1, why);

	if (r < 0 || !list.found)
		return r;
	r = ww_fields_array(list.text, &j);
	while (r >= 0 && (r = ww_fields_next(&j, &t, &text)) == 1) {
		struct ww_field f;

		r = take_one(text, "a time stamp", "signedTimestamp", &f, why);
		if (r < 0)
			return r;
		if (b->n_stamps == WW_BUNDLE_STAMPS_MAX ||
		    take_b64(&f, &b->memory, &b->stamps[b->n_stamps]) < 0)
			return ww_errtext_set(why, -EINVAL,
					      "too many time stamps, or one is not base64");
		b->n_stamps++;
	}
	return r;
}

static int parse_material(struct ww_slice object, struct ww_bundle *b, struct ww_errtext *why)
{
	enum { KEY, ENTRIES, STAMPS, N };
	struct ww_field f[N] = {
		[KEY] = {.name = "publicKey", .type = WW_JSON_OBJECT},
		[ENTRIES] = {.name = "tlogEntries", .type = WW_JSON_ARRAY},
		[STAMPS] = {.name = "timestampVerificationData",
			    .type = WW_JSON_OBJECT,
			    .optional = true},
	};
	struct ww_field hint;
	int r = ww_fields_read(object, "verificationMaterial", f, N, why);

	if (r == 0)
		r = take_one(f[KEY].text, "publicKey", "hint", &hint, why);
	if (r < 0)
		return r;
	memcpy(b->memory.p + b->memory.n, hint.token.raw.p, hint.token.raw.n);
	b->hint = ww_slice(b->memory.p + b->memory.n, hint.token.raw.n);
	b->memory.n += hint.token.raw.n;
	r = parse_entries(f[ENTRIES].text, b, why);
	return r < 0 || !f[STAMPS].found ? r : parse_stamps(f[STAMPS].text, b, why);
}

static int parse(struct ww_slice file, struct ww_bundle *b, struct ww_errtext *why)
{
	enum { MEDIA, MATERIAL, ENVELOPE, N };
	struct ww_field f[N] = {
		[MEDIA] = {.name = "mediaType", .type = WW_JSON_STRING},
		[MATERIAL] = {.name = "verificationMaterial", .type = WW_JSON_OBJECT},
		[ENVELOPE] = {.name = "dsseEnvelope", .type = WW_JSON_OBJECT},
	};
	uint8_t *p;
	int r = ww_fields_read(file, "the bundle", f, N, why);

	if (r < 0)
		return r;
	if (!ww_json_is(&f[MEDIA].token, WW_BUNDLE_MEDIA_TYPE))
		return ww_errtext_set(why, -EINVAL, "the media type is not %s",
				      WW_BUNDLE_MEDIA_TYPE);
	/* Decoded text is never longer than its text here. */
	if (f[MATERIAL].text.n > WW_BUNDLE_MATERIAL_BYTES_MAX)
		return ww_errtext_set(why, -EMSGSIZE, "verificationMaterial is too large");
	ww_buf_init(&b->memory, f[MATERIAL].text.n);
	r = ww_buf_reserve(&b->memory, f[MATERIAL].text.n, &p);
	if (r < 0)
		return ww_errtext_errno(why, r, "cannot read the bundle");
	b->envelope = f[ENVELOPE].text;
	return parse_material(f[MATERIAL].text, b, why);
}

int ww_bundle_parse(struct ww_slice file, struct ww_bundle *ret, struct ww_errtext *why)
{
	struct ww_bundle b = {0};
	int r = parse(file, &b, why);

	if (r < 0)
		ww_bundle_done(&b);
	else
		*ret = b;
	return r;
}

void ww_bundle_done(struct ww_bundle *b)
{
	ww_buf_done(&b->memory);
}

static bool hash_eq(const struct ww_sha256 *a, const struct ww_sha256 *b)
{
	return memcmp(a->b, b->b, sizeof(a->b)) == 0;
}

/* The entry is the one that this envelope and key give, byte for byte. */
static int check_entry(const struct ww_bundle *b, const struct ww_dsse *d,
		       const struct ww_note_key *key, struct ww_errtext *why)
{
	WW_AUTO_BUF struct ww_buf want = {0};
	struct ww_sha256 payload;
	int r;

	if (d->n_signatures != 1)
		return ww_errtext_set(why, -EINVAL, "the envelope has not exactly one signature");
	ww_buf_init(&want, WW_LEAF_BYTES_MAX);
	ww_sha256(d->payload, &payload);
	r = ww_bundle_entry(&payload, d->signature[0], key, &want);
	if (r < 0)
		return ww_errtext_errno(why, r, "cannot make the entry again");
	if (!ww_slice_eq(b->entry, ww_buf_slice(&want)))
		return ww_errtext_set(why, -EINVAL,
				      "the log entry is not the one of this envelope and key");
	return 0;
}

static int check_proof(const struct ww_bundle *b, const struct ww_note_key *key,
		       struct ww_errtext *why)
{
	struct ww_checkpoint head;
	struct ww_sha256 id, leaf;
	int r = ww_checkpoint_open(b->note, key, &head);

	if (r == -ENOMEM)
		return r;
	if (r < 0)
		return ww_errtext_set(why, -EINVAL, "the checkpoint is not signed by %s+%08x",
				      key->name, key->id);
	log_id(key, &id);
	if (!hash_eq(&id, &b->log_id))
		return ww_errtext_set(why, -EINVAL, "logId is not the key's hash");
	if (b->log_index != b->proof_index)
		return ww_errtext_set(why, -EINVAL, "logIndex is %llu, that of the proof is %llu",
				      (unsigned long long)b->log_index,
				      (unsigned long long)b->proof_index);
	if (b->proof_size != head.size)
		return ww_errtext_set(why, -EINVAL, "treeSize is not that of the checkpoint");
	if (!hash_eq(&b->proof_root, &head.root))
		return ww_errtext_set(why, -EINVAL, "rootHash is not that of the checkpoint");
	ww_merkle_leaf(b->entry, &leaf);
	if (!ww_merkle_inclusion_check(&leaf, b->proof_index, head.size, &b->proof, &head.root))
		return ww_errtext_set(why, -EINVAL, "the proof does not lead to the checkpoint");
	return 0;
}

int ww_bundle_check(const struct ww_bundle *b, const struct ww_dsse *d,
		    const struct ww_note_key *key, struct ww_errtext *why)
{
	char hint[WW_NOTE_NAME_MAX + 16];
	int r = check_entry(b, d, key, why);

	if (r == 0)
		r = check_proof(b, key, why);
	if (r < 0)
		return r;
	snprintf(hint, sizeof(hint), "%s+%08x", key->name, key->id);
	if (!ww_slice_eq_str(b->hint, hint))
		return ww_errtext_set(why, -EINVAL, "the hint names another key");
	for (size_t i = 0; i < b->n_stamps && r == 0; i++)
		r = ww_timestamp_check(b->stamps[i], d->signature[0], NULL, NULL, NULL, why);
	return r;
}
