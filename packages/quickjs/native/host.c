/* What joins the engine and its loop, which is in TypeScript: jobs, rejections, arguments, the module "kata:native". */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "native.h"

extern char **environ;

static int argument_count;
static char **argument_texts;
static bool is_in_one_file;
static JSValue loop = {0}, on_rejection = {0};

void host_arguments(int argc, char **argv, bool is_appended)
{
    is_in_one_file = is_appended;
    argument_count = argc;
    argument_texts = argv;
    loop = JS_UNDEFINED;
    on_rejection = JS_UNDEFINED;
}

static JSValue list_of(JSContext *ctx, char **texts, int count)
{
    JSValue list = JS_NewArray(ctx);
    for (int index = 0; index < count; index++) {
        JS_DefinePropertyValueUint32(ctx, list, (uint32_t)index, JS_NewString(ctx, texts[index]), JS_PROP_C_W_E);
    }
    return list;
}

/* programArguments(): from the program's own name on. */
static JSValue program_arguments(JSContext *ctx, JSValueConst this, int argc, JSValueConst *argv)
{
    (void)this, (void)argc, (void)argv;
    return list_of(ctx, argument_texts, argument_count);
}

/* isInOneFile(): whether the program is in the file of the engine. */
static JSValue in_one_file(JSContext *ctx, JSValueConst this, int argc, JSValueConst *argv)
{
    (void)this, (void)argc, (void)argv;
    return JS_NewBool(ctx, is_in_one_file);
}

/* environment(): a list of NAME=value. */
static JSValue environment(JSContext *ctx, JSValueConst this, int argc, JSValueConst *argv)
{
    (void)this, (void)argc, (void)argv;
    int count = 0;
    while (environ[count] != NULL) count++;
    return list_of(ctx, environ, count);
}

/* setLoop(loop): called when the program has been evaluated, with the promise of that; returns the exit status. */
static JSValue set_loop(JSContext *ctx, JSValueConst this, int argc, JSValueConst *argv)
{
    (void)this, (void)argc;
    JS_FreeValue(ctx, loop);
    loop = JS_DupValue(ctx, argv[0]);
    return JS_UNDEFINED;
}

static void rejection(JSContext *ctx, JSValueConst promise, JSValueConst reason, JS_BOOL is_handled, void *opaque)
{
    (void)opaque;
    if (JS_IsUndefined(on_rejection)) return;
    JSValueConst arguments[] = {promise, reason, JS_NewBool(ctx, is_handled)};
    JSValue result = JS_Call(ctx, on_rejection, JS_UNDEFINED, LENGTH(arguments), arguments);
    if (JS_IsException(result)) host_report(ctx);
    JS_FreeValue(ctx, result);
}

/* setRejectionHandler(handler): called with promise, reason and whether it is handled now. */
static JSValue set_rejection_handler(JSContext *ctx, JSValueConst this, int argc, JSValueConst *argv)
{
    (void)this, (void)argc;
    JS_FreeValue(ctx, on_rejection);
    on_rejection = JS_DupValue(ctx, argv[0]);
    JS_SetHostPromiseRejectionTracker(JS_GetRuntime(ctx), rejection, NULL);
    return JS_UNDEFINED;
}

/* runJobs(): the jobs that wait, and those that they make. */
static JSValue run_jobs(JSContext *ctx, JSValueConst this, int argc, JSValueConst *argv)
{
    (void)this, (void)argc, (void)argv;
    JSContext *of;
    for (;;) {
        int status = JS_ExecutePendingJob(JS_GetRuntime(ctx), &of);
        if (status == 0) return JS_UNDEFINED;
        if (status < 0) return JS_EXCEPTION;
    }
}

/* collect(): garbage in cycles. */
static JSValue collect(JSContext *ctx, JSValueConst this, int argc, JSValueConst *argv)
{
    (void)this, (void)argc, (void)argv;
    JS_RunGC(JS_GetRuntime(ctx));
    return JS_UNDEFINED;
}

