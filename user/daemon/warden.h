/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The warden: which list the guard goes by, and why. It makes lists of the policy, the tables and
 * the commands that were given, puts them in force one after the other, and fills in what the
 * kernel's events leave open.
 *
 * A command is told (WW_EVENT_GUARD_LIST) before it is in force, and again when it then could not
 * be. Commands are kept over a restart, in the file DIR/guard, until they are lifted or their time
 * is over; where that file cannot be written they hold all the same, and the answer says so.
 */
#pragma once

#include "base/clock.h"
#include "daemon/live.h"
#include "flow/flow.h"
#include "policy/guard_list.h"
#include "policy/policy_file.h"
#include "policy/tables.h"

struct ww_warden_config {
	const struct ww_policy *policy; /* borrowed; NULL: none */
	const struct ww_tables *tables; /* borrowed; NULL: none */
	const char *state_dir;          /* where commands are kept; NULL: none are given */
};

struct ww_warden;

/* *ret stays NULL where the policy has the guard off, or there is none. 0; -EINVAL, -E2BIG,
 * -ENOMEM, -errno: why says what is wrong. */
WW_CHECK int ww_warden_new(const struct ww_warden_config *cfg, struct ww_warden **ret,
			   struct ww_errtext *why);
void ww_warden_free(struct ww_warden *w);
WW_DEFINE_AUTO(struct ww_warden, ww_warden_free)

/* Denials by command that are kept in the directory while the guard is off; 0 also where that is
 * not known. */
unsigned ww_warden_kept(const char *state_dir);

/* For ww_live_config.guard. NULL: it is off. */
struct ww_live_guard ww_warden_guard(struct ww_warden *w);

/* Now and then: what is over is lifted, and rows of tables that begin or end with the day. */
void ww_warden_tick(struct ww_warden *w);

/* Who asks over the control socket. */
struct ww_warden_who {
	uint32_t uid, pid;
};

/* {"op":"guard",...} of include/wirewitness/stream.h; writes the members of the answer. 0, or
 * -errno with why: nothing changed. */
WW_CHECK int ww_warden_ask(struct ww_warden *w, struct ww_slice request, struct ww_warden_who who,
			   struct ww_flows *flows, struct ww_jsonw *out, struct ww_errtext *why);

/* The member "guard" of the status object. */
void ww_warden_status(const struct ww_warden *w, struct ww_jsonw *out);
