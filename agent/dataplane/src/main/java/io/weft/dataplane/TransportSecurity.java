package io.weft.dataplane;

import io.weft.policy.model.Secret;
import io.weft.policy.model.TransportSocket.DownstreamTls;
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

    /**
     * @param secrets of the snapshot, by name
     * @return the same object for as long as nothing of it has changed; empty while a certificate or an authority that it needs is
     *     missing
     */
    Optional<ServerTls> server(DownstreamTls socket, Map<String, Secret> secrets);

    /**
     * Hands on to whoever is there by then; before, what needs TLS is out of reach. So is what cannot be secured, for a fault in here
     * or a policy that this JDK cannot follow: it must not keep the rest of the policy from being obeyed.
     */
    final class Relay implements TransportSecurity {
        private final Faults faults;
        private volatile TransportSecurity target;

        Relay(Faults faults) {
            this.faults = faults;
        }

        void to(TransportSecurity target) {
            this.target = target;
        }

        @Override
        public Optional<ClientTls> client(UpstreamTls socket, Map<String, Secret> secrets) {
            TransportSecurity known = target;
            try {
                return known == null ? Optional.empty() : known.client(socket, secrets);
            } catch (RuntimeException | LinkageError fault) {
                faults.fault("mesh TLS with SNI '" + socket.sni() + "', whose endpoints are out of reach now,", fault);
                return Optional.empty();
            }
        }

        @Override
        public Optional<ServerTls> server(DownstreamTls socket, Map<String, Secret> secrets) {
            TransportSecurity known = target;
            try {
                return known == null ? Optional.empty() : known.server(socket, secrets);
            } catch (RuntimeException | LinkageError fault) {
                faults.fault("mesh TLS of what comes in, by which nobody gets in now,", fault);
                return Optional.empty();
            }
        }
    }
}
