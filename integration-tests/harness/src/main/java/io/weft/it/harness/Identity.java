package io.weft.it.harness;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.util.Base64;

/**
 * A self-signed certificate and its key, PEM files, made on the spot with the JDK's keytool.
 *
 * @param key PKCS#8, not encrypted
 */
public record Identity(Path certificate, Path key) {
    private static final String ALIAS = "identity";
    private static final String PASSWORD = "changeit";

    /** @param names subject alternative names in keytool's words, as {@code dns:localhost,ip:127.0.0.1} */
    public static Identity selfSigned(Path folder, String name, String names) {
        Path file = folder.resolve(name + ".p12");
        try {
            Process keytool = new ProcessBuilder(
                            Path.of(System.getProperty("java.home"), "bin", "keytool").toString(), "-genkeypair", "-alias", ALIAS,
                            "-keyalg", "EC", "-dname", "CN=" + name, "-validity", "2", "-ext", "san=" + names,
                            "-keystore", file.toString(), "-storetype", "PKCS12", "-storepass", PASSWORD)
                    .redirectErrorStream(true).start();
            String said = new String(keytool.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            if (keytool.waitFor() != 0) {
                throw new IllegalStateException("keytool: " + said);
            }
            KeyStore store = KeyStore.getInstance("PKCS12");
            try (InputStream in = Files.newInputStream(file)) {
                store.load(in, PASSWORD.toCharArray());
            }
            return new Identity(
                    pem(folder.resolve(name + ".crt"), "CERTIFICATE", store.getCertificate(ALIAS).getEncoded()),
                    pem(folder.resolve(name + ".key"), "PRIVATE KEY", store.getKey(ALIAS, PASSWORD.toCharArray()).getEncoded()));
        } catch (IOException | GeneralSecurityException | InterruptedException e) {
            throw new IllegalStateException("no certificate for " + name, e);
        }
    }

    private static Path pem(Path file, String what, byte[] der) throws IOException {
        String body = Base64.getMimeEncoder(64, new byte[] {'\n'}).encodeToString(der);
        return Files.writeString(file, "-----BEGIN " + what + "-----\n" + body + "\n-----END " + what + "-----\n");
    }
}
