/* SPDX-License-Identifier: Apache-2.0 */
#include "ledger/note.h"

#include <errno.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <sys/random.h>

#include "base/encode.h"
#include "base/utf8.h"

#define KEY_RAW_LEN  33u                         /* type byte and 32 bytes */
#define HELD_RAW_LEN (1u + WW_SIGNER_PUBLIC_MAX) /* the same of a held key */
#define SIG_MADE_MAX 80u                         /* a signature of ours behind the key id */

static const char PRIVATE_PREFIX[] = "PRIVATE+KEY+";
static const uint8_t DASH[] = {0xe2, 0x80, 0x94,
			       ' '}; /* U+2014 and a space open a signature line */

WW_DEFINE_AUTO(EVP_PKEY, EVP_PKEY_free)
WW_DEFINE_AUTO(EVP_MD_CTX, EVP_MD_CTX_free)

/* White_Space of the Unicode Character Database beyond ASCII, as UTF-8. */
static bool is_space(struct ww_slice c)
{
	static const char *const spaces[] = {
		"\xc2\x85", "\xc2\xa0", "\u1680", "\u2000", "\u2001", "\u2002", "\u2003",
		"\u2004",   "\u2005",   "\u2006", "\u2007", "\u2008", "\u2009", "\u200a",
		"\u2028",   "\u2029",   "\u202f", "\u205f", "\u3000",
	};

	for (size_t i = 0; i < WW_ARRAY_SIZE(spaces); i++)
		if (ww_slice_eq_str(c, spaces[i]))
			return true;
	return false;
}

bool ww_note_name_ok(struct ww_slice name)
{
	size_t n;

	if (name.n == 0 || name.n > WW_NOTE_NAME_MAX)
		return false;
	for (size_t at = 0; at < name.n; at += n)
		if (ww_utf8_next(name, at, &n) != WW_PARSE_DONE || name.p[at] <= ' ' ||
		    name.p[at] == '+' || is_space(ww_slice_sub(name, at, n)))
			return false;
	return true;
}

static uint32_t id_of(const uint8_t b[4])
{
	return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
}

static uint32_t key_id(const char *name, const uint8_t raw[KEY_RAW_LEN])
{
	uint8_t in[WW_NOTE_NAME_MAX + 1 + KEY_RAW_LEN];
	size_t n = strlen(name);
	struct ww_sha256 h;

	memcpy(in, name, n);
	in[n] = '\n';
	memcpy(in + n + 1, raw, KEY_RAW_LEN);
	ww_sha256(ww_slice(in, n + 1 + KEY_RAW_LEN), &h);
	return id_of(h.b);
}

static void key_set(struct ww_note_key *k, struct ww_slice name, uint8_t type,
		    const uint8_t pub[32])
{
	uint8_t raw[KEY_RAW_LEN] = {type};

	memset(k, 0, sizeof(*k));
	k->type = type;
	memcpy(k->name, name.p, name.n);
	memcpy(k->pub, pub, 32);
	memcpy(raw + 1, pub, 32);
	k->id = key_id(k->name, raw);
}

static void held_key_set(struct ww_note_key *k, struct ww_slice name, const uint8_t *spki)
{
	struct ww_sha256 h;

	memset(k, 0, sizeof(*k));
	memcpy(k->name, name.p, name.n);
	memcpy(k->pub, spki, WW_SIGNER_PUBLIC_MAX);
	k->type = WW_NOTE_ECDSA;
	ww_sha256(ww_slice(spki, WW_SIGNER_PUBLIC_MAX), &h);
	k->id = id_of(h.b);
}

static bool is_held(const struct ww_note_key *k)
{
	return k->type == WW_NOTE_ECDSA;
}

static void key_text(const char *prefix, const struct ww_note_key *k, const uint8_t *bytes,
		     char out[WW_NOTE_KEY_TEXT_MAX])
{
	uint8_t raw[HELD_RAW_LEN] = {k->type};
	size_t n = is_held(k) ? HELD_RAW_LEN : KEY_RAW_LEN;
	char b64[WW_BASE64_LEN(HELD_RAW_LEN) + 1];

	memcpy(raw + 1, bytes, n - 1);
	ww_base64_encode(ww_slice(raw, n), b64);
	snprintf(out, WW_NOTE_KEY_TEXT_MAX, "%s%s+%08x+%s", prefix, k->name, k->id, b64);
	explicit_bzero(raw, sizeof(raw));
	explicit_bzero(b64, sizeof(b64));
}

