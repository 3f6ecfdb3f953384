/* Memory: views of it, and what is done to each byte. */
#define _GNU_SOURCE
#include <math.h>
#include <string.h>

#include "native.h"

static JSClassID buffer_class, first_view_class, last_view_class;

static JSClassID class_of_new(JSContext *ctx, JSTypedArrayEnum type)
{
    JSValue length = JS_NewInt32(ctx, 0);
    JSValue view = JS_NewTypedArray(ctx, 1, &length, type);
    JSClassID class = JS_GetClassID(view);
    JS_FreeValue(ctx, view);
    return class;
}

void bytes_init(JSContext *ctx)
{
    JSValue buffer = JS_NewArrayBufferCopy(ctx, NULL, 0);
    buffer_class = JS_GetClassID(buffer);
    JS_FreeValue(ctx, buffer);
    first_view_class = class_of_new(ctx, JS_TYPED_ARRAY_UINT8C);
    last_view_class = class_of_new(ctx, JS_TYPED_ARRAY_FLOAT64);
}

bool is_bytes(JSValueConst value)
{
    JSClassID class = JS_GetClassID(value);
    return class == buffer_class || (class >= first_view_class && class <= last_view_class);
}

bool bytes_of(JSContext *ctx, JSValueConst value, Bytes *bytes)
{
    /* The class first: asking the engine for the buffer of something else makes an exception, with its whole stack. */
    if (!is_bytes(value)) {
        JS_ThrowTypeError(ctx, "neither an ArrayBuffer nor a view of one");
        return false;
    }
    size_t offset = 0, length = 0, whole = 0;
    if (JS_GetClassID(value) == buffer_class) {
        bytes->data = JS_GetArrayBuffer(ctx, &bytes->size, value);
        return bytes->data != NULL || bytes->size == 0;
    }
    JSValue buffer = JS_GetTypedArrayBuffer(ctx, value, &offset, &length, NULL);
    if (JS_IsException(buffer)) return false;
    uint8_t *data = JS_GetArrayBuffer(ctx, &whole, buffer);
    JS_FreeValue(ctx, buffer); /* The view holds it. */
    bytes->data = data == NULL ? NULL : data + offset;
    bytes->size = length;
    return true;
}

bool size_of(JSContext *ctx, JSValueConst value, size_t limit, size_t *size)
{
    int64_t number;
    if (JS_ToInt64(ctx, &number, value) != 0) return false;
    if (number < 0 || (uint64_t)number > limit) {
        JS_ThrowRangeError(ctx, "%lld is not between 0 and %llu", (long long)number, (unsigned long long)limit);
        return false;
    }
    *size = (size_t)number;
    return true;
}

bool slice_of(JSContext *ctx, JSValueConst value, JSValueConst start, JSValueConst end, Bytes *bytes)
{
    Bytes whole;
    size_t from, to;
    if (!bytes_of(ctx, value, &whole)) return false;
    if (!size_of(ctx, end, whole.size, &to) || !size_of(ctx, start, to, &from)) return false;
    bytes->data = whole.data == NULL ? NULL : whole.data + from;
    bytes->size = to - from;
    return true;
}

static void free_memory(JSRuntime *rt, void *opaque, void *memory)
{
    (void)opaque;
    js_free_rt(rt, memory);
}

/* An ArrayBuffer whose bytes are not cleared. */
static JSValue allocate(JSContext *ctx, size_t size)
{
    /* By the engine's functions: it collects cycles by what it has allocated. */
    uint8_t *memory = js_malloc(ctx, size == 0 ? 1 : size);
    if (memory == NULL) return JS_EXCEPTION;
    JSValue buffer = JS_NewArrayBuffer(ctx, memory, size, free_memory, NULL, false);
    if (JS_IsException(buffer)) js_free(ctx, memory);
    return buffer;
}

/* A view of a buffer as an object of `class`, without the constructors in JavaScript that lead to the engine's own. */
static JSValue view_of(JSContext *ctx, JSValueConst *constructors, JSValueConst buffer, size_t start, size_t size)
{
    if (!JS_IsConstructor(ctx, constructors[1])) return JS_ThrowTypeError(ctx, "no class of views");
    JSValue arguments[] = {buffer, JS_NewInt64(ctx, (int64_t)start), JS_NewInt64(ctx, (int64_t)size)};
    return JS_CallConstructor2(ctx, constructors[0], constructors[1], LENGTH(arguments), arguments);
}

/* allocateView(base, class, size): a view of bytes that are not cleared. */
static JSValue allocate_view(JSContext *ctx, JSValueConst this, int argc, JSValueConst *argv)
{
    (void)this, (void)argc;
    size_t size;
    if (!size_of(ctx, argv[2], MAX_BYTES, &size)) return JS_EXCEPTION;
    JSValue buffer = allocate(ctx, size);
    if (JS_IsException(buffer)) return JS_EXCEPTION;
    JSValue view = view_of(ctx, argv, buffer, 0, size);
    JS_FreeValue(ctx, buffer);
    return view;
}

