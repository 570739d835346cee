/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The two TLS handshake messages that travel in clear: ClientHello and ServerHello.
 *
 * Of TCP the input is what the kernel copied from the record header on, cut at WW_HELLO_BYTES_MAX;
 * post-quantum key shares make hellos longer than that, so being cut is normal. Of QUIC it is the
 * message without records. Whatever was read before the cut stands. Names from the wire are taken
 * only when they are printable ASCII. Pure, no allocation.
 */
#pragma once

#include "base/parse.h"
#include "flow/flow.h"

/*
 * Reads the hello in `record_bytes` (borrowed) into *facts, adding to what another hello of the
 * same flow put there. From a ClientHello: sni, first alpn, version_offered, ech,
 * whether it offers a session to go on with and early data. From a ServerHello (a HelloRetryRequest
 * counts as one: version and cipher stay the same, RFC 8446 section 4.1.4): version
 * (supported_versions before the legacy field), cipher, chosen alpn where it is in clear (TLS 1.2),
 * whether it goes on with a session.
 *
 * DONE: read to its end. MORE: cut off, facts hold what came before the cut. BAD: not a hello of
 * that side, or lengths that contradict each other; *facts unchanged.
 */
enum ww_parse ww_tls_hello_parse(struct ww_slice record_bytes, bool client,
				 struct ww_tls_facts *facts);

/* The same of a handshake message that no record is around (RFC 9001 section 4.1.3). */
enum ww_parse ww_tls_hello_message(struct ww_slice message, bool client,
				   struct ww_tls_facts *facts);
