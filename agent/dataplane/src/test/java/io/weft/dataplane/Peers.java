package io.weft.dataplane;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.util.List;

/** Connections as a test writes them down: from {@code 10.0.0.7:40000} to {@code 10.0.0.1:8080}. */
public final class Peers {
    private Peers() {}

    public static Connection plaintext() {
        return plaintext("10.0.0.7");
    }

    public static Connection plaintext(String from) {
        return connection(from, "", null);
    }

    public static Connection tls(String... uriSans) {
        return tls(new Connection.Peer(List.of(uriSans), List.of(), ""));
    }

    public static Connection tls(Connection.Peer peer) {
        return connection("10.0.0.7", "", peer);
    }

    public static Connection connection(String from, String serverName, Connection.Peer peer) {
        return new Connection(address("10.0.0.1", 8080), address(from, 40_000), serverName, peer);
    }

    private static InetSocketAddress address(String literal, int port) {
        try {
            return new InetSocketAddress(InetAddress.getByName(literal), port);
        } catch (UnknownHostException e) {
            throw new IllegalArgumentException(literal, e);
        }
    }
}
