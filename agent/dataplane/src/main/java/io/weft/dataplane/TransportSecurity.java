package io.weft.dataplane;

import io.weft.policy.model.Secret;
import io.weft.policy.model.TransportSocket.UpstreamTls;
import java.util.Map;
import java.util.Optional;

/** Turns what a policy says of TLS into what connections need. Called while a snapshot is compiled, by one thread at a time. */
public interface TransportSecurity {

    /**
     * @param secrets of the snapshot, by name
     * @return the same object for as long as nothing of it has changed; empty while a certificate or an authority that it needs is
     *     missing
     */
    Optional<ClientTls> client(UpstreamTls socket, Map<String, Secret> secrets);

    /** Hands on to whoever is there by then; before, what needs TLS is out of reach. */
    final class Relay implements TransportSecurity {
        private volatile TransportSecurity target = (socket, secrets) -> Optional.empty();

        void to(TransportSecurity target) {
            this.target = target;
        }

        @Override
        public Optional<ClientTls> client(UpstreamTls socket, Map<String, Secret> secrets) {
            return target.client(socket, secrets);
        }
    }
}
