package io.weft.it.harness;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;

/** What an agent's admin socket says, whatever the status. */
public final class AdminPage {
    private AdminPage() {}

    /** Where the socket is unless a setting says otherwise. */
    public static Path usualSocket(JvmProcess process) {
        return Path.of("/tmp", "weft-" + System.getProperty("user.name"), process.pid() + ".sock");
    }

    /** Whether somebody answers there: its file comes into being a moment before that. */
    public static boolean isOpen(Path socket) {
        try (SocketChannel channel = SocketChannel.open(StandardProtocolFamily.UNIX)) {
            return channel.connect(UnixDomainSocketAddress.of(socket));
        } catch (IOException notYet) {
            return false;
        }
    }

    public static String ask(Path socket, String method, String path) throws IOException {
        try (SocketChannel channel = SocketChannel.open(StandardProtocolFamily.UNIX)) {
            channel.connect(UnixDomainSocketAddress.of(socket));
            channel.write(StandardCharsets.US_ASCII.encode(method + " " + path + " HTTP/1.1\r\nhost: weft\r\ncontent-length: 0\r\n\r\n"));
            ByteArrayOutputStream answer = new ByteArrayOutputStream();
            ByteBuffer some = ByteBuffer.allocate(8_192);
            while (channel.read(some) >= 0) {
                answer.write(some.array(), 0, some.position());
                some.clear();
            }
            String text = answer.toString(StandardCharsets.UTF_8);
            return text.substring(text.indexOf("\r\n\r\n") + 4);
        }
    }

    /** The sum of the values of a metric's samples that have all these labels, as {@code name="value"}. */
    public static double sum(Path socket, String metric, String... labels) throws IOException {
        return ask(socket, "GET", "/stats/prometheus").lines()
                .filter(line -> line.startsWith(metric + "{"))
                .filter(line -> {
                    for (String label : labels) {
                        if (!line.contains(label)) {
                            return false;
                        }
                    }
                    return true;
                })
                .mapToDouble(line -> Double.parseDouble(line.substring(line.lastIndexOf(' ') + 1)))
                .sum();
    }
}
