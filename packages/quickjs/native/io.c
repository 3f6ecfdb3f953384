/*
 * Reading, writing and waiting, for each of which an exception would be too dear: an Error takes the text of the whole stack.
 * Each returns what was done, or an error as its negative number.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <sys/epoll.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include "native.h"

/* As many as the kernel takes of a vector at once, and fewer than a stack has room for. */
#define MAX_VIEWS 64
#define MAX_EVENTS 64

static JSValue outcome(JSContext *ctx, ssize_t result)
{
    return JS_NewInt64(ctx, result < 0 ? -errno : result);
}

/* read(fd, bytes, start, end, position): at a file's own position where `position` is negative. */
static JSValue read_into(JSContext *ctx, JSValueConst this, int argc, JSValueConst *argv)
{
    (void)this, (void)argc;
    int fd;
    int64_t position;
    Bytes bytes;
    if (JS_ToInt32(ctx, &fd, argv[0]) || JS_ToInt64(ctx, &position, argv[4])) return JS_EXCEPTION;
    if (!slice_of(ctx, argv[1], argv[2], argv[3], &bytes)) return JS_EXCEPTION;
    return outcome(ctx, position < 0 ? read(fd, bytes.data, bytes.size) : pread(fd, bytes.data, bytes.size, position));
}

/* write(fd, bytes, start, end, position) */
static JSValue write_from(JSContext *ctx, JSValueConst this, int argc, JSValueConst *argv)
{
    (void)this, (void)argc;
    int fd;
    int64_t position;
    Bytes bytes;
    if (JS_ToInt32(ctx, &fd, argv[0]) || JS_ToInt64(ctx, &position, argv[4])) return JS_EXCEPTION;
    if (!slice_of(ctx, argv[1], argv[2], argv[3], &bytes)) return JS_EXCEPTION;
    return outcome(ctx, position < 0 ? write(fd, bytes.data, bytes.size) : pwrite(fd, bytes.data, bytes.size, position));
}

/* @return how many, or -1 with an exception */
static int vector_of(JSContext *ctx, JSValueConst views, struct iovec *vector)
{
    int64_t length;
    JSValue property = JS_GetPropertyStr(ctx, views, "length");
    int failed = JS_ToInt64(ctx, &length, property);
    JS_FreeValue(ctx, property);
    if (failed) return -1;
    if (length > MAX_VIEWS) length = MAX_VIEWS;
    for (int index = 0; index < length; index++) {
        Bytes bytes;
        JSValue view = JS_GetPropertyUint32(ctx, views, (uint32_t)index);
        bool is_view = bytes_of(ctx, view, &bytes);
        JS_FreeValue(ctx, view); /* The list holds it. */
        if (!is_view) return -1;
        vector[index] = (struct iovec){.iov_base = bytes.data, .iov_len = bytes.size};
    }
    return (int)length;
}

/* readv(fd, views): the first MAX_VIEWS of them. */
static JSValue read_vector(JSContext *ctx, JSValueConst this, int argc, JSValueConst *argv)
{
    (void)this, (void)argc;
    int fd;
    struct iovec vector[MAX_VIEWS];
    if (JS_ToInt32(ctx, &fd, argv[0])) return JS_EXCEPTION;
    int count = vector_of(ctx, argv[1], vector);
    return count < 0 ? JS_EXCEPTION : outcome(ctx, readv(fd, vector, count));
}

/* writev(fd, views) */
static JSValue write_vector(JSContext *ctx, JSValueConst this, int argc, JSValueConst *argv)
{
    (void)this, (void)argc;
    int fd;
    struct iovec vector[MAX_VIEWS];
    if (JS_ToInt32(ctx, &fd, argv[0])) return JS_EXCEPTION;
    int count = vector_of(ctx, argv[1], vector);
    return count < 0 ? JS_EXCEPTION : outcome(ctx, writev(fd, vector, count));
}

/* epollCreate() */
static JSValue epoll_make(JSContext *ctx, JSValueConst this, int argc, JSValueConst *argv)
{
    (void)this, (void)argc, (void)argv;
    return outcome(ctx, epoll_create1(EPOLL_CLOEXEC));
}

/* epollControl(epoll, operation, fd, events) */
static JSValue epoll_control(JSContext *ctx, JSValueConst this, int argc, JSValueConst *argv)
{
    (void)this, (void)argc;
    int epoll, operation, fd;
    uint32_t events;
    if (JS_ToInt32(ctx, &epoll, argv[0]) || JS_ToInt32(ctx, &operation, argv[1])) return JS_EXCEPTION;
    if (JS_ToInt32(ctx, &fd, argv[2]) || JS_ToUint32(ctx, &events, argv[3])) return JS_EXCEPTION;
    struct epoll_event event = {.events = events, .data = {.fd = fd}};
    return outcome(ctx, epoll_ctl(epoll, operation, fd, &event));
}

/* epollWait(epoll, found, milliseconds): descriptors and their events by turns. @return how many descriptors */
static JSValue epoll_wait_for(JSContext *ctx, JSValueConst this, int argc, JSValueConst *argv)
{
    (void)this, (void)argc;
    int epoll, milliseconds;
    Bytes found;
    if (JS_ToInt32(ctx, &epoll, argv[0]) || JS_ToInt32(ctx, &milliseconds, argv[2])) return JS_EXCEPTION;
    if (!bytes_of(ctx, argv[1], &found)) return JS_EXCEPTION;
    size_t room = found.size / (2 * sizeof(int32_t));
    struct epoll_event events[MAX_EVENTS];
    if (room == 0) return JS_ThrowRangeError(ctx, "no room for an event");
    int count = epoll_wait(epoll, events, (int)(room < MAX_EVENTS ? room : MAX_EVENTS), milliseconds);
    int32_t *into = (int32_t *)(void *)found.data;
    for (int index = 0; index < count; index++) {
        into[2 * index] = events[index].data.fd;
        into[2 * index + 1] = (int32_t)events[index].events;
    }
    return outcome(ctx, count);
}

/* monotonicTime(): milliseconds since the machine's start. */
static JSValue monotonic_time(JSContext *ctx, JSValueConst this, int argc, JSValueConst *argv)
{
    (void)this, (void)argc, (void)argv;
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return JS_NewFloat64(ctx, (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6);
}

static const JSCFunctionListEntry functions[] = {
    JS_CFUNC_DEF("read", 5, read_into),
    JS_CFUNC_DEF("write", 5, write_from),
    JS_CFUNC_DEF("readv", 2, read_vector),
    JS_CFUNC_DEF("writev", 2, write_vector),
    JS_CFUNC_DEF("epollCreate", 0, epoll_make),
    JS_CFUNC_DEF("epollControl", 4, epoll_control),
    JS_CFUNC_DEF("epollWait", 3, epoll_wait_for),
    JS_CFUNC_DEF("monotonicTime", 0, monotonic_time),
};

int io_export(JSContext *ctx, JSModuleDef *module, bool declare)
{
    return export_list(ctx, module, declare, functions, LENGTH(functions));
}