/* Splits "name+hhhhhhhh+base64"; the base64 may itself hold '+', names may not. raw: type and key.
 */
static int key_split(struct ww_slice text, uint8_t type, size_t raw_len, struct ww_slice *ret_name,
		     uint32_t *ret_id, uint8_t *ret_raw)
{
	size_t plus = ww_slice_find(text, 0, '+');
	struct ww_slice name = ww_slice_sub(text, 0, plus);
	struct ww_slice hex = ww_slice_sub(text, plus + 1, 8);
	struct ww_slice b64 = ww_slice_sub(text, plus + 10, text.n);
	uint8_t id[4];
	size_t n;

	if (!ww_note_name_ok(name) || text.n < plus + 11 || text.p[plus + 9] != '+' ||
	    ww_hex_decode(hex, id, sizeof(id)) < 0 ||
	    ww_base64_decode(b64, false, ret_raw, raw_len, &n) < 0 || n != raw_len ||
	    ret_raw[0] != type)
		return -EINVAL;
	for (size_t i = 0; i < hex.n; i++)
		if (hex.p[i] >= 'A' && hex.p[i] <= 'F')
			return -EINVAL;
	*ret_name = name;
	*ret_id = id_of(id);
	return 0;
}

int ww_note_key_parse_type(struct ww_slice text, uint8_t type, struct ww_note_key *ret_key)
{
	uint8_t raw[KEY_RAW_LEN];
	struct ww_slice name;
	struct ww_note_key k;
	uint32_t id;

	if (key_split(text, type, KEY_RAW_LEN, &name, &id, raw) < 0)
		return -EINVAL;
	key_set(&k, name, type, raw + 1);
	if (k.id != id)
		return -EINVAL;
	*ret_key = k;
	return 0;
}

int ww_note_key_parse(struct ww_slice text, struct ww_note_key *ret_key)
{
	return ww_note_key_parse_type(text, WW_NOTE_ED25519, ret_key);
}

int ww_note_key_parse_held(struct ww_slice text, struct ww_note_key *ret_key)
{
	uint8_t raw[HELD_RAW_LEN];
	struct ww_slice name;
	struct ww_note_key k;
	uint32_t id;

	if (key_split(text, WW_NOTE_ECDSA, HELD_RAW_LEN, &name, &id, raw) < 0)
		return -EINVAL;
	held_key_set(&k, name, raw + 1);
	if (k.id != id)
		return -EINVAL;
	*ret_key = k;
	return 0;
}

void ww_note_key_text(const struct ww_note_key *key, char out[WW_NOTE_KEY_TEXT_MAX])
{
	key_text("", key, key->pub, out);
}

bool ww_note_key_equal(const struct ww_note_key *a, const struct ww_note_key *b)
{
	return strcmp(a->name, b->name) == 0 && a->type == b->type && a->id == b->id &&
	       memcmp(a->pub, b->pub, sizeof(a->pub)) == 0;
}

static int signer_from_seed(struct ww_slice name, uint8_t type, const uint8_t seed[32],
			    struct ww_note_signer *ret_signer)
{
	WW_AUTO(ww_signer_free_auto) struct ww_signer *software = NULL;

	if (!ww_note_name_ok(name))
		return -EINVAL;
	if (ww_signer_software(seed, &software) < 0)
		return -EIO;
	*ret_signer = (struct ww_note_signer){0};
	key_set(&ret_signer->key, name, type, ww_signer_public(software).p);
	memcpy(ret_signer->seed, seed, 32);
	return 0;
}

int ww_note_signer_seed(struct ww_slice name, const uint8_t seed[32],
			struct ww_note_signer *ret_signer)
{
	return signer_from_seed(name, WW_NOTE_ED25519, seed, ret_signer);
}

int ww_note_signer_new_type(struct ww_slice name, uint8_t type, struct ww_note_signer *ret_signer)
{
	uint8_t seed[32];
	int r;

	if (!ww_note_name_ok(name))
		return -EINVAL;
	if (getrandom(seed, sizeof(seed), 0) != (ssize_t)sizeof(seed))
		return -EIO;
	r = signer_from_seed(name, type, seed, ret_signer);
	explicit_bzero(seed, sizeof(seed));
	return r;
}

int ww_note_signer_new(struct ww_slice name, struct ww_note_signer *ret_signer)
{
	return ww_note_signer_new_type(name, WW_NOTE_ED25519, ret_signer);
}

