package io.weft.policy;

import java.net.InetSocketAddress;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * What an operator asks about the policy client, at one moment.
 *
 * @param variant the variant of xDS in use, or tried next
 * @param controlPlane what the control plane calls itself ({@code ControlPlane.identifier}); empty: it does not say
 * @param versions by type, as {@code Cluster}; what was accepted last, empty before
 * @param refused resources that were refused and have not been replaced by a good version or removed since
 * @param lastResponse when the control plane last sent a response
 * @param problem something wrong that leaves the policy in force, as a cache that cannot be written; of several the one that fails calls: no certificate
 */
public record PolicyClientStatus(
        Connection connection,
        Variant variant,
        String controlPlane,
        Map<String, String> versions,
        List<Refusal> refused,
        Optional<Instant> lastResponse,
        Optional<String> problem) {

    public PolicyClientStatus {
        versions = Map.copyOf(versions);
        refused = List.copyOf(refused);
    }

    public enum Variant { DELTA, STATE_OF_THE_WORLD }

    public sealed interface Connection {}

    /** Nothing has gone wrong yet. */
    public record Connecting(Instant since) implements Connection {}

    /** @param local end of the connection */
    public record Connected(InetSocketAddress local, Instant since) implements Connection {}

    /**
     * Until there is a connection again, whatever is being tried.
     *
     * @param error how the last stream, or the last attempt at one, ended
     * @param since the last stream that brought something ended; without one, since the client began
     * @param turnedAway for want of proof who this is, which does not pass by itself; stays so until the control plane answers
     */
    public record Disconnected(String error, Instant since, boolean turnedAway) implements Connection {}

    public record Closed() implements Connection {}

    /**
     * @param resource type and name, as {@code Cluster orders}
     * @param path of the field; empty: the whole
     */
    public record Refusal(String resource, String path, String reason, Instant since) {}
}
