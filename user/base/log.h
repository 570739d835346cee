/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One line to stderr, "level: text". Libraries do not log: whoever handles an error logs it, once.
 * Under systemd (JOURNAL_STREAM set) lines carry the <N> priority prefix.
 */
#pragma once

/* Lines above this level are dropped; INFO unless set. Any thread may log. */
enum ww_log_level { WW_LOG_ERR, WW_LOG_WARN, WW_LOG_INFO, WW_LOG_DEBUG };

void ww_log_set_level(enum ww_log_level level);

/* One line, cut at 1 KiB; control characters in it are shown as "?". */
void ww_log(enum ww_log_level level, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Logs at ERR with ": <text of -r>" and returns r: `return ww_log_err_r(r, "cannot open %s", p);`
 */
int ww_log_err_r(int r, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
