/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Builds small ELF files in memory for tests: one executable segment with the code given, a dynamic
 * symbol table, relocations, a build id, a soname. The parts lie at fixed places, so that a test
 * can damage a chosen field.
 */
#pragma once

#include <elf.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define IMAGE_BYTES    16384
#define IMAGE_VADDR    0x400000u
#define IMAGE_CODE     0x0200u
#define IMAGE_SYMBOLS  0x2000u
#define IMAGE_STRINGS  0x2400u
#define IMAGE_RELOCS   0x2800u
#define IMAGE_NOTE     0x2a00u
#define IMAGE_DYNAMIC  0x2a80u
#define IMAGE_NAMES    0x2b00u
#define IMAGE_SECTIONS 0x2c00u
#define IMAGE_END      0x3000u

enum {
	IMAGE_S_NULL,
	IMAGE_S_SYM,
	IMAGE_S_STR,
	IMAGE_S_RELA,
	IMAGE_S_DYN,
	IMAGE_S_NAMES,
	IMAGE_S_COUNT
};

struct image {
	union {
		uint8_t bytes[IMAGE_BYTES];
		Elf64_Ehdr ehdr;
	};
	size_t code; /* bytes of code so far */
	size_t symbols, strings, relocs;
};

static inline Elf64_Shdr *image_section(struct image *m, unsigned i)
{
	return (Elf64_Shdr *)(void *)(m->bytes + IMAGE_SECTIONS) + i;
}

static inline Elf64_Phdr *image_segment(struct image *m, unsigned i)
{
	return (Elf64_Phdr *)(void *)(m->bytes + sizeof(Elf64_Ehdr)) + i;
}

static inline uint32_t image_string(struct image *m, const char *s)
{
	uint32_t at = (uint32_t)m->strings;

	memcpy(m->bytes + IMAGE_STRINGS + at, s, strlen(s) + 1);
	m->strings += strlen(s) + 1;
	image_section(m, IMAGE_S_STR)->sh_size = m->strings;
	return at;
}

/* size 0 and vaddr 0: imported. Returns the symbol's index. */
static inline size_t image_symbol(struct image *m, const char *name, uint64_t vaddr, uint64_t size)
{
	Elf64_Sym *s = (Elf64_Sym *)(void *)(m->bytes + IMAGE_SYMBOLS) + m->symbols;

	s->st_name = image_string(m, name);
	s->st_info = ELF64_ST_INFO(STB_GLOBAL, STT_FUNC);
	s->st_shndx = vaddr ? 1 : SHN_UNDEF;
	s->st_value = vaddr;
	s->st_size = size;
	image_section(m, IMAGE_S_SYM)->sh_size = (m->symbols + 1) * sizeof(*s);
	return m->symbols++;
}

/* The word at slot holds the address of an imported function. */
static inline void image_import(struct image *m, uint64_t slot, const char *name)
{
	Elf64_Rela *r = (Elf64_Rela *)(void *)(m->bytes + IMAGE_RELOCS) + m->relocs++;

	r->r_offset = slot;
	r->r_info = ELF64_R_INFO(image_symbol(m, name, 0, 0), R_X86_64_JUMP_SLOT);
	image_section(m, IMAGE_S_RELA)->sh_size = m->relocs * sizeof(*r);
}

/* Copies a block of code. Returns its address. */
static inline uint64_t image_code(struct image *m, const uint8_t *from, const uint8_t *end)
{
	uint64_t at = IMAGE_CODE + m->code;

	memcpy(m->bytes + at, from, (size_t)(end - from));
	m->code += ((size_t)(end - from) + 15) & ~(size_t)15;
	image_segment(m, 0)->p_filesz = IMAGE_CODE + m->code;
	return IMAGE_VADDR + at;
}

