/* One way to call any function of libc that is listed here: its arguments are integers and pointers, at most eight. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/timex.h>
#include <sys/utsname.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <grp.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "native.h"

/* More arguments than the kernel takes. */
#define MAX_TEXTS (1 << 20)

/* glibc has it, and no header of its own declares it. */
int capset(void *header, const void *sets);

typedef long (*Function)(long, long, long, long, long, long, long, long);

/* By way of another pointer to a function, or the compiler objects. An int comes back in the lower half of a register. */
#define INT(name) { #name, (Function)(void (*)(void))name, true }
#define LONG(name) { #name, (Function)(void (*)(void))name, false }

static const struct {
    const char *name;
    Function function;
    bool is_int;
} FUNCTIONS[] = {
    /* Files and directories. */
    INT(open), INT(close), INT(statx), INT(statfs), INT(ftruncate), INT(fsync), INT(mkdir), INT(rmdir), INT(unlink), INT(rename), INT(link),
    INT(symlink), LONG(readlink), INT(access), INT(chmod), INT(fchmod), INT(chown), INT(lchown), INT(fchown), INT(utimensat),
    INT(futimens), INT(umask), INT(chdir), INT(chroot), INT(mknod), INT(lsetxattr), INT(syncfs), INT(flock), INT(mount), INT(umount2),
    INT(memfd_create), INT(inotify_init1), INT(inotify_add_watch), INT(inotify_rm_watch), LONG(getcwd),
    /* Descriptors. */
    INT(fcntl), INT(ioctl), INT(dup2), INT(dup3), INT(pipe2), INT(poll), INT(isatty), INT(tcgetattr), INT(tcsetattr),
    /* Sockets. */
    INT(socket), INT(socketpair), INT(bind), INT(listen), INT(accept4), INT(connect), INT(shutdown), INT(getsockname),
    INT(getpeername), INT(getsockopt), INT(setsockopt), LONG(sendmsg), LONG(recvmsg), LONG(sendto), LONG(recvfrom),
    /* Processes. */
    INT(kill), INT(tgkill), INT(sigqueue), INT(getpid), INT(getppid), INT(getuid), INT(geteuid), INT(getgid), INT(getegid), INT(setresuid),
    INT(setresgid), INT(setgroups), INT(waitpid), INT(prctl), INT(prlimit), INT(setns), INT(unshare), INT(sched_getaffinity),
    INT(posix_spawnp), INT(posix_spawn_file_actions_init), INT(posix_spawn_file_actions_destroy),
    INT(posix_spawn_file_actions_adddup2), INT(posix_spawn_file_actions_addchdir_np), INT(posix_spawnattr_init),
    INT(posix_spawnattr_setflags), INT(posix_spawnattr_setsigdefault), INT(posix_spawnattr_setsigmask), INT(sigprocmask),
    INT(signalfd), INT(capset), INT(getrusage), INT(exit), INT(_exit),
    /* The machine. */
    INT(uname), INT(sethostname), INT(settimeofday), INT(adjtimex), INT(clock_gettime), INT(malloc_trim), INT(setenv), INT(unsetenv),
    LONG(getrandom), LONG(syscall),
};

/* functionNamed(name): its number for call(), or -1. */
static JSValue function_named(JSContext *ctx, JSValueConst this, int argc, JSValueConst *argv)
{
    (void)this, (void)argc;
    const char *name = JS_ToCString(ctx, argv[0]);
    if (name == NULL) return JS_EXCEPTION;
    int found = (int)LENGTH(FUNCTIONS) - 1;
    while (found >= 0 && strcmp(FUNCTIONS[found].name, name) != 0) found--;
    JS_FreeCString(ctx, name);
    return JS_NewInt32(ctx, found);
}

static bool prepare_list(JSContext *ctx, Call *call, int index, JSValueConst list)
{
    int64_t length;
    JSValue property = JS_GetPropertyStr(ctx, list, "length");
    int failed = JS_ToInt64(ctx, &length, property);
    JS_FreeValue(ctx, property);
    if (failed) return false;
    if (length > MAX_TEXTS) {
        JS_ThrowRangeError(ctx, "a list for libc has more than %d strings", MAX_TEXTS);
        return false;
    }
    char **texts = js_mallocz(ctx, (size_t)(length + 1) * sizeof *texts);
    if (texts == NULL) return false;
    call->lists[index] = texts;
    call->arguments[index] = (long)texts;
    for (int64_t at = 0; at < length; at++) {
        JSValue text = JS_GetPropertyUint32(ctx, list, (uint32_t)at);
        bool is_end = JS_IsNull(text);
        size_t size;
        const char *bytes = is_end ? NULL : well_formed(ctx, text, &size);
        JS_FreeValue(ctx, text);
        if (is_end) break;
        if (bytes == NULL) return false;
        texts[at] = js_strdup(ctx, bytes);
        JS_FreeCString(ctx, bytes);
        if (texts[at] == NULL) return false;
    }
    return true;
}

