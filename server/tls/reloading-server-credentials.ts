import { ServerCredentials } from "@grpc/grpc-js";
import type { TlsFiles } from "./tls-files.ts";

/** What makes a gRPC server follow the certificate files: grpc-js hands each update to its HTTP/2 servers. */
export class ReloadingServerCredentials extends ServerCredentials {
  /** Good for a server that is bound after `files` has been started. */
  constructor(files: TlsFiles) {
    super({ requestCert: files.requiresClientCertificate });
    files.subscribe((context) => this.updateSecureContextOptions(context));
  }

  override _equals(other: ServerCredentials): boolean {
    return other === this;
  }
}
