package io.weft.driver;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import jakarta.servlet.http.HttpServlet;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.BufferedReader;
import java.io.BufferedWriter;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.io.OutputStreamWriter;
import java.io.Writer;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.catalina.Context;
import org.apache.catalina.connector.Connector;
import org.apache.catalina.startup.Tomcat;
import org.apache.tomcat.util.buf.EncodedSolidusHandling;

/**
 * {@link ConcurrentClients}, and in the same process the JDK's server and a Tomcat, which ask somebody else what to answer. Arguments:
 * the port of the clients, and the port on loopback where somebody listens to the servers, one {@link Form} a line.
 *
 * <p>The first line has their ports: {@code jdk-httpserver} and {@code tomcat}. Then for each request {@code id}, {@code server},
 * {@code line} as in {@code GET / HTTP/1.1}, {@code headers}, lines of {@code name: value}, and {@code body}; the answer has the
 * {@code id}, {@code status}, {@code headers} and {@code body}.
 */
public final class AskingServers {
    private static final long PATIENCE_SECONDS = 30;

    private final Writer questions;
    private final Map<String, CompletableFuture<Map<String, String>>> waiting = new ConcurrentHashMap<>();
    private final AtomicLong ids = new AtomicLong();

    private AskingServers(Writer questions) {
        this.questions = questions;
    }

    public static void main(String[] args) throws Exception {
        Socket link = new Socket(InetAddress.getLoopbackAddress(), Integer.parseInt(args[1]));
        link.setTcpNoDelay(true);
        AskingServers servers = new AskingServers(new BufferedWriter(new OutputStreamWriter(link.getOutputStream(), StandardCharsets.UTF_8)));
        Thread reader = new Thread(() -> servers.readAnswers(link), "answers");
        reader.setDaemon(true);
        reader.start();
        servers.say(Map.of("jdk-httpserver", Integer.toString(servers.jdk()), "tomcat", Integer.toString(servers.tomcat())));
        ConcurrentClients.main(args);
    }

    private int jdk() throws IOException {
        HttpServer server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.setExecutor(Executors.newCachedThreadPool());
        server.createContext("/", this::answer);
        server.start();
        return server.getAddress().getPort();
    }

    private void answer(HttpExchange exchange) throws IOException {
        List<String> headers = new ArrayList<>();
        exchange.getRequestHeaders().forEach((name, values) -> values.forEach(value -> headers.add(name + ": " + value)));
        Map<String, String> answer = ask(
                "jdk-httpserver",
                exchange.getRequestMethod() + " " + exchange.getRequestURI() + " " + exchange.getProtocol(),
                headers,
                exchange.getRequestBody().readAllBytes());
        for (String[] header : ConcurrentClients.headers(answer)) {
            exchange.getResponseHeaders().add(header[0], header[1]);
        }
        byte[] body = answer.get("body").getBytes(StandardCharsets.UTF_8);
        boolean none = body.length == 0 || exchange.getRequestMethod().equals("HEAD");
        exchange.sendResponseHeaders(Integer.parseInt(answer.get("status")), none ? -1 : body.length);
        if (!none) {
            try (OutputStream out = exchange.getResponseBody()) {
                out.write(body);
            }
        }
        exchange.close();
    }

    private int tomcat() throws Exception {
        Path base = Files.createTempDirectory("tomcat");
        Tomcat tomcat = new Tomcat();
        tomcat.setBaseDir(base.toString());
        Connector connector = new Connector();
        connector.setProperty("address", "127.0.0.1");
        connector.setPort(0);
        connector.setEncodedSolidusHandling(EncodedSolidusHandling.PASS_THROUGH.getValue());
        tomcat.setConnector(connector);
        Context context = tomcat.addContext("", base.toString());
        Tomcat.addServlet(context, "asking", new Asking());
        context.addServletMappingDecoded("/*", "asking");
        tomcat.start();
        return connector.getLocalPort();
    }

    private final class Asking extends HttpServlet {
        @Override
        protected void service(HttpServletRequest request, HttpServletResponse response) throws IOException {
            List<String> headers = new ArrayList<>();
            for (String name : Collections.list(request.getHeaderNames())) {
                for (String value : Collections.list(request.getHeaders(name))) {
                    headers.add(name + ": " + value);
                }
            }
            String query = request.getQueryString();
            Map<String, String> answer = ask(
                    "tomcat",
                    request.getMethod() + " " + request.getRequestURI() + (query == null ? "" : "?" + query) + " " + request.getProtocol(),
                    headers,
                    request.getInputStream().readAllBytes());
            response.setStatus(Integer.parseInt(answer.get("status")));
            for (String[] header : ConcurrentClients.headers(answer)) {
                response.addHeader(header[0], header[1]);
            }
            response.getOutputStream().write(answer.get("body").getBytes(StandardCharsets.UTF_8));
        }
    }

    private Map<String, String> ask(String server, String line, List<String> headers, byte[] body) throws IOException {
        Map<String, String> question = new LinkedHashMap<>();
        String id = Long.toString(ids.incrementAndGet());
        question.put("id", id);
        question.put("server", server);
        question.put("line", line);
        question.put("headers", String.join("\n", headers));
        question.put("body", new String(body, StandardCharsets.UTF_8));
        CompletableFuture<Map<String, String>> answer = new CompletableFuture<>();
        waiting.put(id, answer);
        say(question);
        try {
            return answer.get(PATIENCE_SECONDS, TimeUnit.SECONDS);
        } catch (ExecutionException | TimeoutException e) {
            throw new IOException(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException(e);
        }
    }

    private synchronized void say(Map<String, String> form) throws IOException {
        questions.write(Form.write(form));
        questions.write('\n');
        questions.flush();
    }

    private void readAnswers(Socket link) {
        try {
            BufferedReader in = new BufferedReader(new InputStreamReader(link.getInputStream(), StandardCharsets.UTF_8));
            for (String line = in.readLine(); line != null; line = in.readLine()) {
                Map<String, String> answer = Form.read(line);
                waiting.remove(answer.get("id")).complete(answer);
            }
        } catch (IOException linkLost) {
            // Nobody asks for anything any more.
            return;
        }
    }
}
