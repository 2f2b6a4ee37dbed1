import type { SecureContextOptions } from "node:tls";

/** With what replicas speak TLS to each other, on both sides. */
export interface ClusterTls {
  /** Whether who calls must show a certificate, too. */
  readonly requiresClientCertificate: boolean;
  /** Calls `listener` with certificate, key and CA before the cluster starts, and each time they have changed. */
  subscribe(listener: (context: SecureContextOptions) => void): void;
}
