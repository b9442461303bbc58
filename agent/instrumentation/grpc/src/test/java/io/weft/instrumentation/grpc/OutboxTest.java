package io.weft.instrumentation.grpc;

import static org.assertj.core.api.Assertions.assertThat;

import io.grpc.KnownLength;
import io.grpc.internal.ClientStream;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.lang.reflect.Proxy;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What of a call can be sent again, and that nothing is read which need not be. */
class OutboxTest {
    private final Outbox outbox = new Outbox();

    /** A message whose length is told, and that knows whether somebody has read it. */
    private static final class Told extends ByteArrayInputStream implements KnownLength {
        private boolean read;

        Told(String text) {
            super(text.getBytes(StandardCharsets.UTF_8));
        }

        @Override
        public byte[] readAllBytes() {
            read = true;
            return super.readAllBytes();
        }
    }

    /** Reads what it is given. */
    private static final class Wire {
        private final List<String> got = new ArrayList<>();
        private final List<InputStream> streams = new ArrayList<>();
        private final ClientStream stream = (ClientStream) Proxy.newProxyInstance(
                Wire.class.getClassLoader(), new Class<?>[] {ClientStream.class}, (proxy, method, arguments) -> {
                    if (method.getName().equals("writeMessage")) {
                        InputStream message = (InputStream) arguments[0];
                        streams.add(message);
                        got.add(text(message));
                    } else if (method.getName().equals("setMessageCompression")) {
                        got.add("compressed " + arguments[0]);
                    }
                    return null;
                });

        private static String text(InputStream message) {
            try (message) {
                return new String(message.readNBytes(1_000), StandardCharsets.UTF_8);
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
    }

    private void keep(long limit, Wire wire) {
        outbox.keepsWithin(limit);
        outbox.sendAll(wire.stream);
    }

    @Test
    void whatTheAppHasSentGoesToEachAttemptInItsOrder() {
        Wire first = new Wire();
        Wire second = new Wire();
        outbox.add(new Message(new Told("one")), null);
        outbox.add(true, null);
        keep(100, first);
        outbox.add(new Message(new ByteArrayInputStream("two".getBytes(StandardCharsets.UTF_8))), first.stream);
        outbox.add(new Message(new Told("three")), null);
        keep(100, second);

        assertThat(first.got).containsExactly("one", "compressed true", "two");
        assertThat(second.got).containsExactly("one", "compressed true", "two", "three");
        assertThat(outbox.isWhole()).isTrue();
        assertThat(outbox.bytes()).isEqualTo(3 + 3 + 5 + 3 * 5);
    }

    @Test
    void whatIsTooLongIsSentOnceAndNotRead() {
        Wire wire = new Wire();
        Told told = new Told("too long");
        outbox.add(new Message(told), null);
        keep(10, wire);

        assertThat(wire.got).containsExactly("too long");
        assertThat(wire.streams).containsExactly(told);
        assertThat(told.read).isFalse();
        assertThat(outbox.isWhole()).isFalse();
    }

    @Test
    void theMessageThatIsOneTooManyEndsIt() {
        Wire wire = new Wire();
        keep(20, wire);
        outbox.add(new Message(new Told("12345")), wire.stream);
        outbox.add(new Message(new Told("12345")), wire.stream);
        assertThat(outbox.isWhole()).isTrue();
        outbox.add(new Message(new Told("")), wire.stream);

        assertThat(outbox.isWhole()).isFalse();
        assertThat(wire.got).containsExactly("12345", "12345", "");
    }

    @Test
    void nothingIsCopiedForAnAttemptThatNoneFollows() {
        Wire wire = new Wire();
        Told told = new Told("only");
        outbox.add(new Message(told), null);
        keep(-1, wire);

        assertThat(wire.streams).containsExactly(told);
        assertThat(told.read).isFalse();
        assertThat(outbox.isWhole()).isFalse();
    }

    @Test
    void aCopyForAMirrorIsAsOnTheWireAndLeavesTheMessagesToSend() {
        outbox.add(new Message(new Told("ab")), null);
        outbox.add(new Message(new Told("c")), null);

        assertThat(outbox.framed(12)).isNull();
        assertThat(outbox.framed(13)).containsExactly(0, 0, 0, 0, 2, 'a', 'b', 0, 0, 0, 0, 1, 'c');
        Wire wire = new Wire();
        keep(-1, wire);
        assertThat(wire.got).containsExactly("ab", "c");
    }
}
