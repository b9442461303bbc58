package io.weft.controlplane.ca;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RootFileTest {

    private static final Instant NOW = Instant.parse("2026-11-25T12:00:00Z");
    private static final Duration DAY = Duration.ofDays(1);

    @TempDir
    private Path state;

    private RootFile file() throws IOException {
        return new RootFile(state, "default");
    }

    @Test
    void theRootIsMadeOnceAndIsItsOwnersOnly() throws IOException {
        RootSet made = file().at(NOW, DAY);

        assertThat(file().at(NOW, DAY)).isEqualTo(made);
        Path path = file().path();
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(path))).isEqualTo("rw-------");
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(path.getParent()))).isEqualTo("rwx------");
        try (Stream<Path> files = Files.list(path.getParent())) {
            assertThat(files.map(each -> each.getFileName().toString())).containsExactlyInAnyOrder("default.json", ".default.lock");
        }
    }

    @Test
    void aFileThatOthersCanReadIsRefused() throws IOException {
        file().at(NOW, DAY);
        for (String open : List.of("rw-r-----", "rw----r--", "rw--w----")) {
            Files.setPosixFilePermissions(file().path(), PosixFilePermissions.fromString(open));
            assertThatThrownBy(() -> file().at(NOW, DAY))
                    .isInstanceOf(IOException.class)
                    .hasMessageContaining("default.json")
                    .hasMessageContaining("is open to others (" + open + "); allow only its owner: chmod 600");
        }
    }

    @Test
    void aRotationSurvivesARestartAndGoesOnByItself() throws IOException {
        Root first = file().at(NOW, DAY).signing();
        RootSet begun = file().rotate(NOW, DAY);
        assertThat(begun.bundle()).hasSize(2);
        assertThatThrownBy(() -> file().rotate(NOW, DAY)).hasMessageContaining("a rotation is under way");

        assertThat(file().at(NOW.plus(DAY).minusSeconds(1), DAY).signing()).isEqualTo(first);
        RootSet switched = file().at(NOW.plus(DAY), DAY);
        assertThat(switched.signing()).isEqualTo(begun.next().orElseThrow().root());
        assertThat(switched.bundle()).contains(first.certificate());
        assertThat(file().at(NOW.plus(DAY.multipliedBy(3)), DAY).bundle()).containsExactly(switched.signing().certificate());
    }

    @Test
    void aRootIsReplacedWellBeforeItEnds() throws IOException {
        file().at(NOW, DAY);
        Instant late = NOW.plus(Root.LIFETIME.multipliedBy(3).dividedBy(4)).plusSeconds(1);
        RootSet roots = file().at(late, DAY);
        assertThat(roots.next().orElseThrow().signsFrom()).isEqualTo(late.plus(DAY));
    }

    @Test
    void aBrokenFileIsNamedAndItsKeyIsNot() throws IOException {
        file().at(NOW, DAY);
        String good = Files.readString(file().path());
        String key = good.substring(good.indexOf("PRIVATE KEY") + 20, good.indexOf("PRIVATE KEY") + 60);
        for (String broken : List.of(good.substring(0, good.length() / 2), good.replace("\"format\" : 1", "\"format\" : 9"), "{}", "", "null", "{\"format\": 1}",
                "{\"format\": 1, \"signing\": {\"certificate\": null}, \"former\": []}", "{\"format\": 1, \"former\": [null]}")) {
            OwnerOnlyFile.replace(file().path(), broken.getBytes(java.nio.charset.StandardCharsets.US_ASCII));
            assertThatThrownBy(() -> file().at(NOW, DAY))
                    .isInstanceOf(IOException.class)
                    .hasMessageContaining("default.json")
                    .satisfies(e -> assertThat(e.getMessage()).doesNotContain(key));
        }
    }

    @Test
    void aMeshWhoseNameIsNoFileNameHasNoRoot() {
        assertThatThrownBy(() -> new RootFile(state, "../other")).hasMessageContaining("cannot be used for a file");
    }

    @Test
    void nothingIsMadeWhereThereIsNoRootToRotate() {
        assertThatThrownBy(() -> file().rotate(NOW, DAY)).hasMessageContaining("has no root of its own yet");
        assertThat(state).isEmptyDirectory();
    }

    /** A chain that ends in a root by its name only, or leads nowhere, would be found out by every peer. */
    @Test
    void anOwnRootWhoseChainDoesNotHold() throws IOException {
        Root own = Root.generate("mine", Instant.now());
        Root other = Root.generate("other", Instant.now());
        Path certificate = Files.writeString(
                state.resolve("ca.pem"), Pem.of(List.of(own.certificate(), other.certificate())));
        Path key = state.resolve("ca.key");
        OwnerOnlyFile.create(key, Pem.of(own.key()).getBytes(java.nio.charset.StandardCharsets.US_ASCII));
        assertThatThrownBy(() -> new SuppliedRoot(certificate, key).read(Instant.now()))
                .hasMessageContaining("certificate 1 is not signed by the one after it");
        Files.writeString(certificate, Pem.of(own.chain()));
        assertThatThrownBy(() -> new SuppliedRoot(certificate, key).read(Instant.now().plus(Root.LIFETIME)))
                .hasMessageContaining("has expired on");
    }

    @Test
    void theOperatorsOwnRoot() throws IOException {
        Root own = Root.generate("mine", Instant.now());
        Path certificate = Files.writeString(state.resolve("ca.pem"), Pem.of(own.chain()));
        Path key = state.resolve("ca.key");
        OwnerOnlyFile.create(key, Pem.of(own.key()).getBytes(java.nio.charset.StandardCharsets.US_ASCII));
        assertThat(new SuppliedRoot(certificate, key).read(Instant.now()).signing()).isEqualTo(own);

        Path other = state.resolve("other.key");
        OwnerOnlyFile.create(other, Pem.of(Root.newKey().getPrivate()).getBytes(java.nio.charset.StandardCharsets.US_ASCII));
        assertThatThrownBy(() -> new SuppliedRoot(certificate, other).read(Instant.now()))
                .hasMessageContaining("the key does not belong to the certificate");
        Files.setPosixFilePermissions(key, PosixFilePermissions.fromString("rw-r--r--"));
        assertThatThrownBy(() -> new SuppliedRoot(certificate, key).read(Instant.now())).hasMessageContaining("is open to others");
    }
}
