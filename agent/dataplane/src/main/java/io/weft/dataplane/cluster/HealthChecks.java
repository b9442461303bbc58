package io.weft.dataplane.cluster;

import io.weft.dataplane.Randomness;
import io.weft.dataplane.Timers;
import io.weft.dataplane.health.HealthProber;
import io.weft.policy.model.HealthCheck;
import java.net.InetSocketAddress;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;

/** The active health checks of one cluster. Confined to the timers' thread, but for {@link #follow} and {@link #failAtOnce}. */
final class HealthChecks {
    final ClusterState state;
    final Timers timers;
    final Randomness randomness;
    private final HealthProber prober;
    private final Map<Host, HealthSession> sessions = new HashMap<>();
    private HealthCheck policy;
    /** Whether hosts ever were checked: a cluster without health checks never comes to the timers' thread. */
    private volatile boolean followed;

    HealthChecks(ClusterState state, Timers timers, Randomness randomness, HealthProber prober) {
        this.state = state;
        this.timers = timers;
        this.randomness = randomness;
        this.prober = prober;
    }

    /** Has the hosts of the view checked as it says, and no others. From any thread. */
    void follow(ClusterView view) {
        if (view.healthCheck() != null || followed) {
            followed = true;
            timers.schedule(0, () -> apply(view));
        }
    }

    /** From any thread. */
    void close() {
        if (followed) {
            timers.schedule(0, this::stop);
        }
    }

    private void stop() {
        sessions.values().forEach(HealthSession::close);
        sessions.clear();
    }

    private void apply(ClusterView view) {
        HealthCheck wanted = view.healthCheck();
        if (wanted == null || !wanted.equals(policy)) {
            stop();
            policy = wanted;
        }
        Set<Host> listed = new HashSet<>();
        if (wanted != null) {
            for (Tier tier : view.tiers()) {
                for (Member member : tier.members()) {
                    listed.add(member.host());
                    if (!sessions.containsKey(member.host())) {
                        start(member);
                    }
                }
            }
        }
        sessions.entrySet().removeIf(entry -> {
            boolean gone = !listed.contains(entry.getKey());
            if (gone) {
                entry.getValue().close();
            }
            return gone;
        });
    }

    private void start(Member member) {
        InetSocketAddress address = member.host().endpoint().address();
        if (policy.port() != 0) {
            address = new InetSocketAddress(address.getAddress(), policy.port());
        }
        Host host = member.host();
        HealthProber.Probe probe = prober.open(address, () -> host.endpoint().tls(), policy, state.name());
        HealthSession session = new HealthSession(this, policy, host, probe);
        sessions.put(host, session);
        session.start();
    }

    /** The host asked in a response to be left out. From any thread. */
    void failAtOnce(Host host) {
        timers.schedule(0, () -> {
            HealthSession session = sessions.get(host);
            if (session != null) {
                session.failAtOnce();
            }
        });
    }
}
