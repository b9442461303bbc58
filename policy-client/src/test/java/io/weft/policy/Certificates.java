package io.weft.policy;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.util.Base64;
import javax.net.ssl.KeyManagerFactory;

/** A self-signed certificate made on the spot with the JDK's keytool. */
final class Certificates {
    private static final char[] PASSWORD = "changeit".toCharArray();

    private final Path directory;
    private final String name;
    private final KeyStore store;

    /** @param names subject alternative names in keytool's words, as {@code dns:localhost,ip:127.0.0.1} */
    Certificates(Path directory, String name, String names) {
        this.directory = directory;
        this.name = name;
        Path file = directory.resolve(name + ".p12");
        try {
            Process keytool = new ProcessBuilder(
                            Path.of(System.getProperty("java.home"), "bin", "keytool").toString(), "-genkeypair", "-alias", "a",
                            "-keyalg", "EC", "-dname", "CN=" + name, "-validity", "2", "-ext", "san=" + names,
                            "-keystore", file.toString(), "-storetype", "PKCS12", "-storepass", new String(PASSWORD))
                    .redirectErrorStream(true).start();
            String said = new String(keytool.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            if (keytool.waitFor() != 0) {
                throw new IOException("keytool: " + said);
            }
            store = KeyStore.getInstance("PKCS12");
            try (InputStream in = Files.newInputStream(file)) {
                store.load(in, PASSWORD);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(e);
        }
    }

    KeyManagerFactory keyManagers() throws GeneralSecurityException {
        KeyManagerFactory factory = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
        factory.init(store, PASSWORD);
        return factory;
    }

    Path certificate() throws GeneralSecurityException, IOException {
        return pem(name + ".crt", "CERTIFICATE", store.getCertificate("a").getEncoded());
    }

    Path key() throws GeneralSecurityException, IOException {
        return pem(name + ".key", "PRIVATE KEY", store.getKey("a", PASSWORD).getEncoded());
    }

    private Path pem(String file, String what, byte[] der) throws IOException {
        String body = Base64.getMimeEncoder(64, new byte[] {'\n'}).encodeToString(der);
        return Files.writeString(
                directory.resolve(file), "-----BEGIN " + what + "-----\n" + body + "\n-----END " + what + "-----\n");
    }
}
