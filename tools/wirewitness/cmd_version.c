/* SPDX-License-Identifier: Apache-2.0 */
#include <openssl/crypto.h>
#include <stdio.h>
#include <zlib.h>
#include <zstd.h>

#include <bpf/libbpf.h>
#include <wirewitness/event.h>

#include "cmd.h"

int ww_cmd_version(int argc, char **argv)
{
	printf("wirewitness %s\n", WW_VERSION);
	printf("event ABI %d, libbpf %s, %s, zlib %s, zstd %s\n", WW_EVENT_VERSION,
	       libbpf_version_string(), OpenSSL_version(OPENSSL_VERSION), zlibVersion(),
	       ZSTD_versionString());
	return 0;
}
