package io.weft.driver;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.net.http.HttpTimeoutException;
import java.net.http.WebSocket;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * {@code java.net.http.HttpClient}, asynchronous, as an app that goes on where a future leaves off. The header {@code X-Way} of a call, which is not sent, says which:
 * {@code chain}: two requests, the second of which has the first one's body for its query; {@code outcome}: what each way to look at a future says of how it ended;
 * {@code cancel}, {@code cancel-next}: the same of one that is cancelled while the request is under way, or whose next stage is;
 * {@code web-socket}: what an app hears of a WebSocket that says what it is told, of text, bytes and a ping, and of its end.
 */
public final class JavaNetHttpAsync {
    private static final Duration PATIENCE = Duration.ofSeconds(30);

    private final HttpClient client = HttpClient.newBuilder().connectTimeout(PATIENCE).build();

    private JavaNetHttpAsync() {}

    public static void main(String[] args) throws IOException {
        ClientDriver.run(new JavaNetHttpAsync()::send);
    }

    private HttpAnswer send(HttpCall call) throws Exception {
        return switch (call.headers().getOrDefault("X-Way", "chain")) {
            case "chain" -> chain(call);
            case "outcome" -> outcome(asked(call, ""), null, false);
            case "cancel" -> outcome(asked(call, ""), call::cancelSoon, true);
            case "cancel-next" -> outcome(asked(call, ""), call::cancelSoon, false);
            case "web-socket" -> webSocket(call);
            default -> throw new IllegalArgumentException(call.toString());
        };
    }

    private CompletableFuture<HttpResponse<String>> asked(HttpCall call, String query) {
        HttpRequest.Builder request = HttpRequest.newBuilder(URI.create(call.url() + query));
        if (call.timeoutMillis() > 0) {
            request.timeout(Duration.ofMillis(call.timeoutMillis()));
        }
        return client.sendAsync(request.build(), BodyHandlers.ofString());
    }

    private HttpAnswer chain(HttpCall call) throws InterruptedException, ExecutionException, TimeoutException {
        List<String> threads = Collections.synchronizedList(new ArrayList<>());
        HttpResponse<String> last = asked(call, "")
                .thenCompose(first -> {
                    threads.add(thread());
                    return asked(call, "?" + first.body());
                })
                .thenApply(second -> {
                    threads.add(thread());
                    return second;
                })
                .get(PATIENCE.toSeconds(), TimeUnit.SECONDS);
        return new HttpAnswer(last.statusCode(), Map.of(), last.body(), Map.of(
                "version", last.version().name(), "uri", last.uri().toString(), "threads", String.join(", ", threads)));
    }

    private static String thread() {
        Thread thread = Thread.currentThread();
        return thread.getName().replaceAll("\\d+", "N") + (thread.isDaemon() ? " daemon" : "") + " " + thread.getContextClassLoader().getClass().getSimpleName();
    }

    private interface Canceller {
        void cancelSoon(Runnable cancel);
    }

    private HttpAnswer webSocket(HttpCall call) throws Exception {
        Heard heard = new Heard();
        WebSocket socket;
        try {
            socket = client.newWebSocketBuilder().buildAsync(URI.create(call.url().replaceFirst("^http:", "ws:")), heard).get(PATIENCE.toSeconds(), TimeUnit.SECONDS);
        } catch (ExecutionException e) {
            throw e.getCause() instanceof Exception cause ? cause : e;
        }
        List<String> lines = new ArrayList<>();
        socket.sendText("hello", true).get(PATIENCE.toSeconds(), TimeUnit.SECONDS);
        lines.add(heard.next());
        socket.sendBinary(ByteBuffer.wrap(new byte[40_000]), true).get(PATIENCE.toSeconds(), TimeUnit.SECONDS);
        lines.add(heard.next());
        socket.sendPing(ByteBuffer.wrap(new byte[3])).get(PATIENCE.toSeconds(), TimeUnit.SECONDS);
        lines.add(heard.next());
        socket.sendClose(WebSocket.NORMAL_CLOSURE, "enough").get(PATIENCE.toSeconds(), TimeUnit.SECONDS);
        lines.add(heard.next());
        return new HttpAnswer(101, Map.of(), String.join(", ", lines), Map.of());
    }

    /** Messages as a whole, however many parts they come in. */
    private static final class Heard implements WebSocket.Listener {
        private final BlockingQueue<String> lines = new LinkedBlockingQueue<>();
        private int length;

        String next() throws InterruptedException {
            return String.valueOf(lines.poll(PATIENCE.toSeconds(), TimeUnit.SECONDS));
        }

        private CompletionStage<?> add(WebSocket socket, String kind, int more, boolean last) {
            length += more;
            if (last) {
                lines.add(kind + " of " + length);
                length = 0;
            }
            socket.request(1);
            return null;
        }

        @Override
        public CompletionStage<?> onText(WebSocket socket, CharSequence text, boolean last) {
            return add(socket, "text", text.length(), last);
        }

        @Override
        public CompletionStage<?> onBinary(WebSocket socket, ByteBuffer bytes, boolean last) {
            return add(socket, "bytes", bytes.remaining(), last);
        }

        @Override
        public CompletionStage<?> onPong(WebSocket socket, ByteBuffer bytes) {
            return add(socket, "pong", bytes.remaining(), true);
        }

        @Override
        public CompletionStage<?> onClose(WebSocket socket, int status, String reason) {
            lines.add("close " + status);
            return null;
        }

        @Override
        public void onError(WebSocket socket, Throwable failure) {
            lines.add(failure.toString());
        }
    }

    /** @param canceller null: nobody cancels it */
    private static HttpAnswer outcome(CompletableFuture<HttpResponse<String>> sent, Canceller canceller, boolean itself) throws Exception {
        CompletableFuture<String> next = sent.thenApply(HttpResponse::body);
        CompletableFuture<Boolean> cancelled = new CompletableFuture<>();
        if (canceller == null) {
            cancelled.complete(null);
        } else {
            canceller.cancelSoon(() -> cancelled.complete((itself ? sent : next).cancel(true)));
        }
        Map<String, String> seen = new LinkedHashMap<>();
        CompletableFuture<String> handled = sent.handle((response, failure) -> chain(failure));
        seen.put("handled", handled.get(PATIENCE.toSeconds(), TimeUnit.SECONDS));
        seen.put("next", next.handle((body, failure) -> chain(failure)).get(PATIENCE.toSeconds(), TimeUnit.SECONDS));
        seen.put("cancelled", String.valueOf(cancelled.get(PATIENCE.toSeconds(), TimeUnit.SECONDS)));
        seen.put("is", sent.isDone() + " " + sent.isCancelled() + " " + sent.isCompletedExceptionally() + ", next " + next.isCancelled());
        try {
            seen.put("get", String.valueOf(sent.get().statusCode()));
        } catch (ExecutionException | CancellationException e) {
            seen.put("get", chain(e));
        }
        try {
            seen.put("join", String.valueOf(sent.join().statusCode()));
        } catch (CompletionException | CancellationException e) {
            seen.put("join", chain(e));
        }
        return new HttpAnswer(0, new TreeMap<>(), "", seen);
    }

    private static String chain(Throwable failure) {
        List<String> names = new ArrayList<>();
        for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
            names.add(cause.getClass().getName() + ": " + cause.getMessage());
            if (cause instanceof HttpTimeoutException) {
                // What is beneath is of a race of the library's: whether its timer or the connection that it closes is heard first.
                break;
            }
        }
        return String.join(", ", names);
    }
}
