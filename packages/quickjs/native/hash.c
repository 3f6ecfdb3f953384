/*
 * SHA-256 and SHA-512 of FIPS 180-4. They are one algorithm with words of two sizes: the shorter one's constants are the upper halves of
 * the longer one's.
 */
#include <endian.h>
#include <string.h>

#include "native.h"

#define LONGEST_BLOCK 128
#define WORDS 8

typedef struct {
    uint64_t words[WORDS];
    uint64_t total;
    uint32_t is_long;
    uint8_t block[LONGEST_BLOCK];
} Hash;

/* Of the fractions of the cube roots of the first 80 primes, and of the square roots of the first eight, the first 64 bits. */
static const uint64_t ROUNDS[80] = {
    0x428a2f98d728ae22, 0x7137449123ef65cd, 0xb5c0fbcfec4d3b2f, 0xe9b5dba58189dbbc,
    0x3956c25bf348b538, 0x59f111f1b605d019, 0x923f82a4af194f9b, 0xab1c5ed5da6d8118,
    0xd807aa98a3030242, 0x12835b0145706fbe, 0x243185be4ee4b28c, 0x550c7dc3d5ffb4e2,
    0x72be5d74f27b896f, 0x80deb1fe3b1696b1, 0x9bdc06a725c71235, 0xc19bf174cf692694,
    0xe49b69c19ef14ad2, 0xefbe4786384f25e3, 0x0fc19dc68b8cd5b5, 0x240ca1cc77ac9c65,
    0x2de92c6f592b0275, 0x4a7484aa6ea6e483, 0x5cb0a9dcbd41fbd4, 0x76f988da831153b5,
    0x983e5152ee66dfab, 0xa831c66d2db43210, 0xb00327c898fb213f, 0xbf597fc7beef0ee4,
    0xc6e00bf33da88fc2, 0xd5a79147930aa725, 0x06ca6351e003826f, 0x142929670a0e6e70,
    0x27b70a8546d22ffc, 0x2e1b21385c26c926, 0x4d2c6dfc5ac42aed, 0x53380d139d95b3df,
    0x650a73548baf63de, 0x766a0abb3c77b2a8, 0x81c2c92e47edaee6, 0x92722c851482353b,
    0xa2bfe8a14cf10364, 0xa81a664bbc423001, 0xc24b8b70d0f89791, 0xc76c51a30654be30,
    0xd192e819d6ef5218, 0xd69906245565a910, 0xf40e35855771202a, 0x106aa07032bbd1b8,
    0x19a4c116b8d2d0c8, 0x1e376c085141ab53, 0x2748774cdf8eeb99, 0x34b0bcb5e19b48a8,
    0x391c0cb3c5c95a63, 0x4ed8aa4ae3418acb, 0x5b9cca4f7763e373, 0x682e6ff3d6b2b8a3,
    0x748f82ee5defb2fc, 0x78a5636f43172f60, 0x84c87814a1f0ab72, 0x8cc702081a6439ec,
    0x90befffa23631e28, 0xa4506cebde82bde9, 0xbef9a3f7b2c67915, 0xc67178f2e372532b,
    0xca273eceea26619c, 0xd186b8c721c0c207, 0xeada7dd6cde0eb1e, 0xf57d4f7fee6ed178,
    0x06f067aa72176fba, 0x0a637dc5a2c898a6, 0x113f9804bef90dae, 0x1b710b35131c471b,
    0x28db77f523047d84, 0x32caab7b40c72493, 0x3c9ebe0a15c9bebc, 0x431d67c49c100d4c,
    0x4cc5d4becb3e42b6, 0x597f299cfc657e2a, 0x5fcb6fab3ad6faec, 0x6c44198c4a475817,
};
static const uint64_t START[WORDS] = {
    0x6a09e667f3bcc908, 0xbb67ae8584caa73b, 0x3c6ef372fe94f82b, 0xa54ff53a5f1d36f1,
    0x510e527fade682d1, 0x9b05688c2b3e6c1f, 0x1f83d9abfb41bd6b, 0x5be0cd19137e2179,
};

/* How far bits are moved: for the sums of the working words, then for those of the schedule, the last of which are shifts. */
static const uint8_t SHORT_TURNS[12] = {2, 13, 22, 6, 11, 25, 7, 18, 3, 17, 19, 10};
static const uint8_t LONG_TURNS[12] = {28, 34, 39, 14, 18, 41, 1, 8, 7, 19, 61, 6};

static size_t block_size(const Hash *hash)
{
    return hash->is_long ? LONGEST_BLOCK : LONGEST_BLOCK / 2;
}

static uint64_t cut(const Hash *hash, uint64_t word)
{
    return hash->is_long ? word : (uint32_t)word;
}

static uint64_t turned(const Hash *hash, uint64_t word, int by)
{
    return cut(hash, word >> by | word << ((hash->is_long ? 64 : 32) - by));
}

static uint64_t sum(const Hash *hash, uint64_t word, const uint8_t *turns)
{
    return turned(hash, word, turns[0]) ^ turned(hash, word, turns[1]) ^ turned(hash, word, turns[2]);
}

static uint64_t mixed(const Hash *hash, uint64_t word, const uint8_t *turns)
{
    return turned(hash, word, turns[0]) ^ turned(hash, word, turns[1]) ^ word >> turns[2];
}