int ww_note_signer_parse_type(struct ww_slice text, uint8_t type, struct ww_note_signer *ret_signer)
{
	struct ww_slice prefix = WW_SLICE_LIT(PRIVATE_PREFIX), name;
	struct ww_note_signer s = {0};
	uint8_t raw[KEY_RAW_LEN];
	uint32_t id;
	int r = -EINVAL;

	if (ww_slice_starts(text, prefix) && key_split(ww_slice_sub(text, prefix.n, text.n), type,
						       KEY_RAW_LEN, &name, &id, raw) == 0)
		r = signer_from_seed(name, type, raw + 1, &s);
	if (r == 0 && s.key.id != id)
		r = -EINVAL;
	if (r == 0)
		*ret_signer = s;
	ww_note_signer_done(&s);
	explicit_bzero(raw, sizeof(raw));
	return r;
}

int ww_note_signer_parse(struct ww_slice text, struct ww_note_signer *ret_signer)
{
	return ww_note_signer_parse_type(text, WW_NOTE_ED25519, ret_signer);
}

void ww_note_signer_text(const struct ww_note_signer *s, char out[WW_NOTE_KEY_TEXT_MAX])
{
	key_text(PRIVATE_PREFIX, &s->key, s->seed, out);
}

int ww_note_signer_hold(struct ww_slice name, struct ww_signer **held,
			struct ww_note_signer *ret_signer)
{
	struct ww_note_signer s = {0};

	if (!ww_note_name_ok(name) || ww_signer_algorithm(*held) != WW_SIGNER_ECDSA_P256)
		return -EINVAL;
	held_key_set(&s.key, name, ww_signer_public(*held).p);
	s.held = WW_TAKE(*held);
	*ret_signer = s;
	return 0;
}

void ww_note_signer_done(struct ww_note_signer *s)
{
	ww_signer_free(s->held);
	explicit_bzero(s, sizeof(*s));
}

static int sign(const struct ww_note_signer *s, struct ww_slice message,
		uint8_t ret_sig[WW_SIGNER_SIG_MAX], size_t *ret_n)
{
	WW_AUTO(ww_signer_free_auto) struct ww_signer *software = NULL;
	int r = s->held ? 0 : ww_signer_software(s->seed, &software);

	return r < 0 ? r : ww_signer_sign(s->held ? s->held : software, message, ret_sig, ret_n);
}

int ww_note_sign_raw(const struct ww_note_signer *s, struct ww_slice message,
		     uint8_t ret_sig[WW_NOTE_SIG_LEN])
{
	uint8_t sig[WW_SIGNER_SIG_MAX];
	size_t n;
	int r = s->held ? -EINVAL : sign(s, message, sig, &n);

	if (r < 0)
		return r;
	memcpy(ret_sig, sig, WW_NOTE_SIG_LEN);
	return 0;
}

int ww_note_verify_raw(const struct ww_note_key *key, struct ww_slice message, struct ww_slice sig)
{
	WW_AUTO(EVP_PKEY_free_auto)
	EVP_PKEY *pkey = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, key->pub, 32);
	WW_AUTO(EVP_MD_CTX_free_auto) EVP_MD_CTX *ctx = EVP_MD_CTX_new();

	if (sig.n != WW_NOTE_SIG_LEN)
		return -EBADMSG;
	/* Any 32 bytes are a key for these calls: what fails here is memory. */
	if (!pkey || !ctx || EVP_DigestVerifyInit(ctx, NULL, NULL, NULL, pkey) != 1)
		return -ENOMEM;
	return EVP_DigestVerify(ctx, sig.p, sig.n, message.p, message.n) == 1 ? 0 : -EBADMSG;
}

/* Text of a note: UTF-8, no control byte but newline, ends with one. */
static bool text_ok(struct ww_slice text)
{
	size_t n;

	for (size_t at = 0; at < text.n; at += n)
		if (ww_utf8_next(text, at, &n) != WW_PARSE_DONE ||
		    (text.p[at] < ' ' && text.p[at] != '\n'))
			return false;
	return text.n > 0 && text.p[text.n - 1] == '\n';
}

