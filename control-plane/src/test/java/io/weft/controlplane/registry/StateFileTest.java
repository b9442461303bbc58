package io.weft.controlplane.registry;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class StateFileTest {

    @TempDir
    private Path folder;

    private static List<SavedRegistration> registrations(String name, int count) {
        return IntStream.range(0, count)
                .mapToObj(i -> new SavedRegistration(
                        name + i, name, ClientNode.Kind.AGENT, "{}", Registry.Health.HEALTHY, false, Set.of()))
                .toList();
    }

    /** The lock is advisory, and some file systems have none. */
    @Test
    void twoWritersNeverMixWhatTheyWrite() throws Exception {
        List<SavedRegistration> few = registrations("few", 3);
        List<SavedRegistration> many = registrations("many", 300);
        ExecutorService threads = Executors.newFixedThreadPool(2);
        try {
            List<Future<?>> writers = new ArrayList<>();
            for (List<SavedRegistration> content : List.of(few, many)) {
                writers.add(threads.submit((Callable<Void>) () -> {
                    for (int i = 0; i < 50; i++) {
                        new StateFile(folder).write(content);
                        assertThat(new StateFile(folder).read()).isIn(few, many);
                    }
                    return null;
                }));
            }
            for (Future<?> writer : writers) {
                writer.get();
            }
        } finally {
            threads.shutdownNow();
        }
        try (Stream<Path> files = Files.list(folder)) {
            assertThat(files).containsExactly(folder.resolve("registrations.json"));
        }
    }

    /** An upgrade must not take back for a moment what everybody has. */
    @Test
    void whatAnEarlierVersionSavedAsSecuredIsSoAtAllOfItsInbounds() throws IOException {
        Files.writeString(folder.resolve("registrations.json"), """
                {"format": 1, "registrations": [{"id": "default.orders-1", "service": "orders", "kind": "AGENT", "resource": "{}",
                  "health": "HEALTHY", "secured": true}]}
                """);
        assertThat(new StateFile(folder).read()).singleElement().satisfies(saved -> {
            assertThat(saved.secured()).isTrue();
            assertThat(saved.unready()).isEmpty();
        });
    }

    @Test
    void aFolderIsForOneControlPlane() throws IOException {
        Path state = folder.resolve("state");
        Path link = Files.createSymbolicLink(folder.resolve("link"), state);
        StateLock lock = StateLock.take(state);
        for (Path same : List.of(state, link)) {
            assertThatThrownBy(() -> StateLock.take(same))
                    .isInstanceOf(IOException.class)
                    .hasMessage("another control plane uses the state folder " + same
                            + "; stop that one, or give this one a folder of its own with --state-dir");
        }
        lock.close();
        lock.close();
        StateLock.take(link).close();
    }
}
