/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The command table of `wirewitness`. Each cmd_<name>.c defines one function; main.c finds it by
 * name.
 *
 * Exit codes: 0 done; 1 the answer is no (verification failed, nothing found); 2 wrong usage; 3 the
 * machine or the daemon does not allow it. `run` passes its command's own code through.
 */
#pragma once

#include <stdbool.h>

#define WW_EXIT_NO     1
#define WW_EXIT_USAGE  2
#define WW_EXIT_UNABLE 3

#define WW_STATE_DIR   "/var/lib/wirewitness"
#define WW_SOCKET_PATH "/run/wirewitness/control.sock"

/* argv[0] is the command's name. */
typedef int (*ww_cmd_fn)(int argc, char **argv);

int ww_cmd_run(int argc, char **argv);
int ww_cmd_record(int argc, char **argv);
int ww_cmd_replay(int argc, char **argv);
int ww_cmd_tail(int argc, char **argv);
int ww_cmd_ls(int argc, char **argv);
int ww_cmd_show(int argc, char **argv);
int ww_cmd_actions(int argc, char **argv);
int ww_cmd_path(int argc, char **argv);
int ww_cmd_why(int argc, char **argv);
int ww_cmd_report(int argc, char **argv);
int ww_cmd_proof(int argc, char **argv);
int ww_cmd_export(int argc, char **argv);
int ww_cmd_html(int argc, char **argv);
int ww_cmd_verify(int argc, char **argv);
int ww_cmd_guard(int argc, char **argv);
int ww_cmd_attest(int argc, char **argv);
int ww_cmd_contract(int argc, char **argv);
int ww_cmd_tables(int argc, char **argv);
int ww_cmd_policy(int argc, char **argv);
int ww_cmd_key(int argc, char **argv);
int ww_cmd_prune(int argc, char **argv);
int ww_cmd_reindex(int argc, char **argv);
int ww_cmd_doctor(int argc, char **argv);
int ww_cmd_version(int argc, char **argv);
