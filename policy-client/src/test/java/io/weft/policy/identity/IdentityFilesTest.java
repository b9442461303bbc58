package io.weft.policy.identity;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.weft.policy.model.CertificateValidation.Authorities;
import io.weft.policy.model.TlsCertificate;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.KeyPair;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class IdentityFilesTest {
    private static final Duration HOUR = Duration.ofHours(1);

    @TempDir
    private Path folder;

    private final TestAuthority authority = new TestAuthority("one");

    private static void write(Path folder, TestAuthority authority, KeyPair pair, String certificate, String key, String roots)
            throws IOException {
        Files.writeString(folder.resolve(key), TestAuthority.key(pair));
        Files.writeString(folder.resolve(certificate), TestAuthority.pem(authority.issue(pair.getPublic(), HOUR)));
        Files.writeString(folder.resolve(roots), TestAuthority.pem(authority.root));
    }

    private void write(Path folder, TestAuthority authority, KeyPair pair) throws IOException {
        write(folder, authority, pair, "tls.crt", "tls.key", "ca.crt");
    }

    @ParameterizedTest
    @CsvSource({"tls.crt,tls.key,ca.crt", "cert-chain.pem,key.pem,root-cert.pem", "svid.pem,svid_key.pem,svid_bundle.pem"})
    void theUsualLayouts(String certificate, String key, String roots) throws IOException {
        KeyPair pair = KeyType.EC_P256.generate();
        write(folder, authority, pair, certificate, key, roots);
        IdentityFiles directory = new IdentityFiles(new IdentityConfig.Directory(folder));
        HeldIdentity identity = directory.changed().orElseThrow();
        TlsCertificate own = identity.certificate().orElseThrow();
        assertThat(own.leaf().getPublicKey()).isEqualTo(pair.getPublic());
        assertThat(own.key()).isEqualTo(pair.getPrivate());
        assertThat(identity.trust()).contains(new Authorities(List.of(authority.root)));
        assertThat(own.uri()).isEqualTo(TestAuthority.ORDERS);
        assertThat(directory.changed()).isEmpty();
    }

    @Test
    void filesThatAreNamedOneByOne() throws IOException {
        KeyPair pair = KeyType.EC_P256.generate();
        write(folder, authority, pair, "a", "b", "c");
        Optional<IdentityConfig.CertificateFiles> own =
                Optional.of(new IdentityConfig.CertificateFiles(folder.resolve("a"), folder.resolve("b")));
        Optional<Path> roots = Optional.of(folder.resolve("c"));

        assertThat(new IdentityFiles(new IdentityConfig.Files(own, roots)).changed().orElseThrow()).satisfies(both -> {
            assertThat(both.certificate().orElseThrow().key()).isEqualTo(pair.getPrivate());
            assertThat(both.trust()).contains(new Authorities(List.of(authority.root)));
        });
        assertThat(new IdentityFiles(new IdentityConfig.Files(own, Optional.empty())).changed().orElseThrow()).satisfies(shown -> {
            assertThat(shown.certificate().orElseThrow().key()).isEqualTo(pair.getPrivate());
            assertThat(shown.trust()).isEmpty();
        });
        assertThat(new IdentityFiles(new IdentityConfig.Files(Optional.empty(), roots)).changed().orElseThrow()).satisfies(trusted -> {
            assertThat(trusted.certificate()).isEmpty();
            assertThat(trusted.trust()).contains(new Authorities(List.of(authority.root)));
        });
    }

    @Test
    void whatDoesNotFitTogetherIsNotTakenAndIsReadAgain() throws IOException {
        KeyPair first = KeyType.EC_P256.generate();
        KeyPair second = KeyType.EC_P256.generate();
        write(folder, authority, first);
        IdentityFiles directory = new IdentityFiles(new IdentityConfig.Directory(folder));
        directory.changed();

        // One file after the other, as a careless script replaces them.
        Files.writeString(folder.resolve("tls.key"), TestAuthority.key(second));
        assertThatThrownBy(directory::changed).hasMessageContaining("the key does not belong to the certificate");
        Files.writeString(folder.resolve("tls.crt"), TestAuthority.pem(new TestAuthority("two").issue(second.getPublic(), HOUR)));
        assertThatThrownBy(directory::changed).hasMessageContaining("none of the roots has signed its chain");
        Files.writeString(folder.resolve("tls.crt"), "-----BEGIN CERT");
        assertThatThrownBy(directory::changed).isInstanceOf(IOException.class);
        Files.delete(folder.resolve("ca.crt"));
        assertThatThrownBy(directory::changed).isInstanceOf(IOException.class);
        write(folder, authority, second);
        assertThat(directory.changed().orElseThrow().certificate().orElseThrow().leaf().getPublicKey()).isEqualTo(second.getPublic());
    }

    /** Kubernetes turns one link, so that all files of a volume change in one moment. */
    @Test
    void aVolumeThatIsReplacedAsAWhole() throws IOException {
        for (String generation : new String[] {"a", "b"}) {
            Path files = Files.createDirectory(folder.resolve(generation));
            write(files, authority, KeyType.EC_P256.generate());
        }
        turn("a");
        for (String file : new String[] {"tls.crt", "tls.key", "ca.crt"}) {
            Files.createSymbolicLink(folder.resolve(file), Path.of("..data", file));
        }
        IdentityFiles directory = new IdentityFiles(new IdentityConfig.Directory(folder));
        HeldIdentity before = directory.changed().orElseThrow();
        turn("b");
        assertThat(directory.changed().orElseThrow().certificate().orElseThrow().leaf())
                .isNotEqualTo(before.certificate().orElseThrow().leaf());
        assertThat(directory.changed()).isEmpty();
    }

    private void turn(String generation) throws IOException {
        Path next = folder.resolve("..next");
        Files.createSymbolicLink(next, Path.of(generation));
        Files.move(next, folder.resolve("..data"), StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    }

    @Test
    void aDirectoryWithoutAnIdentityIsSaidSo() {
        assertThatThrownBy(() -> new IdentityFiles(new IdentityConfig.Directory(folder)).changed())
                .hasMessageContaining("holds no identity; it must have tls.crt, tls.key, ca.crt; or cert-chain.pem");
    }
}
