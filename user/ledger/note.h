/* SPDX-License-Identifier: Apache-2.0 */
/*
 * C2SP signed notes: the text, one empty line, signature lines.
 *
 * Place: under checkpoints; pure but for key generation, which asks the kernel for randomness, and
 * for keys held elsewhere (signer.h). Logs sign with Ed25519 (RFC 8032): a key is a name and 32
 * bytes; its id is the first four bytes of SHA-256 over name, newline, type 0x01 and the key. Type
 * 0x04 is the same for keys that cosign checkpoints (cosign.h); a function that does not say which
 * deals in 0x01. The other type is ECDSA P-256, for keys in hardware that has no Ed25519: type
 * 0x02, the key is a SubjectPublicKeyInfo, its id the beginning of SHA-256 over that alone. It
 * endorses, it never signs a tree. Names are non-empty UTF-8 without spaces and without '+'; the
 * log uses its origin.
 */
#pragma once

#include "base/buf.h"
#include "base/digest.h"
#include "ledger/signer.h"

#define WW_NOTE_NAME_MAX       255u        /* bytes of a key name */
#define WW_NOTE_BYTES_MAX      (64u << 10) /* a whole note; checkpoints are a few hundred bytes */
#define WW_NOTE_SIGNATURES_MAX 64u         /* more lines than any witness set in use */
#define WW_NOTE_KEY_TEXT_MAX   (WW_NOTE_NAME_MAX + 160u) /* a key in text form and its NUL */
#define WW_NOTE_SIG_LEN        64u
#define WW_NOTE_LINE_RAW_MAX   16384u /* decoded signature line: room for post-quantum kinds */

enum { WW_NOTE_ED25519 = 0x01, WW_NOTE_ECDSA = 0x02, WW_NOTE_COSIGNATURE = 0x04 };

/* A public key: enough to verify. Plain value, no ownership. */
struct ww_note_key {
	char name[WW_NOTE_NAME_MAX + 1];
	uint32_t id;
	uint8_t type;
	uint8_t pub[WW_SIGNER_PUBLIC_MAX]; /* of Ed25519 the first 32 */
};

/* A private key: wipe with ww_note_signer_done. */
struct ww_note_signer {
	struct ww_note_key key;
	uint8_t seed[32];       /* software keys */
	struct ww_signer *held; /* owned; NULL: a software key */
};

/* Whether the text may name a key. */
bool ww_note_name_ok(struct ww_slice name);

/* Reads a verifier key, "name+hhhhhhhh+base64". 0, or -EINVAL (form, key id, key type other than
 * Ed25519). */
WW_CHECK int ww_note_key_parse(struct ww_slice text, struct ww_note_key *ret_key);
WW_CHECK int ww_note_key_parse_type(struct ww_slice text, uint8_t type,
				    struct ww_note_key *ret_key);

/* Writes the verifier key, NUL-terminated, without newline. */
void ww_note_key_text(const struct ww_note_key *key, char out[WW_NOTE_KEY_TEXT_MAX]);

/* Same name, id and public key. */
bool ww_note_key_equal(const struct ww_note_key *a, const struct ww_note_key *b);

/* A new random key. 0, -EINVAL (name), -EIO (libcrypto or getrandom). */
WW_CHECK int ww_note_signer_new(struct ww_slice name, struct ww_note_signer *ret_signer);
WW_CHECK int ww_note_signer_new_type(struct ww_slice name, uint8_t type,
				     struct ww_note_signer *ret_signer);

/* The key of a seed. 0, -EINVAL (name), -EIO. */
WW_CHECK int ww_note_signer_seed(struct ww_slice name, const uint8_t seed[32],
				 struct ww_note_signer *ret_signer);

/* Reads and writes "PRIVATE+KEY+name+hhhhhhhh+base64", the form of the key file. 0 or -EINVAL,
 * -EIO. */
WW_CHECK int ww_note_signer_parse(struct ww_slice text, struct ww_note_signer *ret_signer);
WW_CHECK int ww_note_signer_parse_type(struct ww_slice text, uint8_t type,
				       struct ww_note_signer *ret_signer);
void ww_note_signer_text(const struct ww_note_signer *s, char out[WW_NOTE_KEY_TEXT_MAX]);

/* Gives a held key a name; `held` is moved into the signer on success. 0, -EINVAL (name). */
WW_CHECK int ww_note_signer_hold(struct ww_slice name, struct ww_signer **held,
				 struct ww_note_signer *ret_signer);

/* Reads the verifier key of a held key, type 0x02. 0 or -EINVAL. */
WW_CHECK int ww_note_key_parse_held(struct ww_slice text, struct ww_note_key *ret_key);

/* Wipes it and frees what it holds. */
void ww_note_signer_done(struct ww_note_signer *s);

/* Raw Ed25519 over `message`; also what the report envelope is signed with. 0, -EIO, -EINVAL (a
 * held key). */
WW_CHECK int ww_note_sign_raw(const struct ww_note_signer *s, struct ww_slice message,
			      uint8_t ret_sig[WW_NOTE_SIG_LEN]);

/*
 * 0, -EBADMSG (the signature is not good), -ENOMEM (not decided). Deep inside, libcrypto answers
 * "bad" also when memory runs out: that is on the safe side, and a good answer is always true.
 */
WW_CHECK int ww_note_verify_raw(const struct ww_note_key *key, struct ww_slice message,
				struct ww_slice sig);

/*
 * Signs `text` and appends the whole note to out. 0, -EINVAL (text not UTF-8, has control bytes,
 * does not end with a newline), -EMSGSIZE, -ENOMEM, -EIO. On error out may hold part of the note.
 */
WW_CHECK int ww_note_sign(const struct ww_note_signer *s, struct ww_slice text, struct ww_buf *out);

/* Appends one more signature line over `text` to a note that ends in `out`. Errors as above. */
WW_CHECK int ww_note_cosign(const struct ww_note_signer *s, struct ww_slice text,
			    struct ww_buf *out);

/*
 * Verifies a note under one trusted key and gives its text, borrowed from `note`.
 * Lines of other keys are ignored, but a line that carries the trusted name and id with a wrong
 * signature fails the whole note. 0, -EINVAL (malformed), -ENOKEY (no line by this key), -EBADMSG
 * (bad signature).
 */
WW_CHECK int ww_note_open(struct ww_slice note, const struct ww_note_key *key,
			  struct ww_slice *ret_text);

/*
 * Splits a note at its last empty line: the text with its last newline, and the signature lines.
 * Both borrowed. 0, or -EINVAL: too long, not UTF-8, control bytes, no empty line, no signature.
 */
WW_CHECK int ww_note_split(struct ww_slice note, struct ww_slice *ret_text,
			   struct ww_slice *ret_lines);

/* A signature line: who, and the bytes behind the key id. */
struct ww_note_line {
	struct ww_slice name; /* borrowed from the line */
	uint32_t id;
	size_t n;
	uint8_t sig[WW_NOTE_LINE_RAW_MAX];
};

/* Takes the first line off *lines. 1; 0 when none is left; -EINVAL (malformed, not ended). */
WW_CHECK int ww_note_line_next(struct ww_slice *lines, struct ww_note_line *ret_line);

/* Whether the line says that it is by this key; it may lie. */
bool ww_note_line_by(const struct ww_note_line *line, const struct ww_note_key *key);

/* Appends one signature line with its newline. 0, -EMSGSIZE (also: sig over 80 bytes), -ENOMEM. */
WW_CHECK int ww_note_line_add(const struct ww_note_key *key, struct ww_slice sig,
			      struct ww_buf *out);
