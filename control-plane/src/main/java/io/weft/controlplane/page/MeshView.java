package io.weft.controlplane.page;

import java.util.List;
import java.util.Map;

/**
 * What the page shows: the answer of {@code /api/mesh}, and what {@code /api/events} pushes. The names of the fields are stable; fields may
 * be added. A number that is not known, such as the success rate of an edge without requests, is null.
 *
 * @param tick grows whenever a report step is over, so that a client knows when there are new figures
 * @param replica of several control planes that of whose data planes the figures are; null: there is one
 * @param writable whether policies can be changed here, by whoever has a token
 * @param problems of policies that were refused as they were read
 */
record MeshView(long tick, String replica, boolean writable, int policiesInForce, List<Problem> problems, List<Mesh> meshes) {

    record Problem(String file, int line, String field, String message) {}

    /** @param mutualTls whether anybody in it gets an identity */
    record Mesh(
            String name,
            boolean mutualTls,
            List<Service> services,
            List<Edge> edges,
            List<Policy> policies,
            List<Rollout> rollouts,
            List<Refusal> refusals) {}

    /**
     * @param called whether it has instances or others call it; otherwise it only calls others
     * @param requestsPerSecond that it gets
     * @param success from 0 to 1: requests that have neither failed nor been refused
     * @param refused the share of those answered with 401, 403 or 429
     * @param refusedBy what its instances say that the mesh did of it, and beside it to callers that are not in the mesh
     */
    record Service(
            String name,
            boolean called,
            List<Instance> instances,
            double requestsPerSecond,
            Double success,
            Double refused,
            Double p99Millis,
            RefusedBy refusedBy) {}

    /**
     * In requests a second.
     *
     * @param fault injected; its callers see an error and no refusal
     */
    record RefusedBy(double permission, double rateLimit, double fault) {}

    /**
     * @param health {@code HEALTHY}; {@code UNHEALTHY}: its connection is broken, or it does not take the mutual TLS that policy
     *     demands; {@code DRAINING}: it takes no new requests
     * @param transport {@code PLAINTEXT}, {@code MTLS_PENDING} or {@code MTLS}
     * @param ejectedBy services that leave it out because of its failures
     */
    record Instance(
            String name,
            String address,
            String version,
            String zone,
            Map<String, String> tags,
            String health,
            String transport,
            double requestsPerSecond,
            Double success,
            List<String> ejectedBy) {}

    /**
     * From one service to one version of another.
     *
     * @param version empty: its instances have none
     * @param success from 0 to 1: requests that have neither failed nor been refused
     * @param refused the share of those answered with 401, 403 or 429
     * @param mutualTls the share of requests to instances that are reached by mesh TLS, from 0 to 1
     * @param dropped requests a second for which nothing was sent
     */
    record Edge(
            String from,
            String to,
            String version,
            double requestsPerSecond,
            Double success,
            Double refused,
            Double p50Millis,
            Double p99Millis,
            Double mutualTls,
            long inProgress,
            double dropped) {}

    /**
     * @param shadow computed, not applied
     * @param outdated its newest version was refused, so that an older one is in force
     * @param overriddenBy names of others of its kind that together say all that it says, with higher precedence: it has no effect; empty: it
     *     may have one
     * @param warnings whom it names and who is not there, a sentence each
     * @param actsOn names of services
     * @param refusedBy data planes that refuse what came of it
     */
    record Policy(
            String type,
            String name,
            String file,
            int line,
            boolean shadow,
            boolean outdated,
            List<String> overriddenBy,
            List<String> warnings,
            String target,
            List<String> actsOn,
            List<String> refusedBy) {}

    /** @param weights by version */
    record Rollout(String service, String policy, Map<String, Long> weights) {}

    /** What a data plane does not take. */
    record Refusal(String node, String service, String type, String message) {}
}
