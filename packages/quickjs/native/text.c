/* Strings to bytes and back: UTF-8, latin1, hexadecimal. */
#include <string.h>

#include "native.h"

static const uint8_t REPLACEMENT[3] = {0xef, 0xbf, 0xbd};

/*
 * The engine writes half a surrogate pair that is alone as the three bytes that UTF-8 would have for it: ED A0..BF xx. The
 * replacement character has three bytes, too. The engine's memory is ours to change: a string of ASCII alone has no such bytes,
 * and the text of any other was made for this call.
 */
const char *well_formed(JSContext *ctx, JSValueConst value, size_t *size)
{
    const char *text = JS_ToCStringLen(ctx, size, value);
    if (text == NULL) return NULL;
    const char *end = text + *size;
    for (const char *at = text; (at = memchr(at, 0xed, (size_t)(end - at))) != NULL; at++) {
        if (end - at >= 3 && (uint8_t)at[1] >= 0xa0) memcpy((char *)at, REPLACEMENT, sizeof REPLACEMENT);
    }
    return text;
}

/* utf8Encode(text): a new ArrayBuffer. */
static JSValue utf8_encode(JSContext *ctx, JSValueConst this, int argc, JSValueConst *argv)
{
    (void)this, (void)argc;
    size_t size;
    const char *text = well_formed(ctx, argv[0], &size);
    if (text == NULL) return JS_EXCEPTION;
    JSValue bytes = JS_NewArrayBufferCopy(ctx, (const uint8_t *)text, size);
    JS_FreeCString(ctx, text);
    return bytes;
}

/* utf8Length(text): bytes. */
static JSValue utf8_length(JSContext *ctx, JSValueConst this, int argc, JSValueConst *argv)
{
    (void)this, (void)argc;
    size_t size;
    const char *text = JS_ToCStringLen(ctx, &size, argv[0]);
    if (text == NULL) return JS_EXCEPTION;
    JS_FreeCString(ctx, text);
    return JS_NewInt64(ctx, (int64_t)size);
}

/* utf8Write(text, bytes, start, end): as many whole characters as fit. @return bytes written */
static JSValue utf8_write(JSContext *ctx, JSValueConst this, int argc, JSValueConst *argv)
{
    (void)this, (void)argc;
    Bytes into;
    size_t size;
    if (!slice_of(ctx, argv[1], argv[2], argv[3], &into)) return JS_EXCEPTION;
    const char *text = well_formed(ctx, argv[0], &size);
    if (text == NULL) return JS_EXCEPTION;
    if (size > into.size) {
        size = into.size;
        while (size > 0 && ((uint8_t)text[size] & 0xc0) == 0x80) size--;
    }
    if (size > 0) memcpy(into.data, text, size);
    JS_FreeCString(ctx, text);
    return JS_NewInt64(ctx, (int64_t)size);
}

/*
 * How many bytes at the start of some are one character of UTF-8. What is none is negative: that many bytes are replaced by one
 * character, as https://encoding.spec.whatwg.org/#utf-8-decoder says.
 */
static int utf8_character(const uint8_t *at, size_t left)
{
    uint8_t first = at[0], low = 0x80, high = 0xbf;
    int length = first < 0x80 ? 1 : first < 0xc2 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : first < 0xf5 ? 4 : 0;
    if (length == 0) return -1;
    if (first == 0xe0) low = 0xa0;
    if (first == 0xed) high = 0x9f;
    if (first == 0xf0) low = 0x90;
    if (first == 0xf4) high = 0x8f;
    for (int index = 1; index < length; index++) {
        if ((size_t)index >= left || at[index] < low || at[index] > high) return -index;
        low = 0x80, high = 0xbf;
    }
    return length;
}

static size_t valid_prefix(const uint8_t *data, size_t size)
{
    size_t at = 0;
    while (at < size) {
        if (data[at] < 0x80) {
            at++;
            continue;
        }
        int length = utf8_character(data + at, size - at);
        if (length < 0) break;
        at += (size_t)length;
    }
    return at;
}

/* utf8Decode(bytes, start, end): a string, with U+FFFD for what is no UTF-8. */
static JSValue utf8_decode(JSContext *ctx, JSValueConst this, int argc, JSValueConst *argv)
{
    (void)this, (void)argc;
    Bytes bytes;
    if (!slice_of(ctx, argv[0], argv[1], argv[2], &bytes)) return JS_EXCEPTION;
    size_t valid = valid_prefix(bytes.data, bytes.size);
    if (valid == bytes.size) return JS_NewStringLen(ctx, (const char *)bytes.data, bytes.size);
    if (bytes.size > MAX_BYTES / 3) return JS_ThrowRangeError(ctx, "the text is too long");
    uint8_t *text = js_malloc(ctx, 3 * bytes.size);
    if (text == NULL) return JS_EXCEPTION;
    size_t size = 0;
    for (size_t at = 0; at < bytes.size;) {
        int length = utf8_character(bytes.data + at, bytes.size - at);
        const uint8_t *from = length < 0 ? REPLACEMENT : bytes.data + at;
        size_t count = length < 0 ? sizeof REPLACEMENT : (size_t)length;
        memcpy(text + size, from, count);
        size += count;
        at += (size_t)(length < 0 ? -length : length);
    }
    JSValue string = JS_NewStringLen(ctx, (const char *)text, size);
    js_free(ctx, text);
    return string;
}

