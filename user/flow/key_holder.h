/* SPDX-License-Identifier: Apache-2.0 */
/*
 * key_holder: how long it took whoever holds the key that signed a handshake. A server signs what
 * has our fresh random in it, so it cannot have done so before the ClientHello left; light sets a
 * bound on how far away it was (earth.h). The minimum round trip of TCP is of whoever ends TCP,
 * which may be somebody on the way; this time is of the key.
 *
 * The time is from the first ClientHello, as it passed the packet hook on its way out, until the
 * client's second flight, which no client sends before it had the signature:
 *  - TLS 1.3 (RFC 8446 section 2): the first encrypted record that it sends is that of its
 *    Finished, or of its certificate where the server wants one.
 *  - TLS 1.2 (RFC 5246 section 7.3): the first record after the ServerHello is that of its
 *    ClientKeyExchange, or certificate. The server signs its ServerKeyExchange, which an (EC)DHE
 *    suite has.
 * The client's own work is in that. It is not where the server's flight ends with a record that has
 * room for its last message alone (Finished, ServerHelloDone): all that was signed had arrived when
 * that record's header did. Records of TLS 1.3 are encrypted, but their lengths are not, and
 * padding only leaves less room.
 *
 * Retransmissions, a HelloRetryRequest, large certificates, a busy host make it longer, which is
 * the safe side. A client that answers before it has all is not answered: the time counts only
 * when the server went on, with its own ChangeCipherSpec (1.2) or encrypted records (1.3).
 *
 * Invariants:
 *  1. Never too small: a microsecond that has begun counts.
 *  2. No time where nothing fresh was signed: sessions that go on, early data, RSA key exchange.
 * What was not read may say one of these.
 *  3. It says nothing of whose key it was: TLS 1.3 encrypts the certificate, the client checks it.
 */
#pragma once

#include "flow/account.h"
#include "flow/flow.h"

/* Makes f->key_holder_us and _why anew from what is known now. hello_ns: when the first ClientHello
 * passed, 0: not seen. walk_exact as of ww_account_close(). */
void ww_key_holder_settle(struct ww_flow *f, uint64_t hello_ns, const struct ww_account_dir dirs[2],
			  bool walk_exact);

/* As it stands in records; NULL: there is a time. */
const char *ww_key_holder_why_name(enum ww_holder_why why);
