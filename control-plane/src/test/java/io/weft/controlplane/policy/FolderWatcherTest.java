package io.weft.controlplane.policy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.weft.controlplane.policy.FolderWatcher.Patience;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileTime;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class FolderWatcherTest {

    private static final Patience PATIENT =
            new Patience(Patience.DEFAULT.refill(), Duration.ofHours(1));
    private static final String UNREADABLE = "?";

    @TempDir
    private Path parent;

    private final List<Map<String, String>> readings = new CopyOnWriteArrayList<>();
    private Path folder;
    private FolderWatcher watcher;

    @BeforeEach
    void start() throws IOException {
        folder = Files.createDirectory(parent.resolve("policies"));
        Files.writeString(folder.resolve("a.yaml"), "first");
        watcher = FolderWatcher.start(new FolderReader(folder), PATIENT, this::note);
    }

    private void note(List<SourceText> contents) {
        Map<String, String> reading = new TreeMap<>();
        contents.forEach(content -> reading.put(content.name(), content.text().orElse(UNREADABLE)));
        readings.add(reading);
    }

    private void restart(Patience patience) throws IOException {
        watcher.close();
        readings.clear();
        watcher = FolderWatcher.start(new FolderReader(folder), patience, this::note);
    }

    /** In one step: it is another one, and empty. */
    private void replaceFolder() throws IOException {
        Files.move(folder, parent.resolve("away"));
        Files.createDirectory(folder);
    }

    private void write(String name, String text) throws IOException {
        Files.writeString(folder.resolve(name), text);
    }

    private void deleteFolder() throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            for (Path file : files.toList()) {
                Files.delete(file);
            }
        }
        Files.delete(folder);
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

    /** A volume of Kubernetes: every file is a link through one link, which is turned; keys come and go. */
    @Test
    void aFolderOfLinksAsKubernetesMakesIt() throws IOException {
        write("d.yaml", "d");
        Path one = Files.createDirectory(folder.resolve("..one"));
        for (String name : List.of("a.yaml", "d.yaml")) {
            Files.move(folder.resolve(name), one.resolve(name));
            Files.createSymbolicLink(folder.resolve(name), Path.of("..data", name));
        }
        Path data = Files.createSymbolicLink(folder.resolve("..data"), one.getFileName());
        restart(PATIENT);
        Path two = Files.createDirectory(folder.resolve("..two"));
        Files.writeString(two.resolve("a.yaml"), "second");
        Files.writeString(two.resolve("e.yaml"), "e");
        Files.move(Files.createSymbolicLink(folder.resolve("..data_tmp"), two.getFileName()), data, StandardCopyOption.ATOMIC_MOVE);
        Files.createSymbolicLink(folder.resolve("e.yaml"), Path.of("..data", "e.yaml"));
        Files.delete(folder.resolve("d.yaml"));
        awaitReading(Map.of("a.yaml", "second", "e.yaml", "e"));
        assertThat(readings).allSatisfy(reading -> assertThat(reading.get("a.yaml")).isIn("first", "second"));
    }

    @Test
    void whatCannotBeReadKeepsNothingElseFromBeingRead() throws IOException, InterruptedException {
        Files.createSymbolicLink(folder.resolve("loop.yaml"), Path.of("loop.yaml"));
        Files.createSymbolicLink(folder.resolve("nowhere.yaml"), Path.of("nowhere"));
        // Whoever opened a pipe to read it would wait for a writer.
        assertThat(new ProcessBuilder("mkfifo", folder.resolve("pipe.yaml").toString()).start().waitFor()).isZero();
        awaitReading(Map.of("a.yaml", "first", "loop.yaml", UNREADABLE, "nowhere.yaml", UNREADABLE, "pipe.yaml", UNREADABLE));
        write("a.yaml", "second");
        awaitReading(Map.of("a.yaml", "second", "loop.yaml", UNREADABLE, "nowhere.yaml", UNREADABLE, "pipe.yaml", UNREADABLE));
        Files.delete(folder.resolve("loop.yaml"));
        Files.delete(folder.resolve("pipe.yaml"));
        write("nowhere", "somewhere");
        awaitReading(Map.of("a.yaml", "second", "nowhere.yaml", "somewhere"));
    }

    @Test
    void theReasonSaysWhatToDo() throws IOException {
        Files.createSymbolicLink(folder.resolve("loop.yaml"), Path.of("loop.yaml"));
        Files.createSymbolicLink(folder.resolve("nowhere.yaml"), Path.of("nowhere"));
        write("large.yaml", "#".repeat((4 << 20) + 1));
        assertThat(new FolderReader(folder).read().stream().flatMap(content -> content.failure().stream()).map(Problem::toString))
                .satisfiesExactly(
                        large -> assertThat(large).isEqualTo("large.yaml: is larger than 4 MiB; split it"),
                        loop -> assertThat(loop).startsWith("loop.yaml: cannot be read (Too many levels of symbolic links")
                                .endsWith("; mend or remove it"),
                        nowhere -> assertThat(nowhere).isEqualTo(
                                "nowhere.yaml: is a link to a file that is not there; put one there or remove the link"));
    }

    @Test
    void aFileThatNeverRestsDoesNotHoldUpTheOthers() throws IOException {
        watcher.close();
        write("busy.yaml", "busy");
        AtomicBoolean rest = new AtomicBoolean();
        AtomicLong size = new AtomicLong();
        FolderReader reader = new FolderReader(folder) {
            @Override
            Listing look() throws IOException {
                Listing look = super.look();
                if (!rest.get()) {
                    look.files().put("busy.yaml", new Stamp.Regular(size.incrementAndGet(), FileTime.fromMillis(0), Optional.empty()));
                }
                return look;
            }
        };
        watcher = FolderWatcher.start(reader, PATIENT, this::note);
        write("a.yaml", "second");
        awaitReading(Map.of("a.yaml", "second", "busy.yaml", UNREADABLE));
        rest.set(true);
        awaitReading(Map.of("a.yaml", "second", "busy.yaml", "busy"));
    }

    @Test
    void anErrorOfTheListenerIsNotTheEnd() throws IOException {
        watcher.close();
        readings.clear();
        watcher = FolderWatcher.start(new FolderReader(folder), PATIENT, contents -> {
            if (contents.stream().anyMatch(content -> content.text().equals(Optional.of("bomb")))) {
                throw new StackOverflowError("as from a parser");
            }
            note(contents);
        });
        write("a.yaml", "bomb");
        write("b.yaml", "b");
        write("a.yaml", "second");
        awaitReading(Map.of("a.yaml", "second", "b.yaml", "b"));
        write("a.yaml", "bomb");
        write("c.yaml", "c");
        await().pollDelay(Duration.ofMillis(700)).until(() -> true);
        write("a.yaml", "third");
        awaitReading(Map.of("a.yaml", "third", "b.yaml", "b", "c.yaml", "c"));
    }

    @Test
    void theOnlyFileIsRemoved() throws IOException {
        Files.delete(folder.resolve("a.yaml"));
        awaitReading(Map.of());
    }

    @Test
    void filesThatGoAllAtOnceStillCountUntilTheyAreBack() throws IOException {
        write("b.yaml", "b");
        // Longer than the time between the two deletions, however busy the machine is.
        restart(new Patience(Duration.ofSeconds(2), PATIENT.hold()));
        Files.delete(folder.resolve("a.yaml"));
        Files.delete(folder.resolve("b.yaml"));
        awaitReading(Map.of("a.yaml", UNREADABLE, "b.yaml", UNREADABLE));
        write("b.yaml", "second");
        awaitReading(Map.of("a.yaml", UNREADABLE, "b.yaml", "second"));
        write("a.yaml", "second");
        awaitReading(Map.of("a.yaml", "second", "b.yaml", "second"));
        // Nothing is held any more.
        Files.delete(folder.resolve("b.yaml"));
        awaitReading(Map.of("a.yaml", "second"));
    }

    @Test
    void theHoldIsOver() throws IOException {
        write("b.yaml", "b");
        restart(new Patience(PATIENT.refill(), Duration.ofMillis(300)));
        replaceFolder();
        awaitReading(Map.of());
        assertThat(readings).containsExactly(
                Map.of("a.yaml", "first", "b.yaml", "b"),
                Map.of("a.yaml", UNREADABLE, "b.yaml", UNREADABLE),
                Map.of());
    }

    /** To lose a permission would be to open what it closes, or to close what it opens. */
    @Test
    void permissionsOfAFolderThatWasEmptiedStayInForce() throws IOException {
        watcher.close();
        write("a.yaml", """
                type: MeshTrafficPermission
                name: nobody
                spec: {rules: [{default: {deny: [{spiffeID: {type: Prefix, value: "spiffe://default/"}}]}}]}
                """);
        PolicyHistory history = new PolicyHistory(new ResourceParser());
        List<PolicySet> sets = new CopyOnWriteArrayList<>();
        watcher = FolderWatcher.start(new FolderReader(folder), PATIENT, contents -> sets.add(history.update(contents)));
        replaceFolder();
        await().until(() -> sets.size() == 2);
        assertThat(sets).allSatisfy(set -> assertThat(set.all(MeshTrafficPermission.class, "default")).hasSize(1));
        assertThat(sets.get(1).problems()).singleElement().satisfies(problem -> assertThat(problem.toString())
                .startsWith("a.yaml: is gone together with the folder or with all other files; what it had stays in force for"));
    }

    @Test
    void aFolderThatIsDeletedAndMadeAnew() throws IOException {
        write("b.yaml", "b");
        restart(PATIENT);
        deleteFolder();
        Files.createDirectory(folder);
        write("a.yaml", "second");
        awaitReading(Map.of("a.yaml", "second", "b.yaml", UNREADABLE));
        write("b.yaml", "second");
        awaitReading(Map.of("a.yaml", "second", "b.yaml", "second"));
        // The new folder is followed like the old one.
        write("c.yaml", "c");
        awaitReading(Map.of("a.yaml", "second", "b.yaml", "second", "c.yaml", "c"));
        assertThat(readings).allSatisfy(reading -> assertThat(reading).containsKeys("a.yaml", "b.yaml"));
    }

    /** As when a mount is lost. */
    @Test
    void anotherFolderInItsPlace() throws IOException {
        replaceFolder();
        awaitReading(Map.of("a.yaml", UNREADABLE));
        Files.delete(folder);
        Files.move(parent.resolve("away"), folder);
        awaitReading(Map.of("a.yaml", "first"));
    }

    @Test
    void aFolderThatVanishesChangesNothing() throws IOException {
        Files.move(folder, parent.resolve("away"));
        await().pollDelay(Duration.ofMillis(1_200)).until(() -> true);
        Files.move(parent.resolve("away"), folder);
        write("a.yaml", "second");
        awaitReading(Map.of("a.yaml", "second"));
        assertThat(readings).containsExactly(Map.of("a.yaml", "first"), Map.of("a.yaml", "second"));
    }

    @Test
    void aFolderThatIsNotThereIsAnError() {
        assertThatThrownBy(() -> FolderWatcher.start(new FolderReader(folder.resolve("none")), PATIENT, contents -> {}))
                .isInstanceOf(NoSuchFileException.class);
    }
}
