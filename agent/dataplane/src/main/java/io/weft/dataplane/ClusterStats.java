package io.weft.dataplane;

import io.weft.policy.model.EndpointAssignment.Health;
import java.net.InetSocketAddress;
import java.util.List;

/**
 * What happened to the requests for one cluster since it was first listed, and what is under way. Counters are read one by one,
 * so that under load they are not all of the same moment.
 *
 * @param active attempts under way
 * @param activeRetries retries decided on or under way
 * @param successes attempts with a response below 500
 * @param failures attempts with a 5xx or without a response, those excepted that the app cancelled
 * @param refused requests answered with 401, 403 or 429, or what gRPC has for them; their attempts are among the successes
 * @param retries attempts after the first
 * @param overflows requests refused by the circuit breaker
 * @param retryOverflows retries refused by the circuit breaker
 * @param withoutEndpoint requests for which there was no healthy endpoint
 * @param abandoned requests that were not mirrored, or not tried again, because of their body
 * @param connectFailures attempts that got no connection
 * @param ejections how often an endpoint was left out because of its failures
 */
public record ClusterStats(
        String name,
        int active,
        int activeRetries,
        long successes,
        long failures,
        long refused,
        long retries,
        long overflows,
        long retryOverflows,
        long withoutEndpoint,
        long abandoned,
        long connectFailures,
        long ejections,
        List<EndpointStats> endpoints) {

    /** How requests travel to an endpoint, or to those of a cluster. */
    public enum Transport { TLS, PLAINTEXT, TLS_AND_PLAINTEXT, NONE }

    public Transport transport() {
        return transport(endpoints);
    }

    /** NONE: there is no endpoint. */
    public static Transport transport(List<EndpointStats> endpoints) {
        boolean tls = false;
        boolean plaintext = false;
        for (EndpointStats endpoint : endpoints) {
            tls |= endpoint.secured;
            plaintext |= !endpoint.secured;
        }
        return tls ? plaintext ? Transport.TLS_AND_PLAINTEXT : Transport.TLS : plaintext ? Transport.PLAINTEXT : Transport.NONE;
    }

    /**
     * @param health as the control plane says it
     * @param failsChecks active health checks say that it is not well, or there was none yet
     * @param secured by mesh TLS; otherwise in plaintext
     * @param ejected left out for now because of its failures
     * @param ejections how often it was, this one included
     */
    public record EndpointStats(
            InetSocketAddress address,
            int priority,
            int weight,
            Health health,
            int active,
            long successes,
            long failures,
            boolean secured,
            boolean failsChecks,
            boolean ejected,
            int ejections) {

        public Transport transport() {
            return secured ? Transport.TLS : Transport.PLAINTEXT;
        }
    }
}
