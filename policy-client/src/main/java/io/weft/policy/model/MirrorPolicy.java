package io.weft.policy.model;

import io.weft.policy.model.RouteAction.ClusterName;
import io.weft.policy.model.RouteMatch.Fraction;
import java.util.List;

/**
 * {@code envoy.config.route.v3.RouteAction.RequestMirrorPolicy}: a copy of each request goes to another cluster too, and nobody
 * waits for what comes of it.
 *
 * @param fraction share of the requests
 * @param headers what is changed in the copy, one after the other, and before its host is
 */
public record MirrorPolicy(ClusterName cluster, Fraction fraction, List<HeaderChanges> headers, Host host) {
    public static final Fraction ALL = new Fraction(100, 100);

    public MirrorPolicy {
        headers = List.copyOf(headers);
    }

    /** As Envoy has it when the policy names nothing but a cluster. */
    public static MirrorPolicy to(String cluster) {
        return new MirrorPolicy(new RouteAction.Named(cluster), ALL, List.of(), new Shadow());
    }

    /** What the copy's Host header is. */
    public sealed interface Host {}

    /** The original's with {@code -shadow} behind the name and before the port. */
    public record Shadow() implements Host {}

    /** The original's. */
    public record Same() implements Host {}

    public record Literal(String host) implements Host {}
}
