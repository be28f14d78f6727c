import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto';
import { StewardError } from '@steward/core';

const algorithm = 'aes-256-gcm';
const [ivBytes, tagBytes] = [12, 16];

/** Encrypts what only the bearer of a secret shall read: the key is made of the secret, by HKDF (RFC 5869). */
export function seal(secret: string, place: string, text: string): string {
  const iv = randomBytes(ivBytes);
  const cipher = createCipheriv(algorithm, keyOf(secret), iv).setAAD(Buffer.from(place));
  const body = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()]);
  return Buffer.concat([iv, cipher.getAuthTag(), body]).toString('base64');
}

/** What was sealed for this place. */
export function unseal(secret: string, place: string, sealed: string): string {
  try {
    return opened(secret, place, sealed);
  } catch (cause) {
    throw new StewardError('internal', 'A session is not what was written: somebody changed it.', {
      cause,
    });
  }
}

function opened(secret: string, place: string, sealed: string): string {
  const bytes = Buffer.from(sealed, 'base64');
  const decipher = createDecipheriv(algorithm, keyOf(secret), bytes.subarray(0, ivBytes))
    .setAAD(Buffer.from(place))
    .setAuthTag(bytes.subarray(ivBytes, ivBytes + tagBytes));
  return (
    decipher.update(bytes.subarray(ivBytes + tagBytes), undefined, 'utf8') + decipher.final('utf8')
  );
}

function keyOf(secret: string): Buffer {
  return Buffer.from(hkdfSync('sha256', secret, '', 'steward session', 32));
}
