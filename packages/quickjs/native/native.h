/*
 * What TypeScript cannot do: memory behind pointers, system calls, and work per byte. No policy and no protocol is in C;
 * src/native.d.ts has the TypeScript side of each function.
 */
#ifndef KATA_NATIVE_H
#define KATA_NATIVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "quickjs.h"

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))

/* The bytes of an ArrayBuffer or of a view. They are valid for as long as the object is held. */
typedef struct {
    uint8_t *data;
    size_t size;
} Bytes;

/* The largest text or buffer that is made: the engine's own strings end at 2^30 characters. */
#define MAX_BYTES ((size_t)1 << 30)

/* Learns how the engine names its classes. Once, before the first bytes_of(). */
void bytes_init(JSContext *ctx);

/* Whether a value is an ArrayBuffer or a view; no exception is made. */
bool is_bytes(JSValueConst value);

/* @return false with a TypeError where the value is none */
bool bytes_of(JSContext *ctx, JSValueConst value, Bytes *bytes);

/* As bytes_of(), from a start to an end that are checked against the size. @return false with a RangeError */
bool slice_of(JSContext *ctx, JSValueConst value, JSValueConst start, JSValueConst end, Bytes *bytes);

/* @return false with a RangeError where the value is no number from 0 to the limit */
bool size_of(JSContext *ctx, JSValueConst value, size_t limit, size_t *size);

/* A string as UTF-8 with U+FFFD for each half of a surrogate pair that is alone. Freed by JS_FreeCString. */
const char *well_formed(JSContext *ctx, JSValueConst value, size_t *size);

/* Adds functions to the module; the parts of it, a file each. */
int bytes_export(JSContext *ctx, JSModuleDef *module, bool declare);
int text_export(JSContext *ctx, JSModuleDef *module, bool declare);
int calls_export(JSContext *ctx, JSModuleDef *module, bool declare);
int io_export(JSContext *ctx, JSModuleDef *module, bool declare);
int threads_export(JSContext *ctx, JSModuleDef *module, bool declare);
int hash_export(JSContext *ctx, JSModuleDef *module, bool declare);
int host_export(JSContext *ctx, JSModuleDef *module, bool declare);

/* Declares a list of functions, or gives them their values. */
int export_list(JSContext *ctx, JSModuleDef *module, bool declare, const JSCFunctionListEntry *list, int length);

/* A libc function and its arguments, which stay valid until call_release(). */
typedef struct {
    int function;
    int count;
    long arguments[8];
    JSValue held[8];      /* objects whose memory is pointed to */
    const char *texts[8]; /* strings, as UTF-8 */
    char **lists[8];      /* arrays of strings */
} Call;

/* @return false with an exception where an argument is of no kind that can be passed; nothing is to be released then */
bool call_prepare(JSContext *ctx, Call *call, int argc, JSValueConst *argv);
/* Calls it in any thread. @param error errno afterwards; 0 where the result is no failure */
long call_run(const Call *call, int *error);
void call_release(JSContext *ctx, Call *call);

/* @return memory to be freed, with a NUL behind it; NULL with errno */
uint8_t *read_file(const char *path, size_t *size);

/* A module of a program: the name that it is imported by, and its bytecode. */
typedef struct {
    const char *name;
    size_t name_size;
    const uint8_t *code;
    size_t code_size;
} Module;

/* @return false with errno, or for more than four gigabytes */
bool write_module(FILE *file, const char *name, const uint8_t *code, size_t size);
/* Takes the first module off what is left of a program. @return false where there is none, or its sizes are wrong */
bool next_module(Bytes *rest, Module *module);
/* @return whether a program has a module of this name */
bool find_module(Bytes program, const char *name, Module *module);

/* A program in memory. */
typedef struct {
    uint8_t *data;
    size_t size;
    void *map; /* where it is mapped of a file; NULL where the data are memory of its own */
    size_t length;
} Program;

/* @return whether one is appended to the running file; it is mapped */
bool map_appended(Program *program);
/* Gives the memory back, once. */
void release_program(Program *program);

/* The arguments that this process has; whether its program is in the file of the engine. */
void host_arguments(int argc, char **argv, bool is_appended);
/* Makes the module "kata:native". */
JSModuleDef *host_module(JSContext *ctx, const char *name);
/* Evaluates a module that was read or compiled, then runs what it gave to setLoop(). @return the exit status */
int host_run(JSContext *ctx, JSValue module);
/* Writes an exception to standard error. */
void host_report(JSContext *ctx);

#endif