int ww_note_line_add(const struct ww_note_key *key, struct ww_slice sig, struct ww_buf *out)
{
	char line[sizeof(DASH) + WW_NOTE_NAME_MAX + WW_BASE64_LEN(4 + SIG_MADE_MAX) + 8];
	char b64[WW_BASE64_LEN(4 + SIG_MADE_MAX) + 1];
	uint8_t raw[4 + SIG_MADE_MAX];
	int n;

	if (sig.n > SIG_MADE_MAX)
		return -EMSGSIZE;
	for (size_t i = 0; i < 4; i++)
		raw[i] = (uint8_t)(key->id >> (24 - 8 * i));
	memcpy(raw + 4, sig.p, sig.n);
	ww_base64_encode(ww_slice(raw, 4 + sig.n), b64);
	n = snprintf(line, sizeof(line), "%.4s%s %s\n", (const char *)DASH, key->name, b64);
	return ww_buf_add(out, line, (size_t)n);
}

int ww_note_cosign(const struct ww_note_signer *s, struct ww_slice text, struct ww_buf *out)
{
	uint8_t sig[WW_SIGNER_SIG_MAX];
	size_t n;
	int r = sign(s, text, sig, &n);

	return r < 0 ? r : ww_note_line_add(&s->key, ww_slice(sig, n), out);
}

int ww_note_sign(const struct ww_note_signer *s, struct ww_slice text, struct ww_buf *out)
{
	int r;

	if (!text_ok(text) || s->key.type == WW_NOTE_COSIGNATURE)
		return -EINVAL;
	r = ww_buf_add(out, text.p, text.n);
	if (r == 0)
		r = ww_buf_add(out, "\n", 1);
	return r < 0 ? r : ww_note_cosign(s, text, out);
}

int ww_note_split(struct ww_slice note, struct ww_slice *ret_text, struct ww_slice *ret_lines)
{
	size_t split = 0;

	if (note.n > WW_NOTE_BYTES_MAX || !text_ok(note))
		return -EINVAL;
	/* Split at the last empty line: the text may hold empty lines of its own. */
	for (size_t at = 1; at < note.n; at++)
		if (note.p[at] == '\n' && note.p[at - 1] == '\n')
			split = at;
	if (split == 0 || split + 1 == note.n)
		return -EINVAL;
	*ret_text = ww_slice_sub(note, 0, split);
	*ret_lines = ww_slice_sub(note, split + 1, note.n);
	return 0;
}

int ww_note_line_next(struct ww_slice *lines, struct ww_note_line *ret_line)
{
	size_t end = ww_slice_find(*lines, 0, '\n'), space, n;
	struct ww_slice line = ww_slice_sub(*lines, 0, end), dash = ww_slice(DASH, sizeof(DASH));
	uint8_t *raw = ret_line->sig;

	if (lines->n == 0)
		return 0;
	if (end == lines->n || !ww_slice_starts(line, dash))
		return -EINVAL;
	line = ww_slice_sub(line, dash.n, line.n);
	space = ww_slice_find(line, 0, ' ');
	ret_line->name = ww_slice_sub(line, 0, space);
	if (!ww_note_name_ok(ret_line->name) ||
	    ww_base64_decode(ww_slice_sub(line, space + 1, line.n), false, raw,
			     sizeof(ret_line->sig), &n) < 0 ||
	    n < 5)
		return -EINVAL;
	ret_line->id =
		(uint32_t)raw[0] << 24 | (uint32_t)raw[1] << 16 | (uint32_t)raw[2] << 8 | raw[3];
	ret_line->n = n - 4;
	memmove(raw, raw + 4, n - 4);
	*lines = ww_slice_sub(*lines, end + 1, lines->n);
	return 1;
}

bool ww_note_line_by(const struct ww_note_line *line, const struct ww_note_key *key)
{
	return ww_slice_eq_str(line->name, key->name) && line->id == key->id;
}

int ww_note_open(struct ww_slice note, const struct ww_note_key *key, struct ww_slice *ret_text)
{
	struct ww_slice text, lines;
	struct ww_note_line line;
	size_t count = 0;
	bool good = false;
	int r = key->type == WW_NOTE_COSIGNATURE ? -EINVAL : ww_note_split(note, &text, &lines);

	if (r < 0)
		return r;
	while ((r = ww_note_line_next(&lines, &line)) == 1) {
		if (++count > WW_NOTE_SIGNATURES_MAX)
			return -EINVAL;
		if (!ww_note_line_by(&line, key))
			continue;
		if (is_held(key))
			r = ww_signer_verify_ecdsa(ww_slice(key->pub, sizeof(key->pub)), text,
						   ww_slice(line.sig, line.n));
		else
			r = ww_note_verify_raw(key, text, ww_slice(line.sig, line.n));
		if (r < 0)
			return r;
		good = true;
	}
	if (r < 0)
		return r;
	if (!good)
		return -ENOKEY;
	*ret_text = text;
	return 0;
}
