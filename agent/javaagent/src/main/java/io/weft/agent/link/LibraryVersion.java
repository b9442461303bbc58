package io.weft.agent.link;

import io.weft.instrumentation.InstrumentationModule;
import io.weft.instrumentation.Releases;
import java.io.IOException;
import java.io.InputStream;
import java.net.URL;
import java.net.URLConnection;
import java.util.Collections;
import java.util.Properties;

/**
 * Which version of a library an app has. What is not known to be the library's own is not told: a jar that holds an app with all
 * that it needs has the app's version in its name and its manifest.
 */
final class LibraryVersion {
    private static final String JAR = ".jar";

    private LibraryVersion() {}

    /**
     * @param location as {@link LibraryJar#location} has it
     * @param loader of the app; null: it is gone, or the JVM's first
     * @return as in {@code 4.1.15.Final}; empty: nobody can tell
     */
    static String of(InstrumentationModule module, String location, ClassLoader loader) {
        Releases releases = module.releases();
        if (releases.tested().isEmpty()) {
            return "";
        }
        if (releases.artifacts().isEmpty()) {
            return Integer.toString(Runtime.version().feature());
        }
        String jar = LibraryJar.name(location);
        for (String artifact : releases.artifacts()) {
            String version = inName(jar, artifact.substring(artifact.indexOf(':') + 1));
            if (!version.isEmpty()) {
                return version;
            }
        }
        return loader == null || jar.isEmpty() ? "" : inside(module, location, jar, loader);
    }

    /** @param name of the artifact, after which a digit begins the version: {@code netty-transport-native-epoll} is another */
    private static String inName(String jar, String name) {
        int version = name.length() + 1;
        boolean versioned = jar.startsWith(name + '-') && jar.endsWith(JAR) && Character.isDigit(jar.charAt(version));
        return versioned ? jar.substring(version, jar.length() - JAR.length()) : "";
    }

    private static String inside(InstrumentationModule module, String location, String jar, ClassLoader loader) {
        for (String artifact : module.releases().artifacts()) {
            String version = byMaven(artifact, location, loader);
            if (!version.isEmpty()) {
                return version;
            }
            if (jar.equals(artifact.substring(artifact.indexOf(':') + 1) + JAR)) {
                return byManifest(module, loader);
            }
        }
        return "";
    }

    /** What Maven leaves in a jar says whose version it is, also in one that many were put into. */
    private static String byMaven(String artifact, String location, ClassLoader loader) {
        try {
            for (URL file : Collections.list(loader.getResources("META-INF/maven/" + artifact.replace(':', '/') + "/pom.properties"))) {
                if (file.toString().contains(location)) {
                    URLConnection connection = file.openConnection();
                    // Whoever caches a jar keeps it open after the app is gone.
                    connection.setUseCaches(false);
                    Properties properties = new Properties();
                    try (InputStream in = connection.getInputStream()) {
                        properties.load(in);
                    }
                    return properties.getProperty("version", "");
                }
            }
        } catch (IOException | RuntimeException | LinkageError unreadable) {
            return "";
        }
        return "";
    }

    private static String byManifest(InstrumentationModule module, ClassLoader loader) {
        String telling = LibraryJar.telling(module);
        Package defined = loader.getDefinedPackage(telling.substring(0, telling.lastIndexOf('.')));
        String version = defined == null ? null : defined.getImplementationVersion();
        return version == null ? "" : version;
    }
}
