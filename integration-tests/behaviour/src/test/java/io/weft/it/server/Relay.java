package io.weft.it.server;

import io.weft.it.Ipv6;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Hands on what goes between a client and a server on loopback, and keeps it: what a listener on the wire gets. Of each direction of a
 * connection the first {@value #MOST_KEPT} bytes are kept, and of the rest it is known what it looks like. Thread-safe.
 */
public final class Relay implements AutoCloseable {
    private static final int MOST_KEPT = 8 << 20;
    private static final int CHUNK = 64 << 10;
    /** More of them in a row than are ever in encrypted bytes. */
    private static final int MANY_ZEROS = 32;
    private static final int RECORD_HEADER = 5;

    private final ServerSocket listening;
    private final int target;
    private final List<Direction> directions = new CopyOnWriteArrayList<>();
    private final List<Socket> sockets = new CopyOnWriteArrayList<>();

    private Relay(ServerSocket listening, int target) {
        this.listening = listening;
        this.target = target;
    }

    /** In front of a server on 127.0.0.1, where that is, too. */
    public static Relay to(int target) {
        try {
            return at(InetAddress.getByAddress(new byte[] {127, 0, 0, 1}), target);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** In front of a server on 127.0.0.1, but at {@code ::1}. */
    public static Relay overIpv6To(int target) throws IOException {
        return at(Ipv6.loopback(), target);
    }

    private static Relay at(InetAddress address, int target) throws IOException {
        Relay relay = new Relay(new ServerSocket(0, 100, address), target);
        start("accepts for " + target, relay::accept);
        return relay;
    }

    public int port() {
        return listening.getLocalPort();
    }

    public InetSocketAddress address() {
        return (InetSocketAddress) listening.getLocalSocketAddress();
    }

    private static void start(String name, Runnable task) {
        Thread thread = new Thread(task, "relay: " + name);
        thread.setDaemon(true);
        thread.start();
    }

    private void accept() {
        while (!listening.isClosed()) {
            try {
                Socket client = listening.accept();
                Socket server = new Socket(InetAddress.getByAddress(new byte[] {127, 0, 0, 1}), target);
                sockets.add(client);
                sockets.add(server);
                hand("there", client, server);
                hand("back", server, client);
            } catch (IOException closed) {
                // Of a connection that could not be handed on, the client hears.
                continue;
            }
        }
    }

    private void hand(String name, Socket from, Socket to) {
        Direction direction = new Direction();
        directions.add(direction);
        start(name, () -> {
            byte[] chunk = new byte[CHUNK];
            try (to) {
                InputStream in = from.getInputStream();
                OutputStream out = to.getOutputStream();
                for (int read = in.read(chunk); read >= 0; read = in.read(chunk)) {
                    direction.add(chunk, read);
                    out.write(chunk, 0, read);
                }
            } catch (IOException gone) {
                return;
            }
        });
    }

    /** What went through so far. */
    public long bytes() {
        return directions.stream().mapToLong(direction -> direction.bytes.get()).sum();
    }

    /** Whether anything of that is not a record of TLS, or shows content that is not encrypted. */
    public boolean isAllTls() {
        return directions.stream().allMatch(Direction::isAllTls);
    }

    @Override
    public void close() throws IOException {
        listening.close();
        for (Socket socket : sockets) {
            socket.close();
        }
    }

    private static final class Direction {
        final AtomicLong bytes = new AtomicLong();
        private final ByteArrayOutputStream kept = new ByteArrayOutputStream();
        private int zeros;
        private boolean manyZeros;

        synchronized void add(byte[] chunk, int length) {
            for (int i = 0; i < length; i++) {
                zeros = chunk[i] == 0 ? zeros + 1 : 0;
                manyZeros |= zeros >= MANY_ZEROS;
            }
            kept.write(chunk, 0, Math.min(length, MOST_KEPT - kept.size()));
            bytes.addAndGet(length);
        }

        synchronized boolean isAllTls() {
            byte[] all = kept.toByteArray();
            int at = 0;
            while (at + RECORD_HEADER <= all.length) {
                int type = all[at];
                if (type < 20 || type > 23 || all[at + 1] != 3) {
                    return false;
                }
                at += RECORD_HEADER + ((all[at + 3] & 0xff) << 8 | all[at + 4] & 0xff);
            }
            return all.length > 0 && !manyZeros;
        }
    }
}
