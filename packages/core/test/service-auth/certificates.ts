import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A certificate with its key, PEM. */
export interface Certified {
  readonly cert: string;
  readonly key: string;
}

/** An authority, made with openssl, that certifies whatever names it is given. */
export function certificateAuthority() {
  const folder = mkdtempSync(join(tmpdir(), 'steward-ca-'));
  const at = (name: string) => join(folder, name);
  const openssl = (...args: readonly string[]) =>
    execFileSync('openssl', args, { cwd: folder, stdio: 'pipe' });
  const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  openssl('req', '-x509', ...newKey, '-subj', '/CN=ca', '-keyout', 'ca.key', '-out', 'ca.crt');
  return {
    ca: readFileSync(at('ca.crt'), 'utf8'),
    certify(names: Partial<Record<'DNS' | 'URI' | 'IP', string>>): Certified {
      const lines = Object.entries(names).map(([kind, name]) => `${kind}=${name}\n`);
      writeFileSync(at('ext'), `subjectAltName=@names\n[names]\n${lines.join('')}`);
      openssl('req', ...newKey, '-subj', '/CN=any', '-keyout', 'own.key', '-out', 'own.csr');
      const sign = ['-CA', 'ca.crt', '-CAkey', 'ca.key', '-CAcreateserial', '-extfile', 'ext'];
      openssl('x509', '-req', '-in', 'own.csr', ...sign, '-days', '1', '-out', 'own.crt');
      return {
        cert: readFileSync(at('own.crt'), 'utf8'),
        key: readFileSync(at('own.key'), 'utf8'),
      };
    },
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}
