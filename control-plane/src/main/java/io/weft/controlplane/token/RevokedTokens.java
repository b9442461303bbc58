package io.weft.controlplane.token;

import io.weft.controlplane.ca.OwnerOnlyFile;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Tokens that prove nothing any more before they expire: a file in the control plane's folder, with the id of one on each line; what
 * follows the id says for people whose it was. The command line adds to it while the control plane runs. Thread-safe.
 */
public final class RevokedTokens {

    private static final Logger LOG = LoggerFactory.getLogger(RevokedTokens.class);

    private final Path file;
    private volatile Set<String> ids;
    private Object stamp;
    private String failure = "";

    private RevokedTokens(Path file) throws IOException {
        this.file = file;
        stamp = stamp();
        ids = read();
    }

    /**
     * @param state the control plane's folder
     * @throws IOException what is revoked cannot be known; the message names the file
     */
    public static RevokedTokens in(Path state) throws IOException {
        return new RevokedTokens(file(state));
    }

    private static Path file(Path state) {
        return state.resolve("token").resolve("revoked");
    }

    /** Adds one, for every control plane that has this folder. */
    public static void revoke(Path state, Token token) throws IOException {
        Path file = file(state);
        String line = String.format(
                "%s %s of mesh %s, expires %s%n", token.id(), token.service(), token.mesh(), token.expires());
        // In one step with the line, so that two who add at a time spoil neither.
        String before = endsWithLine(file) ? "" : System.lineSeparator();
        OwnerOnlyFile.append(file, (before + line).getBytes(StandardCharsets.UTF_8));
    }

    /** Somebody may have added a last line without its end by hand. */
    private static boolean endsWithLine(Path file) throws IOException {
        try {
            byte[] content = Files.readAllBytes(file);
            return content.length == 0 || content[content.length - 1] == '\n';
        } catch (NoSuchFileException none) {
            return true;
        }
    }

    public boolean contains(Token token) {
        return ids.contains(token.id());
    }

    /** Reads the file again if it is another one by now; what cannot be read leaves all as it was. @return whether that changed anything */
    public synchronized boolean changed() {
        try {
            Object now = stamp();
            if (now.equals(stamp)) {
                return false;
            }
            Set<String> before = ids;
            ids = read();
            stamp = now;
            failure = "";
            return !ids.equals(before);
        } catch (IOException e) {
            if (!failure.equals(e.getMessage())) {
                failure = e.getMessage();
                LOG.error("which tokens are revoked stays as it was: {}", failure);
            }
            return false;
        }
    }

    private Object stamp() throws IOException {
        try {
            return List.of(Files.getLastModifiedTime(file), Files.size(file));
        } catch (NoSuchFileException none) {
            return "none";
        }
    }

    /** A last line that is half there still names no token; its rest makes it another file. */
    private Set<String> read() throws IOException {
        String text;
        try {
            text = Files.readString(file);
        } catch (NoSuchFileException none) {
            return Set.of();
        } catch (IOException e) {
            throw new IOException("the list of revoked tokens " + file + " cannot be read: " + e, e);
        }
        Set<String> read = new HashSet<>();
        for (String line : text.split("\\R")) {
            if (!line.isBlank()) {
                read.add(line.strip().split(" ", 2)[0]);
            }
        }
        return Set.copyOf(read);
    }
}
