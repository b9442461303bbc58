package io.weft.it.envoy;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;

/**
 * The program, found or installed by {@code integration-tests/bin/envoy}, whose path is the system property
 * {@code weft.it.envoy}.
 *
 * @param path null if there is none
 * @param reason why there is none
 */
public record EnvoyBinary(Path path, String reason) {

    private static final long INSTALL_SECONDS = 300;
    private static EnvoyBinary found;

    /** Looks once, at most five minutes. */
    public static synchronized EnvoyBinary find() {
        if (found == null) {
            found = run();
        }
        return found;
    }

    public boolean isPresent() {
        return path != null;
    }

    private static EnvoyBinary run() {
        String script = System.getProperty("weft.it.envoy");
        if (script == null) {
            return new EnvoyBinary(null, "system property weft.it.envoy is not set");
        }
        try {
            Process process = new ProcessBuilder(script).start();
            process.getOutputStream().close();
            if (!process.waitFor(INSTALL_SECONDS, TimeUnit.SECONDS)) {
                process.destroyForcibly();
                return new EnvoyBinary(null, script + " did not end within " + INSTALL_SECONDS + " s");
            }
            String out = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8).strip();
            String err = new String(process.getErrorStream().readAllBytes(), StandardCharsets.UTF_8).strip();
            return process.exitValue() == 0 ? new EnvoyBinary(Path.of(out), "") : new EnvoyBinary(null, err);
        } catch (IOException e) {
            return new EnvoyBinary(null, "cannot run " + script + ": " + e.getMessage());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return new EnvoyBinary(null, "interrupted while looking for Envoy");
        }
    }
}
