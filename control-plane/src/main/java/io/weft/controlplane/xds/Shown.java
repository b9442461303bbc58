package io.weft.controlplane.xds;

import io.envoyproxy.envoy.extensions.transport_sockets.tls.v3.CertificateProviderPluginInstance;
import io.envoyproxy.envoy.extensions.transport_sockets.tls.v3.CommonTlsContext;

/** Where a data plane finds the certificate that it shows. */
sealed interface Shown {

    void in(CommonTlsContext.Builder context);

    /** An agent asks for it itself, with a key that it keeps: all that it is told is to do so. */
    record Requested() implements Shown {

        /** As gRFC A29 names it in what is served; where the certificate comes from is the agent's affair. */
        private static final String INSTANCE = "default";

        @Override
        public void in(CommonTlsContext.Builder context) {
            context.setTlsCertificateProviderInstance(
                    CertificateProviderPluginInstance.newBuilder().setInstanceName(INSTANCE));
        }
    }

    /** A proxy gets it by SDS, with the key. */
    record Served(String secret) implements Shown {
        @Override
        public void in(CommonTlsContext.Builder context) {
            context.addTlsCertificateSdsSecretConfigs(TlsBuilder.secret(secret));
        }
    }
}
