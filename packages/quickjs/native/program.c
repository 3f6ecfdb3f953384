/* Where a program's bytecode is: in a file of its own, or behind the engine in one file, which the kernel starts by itself. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "native.h"

/* src/bundle/executable.ts writes it: the program's size, little-endian, and these words. */
static const char END[] = "kata-js program\n";
typedef struct {
    uint64_t size;
    char words[sizeof END - 1];
} End;

uint8_t *read_file(const char *path, size_t *size)
{
    FILE *file = fopen(path, "rbe");
    uint8_t *data = NULL;
    long length;
    if (file == NULL) return NULL;
    if (fseek(file, 0, SEEK_END) == 0 && (length = ftell(file)) >= 0 && fseek(file, 0, SEEK_SET) == 0) {
        data = malloc((size_t)length + 1);
        *size = data == NULL ? 0 : fread(data, 1, (size_t)length, file);
        if (data != NULL) data[*size] = 0;
    }
    fclose(file);
    return data;
}

/* @return whether the file ends with a program; where that starts, and its size */
static bool find_appended(int fd, size_t *start, size_t *size)
{
    struct stat file;
    End end;
    if (fstat(fd, &file) != 0 || file.st_size < (off_t)sizeof end) return false;
    size_t before = (size_t)file.st_size - sizeof end;
    if (pread(fd, &end, sizeof end, (off_t)before) != (ssize_t)sizeof end) return false;
    if (memcmp(end.words, END, sizeof end.words) != 0 || end.size > before) return false;
    *size = end.size;
    *start = before - end.size;
    return true;
}

bool map_appended(Program *program)
{
    size_t start, size;
    int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    if (fd < 0) return false;
    bool found = find_appended(fd, &start, &size);
    if (found) {
        size_t outside = start % (size_t)sysconf(_SC_PAGESIZE);
        program->length = size + outside;
        program->map = mmap(NULL, program->length, PROT_READ, MAP_PRIVATE, fd, (off_t)(start - outside));
        found = program->map != MAP_FAILED;
        if (found) program->data = (uint8_t *)program->map + outside;
        program->size = size;
    }
    close(fd);
    if (!found) *program = (Program){0};
    return found;
}

void release_program(Program *program)
{
    if (program->map == NULL) free(program->data);
    else munmap(program->map, program->length);
    *program = (Program){0};
}
