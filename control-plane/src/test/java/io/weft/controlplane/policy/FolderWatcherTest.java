package io.weft.controlplane.policy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class FolderWatcherTest {

    @TempDir
    private Path folder;

    private final List<Map<String, String>> readings = new CopyOnWriteArrayList<>();
    private FolderWatcher watcher;

    @BeforeEach
    void start() throws IOException {
        Files.writeString(folder.resolve("a.yaml"), "first");
        watcher = FolderWatcher.start(new FolderReader(folder), contents -> {
            Map<String, String> reading = new TreeMap<>();
            contents.forEach(content -> reading.put(content.name(), content.text().orElse("?")));
            readings.add(reading);
        });
    }

    @AfterEach
    void stop() throws IOException {
        watcher.close();
    }

    private void awaitReading(Map<String, String> expected) {
        await().untilAsserted(() -> assertThat(readings.get(readings.size() - 1)).isEqualTo(expected));
    }

    @Test
    void theFirstReadingIsMadeAtOnce() {
        assertThat(readings).containsExactly(Map.of("a.yaml", "first"));
    }

    @Test
    void aFileWrittenInPlace() throws IOException {
        Files.writeString(folder.resolve("a.yaml"), "second");
        awaitReading(Map.of("a.yaml", "second"));
    }

    @Test
    void aFileReplacedAsEditorsDoIt() throws IOException {
        Path next = Files.writeString(folder.resolve(".a.yaml.swp"), "second");
        Files.move(folder.resolve("a.yaml"), folder.resolve("a.yaml~"));
        Files.move(next, folder.resolve("a.yaml"), StandardCopyOption.ATOMIC_MOVE);
        awaitReading(Map.of("a.yaml", "second"));
    }

    @Test
    void filesThatComeAndGo() throws IOException {
        Files.writeString(folder.resolve("b.yml"), "b");
        Files.writeString(folder.resolve(".hidden.yaml"), "no");
        Files.writeString(folder.resolve("notes.txt"), "no");
        awaitReading(Map.of("a.yaml", "first", "b.yml", "b"));
        Files.delete(folder.resolve("a.yaml"));
        awaitReading(Map.of("b.yml", "b"));
    }

    @Test
    void aFileThatIsEmptiedAndThenFilledIsNeverSeenEmpty() throws IOException, InterruptedException {
        Path file = folder.resolve("a.yaml");
        for (int i = 0; i < 5; i++) {
            Files.newOutputStream(file, StandardOpenOption.TRUNCATE_EXISTING).close();
            Thread.sleep(30);
            Files.writeString(file, "filled " + i);
            awaitReading(Map.of("a.yaml", "filled " + i));
        }
        assertThat(readings).allSatisfy(reading -> assertThat(reading.get("a.yaml")).isNotEmpty());
    }

    @Test
    void aFileThatStaysEmptyIsSeenEmpty() throws IOException {
        Files.newOutputStream(folder.resolve("a.yaml"), StandardOpenOption.TRUNCATE_EXISTING).close();
        awaitReading(Map.of("a.yaml", ""));
    }

    @Test
    void aLinkThatIsTurnedAsKubernetesDoesIt() throws IOException {
        Path one = Files.createDirectory(folder.resolve("..one"));
        Path two = Files.createDirectory(folder.resolve("..two"));
        Files.writeString(one.resolve("c.yaml"), "one");
        Files.writeString(two.resolve("c.yaml"), "two");
        Path data = Files.createSymbolicLink(folder.resolve("..data"), one);
        Files.createSymbolicLink(folder.resolve("c.yaml"), data.resolve("c.yaml"));
        awaitReading(Map.of("a.yaml", "first", "c.yaml", "one"));
        Path turned = Files.createSymbolicLink(folder.resolve("..data_tmp"), two);
        Files.move(turned, data, StandardCopyOption.ATOMIC_MOVE);
        awaitReading(Map.of("a.yaml", "first", "c.yaml", "two"));
    }

    @Test
    void aFolderThatIsNotThereIsAnError() {
        assertThatThrownBy(() -> FolderWatcher.start(new FolderReader(folder.resolve("none")), contents -> {}))
                .isInstanceOf(NoSuchFileException.class);
    }
}
