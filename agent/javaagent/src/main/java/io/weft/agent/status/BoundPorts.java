package io.weft.agent.status;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.List;
import java.util.Set;

/** The TCP ports on which this process listens, whoever has bound them. Only Linux says so, in proc(5); elsewhere there are none. */
public final class BoundPorts {
    private static final String LISTENS = "0A";
    /** Most lines are of connections, and there may be many: they are not taken apart. */
    private static final String MAY_LISTEN = " " + LISTENS + " ";
    private static final String SOCKET = "socket:[";
    private static final String[] NO_COLUMNS = {};
    private static final int ADDRESS = 1;
    private static final int STATE = 3;
    private static final int INODE = 9;

    private BoundPorts() {}

    /** In the order of their numbers. */
    static List<InetSocketAddress> all() {
        List<InetSocketAddress> bound = new ArrayList<>();
        try {
            Set<String> sockets = sockets(Path.of("/proc/self/fd"));
            for (String table : List.of("/proc/self/net/tcp", "/proc/self/net/tcp6")) {
                Path path = Path.of(table);
                if (Files.isReadable(path)) {
                    listening(Files.readAllLines(path), sockets, bound);
                }
            }
        } catch (IOException hidden) {
            return List.of();
        }
        bound.sort(Comparator.comparingInt(InetSocketAddress::getPort));
        return bound;
    }

    public static Set<Integer> numbers() {
        Set<Integer> numbers = new HashSet<>();
        all().forEach(address -> numbers.add(address.getPort()));
        return numbers;
    }

    private static Set<String> sockets(Path descriptors) throws IOException {
        Set<String> inodes = new HashSet<>();
        if (!Files.isDirectory(descriptors)) {
            return inodes;
        }
        try (DirectoryStream<Path> all = Files.newDirectoryStream(descriptors)) {
            for (Path descriptor : all) {
                String opened = target(descriptor);
                if (opened.startsWith(SOCKET)) {
                    inodes.add(opened.substring(SOCKET.length(), opened.length() - 1));
                }
            }
        }
        return inodes;
    }

    private static String target(Path descriptor) {
        try {
            return Files.readSymbolicLink(descriptor).toString();
        } catch (IOException closedMeanwhile) {
            return "";
        }
    }

    private static void listening(List<String> lines, Set<String> sockets, List<InetSocketAddress> to) throws UnknownHostException {
        for (String line : lines.subList(1, lines.size())) {
            String[] columns = line.contains(MAY_LISTEN) ? line.strip().split(" +") : NO_COLUMNS;
            if (columns.length > INODE && columns[STATE].equals(LISTENS) && sockets.contains(columns[INODE])) {
                to.add(address(columns[ADDRESS]));
            }
        }
    }

    /** @param text as in {@code 0100007F:1F90}: words of four bytes as the processor has them */
    static InetSocketAddress address(String text) throws UnknownHostException {
        int colon = text.indexOf(':');
        ByteBuffer words = ByteBuffer.wrap(HexFormat.of().parseHex(text.substring(0, colon)));
        ByteBuffer bytes = ByteBuffer.allocate(words.capacity()).order(ByteOrder.nativeOrder());
        while (words.hasRemaining()) {
            bytes.putInt(words.getInt());
        }
        int port = Integer.parseInt(text.substring(colon + 1), 16);
        InetAddress bound = InetAddress.getByAddress(bytes.array());
        return bound.isAnyLocalAddress() ? new InetSocketAddress(port) : new InetSocketAddress(bound, port);
    }
}
