package io.weft.driver;

import java.io.ByteArrayInputStream;
import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.Collections;
import java.util.EnumSet;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

/**
 * One request that a driver sends with the library under test.
 *
 * @param headers in the app's order
 * @param body empty: none
 * @param timeoutMillis the app's own patience for a connection and for a response; 0: the library's default
 * @param proxyPort of the app's own proxy on 127.0.0.1; 0: none
 */
public record HttpCall(
        String method, String url, Map<String, String> headers, String body, Set<Way> ways, int timeoutMillis, int proxyPort) {

    /** How an app may use its library. */
    public enum Way {
        /** The body comes from a stream that can be read once; its length is not told. */
        STREAM,
        /** The body comes from a stream that can be read once; its length is told. */
        STREAM_FIXED,
        /** With a streamed body: half a second passes after the library was asked to connect and before the body's first byte. */
        LATE,
        FOLLOW_REDIRECTS,
        EXPECT_CONTINUE,
        /** A cookie jar that lives as long as the driver. */
        COOKIES,
        /** The library answers a challenge as {@code user} with the password {@code secret}. */
        AUTHENTICATE,
        /** With a client that has few connections to a host, two where its app can say so; who comes then waits for one. */
        FEW_CONNECTIONS,
        /** With a client that is this call's own, and is closed {@value HttpCall#CLOSES_AFTER_MILLIS} ms after it was sent. */
        CLOSE,
        /** Reads one byte of the response's body and closes it. */
        ABANDON,
        /** Neither reads nor closes the response's body. */
        FORGET,
        /** With Apache HttpClient 5: closes the response's entity unread, and not the response. */
        CLOSE_ENTITY,
        /** After 300 milliseconds another thread gives the request up, by what the library has for that; a request that blocks is sent as one that does not, if it takes that. */
        CANCEL,
        /** With AsyncHttpClient: as {@link #FORGET}, and so the library's thread stands still. */
        BLOCK,
        /**
         * With {@code java.net.http}: no body. Once an HTTP/2 connection was chosen and before the stream begins, the peer is sent a
         * request {@code HANGUP} over another one, and half a second passes.
         */
        HANG_UP,
        /** With {@code java.net.http}: the app's body handler throws, and says how often it was asked for this response. */
        HANDLER_THROWS,
        /** With {@code java.net.http}: the app's body handler gives no subscriber. */
        HANDLER_GIVES_NOTHING,
        /** With {@code java.net.http}: a cookie jar that throws at what a response brings. */
        JAR_THROWS,
        /** With {@code java.net.http}: an executor that runs at once what it is given. */
        INLINE
    }

    static final long CLOSES_AFTER_MILLIS = 500;

    public HttpCall {
        headers = Collections.unmodifiableMap(new LinkedHashMap<>(headers));
        ways = Set.copyOf(ways);
    }

    static HttpCall of(Map<String, String> form) {
        Set<Way> ways = EnumSet.noneOf(Way.class);
        for (Way way : Way.values()) {
            if (form.containsKey("way." + way)) {
                ways.add(way);
            }
        }
        return new HttpCall(
                form.getOrDefault("method", "GET"),
                form.get("url"),
                Form.below("header.", form),
                form.getOrDefault("body", ""),
                ways,
                Integer.parseInt(form.getOrDefault("timeout", "0")),
                Integer.parseInt(form.getOrDefault("proxy", "0")));
    }

    public boolean is(Way way) {
        return ways.contains(way);
    }

    /** The body as it comes from a stream, once. */
    InputStream once() {
        byte[] bytes = body.getBytes(StandardCharsets.UTF_8);
        // Not one of bytes itself: that is read as a whole past what is overridden here.
        return new FilterInputStream(new ByteArrayInputStream(bytes)) {
            private boolean late = is(Way.LATE);

            @Override
            public int read() throws IOException {
                pauseOnce();
                return super.read();
            }

            @Override
            public int read(byte[] buffer, int offset, int length) throws IOException {
                pauseOnce();
                return super.read(buffer, offset, length);
            }

            private void pauseOnce() {
                if (late) {
                    late = false;
                    pause();
                }
            }
        };
    }

    /** @param cancel what the library has for that; done where it is the way */
    void cancelSoon(Runnable cancel) {
        if (is(Way.CANCEL)) {
            CompletableFuture.delayedExecutor(300, TimeUnit.MILLISECONDS).execute(cancel);
        }
    }

    /** Before it is sent, if it is to be so. */
    void closeLater(AutoCloseable client) {
        if (!is(Way.CLOSE)) {
            return;
        }
        Thread closing = new Thread(() -> {
            try {
                Thread.sleep(CLOSES_AFTER_MILLIS);
                client.close();
            } catch (Exception e) {
                throw new IllegalStateException(e);
            }
        }, "closes a client");
        closing.setDaemon(true);
        closing.start();
    }

    static void pause() {
        try {
            Thread.sleep(500);
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    public boolean streams() {
        return is(Way.STREAM) || is(Way.STREAM_FIXED);
    }

    /** Whether the response's body is left unread, in whole or but for a byte. */
    public boolean leaves() {
        return is(Way.ABANDON) || is(Way.FORGET);
    }
}
