/*
 * kata-js PROGRAM [ARGUMENTS]: runs a program. kata-js --compile MODULE PROGRAM: makes one of an ES module.
 * A program is bytecode, which belongs to the very build that wrote it: it starts with this build's name.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "native.h"

#ifndef KATA_BUILD
#error "KATA_BUILD names this build"
#endif

/* Of a call of JavaScript in another the engine takes some 500 bytes, and Node's depth is some 10 000. */
#define STACK_BYTES ((size_t)6 << 20)
/* What the kernel gives a program by default is 8 MiB; arguments and environment are in it. */
#define STACK_RESERVE ((size_t)1 << 20)

static const char MARK[] = "kata-js " KATA_BUILD "\n";

/* @return memory to be freed, with a NUL behind it; NULL with errno */
static uint8_t *read_file(const char *path, size_t *size)
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

static int fail(const char *path, const char *reason)
{
    fprintf(stderr, "kata-js: %s: %s\n", path, reason);
    return 1;
}

static int write_program(const char *path, const uint8_t *code, size_t size)
{
    FILE *file = fopen(path, "wbe");
    if (file == NULL) return fail(path, strerror(errno));
    size_t written = fwrite(MARK, 1, sizeof MARK - 1, file) + fwrite(code, 1, size, file);
    if (fclose(file) != 0 || written != sizeof MARK - 1 + size) return fail(path, strerror(errno));
    return 0;
}

static int compile(JSContext *ctx, const char *from, const char *to)
{
    size_t size;
    uint8_t *source = read_file(from, &size);
    if (source == NULL) return fail(from, strerror(errno));
    JS_SetStripInfo(JS_GetRuntime(ctx), JS_STRIP_SOURCE); /* Lines of stacks stay. */
    JSValue module = JS_Eval(ctx, (const char *)source, size, from, JS_EVAL_TYPE_MODULE | JS_EVAL_FLAG_COMPILE_ONLY);
    free(source);
    if (JS_IsException(module)) {
        host_report(ctx);
        return 1;
    }
    size_t length;
    uint8_t *code = JS_WriteObject(ctx, &length, module, JS_WRITE_OBJ_BYTECODE);
    JS_FreeValue(ctx, module);
    if (code == NULL) {
        host_report(ctx);
        return 1;
    }
    int status = write_program(to, code, length);
    js_free(ctx, code);
    return status;
}

static int run(JSContext *ctx, const char *path)
{
    size_t size, mark = sizeof MARK - 1;
    uint8_t *data = read_file(path, &size);
    if (data == NULL) return fail(path, strerror(errno));
    if (size < mark || memcmp(data, MARK, mark) != 0) {
        free(data);
        return fail(path, "no program of this build; make it anew with --compile");
    }
    JSValue module = JS_ReadObject(ctx, data + mark, size - mark, JS_READ_OBJ_BYTECODE);
    free(data);
    if (JS_IsException(module)) {
        host_report(ctx);
        return 1;
    }
    return host_run(ctx, module);
}

static size_t stack_size(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_STACK, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) return STACK_BYTES;
    size_t room = limit.rlim_cur > STACK_RESERVE ? limit.rlim_cur - STACK_RESERVE : limit.rlim_cur / 2;
    return room < STACK_BYTES ? room : STACK_BYTES;
}

static JSModuleDef *load_module(JSContext *ctx, const char *name, void *opaque)
{
    (void)opaque;
    if (strcmp(name, "kata:native") == 0) return host_module(ctx, name);
    JS_ThrowReferenceError(ctx, "%s is not in the bundle", name);
    return NULL;
}

static char *normalize(JSContext *ctx, const char *base, const char *name, void *opaque)
{
    (void)base, (void)opaque;
    return js_strdup(ctx, name);
}

int main(int argc, char **argv)
{
    bool compiles = argc == 4 && strcmp(argv[1], "--compile") == 0;
    if (argc < 2 || (argv[1][0] == '-' && !compiles)) {
        fputs("usage: kata-js PROGRAM [ARGUMENTS]\n       kata-js --compile MODULE PROGRAM\n", stderr);
        return 2;
    }
    signal(SIGPIPE, SIG_IGN);
    /* glibc would give each large buffer back to the kernel, and ask for the next. */
    mallopt(M_MMAP_THRESHOLD, 32 << 20);
    mallopt(M_TRIM_THRESHOLD, 8 << 20);
    JSRuntime *rt = JS_NewRuntime();
    JSContext *ctx = rt == NULL ? NULL : JS_NewContext(rt);
    if (ctx == NULL) return fail(argv[0], "out of memory");
    JS_SetMaxStackSize(rt, stack_size());
    JS_SetModuleLoaderFunc(rt, normalize, load_module, NULL);
    bytes_init(ctx);
    host_arguments(argc, argv);
    int status = compiles ? compile(ctx, argv[2], argv[3]) : run(ctx, argv[1]);
    JS_FreeContext(ctx);
    JS_FreeRuntime(rt);
    return status;
}
