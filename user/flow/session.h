/* SPDX-License-Identifier: Apache-2.0 */
/*
 * TLS sessions whose socket the kernel could not name at probe time: binding them late, by
 * evidence.
 *
 * A session is known by its client random (first 16 bytes), and only where that cannot be read by
 * (process, object). Its cookie comes with the event (the kernel joined it), from a hello seen on a
 * socket, or from a ciphertext prefix; until then its events are held, at most WW_STREAM_HOLD_BYTES
 * per session, then dropped oldest first as a counted gap.
 *
 * Invariants:
 *  1. A bound session is never bound again to another cookie.
 *  2. The same random on two sockets (both ends watched) is told apart by the owner's process, else
 * not bound.
 */
#pragma once

#include "flow/account.h"
#include "flow/flow.h"

struct ww_sessions;

WW_CHECK int ww_sessions_new(struct ww_sessions **ret_sessions);
void ww_sessions_free(struct ww_sessions *s);

/* A hello was seen on socket `cookie`: remember random -> socket. role as in enum ww_flow_role. */
WW_CHECK int ww_sessions_hello(struct ww_sessions *s, const struct ww_event_hello *ev, uint8_t role,
			       uint32_t owner_pid);

/* The socket of a session, 0: not bound. Binds it when it can by what is known now; *ret_grade is
 * set when bound. */
uint64_t ww_sessions_cookie(struct ww_sessions *s, const struct ww_session_key *key,
			    uint64_t event_cookie, uint8_t event_grade, uint8_t *ret_grade);

/* Holds an event of an unbound session. 0, -ENOMEM; *ret_dropped: bytes of older events that had to
 * go. */
WW_CHECK int ww_sessions_hold(struct ww_sessions *s, const struct ww_event_data *ev,
			      uint64_t *ret_dropped);

/* Hands out, oldest first, the held events of sessions that have become bound (to any socket); fn
 * may not re-enter. */
void ww_sessions_release(struct ww_sessions *s,
			 void (*fn)(void *ctx, uint64_t cookie, uint8_t grade,
				    const struct ww_event_data *ev),
			 void *ctx);

/* The second witness: session <-> socket by ciphertext prefix. */
WW_CHECK int ww_sessions_bind(struct ww_sessions *s, const struct ww_event_bind *ev);

/* Forgets everything about a socket that closed; random: the client random seen on it, or NULL. */
void ww_sessions_forget(struct ww_sessions *s, uint64_t cookie, const uint8_t *random);

/* Sessions that no socket is known for: while there are any, the daemon keeps the prefix probes on.
 */
unsigned ww_sessions_unbound(const struct ww_sessions *s);