/* As subarray() takes its arguments: from the end where one is negative. */
static bool place_of(JSContext *ctx, JSValueConst value, size_t length, size_t *place)
{
    double number;
    if (JS_IsUndefined(value)) return true;
    if (JS_ToFloat64(ctx, &number, value) != 0) return false;
    number = isnan(number) ? 0 : trunc(number);
    if (number < 0) number += (double)length;
    *place = number <= 0 ? 0 : number >= (double)length ? length : (size_t)number;
    return true;
}

/* subarrayOf(base, class, view, start, end) */
static JSValue subarray_of(JSContext *ctx, JSValueConst this, int argc, JSValueConst *argv)
{
    (void)this, (void)argc;
    size_t offset, length;
    JSValue buffer = JS_GetTypedArrayBuffer(ctx, argv[2], &offset, &length, NULL);
    if (JS_IsException(buffer)) return JS_EXCEPTION;
    size_t start = 0, end = length;
    bool is_placed = place_of(ctx, argv[3], length, &start) && place_of(ctx, argv[4], length, &end);
    JSValue part = is_placed ? view_of(ctx, argv, buffer, offset + start, end > start ? end - start : 0) : JS_EXCEPTION;
    JS_FreeValue(ctx, buffer);
    return part;
}

/* compare(a, b): as memcmp(3), the shorter first where one is the start of the other. */
static JSValue compare(JSContext *ctx, JSValueConst this, int argc, JSValueConst *argv)
{
    (void)this, (void)argc;
    Bytes a, b;
    if (!bytes_of(ctx, argv[0], &a) || !bytes_of(ctx, argv[1], &b)) return JS_EXCEPTION;
    size_t common = a.size < b.size ? a.size : b.size;
    int order = common == 0 ? 0 : memcmp(a.data, b.data, common);
    if (order == 0) order = (a.size > b.size) - (a.size < b.size);
    return JS_NewInt32(ctx, (order > 0) - (order < 0));
}

/* search(bytes, wanted, start): where it is first, or -1. */
static JSValue search(JSContext *ctx, JSValueConst this, int argc, JSValueConst *argv)
{
    (void)this, (void)argc;
    Bytes in, wanted;
    size_t start;
    if (!bytes_of(ctx, argv[0], &in) || !bytes_of(ctx, argv[1], &wanted)) return JS_EXCEPTION;
    if (!size_of(ctx, argv[2], in.size, &start)) return JS_EXCEPTION;
    if (wanted.size == 0) return JS_NewInt64(ctx, (int64_t)start);
    if (wanted.size > in.size - start) return JS_NewInt32(ctx, -1);
    const uint8_t *found = memmem(in.data + start, in.size - start, wanted.data, wanted.size);
    return JS_NewInt64(ctx, found == NULL ? -1 : (int64_t)(found - in.data));
}

/* searchLast(bytes, wanted, start): where it is last, at `start` or before, or -1. */
static JSValue search_last(JSContext *ctx, JSValueConst this, int argc, JSValueConst *argv)
{
    (void)this, (void)argc;
    Bytes in, wanted;
    size_t start;
    if (!bytes_of(ctx, argv[0], &in) || !bytes_of(ctx, argv[1], &wanted)) return JS_EXCEPTION;
    if (!size_of(ctx, argv[2], in.size, &start)) return JS_EXCEPTION;
    if (wanted.size > in.size) return JS_NewInt32(ctx, -1);
    size_t at = in.size - wanted.size;
    if (start < at) at = start;
    if (wanted.size == 0) return JS_NewInt64(ctx, (int64_t)at);
    for (;; at--) {
        if (memcmp(in.data + at, wanted.data, wanted.size) == 0) return JS_NewInt64(ctx, (int64_t)at);
        if (at == 0) return JS_NewInt32(ctx, -1);
    }
}

/* addressOf(bytes): where they are in memory, for a structure that points to them. The caller holds them meanwhile. */
static JSValue address_of(JSContext *ctx, JSValueConst this, int argc, JSValueConst *argv)
{
    (void)this, (void)argc;
    Bytes bytes;
    if (!bytes_of(ctx, argv[0], &bytes)) return JS_EXCEPTION;
    return JS_NewBigUint64(ctx, (uint64_t)(uintptr_t)bytes.data);
}

static const JSCFunctionListEntry functions[] = {
    JS_CFUNC_DEF("allocateView", 3, allocate_view),
    JS_CFUNC_DEF("subarrayOf", 5, subarray_of),
    JS_CFUNC_DEF("compare", 2, compare),
    JS_CFUNC_DEF("search", 3, search),
    JS_CFUNC_DEF("searchLast", 3, search_last),
    JS_CFUNC_DEF("addressOf", 1, address_of),
};

int bytes_export(JSContext *ctx, JSModuleDef *module, bool declare)
{
    return export_list(ctx, module, declare, functions, LENGTH(functions));
}
