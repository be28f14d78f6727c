// The door of @steward/core/service-auth: how services prove to each other who they are. Named exports only.

export { type CallerCertificates, certificateCaller } from './caller-certificate.ts';
export { inProcessReplayGuard, type ReplayGuard } from './replay-guard.ts';
export type { OutgoingRequest, ServiceRequest } from './service-request.ts';
export { type ServiceSigner, type ServiceSignerOptions, serviceSigner } from './service-signer.ts';
export {
  type ServiceCaller,
  type ServiceKey,
  type ServiceVerifier,
  type ServiceVerifierOptions,
  serviceVerifier,
} from './service-verifier.ts';
