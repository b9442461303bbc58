package io.weft.it;

import static org.junit.jupiter.api.Assumptions.abort;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;

/** Not every machine has it, as many a container. */
public final class Ipv6 {
    private Ipv6() {}

    /** @return {@code ::1}; without it the test is skipped, and says so */
    public static InetAddress loopback() throws IOException {
        InetAddress loopback = InetAddress.getByAddress(new byte[] {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1});
        try (ServerSocket here = new ServerSocket(0, 1, loopback)) {
            return here.getInetAddress();
        } catch (IOException none) {
            return abort("this machine has no IPv6: " + none.getMessage());
        }
    }
}
