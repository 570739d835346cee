/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The manifest of a tape: everything besides the events that the records depend on. Replaying a
 * tape under its own manifest gives the records of the live run, byte for byte. It holds the digest
 * key: tapes are as secret as what they recorded.
 */
#pragma once

#include "base/json_write.h"
#include "daemon/pipeline.h"

/* Writes cfg (and, for people, kernel release and boot id) as one JSON object. */
void ww_manifest_write(const struct ww_pipeline_config *cfg, const char *kernel,
		       const char *boot_id, struct ww_jsonw *w);

/* Who wrote the tape, and where; empty: it does not say. */
struct ww_manifest_origin {
	char version[32]; /* of wirewitness */
	char kernel[128];
	char boot_id[64];
};

/* Of a manifest that ww_manifest_read took. */
void ww_manifest_origin(struct ww_slice json, struct ww_manifest_origin *ret);

/* Of such a manifest: the digest of the address tables that were used; false: there were none. */
bool ww_manifest_tables(struct ww_slice json, struct ww_sha256 *ret);

/* Of such a manifest: the policy file that was used, appended to `memory`, which the caller keeps;
 * empty: there was none. 0; -EBADMSG; -ENOMEM. */
WW_CHECK int ww_manifest_policy(struct ww_slice json, struct ww_buf *memory, struct ww_slice *ret);

/*
 * Reads it back. Address tables are not on a tape, only their digest. cfg->contracts and
 * cfg->phrases point into `memory`, which the caller keeps as long as cfg. 0; -EBADMSG; -ENOMEM;
 * output unchanged on failure.
 */
WW_CHECK int ww_manifest_read(struct ww_slice json, struct ww_buf *memory,
			      struct ww_pipeline_config *ret_cfg);
