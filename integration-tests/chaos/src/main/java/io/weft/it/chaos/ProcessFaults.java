package io.weft.it.chaos;

import io.weft.it.harness.JvmProcess;
import io.weft.it.harness.Library;
import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/** What a process itself suffers: one of two servers, or the client. */
final class ProcessFaults {
    private static final Duration PAUSE = Duration.ofMillis(500);
    /** Tomcat's own number of threads, and some more. */
    private static final int REQUESTS_FOR_ALL_THREADS = 220;

    private ProcessFaults() {}

    static List<Fault> all() {
        return List.of(
                new Fault("server-killed", "One of two servers is killed", Promise.NO_REQUEST_FAILS, ProcessFaults::serverKilled),
                new Fault("server-frozen", "One of two servers stands still; its kernel still accepts", Promise.NO_REQUEST_FAILS, ProcessFaults::serverFrozen),
                new Fault("server-pauses", "One of two servers stands still for 500 ms, again and again", Promise.NO_REQUEST_FAILS,
                        shop -> pauses(shop, twoServers(shop).get(0))),
                new Fault("client-pauses", "The client stands still for 500 ms, again and again", Promise.NO_REQUEST_FAILS, ProcessFaults::clientPauses),
                new Fault("server-heap-full", "One of two servers has next to no heap left and does little but collect garbage", Promise.NO_REQUEST_FAILS,
                        ProcessFaults::heapFull),
                new Fault("server-descriptors", "One of two servers has no file descriptor left", Promise.NO_REQUEST_FAILS, ProcessFaults::serverDescriptors),
                new Fault("client-descriptors", "The client has no file descriptor left", Promise.NO_REQUEST_FAILS, ProcessFaults::clientDescriptors),
                new Fault("server-threads", "All threads of one of two servers are busy", Promise.NO_REQUEST_FAILS, ProcessFaults::threads),
                new Fault("rolling-restart-of-servers", "Two servers are stopped and started again, one after the other, each once the one before has answered again", Promise.NO_REQUEST_FAILS,
                        ProcessFaults::rollServers).ofAgents(),
                new Fault("rolling-restart-of-clients", "The client is replaced, twice", Promise.NO_REQUEST_FAILS, ProcessFaults::rollClients));
    }

    private static List<JvmProcess> twoServers(Shop shop) {
        return List.of(shop.server("a", "v1"), shop.server("b", "v1"));
    }

    private static Count serverKilled(Shop shop) throws Exception {
        JvmProcess killed = twoServers(shop).get(0);
        shop.open();
        return shop.underLoad(() -> {
            killed.kill();
            shop.last();
        });
    }

    private static Count serverFrozen(Shop shop) throws Exception {
        ProcessHandle frozen = twoServers(shop).get(0).handle();
        shop.open();
        Count count = shop.underLoad(() -> {
            Linux.freeze(frozen);
            shop.last();
            Linux.thaw(frozen);
        });
        shop.awaitWell();
        return count;
    }

    private static Count clientPauses(Shop shop) throws Exception {
        shop.upstream("a", "v1");
        shop.upstream("b", "v1");
        shop.upstream("c", "v2");
        shop.startClient();
        return pauses(shop, shop.client());
    }

    private static Count pauses(Shop shop, JvmProcess pausing) throws Exception {
        if (shop.client() == null) {
            shop.startClient();
        }
        shop.awaitOpen();
        return shop.underLoad(() -> {
            for (long left = shop.lasting().toMillis(); left > 0; left -= PAUSE.toMillis()) {
                Linux.freeze(pausing.handle());
                Shop.pause(PAUSE);
                Linux.thaw(pausing.handle());
                Shop.pause(PAUSE.dividedBy(2));
            }
        });
    }

    private static Count heapFull(Shop shop) throws Exception {
        shop.members(jvm -> jvm.option("-Xmx48m"));
        JvmProcess full = shop.server("a", "v1");
        shop.members(jvm -> jvm);
        shop.server("b", "v1");
        int port = shop.port(full);
        shop.open();
        return shop.underLoad(() -> {
            ask(port, "/storm").close();
            shop.last();
            // It does not mend.
            full.kill();
        });
    }

    private static Count serverDescriptors(Shop shop) throws Exception {
        JvmProcess exhausted = twoServers(shop).get(0);
        // Connections that are open would do without further descriptors.
        shop.closesConnections();
        shop.open();
        return shop.underLoad(() -> exhausted(shop, exhausted));
    }

    private static Count clientDescriptors(Shop shop) throws Exception {
        shop.upstream("a", "v1");
        shop.upstream("b", "v1");
        shop.upstream("c", "v2");
        shop.open();
        return shop.underLoad(() -> exhausted(shop, shop.client()));
    }

    private static void exhausted(Shop shop, JvmProcess process) {
        Linux.limitDescriptors(process.handle(), Linux.descriptors(process.handle()));
        shop.last();
        Linux.limitDescriptors(process.handle(), 1024);
    }

    private static Count threads(Shop shop) throws Exception {
        JvmProcess busy = shop.server("a", "v1", jvm -> jvm.classPath(Library.named("tomcat-10.1"))
                .driver("io.weft.driver.tomcat.jakarta.TomcatServer", "a"));
        shop.server("b", "v1");
        int port = shop.port(busy);
        shop.open();
        return shop.underLoad(() -> {
            List<Socket> slow = new ArrayList<>();
            try {
                for (int i = 0; i < REQUESTS_FOR_ALL_THREADS; i++) {
                    slow.add(ask(port, "/slow/" + shop.lasting().toMillis()));
                }
                shop.last();
            } finally {
                for (Socket socket : slow) {
                    socket.close();
                }
            }
        });
    }

    /** Sends a request past the mesh and waits for nothing. */
    private static Socket ask(int port, String path) throws IOException {
        Socket socket = new Socket(InetAddress.getLoopbackAddress(), port);
        socket.getOutputStream().write(("GET " + path + " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").getBytes(StandardCharsets.ISO_8859_1));
        return socket;
    }

    private static Count rollServers(Shop shop) throws Exception {
        List<JvmProcess> servers = twoServers(shop);
        shop.open();
        return shop.underLoad(() -> {
            for (int i = 0; i < servers.size(); i++) {
                String name = i == 0 ? "a" : "b";
                servers.get(i).stop();
                shop.server(name, "v1");
                // As an orchestrator waits until an instance is ready.
                shop.load().awaitAnswerOf(name);
            }
        });
    }

    private static Count rollClients(Shop shop) throws Exception {
        twoServers(shop);
        shop.upstream("c", "v2");
        shop.open();
        Count count = Count.NONE;
        for (int i = 0; i < 2; i++) {
            shop.client().stop();
            shop.startClient();
            // Its first request among them.
            count = count.plus(shop.underLoad(() -> {}));
        }
        return count;
    }
}
