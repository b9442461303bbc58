package io.weft.dataplane.route;

import io.weft.dataplane.LocalReply;
import io.weft.policy.model.RoutingPriority;

/**
 * What a forwarding route says beside where its requests go. Most routes say the same and have one object for it, which stays in the
 * processor's caches. Immutable.
 *
 * @param valueHeader which chooses among weighted clusters; null: chance does
 * @param clusterNotFound the answer when there is no such cluster
 * @param sendsAttemptCount whether {@code x-envoy-attempt-count} goes out
 * @param timeouts null: no limits
 * @param priority whose circuit breakers its requests count for
 */
record ForwardRule(
        String valueHeader,
        LocalReply clusterNotFound,
        boolean sendsAttemptCount,
        ResendRule resend,
        TimeoutRule timeouts,
        RoutingPriority priority) {}
