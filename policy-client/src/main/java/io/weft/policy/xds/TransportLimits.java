package io.weft.policy.xds;

import java.time.Duration;

/**
 * @param connect for each address of the control plane
 * @param setup from the first SYN to the control plane's HTTP/2 settings, over all of its addresses
 * @param keepaliveIdle after which silence is answered with a PING
 * @param keepaliveTimeout after which an unanswered PING ends the connection
 * @param maxMessageBytes of one response
 * @param maxUnsentBytes of requests that the control plane does not read
 */
public record TransportLimits(
        Duration connect,
        Duration setup,
        Duration keepaliveIdle,
        Duration keepaliveTimeout,
        int maxMessageBytes,
        int maxUnsentBytes) {

    public static final TransportLimits DEFAULT = new TransportLimits(
            Duration.ofSeconds(5), Duration.ofSeconds(15), Duration.ofSeconds(30), Duration.ofSeconds(10), 64 << 20, 16 << 20);

    TransportLimits withKeepaliveIdle(Duration idle) {
        return new TransportLimits(connect, setup, idle, keepaliveTimeout, maxMessageBytes, maxUnsentBytes);
    }
}
