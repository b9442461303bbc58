package io.weft.admin;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

class AdminSocketTest {
    private static final AdminPage HELLO = AdminPage.reads("text/plain", () -> "hello, größer");

    private final AdminClient client = new AdminClient(Duration.ofSeconds(10));

    @TempDir
    private Path folder;

    private SocketDirectory directory() {
        return new SocketDirectory(folder.resolve("sockets"));
    }

    @AfterEach
    void close() {
        client.close();
    }

    @Test
    void saysWhatItIsAskedAndIsGoneAfterwards() throws IOException {
        Path socket;
        try (AdminSocket admin = AdminSocket.open(directory(), 47, Map.of("/hello", HELLO), Map.of())) {
            socket = admin.path();
            assertThat(client.get(socket, "/hello")).isEqualTo("hello, größer");
            assertThat(client.get(socket, "/hello")).isEqualTo("hello, größer");
            assertThat(directory().pids()).containsExactly(47L);
        }
        assertThatThrownBy(() -> client.get(socket, "/hello")).isInstanceOf(AdminClient.NobodyThere.class);
        assertThat(directory().pids()).isEmpty();
    }

    @Test
    void saysWhatThereIsInsteadOfWhatIsNot() throws IOException {
        try (AdminSocket admin = AdminSocket.open(directory(), 47, Map.of("/hello", HELLO), Map.of())) {
            assertThatThrownBy(() -> client.get(admin.path(), "/other")).hasMessageContaining("404").hasMessageContaining("/hello");
        }
    }

    @Test
    void aFaultOfAPageIsSaidAndHarmsNoOther() throws IOException {
        AdminPage broken = AdminPage.reads("text/plain", () -> {
            throw new IllegalStateException("broken");
        });
        try (AdminSocket admin = AdminSocket.open(directory(), 47, Map.of("/broken", broken, "/hello", HELLO), Map.of())) {
            assertThatThrownBy(() -> client.get(admin.path(), "/broken")).hasMessageContaining("500").hasMessageContaining("broken");
            assertThat(client.get(admin.path(), "/hello")).isEqualTo("hello, größer");
        }
    }

    /** As of an agent whose jar is not any more what it was. */
    @Test
    void saysWhyAClassIsMissing() throws IOException {
        AdminPage broken = AdminPage.reads("text/plain", () -> {
            throw (NoClassDefFoundError) new NoClassDefFoundError("a/B").initCause(new ClassNotFoundException("a.B: the jar was written to"));
        });
        try (AdminSocket admin = AdminSocket.open(directory(), 47, Map.of("/broken", broken), Map.of())) {
            assertThatThrownBy(() -> client.get(admin.path(), "/broken")).hasMessageContaining("500").hasMessageContaining("the jar was written to");
        }
    }

