package io.weft.controlplane.registry;

import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.json.JsonMapper;
import io.weft.controlplane.ca.OwnerOnlyFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.List;

/** Registrations on disk, replaced as a whole. Not thread-safe. */
public final class StateFile {

    private static final int FORMAT = 1;

    private final Path file;
    private final ObjectMapper json = JsonMapper.builder()
            .disable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES)
            .enable(SerializationFeature.INDENT_OUTPUT)
            .build();

    private record Content(int format, List<SavedRegistration> registrations) {}

    public StateFile(Path folder) {
        this.file = folder.resolve("registrations.json");
    }

    public Path path() {
        return file;
    }

    /**
     * @return empty if there is no file yet
     * @throws IOException if it cannot be read or understood
     */
    public List<SavedRegistration> read() throws IOException {
        try {
            Content content = json.readValue(Files.readAllBytes(file), Content.class);
            if (content.format() != FORMAT) {
                throw new IOException("has format " + content.format() + ", not " + FORMAT);
            }
            return content.registrations() == null ? List.of() : content.registrations();
        } catch (NoSuchFileException e) {
            return List.of();
        }
    }

    /** Either the old content or the new survives a crash, never a part. */
    public void write(List<SavedRegistration> registrations) throws IOException {
        OwnerOnlyFile.replace(file, json.writeValueAsBytes(new Content(FORMAT, registrations)));
    }
}
