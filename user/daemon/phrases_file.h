/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The option --phrases of the daemon, `record` and `replay`: "on" (the product's rules), "off" (no
 * prose is read), or a file of rules that are added to the product's.
 */
#pragma once

#include "base/buf.h"
#include "daemon/pipeline.h"

/*
 * Sets cfg->prose and cfg->phrases, which points into `memory`; arg NULL: on. The file is checked
 * and what is wrong with it logged. 0, or -errno with cfg unchanged.
 */
WW_CHECK int ww_phrases_option(const char *arg, struct ww_buf *memory,
			       struct ww_pipeline_config *cfg);
