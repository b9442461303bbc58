package io.weft.driver;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.UnaryOperator;

/**
 * The loop of a server driver: says {@code port=…} once the server listens, then obeys lines on standard input: {@code close}
 * closes the server as the app would and is answered with {@code closed=true}. The process ends when standard input ends or
 * on a signal.
 */
public final class ServerDriver {

    /** A server of the library under test, listening on an ephemeral port. */
    public interface Server {
        int port();

        void close() throws Exception;
    }

    @FunctionalInterface
    public interface Start {
        /** @param instance what the server answers every request with, see {@link #answer} */
        Server start(String instance) throws Exception;
    }

    private static final AtomicInteger ANSWERED = new AtomicInteger();

    private ServerDriver() {}

    /** @param args the instance's name */
    public static void run(String[] args, Start start) throws Exception {
        Server server = start.start(args[0]);
        System.out.println(Form.write(Map.of("port", Integer.toString(server.port()))));
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line = in.readLine(); line != null; line = in.readLine()) {
            if (!line.equals("close")) {
                throw new IOException("unknown command: " + line);
            }
            server.close();
            System.out.println(Form.write(Map.of("closed", "true")));
        }
        System.exit(0);
    }

    private static void storm() {
        Thread thread = new Thread(() -> {
            List<byte[]> kept = new ArrayList<>();
            Runtime runtime = Runtime.getRuntime();
            long room = runtime.maxMemory() / 10;
            while (true) {
                boolean full = runtime.maxMemory() - runtime.totalMemory() + runtime.freeMemory() < room;
                byte[] garbage = new byte[64 << 10];
                if (!full && kept.size() * (64L << 10) < runtime.maxMemory() * 7 / 10) {
                    kept.add(garbage);
                }
            }
        }, "storm");
        thread.setDaemon(true);
        thread.start();
    }

    /**
     * The body of every answer: the instance's name. A path {@code /slow/MILLIS} takes that long; {@code /exit/STATUS} ends
     * the process; {@code /storm} has the process collect garbage from now on until it ends, with next to no heap left for anything else; one that ends with
     * {@code /header/NAME} is answered with that header of the request, {@code /bytes/COUNT} with so many bytes, {@code /length}
     * with the length of the request's body and {@code /count} with how many requests were answered before.
     */
    public static String answer(String instance, String path, UnaryOperator<String> header, InputStream body)
            throws IOException, InterruptedException {
        int before = ANSWERED.getAndIncrement();
        if (path.startsWith("/slow/")) {
            Thread.sleep(Long.parseLong(path.substring("/slow/".length())));
        }
        if (path.startsWith("/exit/")) {
            System.exit(Integer.parseInt(path.substring("/exit/".length())));
        }
        if (path.equals("/storm")) {
            storm();
        }
        int last = path.lastIndexOf('/');
        String argument = path.substring(last + 1);
        String folder = path.substring(0, last);
        if (folder.endsWith("/header")) {
            return String.valueOf(header.apply(argument));
        }
        if (folder.endsWith("/bytes")) {
            return "x".repeat(Integer.parseInt(argument));
        }
        if (argument.equals("count")) {
            return Integer.toString(before);
        }
        return argument.equals("length") ? Integer.toString(body.readAllBytes().length) : instance;
    }
}
