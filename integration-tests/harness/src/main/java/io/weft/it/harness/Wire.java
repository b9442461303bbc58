package io.weft.it.harness;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ThreadLocalRandom;

/** Stands between agents and their control plane, or that and its cluster, and does to what passes what a network or a bad proxy does. Thread-safe. */
public final class Wire implements AutoCloseable {
    private static final long SLOW_MILLIS = 2;

    /** What becomes of bytes. */
    public enum Conduct {
        PASS,
        /** They wait until that is over; connections stay. */
        HOLD,
        /** One at a time, with a pause after each. */
        DRIP,
        /** Those for agents become others. */
        SPOIL,
        /** There are none: connections are closed, those that there are and those that come. */
        CUT
    }

    private final ServerSocket listening;
    private final List<InetSocketAddress> targets;
    private final List<Socket> sockets = new CopyOnWriteArrayList<>();
    private Conduct conduct = Conduct.PASS;

    private Wire(ServerSocket listening, List<InetSocketAddress> targets) {
        this.listening = listening;
        this.targets = targets;
    }

    /** In front of a server on loopback. */
    public static Wire to(int target) {
        return to(new InetSocketAddress(InetAddress.getLoopbackAddress(), target));
    }

    public static Wire to(InetSocketAddress target) {
        return to(List.of(target));
    }

    /** To any one of them that listens, as a Service leads to its replicas. */
    public static Wire to(List<InetSocketAddress> targets) {
        try {
            Wire wire = new Wire(new ServerSocket(0, 100, InetAddress.getLoopbackAddress()), List.copyOf(targets));
            start("accepts", wire::accept);
            return wire;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    public int port() {
        return listening.getLocalPort();
    }

    public synchronized void conduct(Conduct conduct) {
        this.conduct = conduct;
        notifyAll();
        if (conduct == Conduct.CUT) {
            sockets.forEach(Wire::close);
        }
    }

    private synchronized Conduct conduct() throws InterruptedException {
        while (conduct == Conduct.HOLD) {
            wait();
        }
        return conduct;
    }

    private static void start(String name, Runnable task) {
        Thread thread = new Thread(task, "wire: " + name);
        thread.setDaemon(true);
        thread.start();
    }

    private void accept() {
        while (!listening.isClosed()) {
            Socket agent;
            try {
                agent = listening.accept();
            } catch (IOException closed) {
                return;
            }
            sockets.add(agent);
            start("dials", () -> connect(agent));
        }
    }

    private void connect(Socket agent) {
        try {
            Socket controlPlane = dial();
            sockets.add(controlPlane);
            if (conduct() == Conduct.CUT) {
                close(agent);
                close(controlPlane);
                return;
            }
            start("there", () -> carry(agent, controlPlane, false));
            carry(controlPlane, agent, true);
        } catch (IOException | InterruptedException nobodyThere) {
            close(agent);
        }
    }

    private Socket dial() throws IOException {
        List<InetSocketAddress> inTurn = new ArrayList<>(targets);
        Collections.shuffle(inTurn, ThreadLocalRandom.current());
        IOException refused = null;
        for (InetSocketAddress target : inTurn) {
            try {
                return new Socket(target.getAddress(), target.getPort());
            } catch (IOException e) {
                refused = e;
            }
        }
        throw refused;
    }

    private void carry(Socket from, Socket to, boolean toAgent) {
        byte[] chunk = new byte[16 << 10];
        try {
            InputStream in = from.getInputStream();
            OutputStream out = to.getOutputStream();
            for (int read = in.read(chunk); read >= 0; read = in.read(chunk)) {
                pass(chunk, read, out, toAgent);
            }
        } catch (IOException | InterruptedException gone) {
            // Both ends hear of it by what follows.
        } finally {
            close(from);
            close(to);
        }
    }

    private void pass(byte[] chunk, int length, OutputStream out, boolean toAgent) throws IOException, InterruptedException {
        Conduct now = conduct();
        if (now == Conduct.SPOIL && toAgent) {
            byte[] others = new byte[length];
            ThreadLocalRandom.current().nextBytes(others);
            out.write(others);
            return;
        }
        int sent = 0;
        while (now == Conduct.DRIP && sent < length) {
            out.write(chunk[sent++]);
            Thread.sleep(SLOW_MILLIS);
            now = conduct();
        }
        out.write(chunk, sent, length - sent);
    }

    @Override
    public void close() throws IOException {
        listening.close();
        sockets.forEach(Wire::close);
    }

    private static void close(Socket socket) {
        try {
            socket.close();
        } catch (IOException alreadyClosed) {
            return;
        }
    }
}
