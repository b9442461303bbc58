package io.weft.controlplane.policy;

import java.io.IOException;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.FileTime;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;

/** Reads the {@code *.yaml} and {@code *.yml} files of a folder; not its sub-folders, nor files that begin with a dot. */
public final class FolderReader {

    private static final long MAX_FILE_BYTES = 4L << 20;

    private final Path folder;

    public FolderReader(Path folder) {
        this.folder = folder;
    }

    public Path folder() {
        return folder;
    }

    /** @param text empty if the file could not be read; then {@code failure} says why */
    public record FileContent(String name, Optional<String> text, Optional<Problem> failure) {}

    /** What tells one state of a file from another without reading it. */
    record Stamp(long size, FileTime modified, Optional<Object> key) {}

    /**
     * The files' stamps by name, in the order of their names.
     *
     * @throws IOException if the folder cannot be listed
     */
    SortedMap<String, Stamp> stamps() throws IOException {
        SortedMap<String, Stamp> stamps = new TreeMap<>();
        for (Path file : list()) {
            try {
                BasicFileAttributes attributes = Files.readAttributes(file, BasicFileAttributes.class);
                stamps.put(
                        file.getFileName().toString(),
                        new Stamp(
                                attributes.size(),
                                attributes.lastModifiedTime(),
                                Optional.ofNullable(attributes.fileKey())));
            } catch (NoSuchFileException e) {
                // Removed since the listing, or a link to nothing: the same as not there.
                continue;
            }
        }
        return stamps;
    }

    /**
     * Every file, in the order of their names.
     *
     * @throws IOException if the folder cannot be listed
     */
    public List<FileContent> read() throws IOException {
        List<FileContent> contents = new ArrayList<>();
        for (Path file : list()) {
            read(file).ifPresent(contents::add);
        }
        return contents;
    }

    private List<Path> list() throws IOException {
        List<Path> files = new ArrayList<>();
        try (DirectoryStream<Path> stream = Files.newDirectoryStream(folder, FolderReader::isPolicyFile)) {
            stream.forEach(files::add);
        }
        files.sort(null);
        return files;
    }

    private static boolean isPolicyFile(Path file) {
        String name = file.getFileName().toString();
        return !name.startsWith(".") && (name.endsWith(".yaml") || name.endsWith(".yml")) && !Files.isDirectory(file);
    }

    private static Optional<FileContent> read(Path file) {
        String name = file.getFileName().toString();
        try {
            if (Files.size(file) > MAX_FILE_BYTES) {
                return Optional.of(failure(name, "is larger than 4 MiB; split it"));
            }
            return Optional.of(new FileContent(
                    name, Optional.of(Files.readString(file, StandardCharsets.UTF_8)), Optional.empty()));
        } catch (NoSuchFileException e) {
            return Optional.empty();
        } catch (CharacterCodingException e) {
            return Optional.of(failure(name, "is not UTF-8; save it as UTF-8"));
        } catch (IOException e) {
            return Optional.of(failure(name, "cannot be read (" + e + "); check its permissions"));
        }
    }

    private static FileContent failure(String name, String message) {
        return new FileContent(name, Optional.empty(), Optional.of(new Problem(name, 0, "", message)));
    }
}
