/* A libc call in a thread of its own: for what may take long, such as mounting a disk. */
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <unistd.h>

#include "native.h"

#define MAX_THREADS 32

static struct Slot {
    bool is_used; /* Only the first thread looks at it. */
    atomic_bool is_done;
    int notify; /* The end of a pipe that gets the slot's number. */
    Call call;
    long result;
    int error;
} slots[MAX_THREADS];

static void *run(void *argument)
{
    struct Slot *slot = argument;
    uint8_t number = (uint8_t)(slot - slots);
    int notify = slot->notify;
    slot->result = call_run(&slot->call, &slot->error);
    atomic_store(&slot->is_done, true);
    /* A pipe has room for thousands of numbers, and there are no more than slots. */
    while (write(notify, &number, 1) < 0 && errno == EINTR) {}
    return NULL;
}

/* All signals are the first thread's. @return 0, or an error's number */
static int start_detached(struct Slot *slot)
{
    sigset_t all, before;
    pthread_attr_t attributes;
    pthread_t thread;
    sigfillset(&all);
    int error = pthread_attr_init(&attributes);
    if (error != 0) return error;
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    pthread_attr_setstacksize(&attributes, 256 * 1024);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    error = pthread_create(&thread, &attributes, run, slot);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&attributes);
    return error;
}

/* threadStart(notify, function, ...arguments): the slot's number, which is written to `notify` at the end, or a negative error. */
static JSValue thread_start(JSContext *ctx, JSValueConst this, int argc, JSValueConst *argv)
{
    (void)this;
    int number = 0;
    while (number < MAX_THREADS && slots[number].is_used) number++;
    if (number == MAX_THREADS) return JS_NewInt32(ctx, -EAGAIN);
    struct Slot *slot = &slots[number];
    if (JS_ToInt32(ctx, &slot->notify, argv[0]) || !call_prepare(ctx, &slot->call, argc - 1, argv + 1)) return JS_EXCEPTION;
    atomic_store(&slot->is_done, false);
    int error = start_detached(slot);
    if (error != 0) {
        call_release(ctx, &slot->call);
        return JS_NewInt32(ctx, -error);
    }
    slot->is_used = true;
    return JS_NewInt32(ctx, number);
}

/* threadResult(slot): what the call returned; errno where that is -1, negative. Frees the slot. */
static JSValue thread_result(JSContext *ctx, JSValueConst this, int argc, JSValueConst *argv)
{
    (void)this, (void)argc;
    size_t number;
    if (!size_of(ctx, argv[0], MAX_THREADS - 1, &number)) return JS_EXCEPTION;
    struct Slot *slot = &slots[number];
    if (!slot->is_used || !atomic_load(&slot->is_done)) return JS_ThrowRangeError(ctx, "no call has ended there");
    call_release(ctx, &slot->call);
    slot->is_used = false;
    return JS_NewInt64(ctx, slot->result == -1 ? -slot->error : slot->result);
}

static const JSCFunctionListEntry functions[] = {
    JS_CFUNC_DEF("threadStart", 2, thread_start),
    JS_CFUNC_DEF("threadResult", 1, thread_result),
};

int threads_export(JSContext *ctx, JSModuleDef *module, bool declare)
{
    return export_list(ctx, module, declare, functions, LENGTH(functions));
}