static bool prepare_one(JSContext *ctx, Call *call, int index, JSValueConst value)
{
    if (JS_IsNumber(value) || JS_IsBool(value)) {
        int64_t number;
        if (JS_ToInt64(ctx, &number, value) != 0) return false;
        call->arguments[index] = (long)number;
        return true;
    }
    if (JS_IsBigInt(ctx, value)) {
        int64_t number;
        if (JS_ToBigInt64(ctx, &number, value) != 0) return false;
        call->arguments[index] = (long)number;
        return true;
    }
    if (JS_IsNull(value) || JS_IsUndefined(value)) return true;
    if (JS_IsString(value)) {
        size_t size;
        const char *text = well_formed(ctx, value, &size);
        call->texts[index] = text;
        call->arguments[index] = (long)text;
        if (text == NULL) return false;
        if (strlen(text) == size) return true;
        JS_ThrowTypeError(ctx, "a string for libc has a NUL in it");
        return false;
    }
    if (is_bytes(value)) {
        Bytes bytes;
        if (!bytes_of(ctx, value, &bytes)) return false;
        call->held[index] = JS_DupValue(ctx, value);
        call->arguments[index] = (long)bytes.data;
        return true;
    }
    if (JS_IsArray(ctx, value)) return prepare_list(ctx, call, index, value);
    JS_ThrowTypeError(ctx, "libc takes integers, strings, bytes and lists of strings");
    return false;
}

bool call_prepare(JSContext *ctx, Call *call, int argc, JSValueConst *argv)
{
    memset(call, 0, sizeof *call);
    for (size_t index = 0; index < LENGTH(call->held); index++) call->held[index] = JS_UNDEFINED;
    if (JS_ToInt32(ctx, &call->function, argv[0]) != 0) return false;
    if (call->function < 0 || call->function >= (int)LENGTH(FUNCTIONS)) {
        JS_ThrowRangeError(ctx, "libc has no function %d here", call->function);
        return false;
    }
    call->count = argc - 1;
    if (call->count > (int)LENGTH(call->arguments)) {
        JS_ThrowRangeError(ctx, "%s cannot be called with %d arguments", FUNCTIONS[call->function].name, call->count);
        return false;
    }
    for (int index = 0; index < call->count; index++) {
        if (prepare_one(ctx, call, index, argv[index + 1])) continue;
        call_release(ctx, call);
        return false;
    }
    return true;
}

long call_run(const Call *call, int *error)
{
    const long *a = call->arguments;
    errno = 0;
    long result = FUNCTIONS[call->function].function(a[0], a[1], a[2], a[3], a[4], a[5], a[6], a[7]);
    *error = errno;
    return FUNCTIONS[call->function].is_int ? (int)result : result;
}

void call_release(JSContext *ctx, Call *call)
{
    for (size_t index = 0; index < LENGTH(call->held); index++) {
        JS_FreeValue(ctx, call->held[index]);
        if (call->texts[index] != NULL) JS_FreeCString(ctx, call->texts[index]);
        if (call->lists[index] == NULL) continue;
        for (char **text = call->lists[index]; *text != NULL; text++) js_free(ctx, *text);
        js_free(ctx, call->lists[index]);
    }
}

static int last_error;

/* call(function, ...arguments): the result, whatever it means; errno() has the error. */
static JSValue call(JSContext *ctx, JSValueConst this, int argc, JSValueConst *argv)
{
    (void)this;
    Call call;
    if (!call_prepare(ctx, &call, argc, argv)) return JS_EXCEPTION;
    long result = call_run(&call, &last_error);
    call_release(ctx, &call);
    return JS_NewInt64(ctx, result);
}

/* errno(): of the last call(). */
static JSValue get_errno(JSContext *ctx, JSValueConst this, int argc, JSValueConst *argv)
{
    (void)this, (void)argc, (void)argv;
    return JS_NewInt32(ctx, last_error);
}

static const JSCFunctionListEntry functions[] = {
    JS_CFUNC_DEF("functionNamed", 1, function_named),
    JS_CFUNC_DEF("call", 1, call),
    JS_CFUNC_DEF("errno", 0, get_errno),
};

int calls_export(JSContext *ctx, JSModuleDef *module, bool declare)
{
    return export_list(ctx, module, declare, functions, LENGTH(functions));
}
