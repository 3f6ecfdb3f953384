/*
 * kata-js PROGRAM [ARGUMENTS]: runs a program. kata-js --compile MODULE... PROGRAM: makes one of ES modules, of which the first
 * runs, and each of the others once it is imported, as ./NAME.
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

static bool compile_module(JSContext *ctx, const char *path, FILE *to)
{
    size_t size;
    uint8_t *source = read_file(path, &size);
    if (source == NULL) {
        fail(path, strerror(errno));
        return false;
    }
    JSValue module = JS_Eval(ctx, (const char *)source, size, path, JS_EVAL_TYPE_MODULE | JS_EVAL_FLAG_COMPILE_ONLY);
    free(source);
    uint8_t *code = JS_IsException(module) ? NULL : JS_WriteObject(ctx, &size, module, JS_WRITE_OBJ_BYTECODE);
    JS_FreeValue(ctx, module);
    if (code == NULL) {
        host_report(ctx);
        return false;
    }
    bool is_written = write_module(to, path, code, size);
    js_free(ctx, code);
    if (!is_written) fail(path, strerror(errno));
    return is_written;
}

/* Other modules are not there when one is compiled: it is bound to them when it runs. */
static int no_exports(JSContext *ctx, JSModuleDef *module)
{
    (void)ctx, (void)module;
    return 0;
}

static JSModuleDef *stand_in(JSContext *ctx, const char *name, void *opaque)
{
    (void)opaque;
    return JS_NewCModule(ctx, name, no_exports);
}

static int compile(JSContext *ctx, int count, char **modules, const char *to)
{
    JS_SetStripInfo(JS_GetRuntime(ctx), JS_STRIP_SOURCE); /* Lines of stacks stay. */
    JS_SetModuleLoaderFunc(JS_GetRuntime(ctx), NULL, stand_in, NULL);
    FILE *file = fopen(to, "wbe");
    if (file == NULL) return fail(to, strerror(errno));
    bool is_written = fwrite(MARK, 1, sizeof MARK - 1, file) == sizeof MARK - 1;
    if (!is_written) fail(to, strerror(errno));
    for (int index = 0; index < count && is_written; index++) is_written = compile_module(ctx, modules[index], file);
    if (fclose(file) != 0) return fail(to, strerror(errno));
    return is_written ? 0 : 1;
}

/* Names begin with ./ where modules import each other. */
static char *normalize(JSContext *ctx, const char *base, const char *name, void *opaque)
{
    (void)base, (void)opaque;
    return js_strdup(ctx, strncmp(name, "./", 2) == 0 ? name + 2 : name);
}

static JSModuleDef *load_module(JSContext *ctx, const char *name, void *opaque)
{
    Module module;
    if (strcmp(name, "kata:native") == 0) return host_module(ctx, name);
    if (!find_module(*(const Bytes *)opaque, name, &module)) {
        JS_ThrowReferenceError(ctx, "%s is not in the program", name);
        return NULL;
    }
    JSValue read = JS_ReadObject(ctx, module.code, module.code_size, JS_READ_OBJ_BYTECODE);
    if (JS_IsException(read)) return NULL;
    JS_FreeValue(ctx, read); /* The context holds it. */
    return JS_VALUE_GET_PTR(read);
}

/* Says why when it is none. */
static int run_program(JSContext *ctx, const char *path, Program *program)
{
    size_t mark = sizeof MARK - 1;
    Module first;
    if (program->size < mark || memcmp(program->data, MARK, mark) != 0) {
        return fail(path, "no program of this build; make it anew with --compile");
    }
    Bytes others = {program->data + mark, program->size - mark};
    if (!next_module(&others, &first)) return fail(path, "the program is cut off");
    JS_SetModuleLoaderFunc(JS_GetRuntime(ctx), normalize, load_module, &others);
    JSValue module = JS_ReadObject(ctx, first.code, first.code_size, JS_READ_OBJ_BYTECODE);
    if (others.size == 0) release_program(program); /* What was read holds nothing of it. */
    if (!JS_IsException(module)) return host_run(ctx, module);
    host_report(ctx);
    return 1;
}

static int choose(JSContext *ctx, int argc, char **argv)
{
    Program program = {0};
    const char *path = argc > 0 ? argv[0] : "kata-js";
    bool is_appended = map_appended(&program);
    host_arguments(argc, argv, is_appended);
    if (!is_appended) {
        if (argc >= 4 && strcmp(argv[1], "--compile") == 0) return compile(ctx, argc - 3, argv + 2, argv[argc - 1]);
        if (argc < 2 || argv[1][0] == '-') {
            fputs("usage: kata-js PROGRAM [ARGUMENTS]\n       kata-js --compile MODULE... PROGRAM\n", stderr);
            return 2;
        }
        path = argv[1];
        program.data = read_file(path, &program.size);
        if (program.data == NULL) return fail(path, strerror(errno));
    }
    int status = run_program(ctx, path, &program);
    release_program(&program);
    return status;
}

static size_t stack_size(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_STACK, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) return STACK_BYTES;
    size_t room = limit.rlim_cur > STACK_RESERVE ? limit.rlim_cur - STACK_RESERVE : limit.rlim_cur / 2;
    return room < STACK_BYTES ? room : STACK_BYTES;
}

int main(int argc, char **argv)
{
    /* A write fails instead, as on Node: with EPIPE, and with EFBIG where the caller's limit on files does not allow it. */
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN);
    /* Where a caller ignores it, which is inherited, the kernel keeps no status of a child. */
    signal(SIGCHLD, SIG_DFL);
    /* glibc would give each large buffer back to the kernel, and ask for the next. */
    mallopt(M_MMAP_THRESHOLD, 32 << 20);
    mallopt(M_TRIM_THRESHOLD, 8 << 20);
    JSRuntime *rt = JS_NewRuntime();
    JSContext *ctx = rt == NULL ? NULL : JS_NewContext(rt);
    if (ctx == NULL) return fail(argv[0], "out of memory");
    JS_SetMaxStackSize(rt, stack_size());
    bytes_init(ctx);
    int status = choose(ctx, argc, argv);
    JS_FreeContext(ctx);
    JS_FreeRuntime(rt);
    return status;
}
