package io.weft.it.harness;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.nio.file.FileSystem;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.objectweb.asm.ClassReader;
import org.objectweb.asm.ClassWriter;
import org.objectweb.asm.Opcodes;
import org.objectweb.asm.commons.ClassRemapper;
import org.objectweb.asm.commons.Remapper;

/** A library under another name in an app's own jar, as a shading build puts it there. */
public final class RelocatedCopy {
    private RelocatedCopy() {}

    /**
     * The classes of a library, and those of a driver, which goes by the copy. The library itself is not needed then.
     *
     * @param jar where it is to be; not there yet
     * @param root what the names of the library's classes begin with, with slashes
     * @param there what those of the copy begin with
     * @param driver the beginning of the names of the driver's classes, with slashes
     */
    public static Path make(Path jar, Library library, String root, String there, String driver) {
        Remapper names = new Remapper(Opcodes.ASM9) {
            @Override
            public String map(String name) {
                return name.startsWith(root) ? there + name.substring(root.length()) : name;
            }
        };
        try (FileSystem copy = FileSystems.newFileSystem(URI.create("jar:" + jar.toUri()), Map.of("create", "true"))) {
            for (Path each : library.jars()) {
                try (FileSystem inside = FileSystems.newFileSystem(each)) {
                    add(inside.getPath("/"), root, names, copy);
                }
            }
            if (Files.isDirectory(Build.drivers())) {
                add(Build.drivers(), driver, names, copy);
            } else {
                try (FileSystem inside = FileSystems.newFileSystem(Build.drivers())) {
                    add(inside.getPath("/"), driver, names, copy);
                }
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return jar;
    }

    private static void add(Path folder, String beginning, Remapper names, FileSystem copy) throws IOException {
        List<Path> classes = new ArrayList<>();
        try (Stream<Path> files = Files.walk(folder)) {
            files.filter(file -> {
                String name = folder.relativize(file).toString();
                return name.startsWith(beginning) && name.endsWith(".class");
            }).forEach(classes::add);
        }
        for (Path file : classes) {
            ClassReader reader = new ClassReader(Files.readAllBytes(file));
            ClassWriter writer = new ClassWriter(0);
            reader.accept(new ClassRemapper(writer, names), 0);
            Path to = copy.getPath(names.map(reader.getClassName()) + ".class");
            Files.createDirectories(to.getParent());
            Files.write(to, writer.toByteArray());
        }
    }
}
