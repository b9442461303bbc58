package io.weft.policy.model;

import java.util.Set;

/** How bytes travel between this process and a peer: {@code envoy.config.core.v3.TransportSocket}. */
public sealed interface TransportSocket {

    /** The names that are fetched by SDS. */
    default Set<String> secrets() {
        return Set.of();
    }

    /** The names by which it leaves to this process who it is, or whom it trusts. */
    default Set<String> providers() {
        return Set.of();
    }

    default boolean holdsPrivateKey() {
        return false;
    }

    /** {@code envoy.extensions.transport_sockets.raw_buffer.v3.RawBuffer}, and where nothing is said. */
    record Plaintext() implements TransportSocket {}

    /**
     * {@code envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext}.
     *
     * @param sni sent as it is, also where it is no host name; empty: none is sent
     */
    record UpstreamTls(TlsContext context, String sni) implements TransportSocket {
        @Override
        public Set<String> secrets() {
            return context.secrets();
        }

        @Override
        public Set<String> providers() {
            return context.providers();
        }

        @Override
        public boolean holdsPrivateKey() {
            return context.holdsPrivateKey();
        }
    }

    /**
     * {@code envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext}.
     *
     * @param requireClientCertificate false: a client may come without a certificate, and then has no identity
     */
    record DownstreamTls(TlsContext context, boolean requireClientCertificate) implements TransportSocket {
        @Override
        public Set<String> secrets() {
            return context.secrets();
        }

        @Override
        public Set<String> providers() {
            return context.providers();
        }

        @Override
        public boolean holdsPrivateKey() {
            return context.holdsPrivateKey();
        }
    }
}
