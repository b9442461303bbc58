package io.weft.policy.cache;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assumptions.assumeThat;
import static org.awaitility.Awaitility.await;

import com.google.protobuf.ByteString;
import io.weft.policy.Node;
import io.weft.policy.model.EndpointAssignment.Locality;
import io.weft.policy.parse.RawResource;
import io.weft.policy.parse.ResourceType;
import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.URISyntaxException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ResourceCacheTest {
    private static final CacheKey KEY = new CacheKey("default", "orders", "", URI.create("grpc://localhost:5678"));
    private static final Duration NEVER = Duration.ofDays(1);

    @TempDir Path directory;

    private final ScheduledThreadPoolExecutor writer = new ScheduledThreadPoolExecutor(1);
    private final ConcurrentLinkedQueue<String> problems = new ConcurrentLinkedQueue<>();

    @AfterEach
    void stop() {
        writer.shutdownNow();
    }

    private ResourceCache cache(Path in, CacheKey key, Duration quiet) {
        return new ResourceCache(in, key, writer, quiet, problems::add);
    }

    private ResourceCache cache() {
        return cache(directory, KEY, NEVER);
    }

    private static List<RawResource> resources(String version) {
        return List.of(
                new RawResource(ResourceType.CLUSTER, "orders", version, ByteString.copyFromUtf8("bytes ü")),
                new RawResource(ResourceType.ENDPOINTS, "orders", version, ByteString.EMPTY),
                new RawResource(ResourceType.LISTENER, "größe", "", ByteString.copyFrom(new byte[1000])),
                new RawResource(ResourceType.ROUTES, "80", version, ByteString.copyFrom(new byte[] {0, -1, 10})));
    }

    private void write(String version) {
        ResourceCache cache = cache();
        cache.store(resources(version));
        cache.flush();
    }

    private Path file() {
        List<Path> files = files();
        assertThat(files).hasSize(1);
        return files.get(0);
    }

    private List<Path> files() {
        try (Stream<Path> files = Files.list(directory)) {
            return files.toList();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Test
    void whatIsStoredIsLoadedByTheNextProcess() {
        assertThat(cache().load()).isEmpty();

        write("1");

        assertThat(cache().load()).isEqualTo(resources("1"));
        assertThat(problems).isEmpty();
    }

    @Test
    void onlyItsOwnerReadsTheFile() throws IOException {
        write("1");

        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(file()))).isEqualTo("rw-------");
    }

    @Test
    void aDirectoryThatIsNotThereIsMade() {
        Path deep = directory.resolve("a/b");
        ResourceCache cache = cache(deep, KEY, NEVER);
        cache.store(resources("1"));
        cache.flush();

        assertThat(cache(deep, KEY, NEVER).load()).isEqualTo(resources("1"));
    }

    @Test
    void changesThatFollowEachOtherAreOneWriteOnTheExecutor() throws Exception {
        CountDownLatch busy = new CountDownLatch(1);
        writer.execute(() -> awaitUninterruptibly(busy));
        await().until(() -> writer.getQueue().isEmpty());
        ResourceCache cache = cache(directory, KEY, Duration.ZERO);

        cache.store(resources("1"));
        cache.store(resources("2"));
        assertThat(writer.getQueue()).hasSize(1);
        assertThat(files()).isEmpty();
        busy.countDown();

        await().untilAsserted(() -> assertThat(cache().load()).isEqualTo(resources("2")));
    }

    private static void awaitUninterruptibly(CountDownLatch latch) {
        try {
            assertThat(latch.await(30, TimeUnit.SECONDS)).isTrue();
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    @Test
    void theSameResourcesAreNotWrittenAgain() throws IOException {
        ResourceCache cache = cache();
        cache.store(resources("1"));
        cache.flush();
        FileTime old = FileTime.from(Instant.parse("2020-01-01T00:00:00Z"));
        Files.setLastModifiedTime(file(), old);

        cache.store(resources("1"));
        cache.flush();
        assertThat(Files.getLastModifiedTime(file())).isEqualTo(old);

        cache.store(resources("2"));
        cache.flush();
        assertThat(Files.getLastModifiedTime(file())).isGreaterThan(old);
    }

    @Test
    void nothingIsLostWhenTheExecutorHasStopped() {
        writer.shutdown();
        ResourceCache cache = cache();
        cache.store(resources("1"));
        cache.flush();

        assertThat(cache().load()).isEqualTo(resources("1"));
    }

    @Test
    void servicesMeshesAndControlPlanesThatShareADirectoryDoNotMix() {
        List<CacheKey> keys = List.of(
                KEY,
                new CacheKey("other", "orders", "", KEY.controlPlane()),
                new CacheKey("default", "billing", "", KEY.controlPlane()),
                new CacheKey("default", "orders", "version=v2", KEY.controlPlane()),
                new CacheKey("default", "orders", "", URI.create("grpc://localhost:5679")),
                new CacheKey("default", "../../orders", "", KEY.controlPlane()),
                new CacheKey("default", "x".repeat(300), "", KEY.controlPlane()));
        for (int i = 0; i < keys.size(); i++) {
            ResourceCache cache = cache(directory, keys.get(i), NEVER);
            cache.store(resources("version " + i));
            cache.flush();
        }

        assertThat(files()).hasSize(keys.size());
        for (int i = 0; i < keys.size(); i++) {
            assertThat(cache(directory, keys.get(i), NEVER).load()).isEqualTo(resources("version " + i));
        }
    }

    @Test
    void theKeyOfANodeIsTheSameForEachOfItsProcesses() {
        assertThat(CacheKey.of(node("default.orders-1"), "", KEY.controlPlane())).isEqualTo(KEY);
        assertThat(CacheKey.of(node("default.orders-2"), "", KEY.controlPlane())).isEqualTo(KEY);
        assertThat(CacheKey.of(node("orders"), "", KEY.controlPlane()).mesh()).isEmpty();
    }

    private static Node node(String id) {
        return new Node(id, "orders", Locality.UNKNOWN, Map.of());
    }

    @Test
    void aTruncatedFileIsIgnoredWhereverItEnds() throws IOException {
        write("1");
        byte[] whole = Files.readAllBytes(file());
        for (int length = 0; length < whole.length; length += 7) {
            Files.write(file(), Arrays.copyOf(whole, length));
            assertThat(cache().load()).isEmpty();
        }
        assertThat(problems).allMatch(problem -> problem.startsWith("Policy cache " + directory));
        assertThat(problems.peek()).contains("is not a policy cache of Weft");
        problems.clear();
        Files.write(file(), Arrays.copyOf(whole, whole.length - 1));
        cache().load();
        assertThat(problems.peek()).contains("checksum is wrong");
    }

    @Test
    void aDamagedFileIsIgnored() throws IOException {
        write("1");
        byte[] whole = Files.readAllBytes(file());
        Random random = new Random(7);
        for (int i = 0; i < 500; i++) {
            byte[] damaged = whole.clone();
            damaged[random.nextInt(damaged.length)] ^= (byte) (1 << random.nextInt(8));
            Files.write(file(), damaged);
            assertThat(cache().load()).isEmpty();
        }
    }

    @Test
    void aFileOfANewerVersionIsIgnoredAndReplaced() throws IOException {
        write("1");
        byte[] future = Files.readAllBytes(file());
        future["weft-policy\n".length() + 3] = CacheFile.FORMAT + 1;
        Files.write(file(), future);

        assertThat(cache().load()).isEmpty();
        assertThat(problems).singleElement().asString().contains("it has format 3, and this version of Weft reads format 2");

        write("2");
        assertThat(cache().load()).isEqualTo(resources("2"));
    }

    @Test
    void aFileOfAnotherServiceUnderThisNameIsIgnored() throws IOException {
        write("1");
        Files.write(file(), CacheFile.encode(
                new CacheKey("default", "billing", "", KEY.controlPlane()), resources("1")));

        assertThat(cache().load()).isEmpty();
        assertThat(problems).singleElement().asString().contains("belongs to service 'billing' of mesh 'default'");
    }

    @Test
    void aDirectoryUnderTheFilesNameIsIgnored() throws IOException {
        write("1");
        Path file = file();
        Files.delete(file);
        Files.createDirectory(file);

        assertThat(cache().load()).isEmpty();
        assertThat(problems).singleElement().asString().contains("cannot be read").contains("weft.cache.dir");
    }

    @Test
    void aDirectoryThatCannotBeWrittenToIsSaidOnceAndHarmsNothing() throws IOException {
        Path notADirectory = Files.createFile(directory.resolve("file"));
        ResourceCache cache = cache(notADirectory, KEY, NEVER);

        for (String version : List.of("1", "2", "3")) {
            cache.store(resources(version));
            assertThatCode(cache::flush).doesNotThrowAnyException();
        }

        assertThat(problems).singleElement().asString().contains("cannot be written").contains("weft.cache.dir");
        Files.delete(notADirectory);
        cache.store(resources("4"));
        cache.flush();
        assertThat(cache(notADirectory, KEY, NEVER).load()).isEqualTo(resources("4"));
    }

    @Test
    void whatAKilledProcessLeftBehindIsRemoved() throws IOException {
        write("1");
        Path abandoned = Files.createFile(directory.resolve(file().getFileName() + ".1.tmp"));
        Files.setLastModifiedTime(abandoned, FileTime.from(Instant.parse("2020-01-01T00:00:00Z")));
        Path underway = Files.createFile(directory.resolve(abandoned.getFileName().toString().replace(".1.", ".2.")));

        write("2");

        assertThat(abandoned).doesNotExist();
        assertThat(underway).exists();
    }

    @Test
    void readersBesideAWriterSeeAWholeFile() {
        write("0");
        Thread writing = new Thread(() -> IntStream.range(1, 200).forEach(i -> write(Integer.toString(i))));
        writing.start();
        do {
            assertThat(cache().load()).hasSize(4);
        } while (writing.isAlive());
        assertThat(problems).isEmpty();
        assertThat(cache().load()).isEqualTo(resources("199"));
    }

    /** A limit on the size of files fails a write half-way, as a full disk does. */
    @Test
    void aDiskThatIsFullKeepsTheOldFile() throws Exception {
        assumeThat(Path.of("/bin/bash")).as("bash, for its ulimit").exists();
        write("1");
        Process limited = new ProcessBuilder(
                        "/bin/bash",
                        "-c",
                        "ulimit -f 64; exec \"$0\" \"$@\"",
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-Xshare:auto",
                        "-XX:-UsePerfData",
                        "-cp",
                        classPath(WriteMuch.class, ResourceCache.class, ByteString.class),
                        WriteMuch.class.getName(),
                        directory.toString())
                .redirectErrorStream(true)
                .start();
        String output;
        try (InputStream in = limited.getInputStream()) {
            output = new String(in.readAllBytes(), StandardCharsets.UTF_8);
        }

        assertThat(limited.waitFor()).as(output).isZero();
        assertThat(output).contains("cannot be written").contains("free space");
        assertThat(files()).hasSize(1);
        assertThat(cache().load()).isEqualTo(resources("1"));
    }

    private static String classPath(Class<?>... of) throws URISyntaxException {
        Set<String> places = new LinkedHashSet<>();
        for (Class<?> type : of) {
            places.add(Path.of(type.getProtectionDomain().getCodeSource().getLocation().toURI()).toString());
        }
        return String.join(File.pathSeparator, places);
    }

    static final class WriteMuch {
        public static void main(String[] args) {
            ScheduledThreadPoolExecutor writer = new ScheduledThreadPoolExecutor(1);
            ResourceCache cache = new ResourceCache(Path.of(args[0]), KEY, writer, NEVER, System.out::println);
            cache.store(List.of(
                    new RawResource(ResourceType.CLUSTER, "much", "2", ByteString.copyFrom(new byte[1 << 20]))));
            cache.flush();
            writer.shutdownNow();
        }
    }
}
