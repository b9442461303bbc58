package io.weft.it.comparison;

import io.weft.driver.AskingServers;
import io.weft.driver.Form;
import io.weft.it.comparison.Case.Way;
import io.weft.it.harness.Jdk;
import io.weft.it.harness.JvmProcess;
import io.weft.it.harness.Library;
import io.weft.it.harness.PolicyServer;
import io.weft.it.harness.Testbed;
import java.io.BufferedReader;
import java.io.BufferedWriter;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.OutputStreamWriter;
import java.io.UncheckedIOException;
import java.io.Writer;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/** A JVM with the real agent and unmodified client libraries, with a policy server of its own. */
final class JvmSubject implements Subject {
    private static final long PATIENCE_SECONDS = 60;

    private final PolicyServer server;
    private final JvmProcess process;
    private final Socket link;
    private final Writer calls;
    private final Map<String, CompletableFuture<Map<String, String>>> waiting = new ConcurrentHashMap<>();
    private final RawHttp http = new RawHttp();
    private final App app;
    private final Map<Way, Integer> ports;
    private int refusalsBefore;

    /** @param upstreams say what the app's servers answer */
    JvmSubject(Testbed testbed, Jdk jdk, Upstreams upstreams) {
        server = testbed.policyServer();
        Path noHosts = testbed.temporaryFolder().resolve("hosts");
        try (ServerSocket listening = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
                ServerSocket listeningToServers = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            process = testbed.jvm("JVM with the agent", jdk)
                    .mesh(server.uri(), "comparison")
                    .environment("WEFT_ZONE", ZoneArea.OWN)
                    .environment("WEFT_LOCAL_CLUSTER", ZoneArea.LOCAL_CLUSTER)
                    .option("-Xmx512m")
                    .option("-XX:+UseSerialGC")
                    // A name that no policy knows is looked for here only: a name server that does not answer would hold up everything.
                    .option("-Djdk.net.hosts.file=" + Files.createFile(noHosts))
                    // HttpURLConnection would send a second time by itself what fails on a kept connection.
                    .option("-Dsun.net.http.retryPost=false")
                    .classPath(Library.named("httpclient5-5.6"))
                    .classPath(Library.named("httpclient4-4.5"))
                    .classPath(Library.named("okhttp-5"))
                    .classPath(Library.named("tomcat-10.1"))
                    .driver(AskingServers.class, Integer.toString(listening.getLocalPort()), Integer.toString(listeningToServers.getLocalPort()));
            listeningToServers.setSoTimeout((int) TimeUnit.SECONDS.toMillis(PATIENCE_SECONDS));
            app = new App(listeningToServers.accept(), upstreams);
            ports = app.ports();
            listening.setSoTimeout((int) TimeUnit.SECONDS.toMillis(PATIENCE_SECONDS));
            link = listening.accept();
            link.setTcpNoDelay(true);
            calls = new BufferedWriter(new OutputStreamWriter(link.getOutputStream(), StandardCharsets.UTF_8));
            BufferedReader answers = new BufferedReader(new InputStreamReader(link.getInputStream(), StandardCharsets.UTF_8));
            Thread reader = new Thread(() -> readAll(answers), "answers of the JVM");
            reader.setDaemon(true);
            reader.start();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public String name() {
        return "JVM";
    }

    @Override
    public void serve(Batch batch) {
        refusalsBefore = server.refusals().size();
        server.serve(batch.policy(ports));
    }

    @Override
    public void repeat(Batch batch) {
        server.serve(batch.policy(ports));
    }

    @Override
    public List<String> refusals() {
        List<String> all = server.refusals();
        return all.subList(refusalsBefore, all.size());
    }

    @Override
    public Answer send(Request request, Batch.Gate gate, String tag) {
        if (gate.way() != Way.OUT) {
            return http.send(ports.get(gate.way()), request, request.host(), tag);
        }
        Map<String, String> call = new LinkedHashMap<>();
        call.put("id", tag);
        call.put("client", request.client().driver);
        call.put("method", request.method());
        call.put("url", "http://" + request.host() + ":" + gate.port() + request.target());
        call.put("headers", String.join("\n", request.allHeaders(tag)));
        call.put("body", request.body());
        CompletableFuture<Map<String, String>> answer = new CompletableFuture<>();
        waiting.put(tag, answer);
        try {
            synchronized (calls) {
                calls.write(Form.write(call));
                calls.write('\n');
                calls.flush();
            }
            return answer(answer.get(PATIENCE_SECONDS, TimeUnit.SECONDS));
        } catch (IOException | ExecutionException | TimeoutException e) {
            throw new IllegalStateException("the JVM does not answer: " + process.report(), e);
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    private static Answer answer(Map<String, String> form) {
        if (form.containsKey("error")) {
            return new Answer(0, List.of(), "", form.get("error") + ": " + form.get("message"));
        }
        String headers = form.get("headers");
        return new Answer(
                Integer.parseInt(form.get("status")),
                headers.isEmpty() ? List.of() : List.of(headers.split("\n")),
                form.get("body"),
                "");
    }

    private void readAll(BufferedReader answers) {
        try {
            for (String line = answers.readLine(); line != null; line = answers.readLine()) {
                Map<String, String> form = Form.read(line);
                waiting.remove(form.get("id")).complete(form);
            }
        } catch (IOException linkLost) {
            // Whoever waits runs into its own time limit and prints what the JVM said.
            return;
        }
    }

    List<String> log() {
        return process.stderr();
    }

    /** The process and its policy server are the test bed's to close. */
    @Override
    public void close() {
        try {
            http.close();
            app.close();
            link.close();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