/* latin1Decode(bytes, start, end): a string with a character a byte. */
static JSValue latin1_decode(JSContext *ctx, JSValueConst this, int argc, JSValueConst *argv)
{
    (void)this, (void)argc;
    Bytes bytes;
    if (!slice_of(ctx, argv[0], argv[1], argv[2], &bytes)) return JS_EXCEPTION;
    if (bytes.size > MAX_BYTES / 2) return JS_ThrowRangeError(ctx, "the text is too long");
    uint8_t *text = js_malloc(ctx, 2 * bytes.size + 1);
    if (text == NULL) return JS_EXCEPTION;
    size_t size = 0;
    for (size_t at = 0; at < bytes.size; at++) {
        uint8_t byte = bytes.data[at];
        if (byte < 0x80) {
            text[size++] = byte;
        } else {
            text[size++] = (uint8_t)(0xc0 | (byte >> 6));
            text[size++] = (uint8_t)(0x80 | (byte & 0x3f));
        }
    }
    JSValue string = JS_NewStringLen(ctx, (const char *)text, size);
    js_free(ctx, text);
    return string;
}

/* latin1Write(text, bytes, start, end): the low byte of each unit of UTF-16, as many as fit. @return bytes written */
static JSValue latin1_write(JSContext *ctx, JSValueConst this, int argc, JSValueConst *argv)
{
    (void)this, (void)argc;
    Bytes into;
    size_t size, written = 0;
    if (!slice_of(ctx, argv[1], argv[2], argv[3], &into)) return JS_EXCEPTION;
    const char *text = JS_ToCStringLen(ctx, &size, argv[0]);
    if (text == NULL) return JS_EXCEPTION;
    for (const uint8_t *at = (const uint8_t *)text, *end = at + size; at < end && written < into.size;) {
        uint32_t point = *at++;
        int more = point < 0xc0 ? 0 : point < 0xe0 ? 1 : point < 0xf0 ? 2 : 3;
        if (more > 0) point &= 0x3fu >> more;
        for (; more > 0 && at < end; more--) point = (point << 6) | (*at++ & 0x3f);
        if (point > 0xffff) { /* Two units of UTF-16. */
            into.data[written++] = (uint8_t)((point - 0x10000) >> 10);
            if (written == into.size) break;
        }
        into.data[written++] = (uint8_t)point;
    }
    JS_FreeCString(ctx, text);
    return JS_NewInt64(ctx, (int64_t)written);
}

/* hexDecode(bytes, start, end): a string with two digits a byte. */
static JSValue hex_decode(JSContext *ctx, JSValueConst this, int argc, JSValueConst *argv)
{
    (void)this, (void)argc;
    static const char DIGITS[] = "0123456789abcdef";
    Bytes bytes;
    if (!slice_of(ctx, argv[0], argv[1], argv[2], &bytes)) return JS_EXCEPTION;
    if (bytes.size > MAX_BYTES / 2) return JS_ThrowRangeError(ctx, "the text is too long");
    char *text = js_malloc(ctx, 2 * bytes.size + 1);
    if (text == NULL) return JS_EXCEPTION;
    for (size_t at = 0; at < bytes.size; at++) {
        text[2 * at] = DIGITS[bytes.data[at] >> 4];
        text[2 * at + 1] = DIGITS[bytes.data[at] & 0xf];
    }
    JSValue string = JS_NewStringLen(ctx, text, 2 * bytes.size);
    js_free(ctx, text);
    return string;
}

static int digit(char character)
{
    if (character >= '0' && character <= '9') return character - '0';
    if (character >= 'a' && character <= 'f') return character - 'a' + 10;
    if (character >= 'A' && character <= 'F') return character - 'A' + 10;
    return -1;
}

/* hexWrite(text, bytes, start, end): up to the first pair that is none. @return bytes written */
static JSValue hex_write(JSContext *ctx, JSValueConst this, int argc, JSValueConst *argv)
{
    (void)this, (void)argc;
    Bytes into;
    size_t size, written = 0;
    if (!slice_of(ctx, argv[1], argv[2], argv[3], &into)) return JS_EXCEPTION;
    const char *text = JS_ToCStringLen(ctx, &size, argv[0]);
    if (text == NULL) return JS_EXCEPTION;
    for (; written < into.size && 2 * written + 1 < size; written++) {
        int high = digit(text[2 * written]), low = digit(text[2 * written + 1]);
        if (high < 0 || low < 0) break;
        into.data[written] = (uint8_t)(high << 4 | low);
    }
    JS_FreeCString(ctx, text);
    return JS_NewInt64(ctx, (int64_t)written);
}

static const JSCFunctionListEntry functions[] = {
    JS_CFUNC_DEF("utf8Encode", 1, utf8_encode),
    JS_CFUNC_DEF("utf8Length", 1, utf8_length),
    JS_CFUNC_DEF("utf8Write", 4, utf8_write),
    JS_CFUNC_DEF("utf8Decode", 3, utf8_decode),
    JS_CFUNC_DEF("latin1Decode", 3, latin1_decode),
    JS_CFUNC_DEF("latin1Write", 4, latin1_write),
    JS_CFUNC_DEF("hexDecode", 3, hex_decode),
    JS_CFUNC_DEF("hexWrite", 4, hex_write),
};

int text_export(JSContext *ctx, JSModuleDef *module, bool declare)
{
    return export_list(ctx, module, declare, functions, LENGTH(functions));
}
