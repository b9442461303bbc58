package io.weft.instrumentation.apachehttpclient4;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.apache.http.HttpRequest;
import org.apache.http.HttpResponse;
import org.apache.http.nio.ContentDecoder;
import org.apache.http.nio.ContentEncoder;
import org.apache.http.nio.IOControl;
import org.apache.http.nio.protocol.HttpAsyncClientExchangeHandler;
import org.junit.jupiter.api.Test;

/** The app takes a body of the mesh's own as it takes one that comes from a connection. */
class LocalBodyTest {
    private static final String BODY = "said by the mesh";

    private final Deque<Runnable> tasks = new ArrayDeque<>();
    private final Reader reader = new Reader();
    private boolean cancelled;

    private LocalBody body() {
        return new LocalBody(reader, () -> cancelled, tasks::add, BODY.getBytes(StandardCharsets.UTF_8));
    }

    @Test
    void isGivenAtOnceToWhoeverTakesIt() {
        body().give();

        assertThat(reader.text()).isEqualTo(BODY);
        assertThat(reader.over).isCompleted();
    }

    @Test
    void waitsUntilTheAppWantsMore() {
        reader.suspends = true;

        body().give();
        assertThat(reader.text()).isEqualTo("said");
        assertThat(tasks).isEmpty();

        reader.control.requestInput();
        reader.suspends = false;
        tasks.remove().run();
        assertThat(reader.text()).isEqualTo(BODY);
        assertThat(reader.over).isCompleted();
    }

    @Test
    void anAppThatTakesNothingIsAskedAgainAndNotWithoutEnd() throws Exception {
        CompletableFuture<Runnable> again = new CompletableFuture<>();
        reader.idle = true;
        new LocalBody(reader, () -> cancelled, again::complete, BODY.getBytes(StandardCharsets.UTF_8)).give();
        assertThat(reader.asked).isEqualTo(1);

        reader.idle = false;
        again.get(10, TimeUnit.SECONDS).run();
        assertThat(reader.text()).isEqualTo(BODY);
    }

    @Test
    void nothingComesAfterTheAppHasGivenUp() {
        reader.suspends = true;
        body().give();

        cancelled = true;
        reader.control.requestInput();
        tasks.remove().run();
        assertThat(reader.text()).isEqualTo("said");
        assertThat(reader.over).isNotDone();
    }

    @Test
    void whatTheAppThrowsIsTheAppsFailure() {
        IOException fault = new IOException("cannot take it");
        reader.fault = fault;

        body().give();

        assertThat(reader.over).isCompletedExceptionally();
        assertThat(reader.over.handle((done, failure) -> failure)).isCompletedWithValue(fault);
    }

    /** Takes four bytes at a time. */
    private static final class Reader implements HttpAsyncClientExchangeHandler {
        private final ByteArrayOutputStream read = new ByteArrayOutputStream();
        private final CompletableFuture<Void> over = new CompletableFuture<>();
        private boolean suspends;
        private boolean idle;
        private IOException fault;
        private int asked;
        private IOControl control;

        private String text() {
            return read.toString(StandardCharsets.UTF_8);
        }

        @Override
        public void consumeContent(ContentDecoder decoder, IOControl control) throws IOException {
            asked++;
            this.control = control;
            if (fault != null) {
                throw fault;
            }
            if (idle) {
                return;
            }
            ByteBuffer part = ByteBuffer.allocate(4);
            decoder.read(part);
            read.write(part.array(), 0, part.position());
            if (suspends) {
                control.suspendInput();
            }
        }

        @Override
        public void responseCompleted() {
            over.complete(null);
        }

        @Override
        public void failed(Exception cause) {
            over.completeExceptionally(cause);
        }

        @Override
        public HttpRequest generateRequest() {
            throw new UnsupportedOperationException();
        }

        @Override
        public void produceContent(ContentEncoder encoder, IOControl control) {
            throw new UnsupportedOperationException();
        }

        @Override
        public void requestCompleted() {
            throw new UnsupportedOperationException();
        }

        @Override
        public void responseReceived(HttpResponse response) {
            throw new UnsupportedOperationException();
        }

        @Override
        public void inputTerminated() {
            throw new UnsupportedOperationException();
        }

        @Override
        public boolean isDone() {
            return over.isDone();
        }

        @Override
        public boolean cancel() {
            return false;
        }

        @Override
        public void close() {}
    }
}