    @Test
    void takesTheSocketOfADeadProcessWithTheSameId() throws IOException {
        Files.createDirectory(folder.resolve("sockets"), PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
        try (ServerSocketChannel dead = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
            dead.bind(UnixDomainSocketAddress.of(directory().socket(47)));
        }
        try (AdminSocket admin = AdminSocket.open(directory(), 47, Map.of("/hello", HELLO), Map.of())) {
            assertThat(client.get(admin.path(), "/hello")).isEqualTo("hello, größer");
        }
    }

    @Test
    void onlyTheOwnerMayEnter() throws IOException {
        try (AdminSocket admin = AdminSocket.open(directory(), 47, Map.of(), Map.of())) {
            assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(admin.path().getParent()))).isEqualTo("rwx------");
        }
    }

    @Test
    void refusesAFolderThatOthersMayEnter() throws IOException {
        Files.createDirectory(folder.resolve("sockets"));
        Files.setPosixFilePermissions(folder.resolve("sockets"), PosixFilePermissions.fromString("rwxr-x---"));
        assertThatThrownBy(() -> AdminSocket.open(directory(), 47, Map.of(), Map.of())).hasMessageContaining("chmod 700");
    }

    @Test
    void refusesALinkToAFolder() throws IOException {
        Files.createSymbolicLink(folder.resolve("sockets"), folder);
        assertThatThrownBy(() -> AdminSocket.open(directory(), 47, Map.of(), Map.of())).hasMessageContaining("is no folder");
    }

    @Test
    void aPathThatIsTooLongIsAnErrorAndLeavesNoThread() {
        SocketDirectory deep = new SocketDirectory(folder.resolve("x".repeat(120)));
        assertThatThrownBy(() -> AdminSocket.open(deep, 47, Map.of(), Map.of())).hasMessageContaining("about 100 characters");
        await().untilAsserted(() -> assertThat(Thread.getAllStackTraces().keySet()).noneMatch(thread -> thread.getName().equals("weft-admin")));
    }

    private AdminSocket open(Visitors.Limits limits) throws IOException {
        return AdminSocket.open(directory(), 47, Map.of("/hello", HELLO), Map.of(), limits);
    }

    private static void ask(SocketChannel channel) throws IOException {
        channel.write(ByteBuffer.wrap("GET /hello HTTP/1.1\r\nhost: weft\r\n\r\n".getBytes(StandardCharsets.US_ASCII)));
    }

    private static void assertAnswered(SocketChannel channel) throws IOException {
        ByteBuffer answer = ByteBuffer.allocate(12);
        while (answer.hasRemaining() && channel.read(answer) >= 0) {
            continue;
        }
        assertThat(new String(answer.array(), StandardCharsets.US_ASCII)).isEqualTo("HTTP/1.1 200");
    }

    @Test
    @Timeout(60)
    void whoSaysNothingGoesForWhoAsks() throws IOException {
        List<SocketChannel> silent = new ArrayList<>();
        try (AdminSocket admin = open(new Visitors.Limits(3, Duration.ofMinutes(10)))) {
            for (int i = 0; i < 5; i++) {
                silent.add(SocketChannel.open(UnixDomainSocketAddress.of(admin.path())));
            }
            assertThat(client.get(admin.path(), "/hello")).isEqualTo("hello, größer");
            for (SocketChannel oldest : silent.subList(0, 3)) {
                assertThat(oldest.read(ByteBuffer.allocate(1))).isEqualTo(-1);
            }
            ask(silent.get(4));
            assertAnswered(silent.get(4));
        } finally {
            for (SocketChannel channel : silent) {
                channel.close();
            }
        }
    }

    @Test
    @Timeout(60)
    void whoComesByTcpTakesNoPlaceOfTheSockets() throws IOException {
        try (AdminSocket admin = open(new Visitors.Limits(1, Duration.ofMinutes(10)));
                SocketChannel waiting = SocketChannel.open(UnixDomainSocketAddress.of(admin.path()))) {
            InetSocketAddress free = new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);
            try (SocketChannel tcp = SocketChannel.open(admin.alsoOn(free, Map.of("/hello", HELLO)).address())) {
                ask(tcp);
                assertAnswered(tcp);
            }
            ask(waiting);
            assertAnswered(waiting);
        }
    }

    @Test
    @Timeout(60)
    void aRequestThatComesByTheByteIsNotWaitedFor() throws IOException {
        try (AdminSocket admin = open(new Visitors.Limits(32, Duration.ofMillis(200)));
                SocketChannel slow = SocketChannel.open(UnixDomainSocketAddress.of(admin.path()))) {
            assertThatThrownBy(() -> {
                while (true) {
                    slow.write(ByteBuffer.wrap(new byte[] {'G'}));
                    Thread.sleep(20);
                }
            }).isInstanceOf(IOException.class);
        }
    }

    @Test
    void aProcessThatIsFrozenIsNotWaitedForLonger() throws IOException {
        try (ServerSocketChannel frozen = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
                AdminClient hasty = new AdminClient(Duration.ofMillis(100))) {
            Path socket = folder.resolve("frozen.sock");
            frozen.bind(UnixDomainSocketAddress.of(socket));
            assertThatThrownBy(() -> hasty.get(socket, "/hello")).hasMessageContaining("no answer");
        }
    }
}
