package io.weft.it.comparison;

import io.weft.driver.Form;
import io.weft.it.comparison.Case.Way;
import io.weft.it.harness.RecordedRequest;
import io.weft.it.harness.Upstream.Respond;
import java.io.BufferedReader;
import java.io.BufferedWriter;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.OutputStreamWriter;
import java.io.UncheckedIOException;
import java.io.Writer;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.stream.Collectors;

/** The servers in the JVM, as seen from here: each request that reaches them is told, and answered as the upstreams would. Thread-safe. */
final class App implements AutoCloseable {
    private final Socket link;
    private final Upstreams upstreams;
    private final Writer answers;
    private final ExecutorService executor = Executors.newCachedThreadPool();
    private final Map<Way, Integer> ports;

    /** @param link of which the first line says the servers' ports */
    App(Socket link, Upstreams upstreams) throws IOException {
        this.link = link;
        this.upstreams = upstreams;
        link.setTcpNoDelay(true);
        answers = new BufferedWriter(new OutputStreamWriter(link.getOutputStream(), StandardCharsets.UTF_8));
        BufferedReader questions = new BufferedReader(new InputStreamReader(link.getInputStream(), StandardCharsets.UTF_8));
        Map<String, String> servers = Form.read(questions.readLine());
        ports = Map.of(
                Way.IN_JDK_HTTPSERVER, Integer.valueOf(servers.get("jdk-httpserver")),
                Way.IN_TOMCAT, Integer.valueOf(servers.get("tomcat")));
        Thread reader = new Thread(() -> readAll(questions), "requests of the app");
        reader.setDaemon(true);
        reader.start();
    }

    Map<Way, Integer> ports() {
        return ports;
    }

    private void readAll(BufferedReader questions) {
        try {
            for (String line = questions.readLine(); line != null; line = questions.readLine()) {
                Map<String, String> question = Form.read(line);
                executor.execute(() -> answer(question));
            }
        } catch (IOException linkLost) {
            // Whoever waits for a response runs into its own time limit.
            return;
        }
    }

    private void answer(Map<String, String> question) {
        String headers = question.get("headers");
        RecordedRequest request = new RecordedRequest(
                question.get("line"),
                headers.isEmpty() ? List.of() : List.of(headers.split("\n")),
                question.get("body").getBytes(StandardCharsets.UTF_8),
                0);
        Respond respond = upstreams.arriveAtApp(request);
        String lines = respond.headers().entrySet().stream()
                .map(header -> header.getKey() + ": " + header.getValue())
                .collect(Collectors.joining("\n"));
        Map<String, String> answer = Map.of(
                "id", question.get("id"), "status", Integer.toString(respond.status()), "headers", lines, "body", respond.body());
        try {
            synchronized (answers) {
                answers.write(Form.write(answer));
                answers.write('\n');
                answers.flush();
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public void close() throws IOException {
        executor.shutdownNow();
        link.close();
    }
}
