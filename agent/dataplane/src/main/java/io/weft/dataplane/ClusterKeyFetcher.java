package io.weft.dataplane;

import io.weft.dataplane.cluster.ClusterView;
import io.weft.dataplane.cluster.Host;
import io.weft.dataplane.jwt.KeyFetcher;
import io.weft.policy.model.JwtAuthentication.RemoteKeys;
import java.net.URI;
import java.util.function.Consumer;
import java.util.function.Supplier;

/** Fetches key sets from an endpoint that the cluster's balancer chooses. */
final class ClusterKeyFetcher implements KeyFetcher {
    private final Supplier<Policy> policy;
    private final UpstreamHttp http;
    private final NanoClock clock;
    private final Randomness randomness;

    /** @param policy gives null before the first */
    ClusterKeyFetcher(Supplier<Policy> policy, UpstreamHttp http, NanoClock clock, Randomness randomness) {
        this.policy = policy;
        this.http = http;
        this.clock = clock;
        this.randomness = randomness;
    }

    @Override
    public void fetch(RemoteKeys keys, Consumer<String> onBody) {
        ClusterView cluster = cluster(keys.cluster());
        Host host = cluster == null ? null : cluster.pick(randomness.bits(), null, 0, clock);
        if (host == null) {
            onBody.accept(null);
            return;
        }
        URI uri = URI.create(keys.uri());
        String path = uri.getRawPath() == null || uri.getRawPath().isEmpty() ? "/" : uri.getRawPath();
        String target = uri.getRawQuery() == null ? path : path + '?' + uri.getRawQuery();
        http.get(host.endpoint(), uri.getRawAuthority(), target, keys.timeout().toNanos(), onBody);
    }

    /** @return null when there is none of the name */
    private ClusterView cluster(String name) {
        Policy inForce = policy.get();
        if (inForce != null) {
            for (ClusterView cluster : inForce.clusters()) {
                if (cluster != null && cluster.name().equals(name)) {
                    return cluster;
                }
            }
        }
        return null;
    }
}
