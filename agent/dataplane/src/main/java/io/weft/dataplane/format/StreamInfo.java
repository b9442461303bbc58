package io.weft.dataplane.format;

import java.net.InetSocketAddress;
import java.time.Instant;

/**
 * What is known of a request beside its messages; Envoy's name for it. Grows while the request lasts: what is not known, or not
 * yet, is null or -1. For the thread that handles the request.
 */
public interface StreamInfo {
    /** As in {@code HTTP/1.1}. */
    default String protocol() {
        return null;
    }

    /** 0: none yet. */
    default int responseCode() {
        return 0;
    }

    /** Envoy's words for where the response came from. */
    default String responseCodeDetails() {
        return null;
    }

    /** The bits of {@link ResponseFlag}. */
    default int responseFlags() {
        return 0;
    }

    default String localReplyBody() {
        return null;
    }

    default Instant startTime() {
        return null;
    }

    /** From the start until now, or to the end where there was one. */
    default long durationNanos() {
        return -1;
    }

    /** From the start to the response head that the app is given. */
    default long responseNanos() {
        return -1;
    }

    /** Of the request's body. */
    default long requestBytes() {
        return -1;
    }

    /** Of the response's body. */
    default long responseBytes() {
        return -1;
    }

    default String routeName() {
        return null;
    }

    default String upstreamCluster() {
        return null;
    }

    /** Of the latest attempt. */
    default InetSocketAddress upstreamHost() {
        return null;
    }

    default int attemptCount() {
        return 0;
    }

    /** The client's address, or what the proxies in front of it say, and then without a port. */
    default InetSocketAddress downstreamRemote() {
        return null;
    }

    /** The peer of the connection. */
    default InetSocketAddress downstreamDirectRemote() {
        return downstreamRemote();
    }

    default InetSocketAddress downstreamLocal() {
        return null;
    }

    /** The URIs in the peer's certificate, with commas between them. */
    default String peerUriSans() {
        return null;
    }

    /** What filters have put down under the key. */
    default String filterState(String key) {
        return null;
    }
}
