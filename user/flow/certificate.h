/* SPDX-License-Identifier: Apache-2.0 */
/*
 * certificate: which names a server's certificate has. In TLS 1.2 it travels in clear, behind the
 * hello; the kernel side tells the segments that begin there (WW_PACKET_CLEAR), WW_CLEAR_BYTES_MAX
 * of them. TLS 1.3 encrypts it: nothing is known of it here.
 *
 * It is what was sent, no more: that it is valid, and that the peer has its key, is what the client
 * checks. Certificates come from peers: every length is bounded by the one around it.
 *
 * Pure. What waits for the certificate's end is held, WW_CERTIFICATE_HELD_MAX of all flows
 * together.
 */
#pragma once

#include <wirewitness/event.h>

#include "base/buf.h"
#include "base/digest.h"
#include "base/parse.h"

#define WW_CERTIFICATE_NAMES_MAX 8
#define WW_CERTIFICATE_HELD_MAX  (4u << 20)

struct ww_certificate {
	struct ww_sha256 digest; /* of the DER, as other tools print it */
	unsigned name_count;
	bool more;       /* further DNS names, or one that is no plain text */
	bool unreadable; /* it is not what RFC 5280 says: no names */
	char names[WW_CERTIFICATE_NAMES_MAX][256]; /* subjectAltName, dNSName, in order */
};

/* What all readers hold together, in bytes. Zero at the begin. */
struct ww_certificate_room {
	size_t bytes;
};

/* Zero is the begin. */
struct ww_certificate_reader {
	struct ww_buf held;         /* from the first segment on that was told */
	uint64_t from;              /* its place in the stream */
	uint64_t record_at[2];      /* where a record begins, plus one; 0: not known */
	bool over;                  /* it was read, or cannot be */
	struct ww_certificate *got; /* owned; NULL: none */
};

/* A record of the server begins there: its hello, or the one behind that. */
void ww_certificate_record(struct ww_certificate_reader *r, unsigned index, uint64_t at);
/* One segment (WW_PACKET_CLEAR). */
void ww_certificate_segment(struct ww_certificate_reader *r, struct ww_certificate_room *room,
			    const struct ww_event_packet *ev);
/* Releases everything. */
void ww_certificate_done(struct ww_certificate_reader *r, struct ww_certificate_room *room);

/*
 * Finds the server's own certificate, the first one, in the records of a handshake from the begin
 * of one on. `room` has as many bytes as `records`; *ret_der points there. DONE, MORE: it goes on
 * behind them; BAD: no certificate can come any more.
 */
enum ww_parse ww_certificate_find(struct ww_slice records, uint8_t *room, struct ww_slice *ret_der);

/* The digest and the names. */
void ww_certificate_read(struct ww_slice der, struct ww_certificate *ret);
