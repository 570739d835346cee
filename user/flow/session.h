/* SPDX-License-Identifier: Apache-2.0 */
/*
 * TLS sessions whose socket the kernel could not name at probe time: binding them late, by
 * evidence.
 *
 * A session is known by its client random (first 16 bytes), and only where that cannot be read by
 * (process, object). Its cookie comes with the event (the kernel joined it), from a hello seen on a
 * socket, or from a ciphertext prefix; until then its events are held, at most WW_STREAM_HOLD_BYTES
 * per session and WW_HOLD_BYTES_MAX in all, then given up oldest first, each told as lost.
 *
 * Invariants:
 *  1. A bound session is never bound again to another cookie.
 *  2. A random binds a session only to a socket that its own process owns, and only if that is one
 * socket: the other end of a connection shows the same random.
 *  3. What is held is delivered in order, before anything later of the session, or told as lost.
 */
#pragma once

#include "flow/account.h"
#include "flow/flow.h"

struct ww_sessions;

/* An event is given up: no socket was found for it (UNBOUND), or no room (HOLD). Borrowed. */
typedef void (*ww_session_lost_fn)(void *ctx, const struct ww_event_data *ev,
				   enum ww_loss_cause cause);
/* A held event whose session is bound now. Borrowed for the call; may not re-enter. */
typedef void (*ww_session_fn)(void *ctx, uint64_t cookie, uint8_t grade,
			      const struct ww_event_data *ev);

/* `lost` is called with ctx whenever an event is given up. 0 or -ENOMEM. */
WW_CHECK int ww_sessions_new(ww_session_lost_fn lost, void *ctx, struct ww_sessions **ret_sessions);
/* Without telling what is still held. */
void ww_sessions_free(struct ww_sessions *s);

/* A hello was seen on socket `cookie`: remember random -> socket. role as in enum ww_flow_role. 0
 * or -ENOMEM. */
WW_CHECK int ww_sessions_hello(struct ww_sessions *s, const struct ww_event_hello *ev, uint8_t role,
			       uint32_t owner_pid);

/* The owner of socket `cookie`, which showed this random, became known or changed. */
void ww_sessions_owner(struct ww_sessions *s, uint64_t cookie, const uint8_t *random,
		       uint32_t owner_pid);

/* The socket of a session, 0: not bound. Binds it when it can by what is known now; *ret_grade is
 * set when bound. */
uint64_t ww_sessions_cookie(struct ww_sessions *s, const struct ww_session_key *key,
			    uint64_t event_cookie, uint8_t event_grade, uint8_t *ret_grade);

/* Holds an event of an unbound session. 0, or -ENOMEM (told as lost). */
WW_CHECK int ww_sessions_hold(struct ww_sessions *s, const struct ww_event_data *ev);

/* Hands out, oldest first, the held events of sessions that have become bound: of all, or of one.
 */
void ww_sessions_release(struct ww_sessions *s, ww_session_fn fn, void *ctx);
void ww_sessions_release_one(struct ww_sessions *s, const struct ww_session_key *key,
			     ww_session_fn fn, void *ctx);

/* The second witness: session <-> socket by ciphertext prefix. 0 or -ENOMEM. */
WW_CHECK int ww_sessions_bind(struct ww_sessions *s, const struct ww_event_bind *ev);

/* Forgets the sessions of a socket that closed. */
void ww_sessions_forget(struct ww_sessions *s, uint64_t cookie);
/* The socket does not stand for this random any more: it closed, or showed another hello. */
void ww_sessions_forget_random(struct ww_sessions *s, uint64_t cookie, const uint8_t *random);

/* The session's object was freed, or the process is gone, at t: nothing further comes. */
void ww_sessions_end(struct ww_sessions *s, const struct ww_session_key *key, struct ww_boot t);
void ww_sessions_exit(struct ww_sessions *s, uint32_t pid, struct ww_boot t);
/* Gives up unbound sessions that ended before t. */
void ww_sessions_expire(struct ww_sessions *s, struct ww_boot t);

/* Held events of this scope and time: plaintext that went over no known socket. */
unsigned ww_sessions_homeless(const struct ww_sessions *s, uint64_t cgroup, struct ww_boot from,
			      struct ww_boot to);

/* Sessions that no socket is known for: while there are any, the daemon keeps the prefix probes on.
 */
unsigned ww_sessions_unbound(const struct ww_sessions *s);