static const JSCFunctionListEntry functions[] = {
    JS_CFUNC_DEF("programArguments", 0, program_arguments),
    JS_CFUNC_DEF("isInOneFile", 0, in_one_file),
    JS_CFUNC_DEF("environment", 0, environment),
    JS_CFUNC_DEF("setLoop", 1, set_loop),
    JS_CFUNC_DEF("setRejectionHandler", 1, set_rejection_handler),
    JS_CFUNC_DEF("runJobs", 0, run_jobs),
    JS_CFUNC_DEF("collect", 0, collect),
};

int host_export(JSContext *ctx, JSModuleDef *module, bool declare)
{
    return export_list(ctx, module, declare, functions, LENGTH(functions));
}

int export_list(JSContext *ctx, JSModuleDef *module, bool declare, const JSCFunctionListEntry *list, int length)
{
    return declare ? JS_AddModuleExportList(ctx, module, list, length) : JS_SetModuleExportList(ctx, module, list, length);
}

static int each_part(JSContext *ctx, JSModuleDef *module, bool declare)
{
    int (*const parts[])(JSContext *, JSModuleDef *, bool) = {
        bytes_export, text_export, calls_export, io_export, threads_export, hash_export, host_export,
    };
    for (size_t index = 0; index < LENGTH(parts); index++) {
        if (parts[index](ctx, module, declare) != 0) return -1;
    }
    return 0;
}

static int set_exports(JSContext *ctx, JSModuleDef *module)
{
    return each_part(ctx, module, false);
}

JSModuleDef *host_module(JSContext *ctx, const char *name)
{
    JSModuleDef *module = JS_NewCModule(ctx, name, set_exports);
    return module == NULL || each_part(ctx, module, true) != 0 ? NULL : module;
}

void host_report(JSContext *ctx)
{
    JSValue error = JS_GetException(ctx);
    /* The engine throws null where it has no memory for an Error. */
    const char *text = JS_IsNull(error) ? NULL : JS_ToCString(ctx, error);
    fprintf(stderr, "%s\n", text == NULL ? "out of memory" : text);
    JS_FreeCString(ctx, text);
    JSValue stack = JS_IsObject(error) ? JS_GetPropertyStr(ctx, error, "stack") : JS_UNDEFINED;
    const char *lines = JS_IsString(stack) ? JS_ToCString(ctx, stack) : NULL;
    if (lines != NULL) fputs(lines, stderr);
    JS_FreeCString(ctx, lines);
    JS_FreeValue(ctx, stack);
    JS_FreeValue(ctx, error);
}

int host_run(JSContext *ctx, JSValue module)
{
    int32_t status = 1;
    if (JS_ResolveModule(ctx, module) < 0) {
        JS_FreeValue(ctx, module);
        host_report(ctx);
        return 1;
    }
    JSValue evaluated = JS_EvalFunction(ctx, module);
    if (JS_IsException(evaluated) || JS_IsUndefined(loop)) {
        /* A program without a loop is one that failed before it could set it. */
        if (JS_IsException(evaluated)) host_report(ctx);
        else if (JS_PromiseState(ctx, evaluated) == JS_PROMISE_REJECTED) {
            JS_Throw(ctx, JS_PromiseResult(ctx, evaluated));
            host_report(ctx);
        }
    } else {
        JSValue result = JS_Call(ctx, loop, JS_UNDEFINED, 1, &evaluated);
        if (JS_IsException(result) || JS_ToInt32(ctx, &status, result) != 0) host_report(ctx);
        JS_FreeValue(ctx, result);
    }
    JS_FreeValue(ctx, evaluated);
    JS_FreeValue(ctx, loop);
    JS_FreeValue(ctx, on_rejection);
    loop = on_rejection = JS_UNDEFINED;
    return status;
}
