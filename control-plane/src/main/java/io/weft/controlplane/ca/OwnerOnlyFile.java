package io.weft.controlplane.ca;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.EnumSet;
import java.util.Set;
import java.util.concurrent.ThreadLocalRandom;

/**
 * A file that nobody but its owner may read, such as one with a private key; it is replaced as a whole. On a file system without POSIX
 * rights the folder's own rules count.
 */
public final class OwnerOnlyFile {

    private static final Set<PosixFilePermission> OWNER = PosixFilePermissions.fromString("rw-------");
    private static final Set<PosixFilePermission> OWNER_FOLDER = PosixFilePermissions.fromString("rwx------");
    private static final Set<PosixFilePermission> OTHERS = EnumSet.complementOf(EnumSet.copyOf(OWNER_FOLDER));

    private OwnerOnlyFile() {}

    /**
     * @throws java.nio.file.NoSuchFileException there is none
     * @throws IOException others can read it, or it cannot be read; the message names it
     */
    public static byte[] read(Path file) throws IOException {
        if (isPosix(file)) {
            Set<PosixFilePermission> permissions = Files.getPosixFilePermissions(file);
            Set<PosixFilePermission> tooMany = EnumSet.copyOf(OTHERS);
            tooMany.retainAll(permissions);
            if (!tooMany.isEmpty()) {
                throw new IOException(file + " holds a private key and is open to others ("
                        + PosixFilePermissions.toString(permissions) + "); allow only its owner: chmod 600 " + file
                        + ", and if somebody may have read it, replace the key");
            }
        }
        return Files.readAllBytes(file);
    }

    /** Either the old content or the new survives a crash, never a part. */
    public static void replace(Path file, byte[] content) throws IOException {
        Path next = write(file, content);
        try {
            Files.move(next, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        } finally {
            Files.deleteIfExists(next);
        }
    }

    /**
     * Creates it with this content unless it is there.
     *
     * @return whether it was created
     */
    public static boolean create(Path file, byte[] content) throws IOException {
        Path next = write(file, content);
        try {
            // Unlike a move a link never replaces what another process has created meanwhile.
            Files.createLink(file, next);
            return true;
        } catch (FileAlreadyExistsException e) {
            return false;
        } finally {
            Files.deleteIfExists(next);
        }
    }

    /** Adds to its end, in one step, and creates it where there is none. */
    public static void append(Path file, byte[] content) throws IOException {
        boolean posix = makeFolderOf(file);
        write(file, content, posix, EnumSet.of(StandardOpenOption.CREATE, StandardOpenOption.APPEND));
    }

    private static Path write(Path file, byte[] content) throws IOException {
        boolean posix = makeFolderOf(file);
        Path next = file.toAbsolutePath().getParent()
                .resolve("." + file.getFileName() + "." + Long.toHexString(ThreadLocalRandom.current().nextLong()));
        write(next, content, posix, EnumSet.of(StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE));
        return next;
    }

    private static void write(Path file, byte[] content, boolean posix, Set<StandardOpenOption> options) throws IOException {
        ByteBuffer bytes = ByteBuffer.wrap(content);
        try (FileChannel channel = posix
                ? FileChannel.open(file, options, PosixFilePermissions.asFileAttribute(OWNER))
                : FileChannel.open(file, options)) {
            while (bytes.hasRemaining()) {
                channel.write(bytes);
            }
            channel.force(true);
        }
    }

    /** @return whether it has POSIX rights */
    private static boolean makeFolderOf(Path file) throws IOException {
        Path folder = file.toAbsolutePath().getParent();
        boolean posix = isPosix(folder);
        if (!Files.isDirectory(folder)) {
            if (posix) {
                // Through a link to a folder Java 17 cannot create one that is there.
                if (!Files.isDirectory(folder.getParent())) {
                    Files.createDirectories(folder.getParent());
                }
                try {
                    Files.createDirectory(folder, PosixFilePermissions.asFileAttribute(OWNER_FOLDER));
                } catch (FileAlreadyExistsException e) {
                    // Another process was first.
                }
            } else {
                Files.createDirectories(folder);
            }
        }
        return posix;
    }

    private static boolean isPosix(Path path) throws IOException {
        Path existing = path.toAbsolutePath();
        while (existing.getParent() != null && !Files.exists(existing, LinkOption.NOFOLLOW_LINKS)) {
            existing = existing.getParent();
        }
        return Files.getFileStore(existing).supportsFileAttributeView("posix");
    }
}
