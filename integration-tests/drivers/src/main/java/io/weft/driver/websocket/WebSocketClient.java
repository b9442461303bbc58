package io.weft.driver.websocket;

import io.weft.driver.ClientDriver;
import io.weft.driver.HttpAnswer;
import java.io.IOException;
import java.net.URI;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;

/**
 * An app that says something by a WebSocket, of a URL that begins with {@code ws:}, and tells what it hears: of text, of bytes and of the end. For another URL it
 * is told what a request gets, which the same client of the library sends.
 */
interface WebSocketClient {
    String TEXT = "hello";
    int BYTES = 40_000;
    int NORMAL = 1000;
    long PATIENCE_SECONDS = 30;

    /** @return what the app hears until the other side has closed, too */
    void talk(URI uri, Heard heard) throws Exception;

    /** @return the body */
    String get(URI uri) throws Exception;

    /** To be called for as long as the app lives. */
    static void run(WebSocketClient client) throws IOException {
        ClientDriver.run(call -> {
            URI uri = URI.create(call.url());
            try {
                if (!uri.getScheme().equals("ws")) {
                    return new HttpAnswer(200, Map.of(), client.get(uri), Map.of());
                }
                Heard heard = new Heard();
                client.talk(uri, heard);
                return new HttpAnswer(101, Map.of(), String.join(", ", heard.lines()), Map.of());
            } catch (ExecutionException e) {
                throw e.getCause() instanceof Exception cause ? cause : e;
            }
        });
    }

    /** Messages as a whole, however many parts they come in. Thread-safe. */
    final class Heard {
        private final List<String> lines = new ArrayList<>();

        synchronized void add(String line) {
            lines.add(line);
            notifyAll();
        }

        synchronized void text(String text) {
            add("text of " + text.length());
        }

        synchronized void bytes(int length) {
            add("bytes of " + length);
        }

        synchronized void close(int code) {
            add("close " + code);
        }

        /** @throws IllegalStateException there are not so many in time */
        synchronized void await(int count) throws InterruptedException {
            long deadline = System.nanoTime() + PATIENCE_SECONDS * 1_000_000_000L;
            while (lines.size() < count) {
                long millis = (deadline - System.nanoTime()) / 1_000_000;
                if (millis <= 0) {
                    throw new IllegalStateException("only " + lines);
                }
                wait(millis);
            }
        }

        private synchronized List<String> lines() {
            return List.copyOf(lines);
        }
    }
}
