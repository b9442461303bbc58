package io.weft.it.harness;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.ServerSocket;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ThreadLocalRandom;

/**
 * A TCP port for a server that another process starts, or that stops and comes back. Ephemeral ports will not do: while nobody listens there,
 * an outgoing connection of any process may take one, even the reconnecting client's own.
 */
public final class Port {
    /** Below the ephemeral ports of Linux (32768), macOS and Windows (49152). */
    private static final int FIRST = 20_000;
    private static final int END = 32_000;
    private static final Set<Integer> GIVEN = ConcurrentHashMap.newKeySet();

    private Port() {}

    /** Not in use on any local address, and not given to anybody else in this JVM. Thread-safe. */
    public static int unused() {
        for (int attempt = 0; attempt < END - FIRST; attempt++) {
            int port = ThreadLocalRandom.current().nextInt(FIRST, END);
            if (GIVEN.add(port) && isFree(port)) {
                return port;
            }
        }
        throw new UncheckedIOException(new IOException("no free port from " + FIRST + " to " + END));
    }

    private static boolean isFree(int port) {
        try (ServerSocket socket = new ServerSocket(port, 1)) {
            return socket.isBound();
        } catch (IOException inUse) {
            return false;
        }
    }
}
