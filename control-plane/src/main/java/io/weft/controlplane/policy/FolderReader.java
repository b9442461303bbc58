package io.weft.controlplane.policy;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.AccessDeniedException;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.FileTime;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * Reads the {@code *.yaml} and {@code *.yml} files of a folder; not its sub-folders, nor files that begin with a dot. What is wrong
 * with one file is that file's problem and keeps no other from being read.
 */
public class FolderReader {

    private static final int MAX_FILE_BYTES = 4 << 20;

    private final Path folder;

    public FolderReader(Path folder) {
        this.folder = folder;
    }

    public Path folder() {
        return folder;
    }

    /** What tells one state of a file from another without reading it. */
    sealed interface Stamp {

        record Regular(long size, FileTime modified, Optional<Object> key) implements Stamp {}

        /** There is something of that name that cannot be read. */
        record Unusable(String reason) implements Stamp {}
    }

    /**
     * A look at the folder.
     *
     * @param folder which one it is: another folder in its place differs
     * @param files by name, in their order
     */
    record Listing(Optional<Object> folder, SortedMap<String, Stamp> files) {}

    /** @throws IOException if the folder cannot be listed */
    Listing look() throws IOException {
        BasicFileAttributes attributes = Files.readAttributes(folder, BasicFileAttributes.class);
        if (!attributes.isDirectory()) {
            throw new NotDirectoryException(folder.toString());
        }
        SortedMap<String, Stamp> stamps = new TreeMap<>();
        for (Path file : list()) {
            stamp(file).ifPresent(stamp -> stamps.put(file.getFileName().toString(), stamp));
        }
        return new Listing(Optional.ofNullable(attributes.fileKey()), stamps);
    }

    /**
     * Every file, in the order of their names.
     *
     * @throws IOException if the folder cannot be listed
     */
    public List<SourceText> read() throws IOException {
        List<SourceText> contents = new ArrayList<>();
        for (Path file : list()) {
            read(file).ifPresent(contents::add);
        }
        return contents;
    }

    /** A file by itself, whatever it is called; its name is its path. */
    public static SourceText readFile(Path file) {
        String name = file.toString();
        return read(file).map(text -> text.named(name)).orElseGet(() -> SourceText.failed(name, "is not there"));
    }

    private List<Path> list() throws IOException {
        List<Path> files = new ArrayList<>();
        try (DirectoryStream<Path> stream = Files.newDirectoryStream(folder, FolderReader::isPolicyFile)) {
            stream.forEach(files::add);
        } catch (DirectoryIteratorException e) {
            throw e.getCause();
        }
        files.sort(null);
        return files;
    }

    private static boolean isPolicyFile(Path file) {
        String name = file.getFileName().toString();
        return !name.startsWith(".") && (name.endsWith(".yaml") || name.endsWith(".yml")) && !Files.isDirectory(file);
    }

    /** Empty: it was removed since the listing. */
    private static Optional<Stamp> stamp(Path file) {
        try {
            BasicFileAttributes attributes = Files.readAttributes(file, BasicFileAttributes.class);
            if (!attributes.isRegularFile()) {
                // A pipe would be waited for.
                return Optional.of(new Stamp.Unusable("is no regular file; put one in its place or remove it"));
            }
            if (!Files.isReadable(file)) {
                return Optional.of(denied());
            }
            return Optional.of(new Stamp.Regular(
                    attributes.size(), attributes.lastModifiedTime(), Optional.ofNullable(attributes.fileKey())));
        } catch (NoSuchFileException e) {
            return Files.isSymbolicLink(file)
                    ? Optional.of(new Stamp.Unusable("is a link to a file that is not there; put one there or remove the link"))
                    : Optional.empty();
        } catch (AccessDeniedException e) {
            return Optional.of(denied());
        } catch (IOException e) {
            return Optional.of(new Stamp.Unusable(unreadable(e)));
        }
    }

    private static Stamp denied() {
        return new Stamp.Unusable("may not be read by this process; check the permissions of the file and of the folders that lead to it");
    }

    private static String unreadable(IOException e) {
        String reason = e instanceof FileSystemException system && system.getReason() != null ? system.getReason() : e.toString();
        return "cannot be read (" + reason + "); mend or remove it";
    }

    private static Optional<SourceText> read(Path file) {
        String name = file.getFileName().toString();
        Optional<Stamp> stamp = stamp(file);
        if (stamp.isEmpty()) {
            return Optional.empty();
        }
        if (stamp.get() instanceof Stamp.Unusable unusable) {
            return Optional.of(SourceText.failed(name, unusable.reason()));
        }
        try (InputStream stream = Files.newInputStream(file)) {
            byte[] bytes = stream.readNBytes(MAX_FILE_BYTES + 1);
            if (bytes.length > MAX_FILE_BYTES) {
                return Optional.of(SourceText.failed(name, "is larger than 4 MiB; split it"));
            }
            String text = StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)).toString();
            return Optional.of(new SourceText(name, Optional.of(text), Optional.empty()));
        } catch (NoSuchFileException e) {
            return Optional.empty();
        } catch (CharacterCodingException e) {
            return Optional.of(SourceText.failed(name, "is not UTF-8; save it as UTF-8"));
        } catch (IOException e) {
            return Optional.of(SourceText.failed(name, unreadable(e)));
        }
    }
}
