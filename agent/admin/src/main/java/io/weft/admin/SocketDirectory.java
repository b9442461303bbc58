package io.weft.admin;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFileAttributes;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/** Where the admin sockets of one user's JVMs are, each named after its process id. Nobody else may enter. */
public record SocketDirectory(Path path) {
    private static final Path PARENT = Path.of("/tmp");
    private static final String PREFIX = "weft-";
    private static final String SUFFIX = ".sock";

    /**
     * The same for every JVM of a user. Not in {@code java.io.tmpdir}, which servers set to a folder of their own.
     *
     * @param user name of the user
     */
    public static SocketDirectory of(String user) {
        return new SocketDirectory(PARENT.resolve(PREFIX + user.replaceAll("[^A-Za-z0-9._-]", "_")));
    }

    /** Those of all users, in order, also of those who let nobody else in. */
    public static List<SocketDirectory> ofEveryUser() throws IOException {
        List<SocketDirectory> directories = new ArrayList<>();
        try (DirectoryStream<Path> folders = Files.newDirectoryStream(PARENT, PREFIX + "*")) {
            for (Path folder : folders) {
                if (Files.isDirectory(folder, LinkOption.NOFOLLOW_LINKS)) {
                    directories.add(new SocketDirectory(folder));
                }
            }
        }
        directories.sort(Comparator.comparing(SocketDirectory::path));
        return directories;
    }

    public Path socket(long pid) {
        return path.resolve(pid + SUFFIX);
    }

    /** The process ids of which there is a socket, in order; those of dead processes too. */
    public List<Long> pids() throws IOException {
        List<Long> pids = new ArrayList<>();
        if (Files.isDirectory(path)) {
            try (DirectoryStream<Path> sockets = Files.newDirectoryStream(path, "*" + SUFFIX)) {
                for (Path socket : sockets) {
                    String name = socket.getFileName().toString();
                    name = name.substring(0, name.length() - SUFFIX.length());
                    if (!name.isEmpty() && name.length() < 19 && name.chars().allMatch(c -> c >= '0' && c <= '9')) {
                        pids.add(Long.parseLong(name));
                    }
                }
            }
        }
        pids.sort(null);
        return pids;
    }

    /**
     * Makes it if it is not there.
     *
     * @throws IOException also when somebody else may enter it: everybody can make folders where it is by default
     */
    void prepare() throws IOException {
        Files.createDirectories(path.toAbsolutePath().getParent());
        try {
            Files.createDirectory(path, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
        } catch (FileAlreadyExistsException there) {
            PosixFileAttributes attributes = Files.readAttributes(path, PosixFileAttributes.class, LinkOption.NOFOLLOW_LINKS);
            if (!attributes.isDirectory()) {
                throw new IOException(path + " is no folder");
            }
            if (!PosixFilePermissions.toString(attributes.permissions()).endsWith("------")) {
                throw new IOException("others than its owner may enter " + path + "; run chmod 700 on it");
            }
        }
        Path own = Files.createTempFile(path, "owner", "");
        try {
            if (!Files.getOwner(own).equals(Files.getOwner(path, LinkOption.NOFOLLOW_LINKS))) {
                throw new IOException(path + " belongs to " + Files.getOwner(path, LinkOption.NOFOLLOW_LINKS));
            }
        } finally {
            Files.delete(own);
        }
    }
}
