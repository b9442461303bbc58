package io.weft.it.envoy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;

/** A running Envoy with an admin port, its log in a file. Thread-safe. */
public final class Envoy implements AutoCloseable {

    private static final Duration START = Duration.ofSeconds(30);
    private static final ObjectMapper JSON = new ObjectMapper();

    private final Process process;
    private final Thread killer;
    private final Path log;
    private final HttpClient http = HttpClient.newHttpClient();
    private URI admin;

    private Envoy(Process process, Path log) {
        this.process = process;
        this.log = log;
        this.killer = new Thread(process::destroyForcibly, "kill envoy");
    }

    /**
     * Starts it and waits until its admin port answers.
     *
     * @param bootstrap as YAML or JSON, without {@code admin}
     * @param folder for its files
     */
    public static Envoy start(EnvoyBinary binary, String bootstrap, Path folder) throws IOException {
        Path config = Files.writeString(folder.resolve("bootstrap.yaml"), bootstrap
                + "\nadmin: {address: {socket_address: {address: 127.0.0.1, port_value: 0}}}\n");
        Path address = folder.resolve("admin-address");
        Path log = folder.resolve("envoy.log");
        Process process = new ProcessBuilder(
                        binary.path().toString(),
                        "-c", config.toString(),
                        "--admin-address-path", address.toString(),
                        "--concurrency", "1",
                        "--disable-hot-restart",
                        // Access logs, which tests read.
                        "--file-flush-interval-msec", "100",
                        "--log-level", "info",
                        // Says each time that a field is deprecated which control planes still send.
                        "--component-log-level", "misc:error")
                .redirectErrorStream(true)
                .redirectOutput(log.toFile())
                .start();
        Envoy envoy = new Envoy(process, log);
        Runtime.getRuntime().addShutdownHook(envoy.killer);
        try {
            envoy.awaitAdmin(address);
        } catch (RuntimeException e) {
            envoy.close();
            throw e;
        }
        return envoy;
    }

    private void awaitAdmin(Path address) {
        long deadline = System.nanoTime() + START.toNanos();
        while (System.nanoTime() - deadline < 0 && process.isAlive()) {
            try {
                if (Files.exists(address) && Files.size(address) > 0) {
                    admin = URI.create("http://" + Files.readString(address).strip());
                    return;
                }
                Thread.sleep(20);
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            } catch (InterruptedException e) {
                throw new IllegalStateException(e);
            }
        }
        throw new IllegalStateException("Envoy did not start: " + log());
    }

    public long pid() {
        return process.pid();
    }

    /** All that it logged. */
    public String log() {
        try {
            return Files.readString(log);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Counters and gauges whose names match a regular expression. */
    public Map<String, Long> stats(String regex) {
        Map<String, Long> stats = new TreeMap<>();
        for (String line : admin("/stats").split("\n")) {
            int colon = line.lastIndexOf(": ");
            if (colon > 0 && line.substring(0, colon).matches(regex) && line.substring(colon + 2).matches("\\d+")) {
                stats.put(line.substring(0, colon), Long.parseLong(line.substring(colon + 2)));
            }
        }
        return stats;
    }

    /** All of its configuration, endpoints too. */
    public JsonNode configDump() {
        try {
            return JSON.readTree(admin("/config_dump?include_eds"));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private String admin(String path) {
        try {
            HttpResponse<String> response = http.send(
                    HttpRequest.newBuilder(admin.resolve(path)).timeout(Duration.ofSeconds(10)).build(),
                    HttpResponse.BodyHandlers.ofString());
            return response.body();
        } catch (IOException e) {
            throw new UncheckedIOException(log(), e);
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    @Override
    public void close() {
        process.destroyForcibly();
        try {
            process.waitFor(10, TimeUnit.SECONDS);
            Runtime.getRuntime().removeShutdownHook(killer);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } catch (IllegalStateException shuttingDown) {
            return;
        }
    }
}
