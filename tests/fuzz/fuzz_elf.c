/* SPDX-License-Identifier: Apache-2.0 */
/* A mapped file of any content: reading it, decoding its code and planning probes always ends. */
#include "sense/site.h"

#include "sense/elf.h"

#include <stdio.h>
#include <sys/mman.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	WW_AUTO_FD int fd = memfd_create("fuzz", MFD_CLOEXEC);
	WW_AUTO(ww_elf_free_auto) struct ww_elf *e = NULL;
	uint8_t id[WW_ELF_BUILD_ID_MAX];
	struct ww_tls_plan plan;

	if (fd < 0 || write(fd, data, size) != (ssize_t)size)
		return 0;
	if (ww_site_plan(fd, &plan) == 0 &&
	    (plan.site_count == 0 || plan.site_count > WW_SITES_MAX))
		abort();
	if (ww_elf_open(fd, &e) < 0)
		return 0;
	(void)ww_elf_soname(e);
	(void)ww_elf_has_section(e, ".go.buildinfo");
	if (ww_elf_build_id(e, id) > sizeof(id))
		abort();
	return 0;
}
