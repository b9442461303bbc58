package io.weft.controlplane.port;

import io.grpc.Status;
import io.weft.controlplane.identity.Admission;
import io.weft.controlplane.token.Proof;
import java.time.Duration;

/**
 * What may be had of the port for data planes.
 *
 * @param strangers connections at once on which nobody has been let in yet, or not yet served
 * @param strangersOfOne of one address, or of one /64 of IPv6
 * @param handshakesOfOne of these the ones of one address that are not through with TLS and HTTP/2 yet
 * @param inLine connections more that wait for one of these places, and of which nothing is read
 * @param inLineOfOne of one address
 * @param introduction how long a connection stays on which nobody has been let in
 * @param firstRequest how long a stream stays on which no request came, and a connection in line
 * @param instances that one token may register; four times as many connections may show it
 */
public record PortLimits(
        int strangers,
        int strangersOfOne,
        int handshakesOfOne,
        int inLine,
        int inLineOfOne,
        Duration introduction,
        Duration firstRequest,
        int instances) {

    /** A token is for a service, and an autoscaler does not ask how many are too many. */
    public static final int INSTANCES = 1_000;

    /** A token is for a pod: its JVMs, and what an earlier one has left behind. */
    public static final int INSTANCES_OF_A_POD = 32;

    /** Of an agent: its policies, its load, a certificate, and one that broke and is not missed yet. */
    private static final int CONNECTIONS_OF_AN_INSTANCE = 4;

    public static PortLimits of(int instances) {
        return new PortLimits(1_024, 256, 32, 16_384, 8_192, Duration.ofSeconds(30), Duration.ofSeconds(10), instances);
    }

    /** What to say to whoever would have one more. */
    public static Admission.RefusedException exceeded(Proof proof, int most, String what) {
        return new Admission.RefusedException(Status.RESOURCE_EXHAUSTED.withDescription(proof.owner() + " has " + most + " " + what
                + ", as many as one token may: give further instances a token of their own, or start the control plane with"
                + " a larger --instances-per-token"));
    }

    int connectionsOfOneToken() {
        return instances * CONNECTIONS_OF_AN_INSTANCE;
    }
}
