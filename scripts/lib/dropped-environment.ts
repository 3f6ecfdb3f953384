/** What an environment says to Node, to OpenSSL and to the dynamic linker. `kata`, which fetches images, keeps PULLING. */
export const DROPPED: readonly string[] = [
  ...["OPTIONS", "PATH", "DEBUG", "DEBUG_NATIVE", "CHANNEL_FD", "CHANNEL_SERIALIZATION_MODE", "V8_COVERAGE"].map(node),
  ...["TLS_REJECT_UNAUTHORIZED", "REDIRECT_WARNINGS", "ICU_DATA", "REPL_EXTERNAL_MODULE", "REPL_HISTORY"].map(node),
  ...[
    "PENDING_DEPRECATION",
    "COMPILE_CACHE",
    "DISABLE_COMPILE_CACHE",
    "COMPILE_CACHE_PORTABLE",
    "UNIQUE_ID",
    "TEST_CONTEXT",
  ].map(node),
  ...["PRESERVE_SYMLINKS", "PRESERVE_SYMLINKS_MAIN", "SKIP_PLATFORM_CHECK", "ICU_DATA", "USE_ENV_PROXY"].map(node),
  ...["OPENSSL_CONF", "OPENSSL_MODULES", "OPENSSL_ENGINES", "SSLKEYLOGFILE", "UV_THREADPOOL_SIZE", "UV_USE_IO_URING"],
  ...["PRELOAD", "LIBRARY_PATH", "AUDIT", "DEBUG", "DEBUG_OUTPUT", "PROFILE", "PROFILE_OUTPUT", "BIND_NOT"].map(linker),
  ...["DYNAMIC_WEAK", "HWCAP_MASK", "ORIGIN_PATH", "SHOW_AUXV", "USE_LOAD_BIAS", "VERBOSE", "WARN"].map(linker),
  ...["GLIBC_TUNABLES", "GCONV_PATH", "LOCPATH", "MALLOC_TRACE"],
];
/** Certificates of authorities that are the user's own. */
export const PULLING: readonly string[] = ["NODE_EXTRA_CA_CERTS"];

function node(name: string): string {
  return `NODE_${name}`;
}

function linker(name: string): string {
  return `LD_${name}`;
}
