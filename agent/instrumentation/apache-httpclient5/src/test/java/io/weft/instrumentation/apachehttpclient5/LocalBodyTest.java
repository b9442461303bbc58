package io.weft.instrumentation.apachehttpclient5;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import org.apache.hc.core5.http.EntityDetails;
import org.apache.hc.core5.http.Header;
import org.apache.hc.core5.http.HttpResponse;
import org.apache.hc.core5.http.nio.AsyncClientExchangeHandler;
import org.apache.hc.core5.http.nio.CapacityChannel;
import org.apache.hc.core5.http.nio.DataStreamChannel;
import org.apache.hc.core5.http.nio.RequestChannel;
import org.apache.hc.core5.http.protocol.HttpContext;
import org.junit.jupiter.api.Test;

/** A body of the mesh's own comes no faster than the app asks for it. */
class LocalBodyTest {
    private static final int FIRST = 64 << 10;

    /** Notes what it is told. */
    private static final class App implements AsyncClientExchangeHandler {
        private final List<String> told = new ArrayList<>();
        private final int asksFor;
        private CapacityChannel capacity;

        App(int asksFor) {
            this.asksFor = asksFor;
        }

        @Override
        public void updateCapacity(CapacityChannel capacity) throws IOException {
            this.capacity = capacity;
            if (asksFor > 0) {
                capacity.update(asksFor);
            }
        }

        @Override
        public void consume(ByteBuffer src) throws IOException {
            if (src.remaining() == 13) {
                throw new IOException("unlucky");
            }
            told.add("" + src.remaining());
        }

        @Override
        public void streamEnd(List<? extends Header> trailers) {
            told.add("end");
        }

        @Override
        public void failed(Exception cause) {
            told.add(cause.getMessage());
        }

        @Override
        public void releaseResources() {
            told.add("released");
        }

        @Override
        public void produceRequest(RequestChannel channel, HttpContext context) {
            throw new AssertionError("it was sent");
        }

        @Override
        public void consumeResponse(HttpResponse response, EntityDetails details, HttpContext context) {
            throw new AssertionError("it has come");
        }

        @Override
        public void consumeInformation(HttpResponse response, HttpContext context) {
            throw new AssertionError("there is none");
        }

        @Override
        public void cancel() {
            throw new AssertionError("nobody does");
        }

        @Override
        public int available() {
            throw new AssertionError("it was sent");
        }

        @Override
        public void produce(DataStreamChannel channel) {
            throw new AssertionError("it was sent");
        }
    }

    private static List<String> told(App app, int length) {
        new LocalBody(app, new byte[length]).start();
        return app.told;
    }

    @Test
    void aShortOneComesAtOnce() {
        assertThat(told(new App(0), 5)).containsExactly("5", "end", "released");
        assertThat(told(new App(0), 0)).containsExactly("end", "released");
    }

    @Test
    void aLongOneWaitsToBeAskedFor() throws IOException {
        App app = new App(0);
        assertThat(told(app, FIRST + 10)).containsExactly("" + FIRST);

        app.capacity.update(4);
        assertThat(app.told).containsExactly("" + FIRST, "4");
        app.capacity.update(Integer.MAX_VALUE);
        assertThat(app.told).containsExactly("" + FIRST, "4", "6", "end", "released");
        app.capacity.update(Integer.MAX_VALUE);
        assertThat(app.told).hasSize(5);
    }

    @Test
    void whoAsksWhileItComesIsNotGivenItWithinThat() {
        assertThat(told(new App(FIRST), 2 * FIRST + 1)).containsExactly("" + FIRST, "" + FIRST, "1", "end", "released");
        assertThat(told(new App(Integer.MAX_VALUE), 3 * FIRST)).containsExactly("" + FIRST, "" + 2 * FIRST, "end", "released");
    }

    @Test
    void whatTheAppThrowsIsTheEnd() {
        assertThat(told(new App(0), 13)).containsExactly("unlucky", "released");
    }
}
