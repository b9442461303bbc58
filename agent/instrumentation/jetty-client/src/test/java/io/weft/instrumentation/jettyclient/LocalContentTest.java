package io.weft.instrumentation.jettyclient;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayDeque;
import java.util.Queue;
import org.eclipse.jetty.io.Content;
import org.junit.jupiter.api.Test;

class LocalContentTest {
    private final Queue<Runnable> executor = new ArrayDeque<>();
    private int ends;

    private LocalContent content(String body) {
        return new LocalContent(body.getBytes(UTF_8), executor::add, () -> ends++);
    }

    @Test
    void whoReadsInPlaceIsDoneWhenTheContentIsGiven() {
        LocalContent content = content("no");

        Content.Chunk chunk = content.read();
        assertThat(chunk.getByteBuffer().remaining()).isEqualTo(2);
        assertThat(ends).isZero();
        content.given();

        assertThat(ends).isEqualTo(1);
        assertThat(executor).isEmpty();
    }

    @Test
    void whoReadsLaterHasTimeForIt() {
        LocalContent content = content("no");
        content.given();

        content.read();
        assertThat(ends).isZero();
        executor.forEach(Runnable::run);
        content.read();
        executor.forEach(Runnable::run);

        assertThat(ends).as("once").isEqualTo(1);
    }

    @Test
    void nothingIsContentThatHasAnEnd() {
        LocalContent content = content("");

        assertThat(content.read().isLast()).isTrue();
        content.given();

        assertThat(ends).isEqualTo(1);
    }
}
