package io.weft.policy.load;

import io.weft.policy.model.EndpointAssignment.Locality;
import java.net.InetSocketAddress;
import java.util.List;

/**
 * What happened to the requests for one cluster since it was first listed. Counts only grow; what one report says is the difference to
 * the report before.
 *
 * @param dropped requests for which nothing was sent: no endpoint, or a circuit breaker
 * @param latencies one for each version of the endpoints
 * @param answers likewise
 */
public record ClusterLoad(
        String name, long dropped, List<EndpointLoad> endpoints, List<Latencies> latencies, List<Answers> answers) {

    public ClusterLoad {
        endpoints = List.copyOf(endpoints);
        latencies = List.copyOf(latencies);
        answers = List.copyOf(answers);
    }

    /**
     * @param successes responses below 500
     * @param errors responses of 500 and above, and attempts without any
     * @param inProgress attempts under way
     * @param secured whether it is reached by mesh TLS now
     * @param ejected left out for now because of its failures
     */
    public record EndpointLoad(
            InetSocketAddress address,
            Locality locality,
            int priority,
            long successes,
            long errors,
            int inProgress,
            boolean secured,
            boolean ejected) {}

    /**
     * Of the responses that were no errors by their head those that were not what the caller wanted.
     *
     * @param version of the endpoints that they came from; may be empty
     * @param errors gRPC calls that failed by their status, which comes after the head
     * @param clientErrors 4xx that are no refusals
     * @param refused 401, 403, 429 and what gRPC has for them, whoever gave them: the app, or the mesh in its place
     */
    public record Answers(String version, long errors, long clientErrors, long refused) {}

    /**
     * How long requests took, from beginning to end.
     *
     * @param version of the endpoints that they went to; may be empty
     * @param boundsMillis the inclusive upper bounds of the buckets but the last, which has none, ascending
     * @param counts one more than bounds: the requests in each bucket, none counted twice
     */
    public record Latencies(String version, List<Double> boundsMillis, List<Long> counts) {

        public Latencies {
            boundsMillis = List.copyOf(boundsMillis);
            counts = List.copyOf(counts);
        }
    }
}
