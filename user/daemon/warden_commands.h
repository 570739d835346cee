/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What was denied by command: as requests name it, as people read it, and as the file DIR/guard
 * keeps it, a JSON object per line. Bounded.
 */
#pragma once

#include "base/clock.h"
#include "base/json_write.h"
#include "ledger/errtext.h"
#include "policy/cidr.h"
#include "policy/policy_file.h"
#include "policy/tables.h"

#define WW_WARDEN_COMMANDS_MAX 256u
#define WW_WARDEN_TEXT_MAX     224u

enum ww_warden_verb {
	WW_WARDEN_NONE,
	WW_WARDEN_DENY,
	WW_WARDEN_ALLOW,
	WW_WARDEN_CUT,
	WW_WARDEN_LIST
};

enum ww_warden_what {
	WW_WARDEN_PREFIX,
	WW_WARDEN_REGION,
	WW_WARDEN_ALL /* of one agent */
};

struct ww_warden_command {
	enum ww_warden_what what;
	struct ww_cidr prefix;
	char region[WW_TABLES_TEXT_MAX + 1];
	char agent[WW_POLICY_NAME_MAX + 1]; /* empty: anybody's */
	struct ww_wall until;               /* 0: until it is lifted */
	uint32_t uid;                       /* of who asked for it */
};

struct ww_warden_commands {
	unsigned count;
	struct ww_warden_command at[WW_WARDEN_COMMANDS_MAX];
};

/* NONE: it is no such request. */
enum ww_warden_verb ww_warden_verb(struct ww_slice request);

/* Of a request to deny or to allow. *ret_cut: flows that are there, too. 0 or -EINVAL with why. */
WW_CHECK int ww_warden_command_read(struct ww_slice request, bool deny, struct ww_wall now,
				    struct ww_warden_command *ret, bool *ret_cut,
				    struct ww_errtext *why);
/* Of a request to cut. 0 or -EINVAL with why. */
WW_CHECK int ww_warden_flow_read(struct ww_slice request, uint64_t *ret_cookie,
				 struct ww_errtext *why);

/* "203.0.113.0/24 --agent support --until 2026-..."; out holds WW_WARDEN_TEXT_MAX bytes. */
void ww_warden_command_text(const struct ww_warden_command *c, char *out);

/* One that is there already gets the new end. 0; -ENOSPC; why says it. */
WW_CHECK int ww_warden_commands_add(struct ww_warden_commands *s, const struct ww_warden_command *c,
				    struct ww_errtext *why);
/* 0; -ENOENT: nothing denies that by command. */
WW_CHECK int ww_warden_commands_remove(struct ww_warden_commands *s,
				       const struct ww_warden_command *c, struct ww_errtext *why);
/* Whether some are over and gone; text (NULL, or WW_PATH_BYTES_MAX bytes) names the first. */
bool ww_warden_commands_expire(struct ww_warden_commands *s, struct ww_wall now, char *text);

/* What the file says, whole and nothing else; *ret_line: which line does not. 0 or -EINVAL. */
WW_CHECK int ww_warden_commands_read(struct ww_slice file, struct ww_warden_commands *ret,
				     unsigned *ret_line);
/* The file, appended. 0, -ENOMEM, -EMSGSIZE. */
WW_CHECK int ww_warden_commands_file(const struct ww_warden_commands *s, struct ww_buf *out);

/* The file is not there: none. 0; -EINVAL: it is not such a file; -errno; why says it. */
WW_CHECK int ww_warden_commands_load(struct ww_warden_commands *ret, const char *dir,
				     struct ww_errtext *why);
/* On the disk when it returns. 0 or -errno. */
WW_CHECK int ww_warden_commands_save(const struct ww_warden_commands *s, const char *dir);

/* The member "denied". inForce: the policy has the agent. */
void ww_warden_commands_write(const struct ww_warden_commands *s, const struct ww_policy *p,
			      struct ww_jsonw *w);
