/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading what we need of an ELF file that a watched process has mapped: symbols, code bytes, where
 * an address lies in the file, identity. Used by site planning and by the search for TLS libraries.
 *
 * The file is hostile: whoever is watched chooses it and may change or truncate it while we read.
 * So it is read with pread() into memory of bounded size and never mapped (truncation of a mapped
 * file kills the reader); every count and offset in it is checked, and every table has a ceiling
 * (WW_ELF_* in elf.c). A table beyond its ceiling is treated as absent.
 *
 * Little-endian ELF64 only. Symbols come from the section headers: a file stripped of those has
 * none.
 */
#pragma once

#include "base/own.h"
#include "base/slice.h"

struct ww_elf;

struct ww_elf_symbol {
	uint64_t vaddr;
	uint64_t size; /* bytes, 0: not recorded */
};

#define WW_ELF_BUILD_ID_MAX 32

/* Reads the headers. fd is borrowed until ww_elf_free. 0, -EINVAL: not ELF64 LE, or damaged; -EIO,
 * -ENOMEM. */
WW_CHECK int ww_elf_open(int fd, struct ww_elf **ret_elf);

/* Accepts NULL. */
void ww_elf_free(struct ww_elf *e);
WW_DEFINE_AUTO(struct ww_elf, ww_elf_free)

/* e_machine, for example EM_X86_64. */
uint16_t ww_elf_machine(const struct ww_elf *e);

/*
 * A function defined in the file, by name: .dynsym first, then .symtab (loaded when needed). Global
 * symbols win over local ones. 0, -ENOENT, -EIO, -ENOMEM.
 */
WW_CHECK int ww_elf_function(struct ww_elf *e, const char *name, struct ww_elf_symbol *ret_symbol);

/* Name of a function that begins at vaddr, borrowed until ww_elf_free; NULL: none is known. */
const char *ww_elf_name_at(struct ww_elf *e, uint64_t vaddr);

/* Name of the symbol that the dynamic linker stores into the word at vaddr (a GOT slot), borrowed;
 * or NULL. */
const char *ww_elf_import_at(struct ww_elf *e, uint64_t vaddr);

/* File offset of an address in an executable segment. 0, -ENOENT. */
WW_CHECK int ww_elf_offset(const struct ww_elf *e, uint64_t vaddr, uint64_t *ret_offset);

/*
 * Copies at most n bytes of code from vaddr on, fewer at the end of the executable segment.
 * 0, -ENOENT: not in an executable segment; -EIO.
 */
WW_CHECK int ww_elf_code(const struct ww_elf *e, uint64_t vaddr, void *p, size_t n, size_t *ret_n);

/* Copies exactly n bytes of a loaded segment, code or data. 0, -ENOENT: not in one; -EIO. */
WW_CHECK int ww_elf_data(const struct ww_elf *e, uint64_t vaddr, void *p, size_t n);

/*
 * Bytes from vaddr to the next function that is known by name, or to the end of the executable
 * segment: what a function without a symbol can be long at most. 0: not in an executable segment.
 */
uint64_t ww_elf_room(struct ww_elf *e, uint64_t vaddr);

/* Build id (NT_GNU_BUILD_ID). Returns its bytes, 0: none. */
size_t ww_elf_build_id(const struct ww_elf *e, uint8_t id[WW_ELF_BUILD_ID_MAX]);

/* DT_SONAME, borrowed until ww_elf_free; NULL: none. */
const char *ww_elf_soname(struct ww_elf *e);

/*
 * Loads the section of that name. *ret_bytes (*ret_n bytes) is the caller's. 0, -ENOENT: none, or
 * beyond the ceiling of a table, or of the file; -EIO, -ENOMEM.
 */
WW_CHECK int ww_elf_section(const struct ww_elf *e, const char *name, uint8_t **ret_bytes,
			    size_t *ret_n);

bool ww_elf_has_section(const struct ww_elf *e, const char *name);

/* It names a dynamic linker, as programs do that are not linked statically. */
bool ww_elf_has_interpreter(const struct ww_elf *e);
