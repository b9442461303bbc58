package io.weft.dataplane.health;

import io.weft.dataplane.ClientTls;
import io.weft.policy.model.HealthCheck;
import java.net.InetSocketAddress;
import java.util.function.Consumer;
import java.util.function.Supplier;

/** Makes the connections of active health checks. Thread-safe; never blocks. */
public interface HealthProber {

    /**
     * @param tls asked for each connection; gives null for plaintext
     * @param authority where the policy names no host
     * @return for checks of one host, one after the other
     */
    Probe open(InetSocketAddress address, Supplier<ClientTls> tls, HealthCheck policy, String authority);

    /** Asks one host. It keeps its connection from one check to the next where the policy says so. */
    interface Probe {
        /** @param onResult told once, on any thread, unless the check is given up before */
        void check(Consumer<Result> onResult);

        /** The check has taken too long: its answer is no longer wanted. */
        void giveUp();

        /** Ends the connection. No check is begun any more. */
        void close();
    }

    /** Stands for another that is said later; until then every check succeeds. */
    final class Relay implements HealthProber {
        private static final Probe ALWAYS_HEALTHY = new Probe() {
            @Override
            public void check(Consumer<Result> onResult) {
                onResult.accept(Result.HEALTHY);
            }

            @Override
            public void giveUp() {}

            @Override
            public void close() {}
        };

        private volatile HealthProber other;

        public void to(HealthProber by) {
            other = by;
        }

        @Override
        public Probe open(InetSocketAddress address, Supplier<ClientTls> tls, HealthCheck policy, String authority) {
            HealthProber by = other;
            return by == null ? ALWAYS_HEALTHY : by.open(address, tls, policy, authority);
        }
    }

    /** What came of a check. */
    enum Result {
        HEALTHY,
        /** Healthy, but others are to be preferred: {@code x-envoy-degraded}. */
        DEGRADED,
        /** The host said so. */
        UNHEALTHY,
        /** It said so in a way that counts only if it does so several times. */
        UNHEALTHY_PERHAPS,
        /** There was no connection, or it ended too soon. */
        UNREACHABLE
    }
}
