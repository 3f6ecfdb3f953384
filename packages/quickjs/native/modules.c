/* The modules of a program, one behind the other: the size of a name, the size of its bytecode, the name, the bytecode. */
#include <stdio.h>
#include <string.h>

#include "native.h"

typedef struct {
    uint32_t name_size;
    uint32_t code_size;
} Head;

bool write_module(FILE *file, const char *name, const uint8_t *code, size_t size)
{
    Head head = {(uint32_t)strlen(name), (uint32_t)size};
    if (size > UINT32_MAX) return false;
    return fwrite(&head, 1, sizeof head, file) == sizeof head && fwrite(name, 1, head.name_size, file) == head.name_size
           && fwrite(code, 1, size, file) == size;
}

bool next_module(Bytes *rest, Module *module)
{
    Head head;
    if (rest->size < sizeof head) return false;
    memcpy(&head, rest->data, sizeof head);
    size_t left = rest->size - sizeof head;
    if (head.name_size > left || head.code_size > left - head.name_size) return false;
    module->name = (const char *)rest->data + sizeof head;
    module->name_size = head.name_size;
    module->code = (const uint8_t *)module->name + head.name_size;
    module->code_size = head.code_size;
    rest->data += sizeof head + head.name_size + head.code_size;
    rest->size = left - head.name_size - head.code_size;
    return true;
}

bool find_module(Bytes program, const char *name, Module *module)
{
    while (next_module(&program, module)) {
        if (module->name_size == strlen(name) && memcmp(module->name, name, module->name_size) == 0) return true;
    }
    return false;
}
