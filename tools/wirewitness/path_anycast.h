/* SPDX-License-Identifier: Apache-2.0 */
/* wirewitness path anycast FILE...: what several hosts measured of the same addresses. */
#pragma once

/* argv[0] is "anycast". An exit code. */
int ww_path_anycast_run(int argc, char **argv);
