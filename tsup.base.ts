import { defineConfig, type Options } from 'tsup';

/** One way to build every package: ES modules for Node 22 and newer, with types. */
export function preset(options: Options): ReturnType<typeof defineConfig> {
  return defineConfig({
    format: ['esm'],
    target: 'node22',
    platform: 'node',
    dts: true,
    sourcemap: true,
    clean: true,
    splitting: true,
    removeNodeProtocol: false,
    ...options,
  });
}
