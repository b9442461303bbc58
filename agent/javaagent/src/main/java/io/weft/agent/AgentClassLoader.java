package io.weft.agent;

import java.io.ByteArrayInputStream;
import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;

/**
 * The agent's own classes and libraries, in whatever versions, out of sight of the app: {@code a.b.C} is
 * {@code weft/a/b/C.classdata} in the jar. The app's classes cannot be seen from here either.
 */
final class AgentClassLoader extends ClassLoader {
    private static final String PREFIX = "weft/";

    static {
        registerAsParallelCapable();
    }

    /** Open as long as the JVM runs. Plain zip: nothing here is signed, and versions for newer JDKs are dealt with at build time. */
    private final ZipFile jar;
    private final File file;
    private final long written;

    AgentClassLoader(File jar, ClassLoader parent) throws IOException {
        super("weft", parent);
        file = jar;
        written = jar.lastModified();
        this.jar = new ZipFile(jar);
    }

    @Override
    protected Class<?> findClass(String name) throws ClassNotFoundException {
        byte[] classFile;
        try {
            classFile = read(name.replace('.', '/') + ".classdata");
        } catch (IOException unreadable) {
            throw new ClassNotFoundException(absent(name), unreadable);
        }
        if (classFile == null) {
            throw new ClassNotFoundException(absent(name));
        }
        return defineClass(name, classFile, 0, classFile.length);
    }

    private String absent(String name) {
        return file.lastModified() == written
                ? name
                : name + ": " + file + " was written to after this process began, which can load no more of it; start the process again";
    }

    /** Also gives class files, under their ordinary names. The agent's own resources go before the JDK's. */
    @Override
    public InputStream getResourceAsStream(String name) {
        try {
            byte[] resource = read(name.endsWith(".class") ? name + "data" : name);
            return resource == null ? super.getResourceAsStream(name) : new ByteArrayInputStream(resource);
        } catch (IOException unreadable) {
            return null;
        }
    }

    private byte[] read(String name) throws IOException {
        ZipEntry entry = jar.getEntry(PREFIX + name);
        if (entry == null) {
            return null;
        }
        try (InputStream in = jar.getInputStream(entry)) {
            return in.readAllBytes();
        }
    }
}