static inline void image_sections(struct image *m)
{
	static const struct {
		const char *name;
		uint32_t type, at, link, entsize;
	} all[] = {
		[IMAGE_S_NULL] = {"", SHT_NULL, 0, 0, 0},
		[IMAGE_S_SYM] = {".dynsym", SHT_DYNSYM, IMAGE_SYMBOLS, IMAGE_S_STR,
				 sizeof(Elf64_Sym)},
		[IMAGE_S_STR] = {".dynstr", SHT_STRTAB, IMAGE_STRINGS, 0, 0},
		[IMAGE_S_RELA] = {".rela.plt", SHT_RELA, IMAGE_RELOCS, IMAGE_S_SYM,
				  sizeof(Elf64_Rela)},
		[IMAGE_S_DYN] = {".dynamic", SHT_DYNAMIC, IMAGE_DYNAMIC, IMAGE_S_STR,
				 sizeof(Elf64_Dyn)},
		[IMAGE_S_NAMES] = {".shstrtab", SHT_STRTAB, IMAGE_NAMES, 0, 0},
	};
	uint32_t name = 0;

	for (unsigned i = 0; i < IMAGE_S_COUNT; i++) {
		Elf64_Shdr *s = image_section(m, i);

		s->sh_name = name;
		s->sh_type = all[i].type;
		s->sh_offset = all[i].at;
		s->sh_link = all[i].link;
		s->sh_entsize = all[i].entsize;
		memcpy(m->bytes + IMAGE_NAMES + name, all[i].name, strlen(all[i].name) + 1);
		name += (uint32_t)strlen(all[i].name) + 1;
	}
	image_section(m, IMAGE_S_NAMES)->sh_size = name;
}

static inline void image_init(struct image *m)
{
	static const uint8_t id[20] = {1, 2, 3, 4, 5, 6, 7, 8};
	Elf64_Nhdr note = {4, sizeof(id), NT_GNU_BUILD_ID};
	Elf64_Dyn dyn[2] = {{.d_tag = DT_SONAME}, {.d_tag = DT_NULL}};

	memset(m, 0, sizeof(*m));
	memcpy(m->ehdr.e_ident, ELFMAG, SELFMAG);
	m->ehdr.e_ident[EI_CLASS] = ELFCLASS64;
	m->ehdr.e_ident[EI_DATA] = ELFDATA2LSB;
	m->ehdr.e_ident[EI_VERSION] = EV_CURRENT;
	m->ehdr.e_type = ET_DYN;
	m->ehdr.e_machine = EM_X86_64;
	m->ehdr.e_version = EV_CURRENT;
	m->ehdr.e_ehsize = sizeof(Elf64_Ehdr);
	m->ehdr.e_phoff = sizeof(Elf64_Ehdr);
	m->ehdr.e_phentsize = sizeof(Elf64_Phdr);
	m->ehdr.e_phnum = 2;
	m->ehdr.e_shoff = IMAGE_SECTIONS;
	m->ehdr.e_shentsize = sizeof(Elf64_Shdr);
	m->ehdr.e_shnum = IMAGE_S_COUNT;
	m->ehdr.e_shstrndx = IMAGE_S_NAMES;
	*image_segment(m, 0) = (Elf64_Phdr){.p_type = PT_LOAD,
					    .p_flags = PF_R | PF_X,
					    .p_vaddr = IMAGE_VADDR,
					    .p_filesz = IMAGE_CODE};
	*image_segment(m, 1) = (Elf64_Phdr){.p_type = PT_NOTE,
					    .p_flags = PF_R,
					    .p_offset = IMAGE_NOTE,
					    .p_filesz = sizeof(note) + 4 + sizeof(id)};
	image_sections(m);
	memcpy(m->bytes + IMAGE_NOTE, &note, sizeof(note));
	memcpy(m->bytes + IMAGE_NOTE + sizeof(note), "GNU", 4);
	memcpy(m->bytes + IMAGE_NOTE + sizeof(note) + 4, id, sizeof(id));
	image_string(m, "");
	dyn[0].d_un.d_val = image_string(m, "libimage.so.1");
	memcpy(m->bytes + IMAGE_DYNAMIC, dyn, sizeof(dyn));
	image_section(m, IMAGE_S_DYN)->sh_size = sizeof(dyn);
	m->symbols = 1; /* the first entry of a symbol table is empty */
	image_section(m, IMAGE_S_SYM)->sh_size = sizeof(Elf64_Sym);
}

/* The first n bytes of the image as an open file, or -1. The caller closes it. */
static inline int image_file_part(const struct image *m, size_t n)
{
	int fd = memfd_create("image", MFD_CLOEXEC);

	if (fd >= 0 && write(fd, m->bytes, n) != (ssize_t)n) {
		close(fd);
		fd = -1;
	}
	return fd;
}

static inline int image_file(const struct image *m)
{
	return image_file_part(m, IMAGE_END);
}
