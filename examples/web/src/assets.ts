import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { HttpError } from './http.ts';

interface Asset {
  readonly body: Buffer;
  readonly type: string;
  readonly etag: string;
}

const types: { readonly [extension: string]: string } = {
  '.css': 'text/css',
  '.js': 'text/javascript',
  '.svg': 'image/svg+xml',
};

const ours = fileURLToPath(new URL('../public/', import.meta.url));
const installed = (specifier: string, file: string) =>
  fileURLToPath(new URL(file, import.meta.resolve(specifier)));

/** Everything the page may load, read once: only what is listed here can be asked for. */
export function loadAssets(): ReadonlyMap<string, Asset> {
  const files = readdirSync(ours)
    .filter((name) => extname(name) in types)
    .map((name) => [name, join(ours, name)] as const);
  const libraries = [
    ['marked.js', installed('marked', 'marked.umd.js')],
    ['purify.js', installed('dompurify', 'purify.min.js')],
  ] as const;
  return new Map([...files, ...libraries].map(([name, path]) => [name, asset(path)]));
}

function asset(path: string): Asset {
  const body = readFileSync(path);
  const etag = `"${createHash('sha256').update(body).digest('base64url').slice(0, 22)}"`;
  return { body, etag, type: `${types[extname(path)]}; charset=utf-8` };
}

export function sendAsset(
  assets: ReadonlyMap<string, Asset>,
  name: string,
  request: IncomingMessage,
  response: ServerResponse,
): void {
  const found = assets.get(name);
  if (!found) throw new HttpError(404, 'not_found', 'There is no such file');
  response.setHeader('cache-control', 'no-cache');
  response.setHeader('etag', found.etag);
  if (request.headers['if-none-match'] === found.etag) {
    response.writeHead(304).end();
    return;
  }
  const headers = { 'content-type': found.type, 'content-length': found.body.length };
  response.writeHead(200, headers).end(found.body);
}
