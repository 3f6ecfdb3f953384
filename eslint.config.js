import { defineConfig } from "eslint/config";
import tseslint from "typescript-eslint";

export default defineConfig(
  { ignores: ["**/dist/", "**/gen/", "**/node_modules/", "**/*.js", "**/*.cjs", "**/*.mjs"] },
  ...tseslint.configs.strictTypeChecked,
  ...tseslint.configs.stylisticTypeChecked,
  {
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      // A number or an id in a message reads better without String() around it in tests; sources write it out.
      "@typescript-eslint/restrict-template-expressions": ["error", { allowNumber: false }],
      // What is only held for as long as a block runs need not be looked at.
      "@typescript-eslint/no-unused-vars": ["error", { ignoreUsingDeclarations: true }],
      // Handlers and ports are async by contract, also where one implementation has nothing to wait for.
      "@typescript-eslint/require-await": "off",
      // Promise.withResolvers<void>() is how it is written.
      "@typescript-eslint/no-invalid-void-type": "off",
      // isolatedDeclarations wants the type on the left.
      "@typescript-eslint/consistent-generic-constructors": ["error", "type-annotation"],
    },
  },
  {
    files: ["packages/*/src/**"],
    ignores: ["**/*.test.ts"],
    rules: {
      "no-restricted-syntax": [
        "error",
        {
          selector:
            "TSAsExpression[typeAnnotation.type!='TSUnknownKeyword'] > CallExpression[callee.object.name='JSON'][callee.property.name='parse']",
          message: "check it: parseShape() of @kata-ts/linux/shape, a zod schema, or a comment that says why not",
        },
      ],
    },
  },
  {
    // A monitor is known to its adapter, to what composes ports, and to kata-proxy's program: docs/adr/0034. The rest is files that others read.
    files: ["packages/virtcontainers/src/**", "packages/proxy/src/**"],
    ignores: [
      "**/vmm-qemu/**",
      "**/embedded/**",
      "**/virtcontainers/src/index.ts",
      "**/proxy/src/bin.ts",
      "**/proxy/src/guest-console.ts",
      "**/store/migrated.ts",
      "**/*.test.ts",
    ],
    rules: { "id-match": ["error", "^(?!.*([Qq]emu|QEMU|[Qq]mp|QMP|[Rr]ootPort|[Pp]cie)).*$", { properties: true }] },
  },
  {
    // Deadlines must not follow a clock that somebody sets. What is told to others, or compared with files, is the day's time.
    files: ["packages/*/src/**"],
    ignores: [
      "**/grpc/grpc-caller.ts",
      "**/guest-console.ts",
      "**/sandbox/clock.ts",
      "**/guest-stream.ts",
      "**/find-vms.ts",
      "**/file-store.ts",
      "**/front/leftovers.ts",
      "**/*.test.ts",
    ],
    rules: {
      "no-restricted-properties": ["error", { object: "Date", property: "now", message: "use performance.now()" }],
    },
  },
  // No project of the compiler's has them.
  { files: ["**/vitest.config.ts"], ...tseslint.configs.disableTypeChecked },
);
