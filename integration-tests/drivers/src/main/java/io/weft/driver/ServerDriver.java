package io.weft.driver;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.Map;

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

    /** The body of every answer; a path {@code /slow/MILLIS} takes that long. */
    public static String answer(String instance, String path) throws InterruptedException {
        if (path.startsWith("/slow/")) {
            Thread.sleep(Long.parseLong(path.substring("/slow/".length())));
        }
        return instance;
    }
}