static uint64_t word_at(const Hash *hash, const uint8_t *block, int index)
{
    uint64_t longer;
    uint32_t shorter;
    if (hash->is_long) return memcpy(&longer, block + 8 * index, sizeof longer), be64toh(longer);
    return memcpy(&shorter, block + 4 * index, sizeof shorter), be32toh(shorter);
}

static void take_block(Hash *hash, const uint8_t *block)
{
    const uint8_t *turns = hash->is_long ? LONG_TURNS : SHORT_TURNS;
    int rounds = hash->is_long ? 80 : 64, shift = hash->is_long ? 0 : 32;
    uint64_t w[80], v[WORDS];
    for (int t = 0; t < 16; t++) w[t] = word_at(hash, block, t);
    for (int t = 16; t < rounds; t++) {
        w[t] = cut(hash, mixed(hash, w[t - 2], turns + 9) + w[t - 7] + mixed(hash, w[t - 15], turns + 6) + w[t - 16]);
    }
    memcpy(v, hash->words, sizeof v);
    for (int t = 0; t < rounds; t++) {
        uint64_t chosen = (v[4] & v[5]) ^ (~v[4] & v[6]), most = (v[0] & v[1]) ^ (v[0] & v[2]) ^ (v[1] & v[2]);
        uint64_t first = v[7] + sum(hash, v[4], turns + 3) + chosen + (ROUNDS[t] >> shift) + w[t];
        uint64_t second = sum(hash, v[0], turns) + most;
        memmove(v + 1, v, 7 * sizeof v[0]);
        v[4] = cut(hash, v[4] + first);
        v[0] = cut(hash, first + second);
    }
    for (int index = 0; index < WORDS; index++) hash->words[index] = cut(hash, hash->words[index] + v[index]);
}

static void take(Hash *hash, const uint8_t *data, size_t size)
{
    size_t block = block_size(hash);
    while (size > 0) {
        size_t kept = hash->total % block, part = size < block - kept ? size : block - kept;
        if (part == block) {
            take_block(hash, data);
        } else {
            memcpy(hash->block + kept, data, part);
            if (kept + part == block) take_block(hash, hash->block);
        }
        hash->total += part;
        data += part;
        size -= part;
    }
}

/* A one, zeros, and the length in bits, which is twice as long as a word; of no input here does the upper half count. */
static void finish(Hash *hash)
{
    static const uint8_t padding[2 * LONGEST_BLOCK] = {0x80};
    size_t block = block_size(hash), kept = hash->total % block, length = block / 8;
    uint64_t bits = htobe64(hash->total * 8);
    size_t zeros = (kept + 1 + length <= block ? block : 2 * block) - kept - sizeof bits;
    take(hash, padding, zeros);
    take(hash, (const uint8_t *)&bits, sizeof bits);
}

static Hash *hash_of(JSContext *ctx, JSValueConst value)
{
    Bytes bytes;
    if (!bytes_of(ctx, value, &bytes)) return NULL;
    if (bytes.size == sizeof(Hash) && (uintptr_t)bytes.data % _Alignof(Hash) == 0) return (Hash *)(void *)bytes.data;
    JS_ThrowRangeError(ctx, "this is the state of no hash");
    return NULL;
}

/* hashStart(isLong): the state of a SHA-256, or of a SHA-512. */
static JSValue hash_start(JSContext *ctx, JSValueConst this, int argc, JSValueConst *argv)
{
    (void)this, (void)argc;
    Hash hash = {.is_long = (uint32_t)JS_ToBool(ctx, argv[0])};
    for (int index = 0; index < WORDS; index++) hash.words[index] = START[index] >> (hash.is_long ? 0 : 32);
    return JS_NewArrayBufferCopy(ctx, (const uint8_t *)&hash, sizeof hash);
}

/* hashTake(state, bytes) */
static JSValue hash_take(JSContext *ctx, JSValueConst this, int argc, JSValueConst *argv)
{
    (void)this, (void)argc;
    Bytes bytes;
    Hash *hash = hash_of(ctx, argv[0]);
    if (hash == NULL || !bytes_of(ctx, argv[1], &bytes)) return JS_EXCEPTION;
    if (bytes.size > 0) take(hash, bytes.data, bytes.size);
    return JS_UNDEFINED;
}

/* hashEnd(state): the digest; the state is of no use then. */
static JSValue hash_end(JSContext *ctx, JSValueConst this, int argc, JSValueConst *argv)
{
    (void)this, (void)argc;
    uint8_t digest[8 * WORDS];
    Hash *hash = hash_of(ctx, argv[0]);
    if (hash == NULL) return JS_EXCEPTION;
    finish(hash);
    for (int index = 0; index < WORDS; index++) {
        uint64_t longer = htobe64(hash->words[index]);
        uint32_t shorter = htobe32((uint32_t)hash->words[index]);
        if (hash->is_long) memcpy(digest + 8 * index, &longer, sizeof longer);
        else memcpy(digest + 4 * index, &shorter, sizeof shorter);
    }
    return JS_NewArrayBufferCopy(ctx, digest, hash->is_long ? 64 : 32);
}

static const JSCFunctionListEntry functions[] = {
    JS_CFUNC_DEF("hashStart", 1, hash_start),
    JS_CFUNC_DEF("hashTake", 2, hash_take),
    JS_CFUNC_DEF("hashEnd", 1, hash_end),
};

int hash_export(JSContext *ctx, JSModuleDef *module, bool declare)
{
    return export_list(ctx, module, declare, functions, LENGTH(functions));
}
