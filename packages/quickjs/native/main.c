/*
 * kata-js PROGRAM [ARGUMENTS]: runs a program. kata-js --compile MODULE PROGRAM: makes one of an ES module.
 * A program is bytecode, which belongs to the very build that wrote it: it starts with this build's name.
 * Where one is appended to this file, that is what runs, and all arguments are its own.
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

/* Says why when there is none. The module holds nothing of the data. */
static bool read_program(JSContext *ctx, const char *path, const uint8_t *data, size_t size, JSValue *module)
{
    size_t mark = sizeof MARK - 1;
    if (size < mark || memcmp(data, MARK, mark) != 0) {
        fail(path, "no program of this build; make it anew with --compile");
        return false;
    }
    *module = JS_ReadObject(ctx, data + mark, size - mark, JS_READ_OBJ_BYTECODE);
    if (!JS_IsException(*module)) return true;
    host_report(ctx);
    return false;
}

static int run_file(JSContext *ctx, const char *path)
{
    size_t size;
    JSValue module;
    uint8_t *data = read_file(path, &size);
    if (data == NULL) return fail(path, strerror(errno));
    bool is_read = read_program(ctx, path, data, size, &module);
    free(data);
    return is_read ? host_run(ctx, module) : 1;
}

static int run_appended(JSContext *ctx, const char *path, const Appended *appended)
{
    JSValue module;
    bool is_read = read_program(ctx, path, appended->data, appended->size, &module);
    unmap_appended(appended);
    return is_read ? host_run(ctx, module) : 1;
}

static int choose(JSContext *ctx, int argc, char **argv)
{
    Appended appended;
    bool is_appended = map_appended(&appended);
    host_arguments(argc, argv, is_appended);
    if (is_appended) return run_appended(ctx, argc > 0 ? argv[0] : "kata-js", &appended);
    if (argc == 4 && strcmp(argv[1], "--compile") == 0) return compile(ctx, argv[2], argv[3]);
    if (argc >= 2 && argv[1][0] != '-') return run_file(ctx, argv[1]);
    fputs("usage: kata-js PROGRAM [ARGUMENTS]\n       kata-js --compile MODULE PROGRAM\n", stderr);
    return 2;
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
    int status = choose(ctx, argc, argv);
    JS_FreeContext(ctx);
    JS_FreeRuntime(rt);
    return status;
}
